from __future__ import annotations

from datetime import date, timedelta

import pytest

from dreamseed.catalog.growth_scenarios import GPU_LEAD_TIME_DAYS, SERVER_LEAD_TIME_DAYS
from dreamseed.config import Stage
from dreamseed.facts.measures import Measure
from dreamseed.gates.report import timing_words
from dreamseed.gates.situation import Situation
from dreamseed.gates.timing import LEAST_DAYS, LOOKED_BACK_DAYS, Timing, timing
from tests.gates.situations import DAY, recorded, situation, stages


def grown(stage: Stage, now: float, *, doubled_in_days: float, days: int = LOOKED_BACK_DAYS) -> Situation:
    """The situation in which sign-ups doubled every so many days until they are `now`, known of the last days."""
    known: dict[tuple[Measure, date], float | None] = {
        (Measure.SIGN_UPS, DAY - timedelta(days=back)): now / 2 ** (back / doubled_in_days) for back in range(days + 1)
    }
    return situation(stage, known)


def found(asked: Situation, stage: Stage) -> Timing:
    answer = timing(asked, stage)
    assert answer
    return answer


@pytest.mark.parametrize("stage", list(Stage)[:-1])
def test_the_next_stage_is_expected_when_growth_as_it_was_passes_the_threshold(stage: Stage) -> None:
    following = stages()[stage].next_stage
    assert following
    told = found(grown(stage, following.sign_ups / 4, doubled_in_days=35), stage)
    assert told.weeks == pytest.approx(10)
    assert told.expected_on in (DAY + timedelta(days=70), DAY + timedelta(days=71))
    assert timing_words(told).startswith(f"Stage {told.stage} is expected in 10 weeks, about {told.expected_on} (")


@pytest.mark.parametrize(
    ("stage", "order", "lead_days"),
    [
        (Stage.A, "1 GPU, memory", GPU_LEAD_TIME_DAYS.mode),
        (Stage.B, "1 GPU, memory", GPU_LEAD_TIME_DAYS.mode),
        (Stage.D, "server", SERVER_LEAD_TIME_DAYS.mode),
    ],
)
def test_it_says_what_to_order_and_by_when(stage: Stage, order: str, lead_days: float) -> None:
    following = stages()[stage].next_stage
    assert following
    told = found(grown(stage, following.sign_ups / 8, doubled_in_days=70), stage)
    assert told.expected_on
    assert told.order_by
    assert (told.expected_on - told.order_by).days == lead_days
    assert not told.is_late
    assert order in told.order
    assert timing_words(told).endswith(f"It needs {told.order}, ordered by {told.order_by}.")


def test_an_order_whose_day_has_passed_is_due_at_once() -> None:
    told = found(grown(Stage.A, 900, doubled_in_days=14), Stage.A)
    assert told.is_late
    assert f"to be ordered at once: that was due on {told.order_by}" in timing_words(told)


def test_past_the_threshold_it_is_expected_now() -> None:
    told = found(grown(Stage.A, 1_001, doubled_in_days=14), Stage.A)
    assert (told.weeks, told.expected_on) == (0, DAY)
    assert "is expected now" in timing_words(told)


def test_without_growth_it_never_comes_and_with_few_days_nobody_knows() -> None:
    never = found(grown(Stage.A, 500, doubled_in_days=float("inf")), Stage.A)
    assert never.expected_on is None
    assert "never at this pace" in timing_words(never)
    for days, unknown in ((LEAST_DAYS - 1, True), (LEAST_DAYS, False)):
        told = found(grown(Stage.A, 500, doubled_in_days=14, days=days), Stage.A)
        assert ("unknown" in timing_words(told)) is unknown


def test_days_that_were_hardly_sampled_are_no_growth() -> None:
    asked = grown(Stage.A, 500, doubled_in_days=14)
    thin = recorded({key: row.fact.value for key, row in asked.facts.items()}, coverage=0.9)
    told = found(situation(Stage.A, facts=thin), Stage.A)
    assert "unknown" in timing_words(told)


def test_after_the_last_stage_nothing_is_expected() -> None:
    assert timing(situation(Stage.D), Stage.E) is None
