from __future__ import annotations

import numpy as np
import pytest

from dreamseed.config.types import Stage
from dreamseed.growth.costs import planned_budget
from dreamseed.growth.ladder import entry_months, ladder, rungs_held
from dreamseed.growth.parameters import GrowthError
from dreamseed.interval import Interval
from tests.growth.shipped import configs, rungs


def test_the_ladder_is_read_from_the_stage_files() -> None:
    assert [rung.stage for rung in rungs()] == list(Stage)
    assert [rung.begins_above_sign_ups for rung in rungs()] == [0, 1_000, 10_000, 100_000, 500_000]
    assert [rung.sign_ups for rung in rungs()] == [1_000, 10_000, 100_000, 500_000, 1_000_000]
    assert [rung.new_gpus for rung in rungs()] == [1, 1, 1, 1, 1]
    assert [rung.new_servers for rung in rungs()] == [1, 0, 0, 0, 1]


def test_a_stage_costs_what_is_asked_for_it() -> None:
    costs = {stage: Interval(stage.rank, stage.rank + 1.0, stage.rank + 2.0) for stage in Stage}
    assert [rung.cost for rung in ladder(configs(), costs.__getitem__)] == list(costs.values())
    assert [rung.cost.expected for rung in rungs()] == [100, 180, 290, 500, 800]


def test_a_stage_begins_above_its_threshold_and_not_at_it() -> None:
    sign_ups = np.array([[1_000.0, 1_000.0, 1_001.0, 10_000.0], [1_000.0, 999.0, 998.0, 997.0]])
    assert entry_months(rungs(), sign_ups)[1].tolist() == [2, np.inf]
    assert rungs_held(rungs(), sign_ups)[0].tolist() == [0, 0, 1, 1]


def test_a_stage_is_held_when_users_fall_again() -> None:
    assert rungs_held(rungs(), np.array([[1_000.0, 20_000.0, 5_000.0, 500.0]]))[0].tolist() == [0, 2, 2, 2]


def test_a_stage_that_follows_none_with_a_threshold_is_refused() -> None:
    last, first = configs()[-1], configs()[0]
    gap = first.model_copy(update={"next_stage": None})
    with pytest.raises(GrowthError) as refused:
        ladder([gap, last], planned_budget)
    assert refused.value.where == "stage-a › next_stage"


def test_thresholds_that_do_not_rise_are_refused() -> None:
    a, b, c = configs()[:3]
    assert b.next_stage
    flat = b.model_copy(update={"next_stage": b.next_stage.model_copy(update={"sign_ups": 1_000})})
    with pytest.raises(GrowthError, match="1,000 is not above the 1,000"):
        ladder([a, flat, c], planned_budget)


def test_no_stages_are_refused() -> None:
    with pytest.raises(GrowthError, match="no stages"):
        ladder([], planned_budget)
