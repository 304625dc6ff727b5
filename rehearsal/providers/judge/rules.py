"""Second part of Check: values and relations between properties, as the tables list them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from rehearsal.providers.judge.formats import FORMATS
from rehearsal.providers.paths import at_key, common_parent, find, segments
from rehearsal.providers.seams import Failure
from rehearsal.providers.values import UNKNOWN, Secret, Value, Values, plain
from rehearsal.tables.facts import Scalar, TypeFacts


def check_rules(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    """Every table rule that the inputs break; a rule that meets an unknown value is not applied."""
    yield from _enums(inputs, facts)
    yield from _patterns(inputs, facts)
    yield from _ranges(inputs, facts)
    yield from _formats(inputs, facts)
    yield from _conflicts(inputs, facts)
    yield from _groups(inputs, facts)
    yield from _conditional(inputs, facts)


def _known(inputs: Values, path: str) -> Iterator[tuple[str, Value, str]]:
    """Place, value and what may be shown of it, for every known value at a path."""
    for at, value in find(inputs, segments(path)):
        if value is not UNKNOWN:
            yield at, plain(value), "this secret" if isinstance(value, Secret) else _shown(value)


def _shown(value: Value) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _choices(values: Iterable[Scalar | None]) -> str:
    return ", ".join(_shown(value) for value in values if value not in {"", None})


def _enums(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for enums, whose in ((facts.enums, ""), (facts.enums_api, " (the API checks it, at apply time)")):
        for path, accepted in enums.items():
            any_case = path in facts.enums_case_insensitive
            folded = {str(value).lower() for value in accepted}
            for at, value, shown in _known(inputs, path):
                if isinstance(value, list | dict) or value in accepted:
                    continue
                if any_case and str(value).lower() in folded:
                    continue
                close = get_close_matches(str(value), [str(v) for v in accepted], n=1)
                guess = f"did you mean '{close[0]}'? It" if close else "it"
                yield Failure(at, f"{shown} is not an accepted value{whose}: {guess} takes {_choices(accepted)}")


def _patterns(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for path, pattern in facts.patterns.items():
        for at, value, shown in _known(inputs, path):
            if isinstance(value, str) and not re.search(pattern, value):
                yield Failure(at, f"{shown} does not match the pattern {pattern}: write a value that does")


def _ranges(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for path, (low, high) in facts.ranges.items():
        for at, value, shown in _known(inputs, path):
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if (low is not None and value < low) or (high is not None and value > high):
                limits = f"at least {low:g}" if high is None else f"at most {high:g}"
                limits = f"from {low:g} to {high:g}" if low is not None and high is not None else limits
                yield Failure(at, f"{shown} is out of range: write a number {limits}")


def _formats(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for path, name in facts.formats.items():
        for at, value, shown in _known(inputs, path):
            if not isinstance(value, list | dict) and value != "" and not FORMATS[name].holds(value):
                yield Failure(at, f"{shown} is not in the format {name}: write for example {FORMATS[name].example}")


class _Block:
    """One occurrence of the block that holds a group of paths, and which of them are set in it."""

    def __init__(self, at: str, value: Value, parent: tuple[str, ...], paths: tuple[str, ...]) -> None:
        self.at = at
        self.found = {path: list(find(value, segments(path)[len(parent) :], at)) for path in paths}

    def state(self, path: str) -> bool | None:
        """Whether the path is set: yes, no, or None for cannot be known yet. An empty list is not set."""
        values = [plain(value) for _, value in self.found[path]]
        return None if UNKNOWN in values else any(value != [] for value in values)

    def place(self, path: str) -> str:
        return self.found[path][0][0] if self.found[path] else at_key(self.at, segments(path)[-1])

    def may_set(self, path: str) -> bool:
        """Whether the path is set, or may turn out to be."""
        return self.state(path) is not False


def _blocks(inputs: Values, paths: tuple[str, ...]) -> Iterator[_Block]:
    parent = common_parent(paths)
    for at, value in find(inputs, parent):
        if value is not UNKNOWN:
            yield _Block(at, value, parent, paths)


def _conflicts(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for group in facts.conflicts:
        for block in _blocks(inputs, group):
            if all(block.state(path) for path in group):
                names = " and ".join(f"'{path}'" for path in group)
                yield Failure(block.place(group[0]), f"{names} cannot be set together: keep one of them")


def _groups(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for group in facts.exactly_one_of:
        for block in _blocks(inputs, group):
            certain = [path for path in group if block.state(path)]
            if len(certain) > 1 or not any(block.may_set(path) for path in group):
                got = f"{' and '.join(certain)} are set: keep one" if certain else "none is set: add one"
                yield Failure(block.at or group[0], f"needs exactly one of {', '.join(group)}, and {got}")
    for group in facts.at_least_one_of:
        for block in _blocks(inputs, group):
            if not any(block.may_set(path) for path in group):
                yield Failure(block.at or group[0], f"none of {', '.join(group)} is set: add at least one")
    for path, *needed in facts.required_with:
        for block in _blocks(inputs, (path, *needed)):
            missing = [other for other in needed if block.state(path) and not block.may_set(other)]
            if missing:
                yield Failure(block.place(path), f"'{path}' needs {', '.join(missing)} beside it: add it too")


def _conditional(inputs: Values, facts: TypeFacts) -> Iterator[Failure]:
    for path, (other, values) in facts.only_when.items():
        for block in _blocks(inputs, (path, other)):
            if block.state(path) and not _holds(block, other, values):
                reason = f"may be set only while '{other}' is {_choices(values)}: leave it out, or change '{other}'"
                yield Failure(block.place(path), reason)
    for path, (other, values) in facts.required_when.items():
        for block in _blocks(inputs, (path, other)):
            if block.state(other) and _holds(block, other, values) and not block.may_set(path):
                yield Failure(block.place(path), f"is required while '{other}' is {_choices(values)}: add it")


def _holds(block: _Block, other: str, values: tuple[Scalar | None, ...]) -> bool:
    """Whether the other property has one of the values, or may have it once it is known."""
    found = [plain(value) for _, value in block.found[other]]
    return (None in values) if not found else any(value is UNKNOWN or value in values for value in found)
