"""PromQL as a tree: which series an expression reads, under which functions, and which labels it names.

Parsed by promql-parser, which follows Prometheus 2.45; what a newer Prometheus understands is tried with its own
promtool.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import promql_parser as promql

RATES = frozenset({"rate", "increase", "irate"})
"""Functions of counters."""
PRESENCE = frozenset({"absent", "absent_over_time", "count", "timestamp", "present_over_time", "group"})
"""Functions that only ask whether a series is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A series that an expression reads: its name, its matchers as (label, value), the functions around it."""

    name: str
    matchers: tuple[tuple[str, str], ...]
    functions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Labels that an aggregation or a vector match names, over the series that it has below."""

    labels: frozenset[str]
    over: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What an expression says: every read, every grouping, the (series, bound) that a quantile is compared with."""

    reads: tuple[Read, ...]
    groupings: tuple[Grouping, ...]
    quantile_bounds: tuple[tuple[str, float], ...]

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the series."""
        return frozenset(read.name for read in self.reads)


@lru_cache(maxsize=1_024)
def parsed(expression: str) -> Query:
    """Return what `expression` says. Raises ValueError where it is no PromQL."""
    tree = promql.parse(expression)
    nodes = list(_walk(tree, frozenset()))
    return Query(
        reads=tuple(_reads(nodes)),
        groupings=tuple(_groupings(nodes)),
        quantile_bounds=tuple(_quantile_bounds(nodes)),
    )


def operator(node: promql.BinaryExpr | promql.AggregateExpr) -> str:
    """Return the operator of a node as it is written: ``>``, ``and``, ``sum``."""
    return str(node.op)


def _walk(node: Any, functions: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
    yield node, functions
    match node:
        case promql.Call():
            inner = functions | {node.func.name}
            for argument in node.args:
                yield from _walk(argument, inner)
        case promql.AggregateExpr():
            yield from _walk(node.expr, functions | {operator(node)})
        case promql.BinaryExpr():
            yield from _walk(node.lhs, functions)
            yield from _walk(node.rhs, functions)
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            yield from _walk(node.expr, functions)
        case promql.MatrixSelector():
            yield from _walk(node.vector_selector, functions)


def _reads(nodes: list[tuple[Any, frozenset[str]]]) -> Iterator[Read]:
    for node, functions in nodes:
        if isinstance(node, promql.VectorSelector):
            matchers = tuple((one.name, one.value) for one in node.matchers.matchers)
            yield Read(name=node.name or "", matchers=matchers, functions=functions)


def _groupings(nodes: list[tuple[Any, frozenset[str]]]) -> Iterator[Grouping]:
    for node, _ in nodes:
        labels: list[str] = []
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            labels = node.modifier.labels
        elif isinstance(node, promql.BinaryExpr) and node.modifier is not None:
            labels = [
                *(node.modifier.matching.labels if node.modifier.matching else ()),
                *(node.modifier.group_labels or ()),
            ]
        if labels:
            yield Grouping(labels=frozenset(labels), over=_names_below(node))


def _names_below(node: Any) -> frozenset[str]:
    return frozenset(
        below.name or "" for below, _ in _walk(node, frozenset()) if isinstance(below, promql.VectorSelector)
    )


def _quantile_bounds(nodes: list[tuple[Any, frozenset[str]]]) -> Iterator[tuple[str, float]]:
    for node, _ in nodes:
        if (
            isinstance(node, promql.BinaryExpr)
            and isinstance(node.lhs, promql.Call)
            and node.lhs.func.name == "histogram_quantile"
            and isinstance(node.rhs, promql.NumberLiteral)
        ):
            for name in _names_below(node.lhs):
                yield name, node.rhs.val
