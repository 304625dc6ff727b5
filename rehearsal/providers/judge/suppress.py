"""Comparisons that hide a change which only looks like one; named as the provider names them (`diff_suppress`).

A name that is not here is not evaluated: the change is then shown, which is the safe side.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rehearsal.providers.judge.formats import DURATION
from rehearsal.providers.values import Value

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _relative(link: str) -> str:
    return re.sub(r"^https?://[^/]+/(compute/)?(v1|beta|alpha)/|^//[^/]+/", "", link)


def _same_link_or_name(old: str, new: str) -> bool:
    if "/" in old and "/" in new:
        return _relative(old) == _relative(new)
    return old.rsplit("/", 1)[-1] == new.rsplit("/", 1)[-1]


def _same_name(old: str, new: str) -> bool:
    return old.rsplit("/", 1)[-1] == new.rsplit("/", 1)[-1]


def _seconds(text: str) -> timedelta | None:
    if not DURATION.fullmatch(text):
        return None
    parts = re.findall(r"([\d.]+)(ns|us|µs|ms|s|m|h)", text)
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in parts))


def _same_duration(old: str, new: str) -> bool:
    return _seconds(old) is not None and _seconds(old) == _seconds(new)


def _same_network(old: str, new: str) -> bool:
    try:
        return ipaddress.ip_interface(old) == ipaddress.ip_interface(new)
    except ValueError:
        return False


def _same_member(old: str, new: str) -> bool:
    """The part before the colon counts, the rest is compared without case."""
    return old.lower() == new.lower() and old.split(":")[0] == new.split(":")[0]


def _covers_json(old: str, new: str) -> bool:
    try:
        return _covers(json.loads(old), json.loads(new))
    except json.JSONDecodeError:
        return False


def _covers(state: Any, written: Any) -> bool:
    """Keys found only in the state do not count."""
    if isinstance(state, dict) and isinstance(written, dict):
        return all(key in state and _covers(state[key], value) for key, value in written.items())
    if isinstance(state, list) and isinstance(written, list):
        return len(state) == len(written) and all(map(_covers, state, written))
    return bool(state == written)


TEXT_RULES: dict[str, Callable[[str, str], bool]] = {
    "tpgresource.CompareSelfLinkOrResourceName": _same_link_or_name,
    "tpgresource.CompareSelfLinkRelativePaths": lambda old, new: _relative(old) == _relative(new),
    "compareSelfLinkRelativePathsIgnoreParams": lambda old, new: (
        _relative(old.split("?")[0]) == _relative(new.split("?")[0])
    ),
    "tpgresource.CompareResourceNames": _same_name,
    "tpgresource.CaseDiffSuppress": lambda old, new: old.lower() == new.lower(),
    "caseDiffDashSuppress": lambda old, new: old.lower().replace("-", "_") == new.lower().replace("-", "_"),
    "durationDiffSuppress": _same_duration,
    "IpCidrRangeDiffSuppress": _same_network,
    "ipv6RepresentationDiffSuppress": _same_network,
    "iamMemberCaseDiffSuppress": _same_member,
    "CompareProjectName": lambda old, new: old.removeprefix("projects/") == new.removeprefix("projects/"),
    "StorageBucketDiffSuppress": lambda old, new: old.removeprefix("b/") == new.removeprefix("b/"),
    "LastSlashDiffSuppress": lambda old, new: old.rstrip("/") == new.rstrip("/"),
    "monitoringDashboardDiffSuppress": _covers_json,
    "jwksJsonDiffSuppress": _covers_json,
}


def is_suppressed(rule: str | None, old: Value, new: Value) -> bool:
    """Whether the named comparison finds the two values equal."""
    if rule is None:
        return False
    if rule == "AlwaysDiffSuppress":
        return True
    if rule == "stringListDiffSuppress":
        return isinstance(old, list) and isinstance(new, list) and sorted(map(str, old)) == sorted(map(str, new))
    if rule == "AbsoluteDomainSuppress" and isinstance(old, list) and isinstance(new, list):
        return [str(name).rstrip(".") for name in old] == [str(name).rstrip(".") for name in new]
    if not isinstance(old, str) or not isinstance(new, str) or rule not in TEXT_RULES:
        return False
    return TEXT_RULES[rule](old, new)
