"""What a change of the stage file would cost: `key=value`, checked and planned like the file itself.

A key is a path of the stage file with dots, such as ``api.min_instances``, or one of the names below, which stand for
the growth plan's savings and for changes of several keys. A single figure for a range of the usage stands for all of
its three.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from dreamseed.config import merge, parse_stage
from dreamseed.cost.quantities.use import usage_ranges
from dreamseed.errors import ConfigError
from dreamseed.planning.planner import plan_stage
from dreamseed.planning.stage_plan import StagePlan

WHERE = "--what-if"


def _minimum(value: Any) -> dict[str, Any]:
    return {"api": {"min_instances": value}}


def _hit_rate(value: Any) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(WHERE, f"cdn_hit_rate={value} is no share", "it is hits over requests", "cdn_hit_rate=0.95")
    return {"usage": {"edge_miss_ratio": round(1 - value, 12)}}


def _commitment(value: Any) -> dict[str, Any]:
    return {"usage": {"commitment": value}}


def _spot(value: Any) -> dict[str, Any]:
    # YAML 1.1 reads the words on and off as true and false.
    return {"usage": {"burst_pricing": {True: "spot", False: "on_demand"}.get(value, value)}}


def _lifecycle(value: Any) -> dict[str, Any]:
    return {"object_store": {"hidden_version_days": value}}


def _region(value: Any) -> dict[str, Any]:
    return {
        "service": {"region": value, "zone": f"{value}-a"},
        "vllm": {"burst": {"zones": [f"{value}-a", f"{value}-b"]}},
    }


NAMED: Mapping[str, tuple[Callable[[Any], dict[str, Any]], str]] = {
    "min_instances": (_minimum, "Cloud Run's minimum instances, such as 0; each start is then a cold start"),
    "cdn_hit_rate": (_hit_rate, "share of content that the edge holds, such as 0.95"),
    "commitment": (_commitment, "none, one_year or three_years of Cloud Run and Cloud SQL"),
    "spot": (_spot, "on or off: how workers that bridge peaks are bought"),
    "lifecycle": (_lifecycle, "days until overwritten versions are deleted; Backblaze has no cold tier"),
    "region": (_region, "Google Cloud region of everything, such as asia-northeast3"),
}
"""The growth plan's savings, and the region, by name: the change they stand for, and what they mean."""


def overlay(changes: Sequence[str]) -> dict[str, Any]:
    """Return `changes` (``key=value``) as what is laid over a stage file; raises `ConfigError` for any other form."""
    laid: dict[str, Any] = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals or not key:
            raise ConfigError(WHERE, f"'{change}' has no value", "a what-if changes one key", "key=value")
        value = yaml.safe_load(text)
        named = NAMED.get(key)
        if named is not None:
            part = named[0](value)
        elif "." in key:
            part = _nested(key.split("."), value)
        else:
            raise ConfigError(
                WHERE,
                f"'{key}' is no name of a what-if",
                "a key of the stage file has a section, such as api.min_instances",
                f"SECTION.KEY=VALUE, or one of {', '.join(NAMED)}",
            )
        laid = merge(laid, part)
    return _spread(laid)


def planned_with(document: Mapping[str, Any], changes: Sequence[str], name: str) -> StagePlan:
    """Return the plan of the stage file's `document` with `changes`; raises like any wrong stage file."""
    return plan_stage(parse_stage(document, overlay(changes), name), name)


def _nested(path: Sequence[str], value: Any) -> dict[str, Any]:
    return {path[0]: value if len(path) == 1 else _nested(path[1:], value)}


def _spread(laid: dict[str, Any]) -> dict[str, Any]:
    """Return `laid` with a single figure for a range as low, expected and high."""
    usage = laid.get("usage")
    if not isinstance(usage, dict):
        return laid
    ranges = usage_ranges()
    figures = {
        key: {"low": value, "expected": value, "high": value}
        for key, value in usage.items()
        if key in ranges and not isinstance(value, dict)
    }
    return laid | {"usage": usage | figures}
