from __future__ import annotations

from typing import Any

import pytest

from autoscaler.records import Verdict
from autoscaler.signals import judge
from tests.autoscaler.policies import NOW, busy, idle, policy, sample

UNUSABLE: dict[str, dict[str, Any]] = {
    "missing": {"waiting": None},
    "not a number": {"kv_cache_usage": float("nan")},
    "infinite": {"first_token_seconds": float("inf")},
    "old": {"taken_at": NOW - 61},
    "of the future": {"taken_at": NOW + 6},
    "negative": {"waiting": -1.0},
    "more than all of the cache": {"kv_cache_usage": 1.01},
    "running without any cache": {"kv_cache_usage": 0.0},
    "waiting while none runs": {"running": 0.0},
}


@pytest.mark.parametrize("wrong", UNUSABLE.values(), ids=UNUSABLE.keys())
@pytest.mark.parametrize("kind", [busy, idle])
def test_data_that_cannot_be_used_says_nothing(kind: Any, wrong: dict[str, Any]) -> None:
    changed = kind(**({"waiting": 5.0, "running": 10.0} | wrong))
    assert judge(changed, policy(), NOW)[0] is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"kv_cache_usage": 0.85}, Verdict.HOLD),
        ({"kv_cache_usage": 0.851}, Verdict.UP),
        ({"waiting": 10.0}, Verdict.HOLD),
        ({"waiting": 11.0}, Verdict.UP),
        ({"first_token_seconds": 5.0}, Verdict.HOLD),
        ({"first_token_seconds": 5.1}, Verdict.UP),
    ],
)
def test_each_signal_alone_asks_for_one_more_above_its_threshold(changes: dict[str, float], verdict: Verdict) -> None:
    assert judge(sample(**changes), policy(), NOW)[0] is verdict


@pytest.mark.parametrize("changes", [{"kv_cache_usage": 0.6}, {"waiting": 1.0}, {"first_token_seconds": 1.0}])
def test_one_fewer_needs_every_signal_below_its_threshold(changes: dict[str, float]) -> None:
    assert judge(idle(), policy(), NOW)[0] is Verdict.DOWN
    assert judge(idle(**changes), policy(), NOW)[0] is Verdict.HOLD
