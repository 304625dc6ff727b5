from __future__ import annotations

import pytest
from pydantic import ValidationError

from autoscaler.policy import Life, Policy, Thresholds, Window
from tests.autoscaler.policies import policy


def test_a_policy_survives_json() -> None:
    assert Policy.model_validate_json(policy().model_dump_json()) == policy()


def test_a_window_that_can_never_agree_is_refused() -> None:
    with pytest.raises(ValidationError, match="6 of 5 samples can never agree; write at most 5"):
        Window(agreeing=6, samples=5)


def test_thresholds_that_ask_for_both_are_refused() -> None:
    low = Thresholds(kv_cache_usage=0.9, waiting=0, first_token_seconds=1)
    with pytest.raises(ValidationError, match=r"down\.kv_cache_usage 0\.9 is not below up\.kv_cache_usage 0\.85"):
        policy(down=low)


def test_a_run_too_short_to_serve_is_refused() -> None:
    with pytest.raises(ValidationError, match="write at least 1500"):
        Life(max_run_seconds=1_200)


def test_more_than_two_workers_are_refused() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 2"):
        policy(max_workers=3)
