from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.errors import PlanError
from dreamseed.monitoring.model import Severity
from dreamseed.monitoring.slo import BURN_WINDOWS, PERIOD_HOURS, objectives, plain

PROJECT = Path(__file__).parents[2]


# The table of the SRE workbook for 30 days: factor, then the error ratio in per cent at 99.0, 99.5 and 99.9 %.
@pytest.mark.parametrize(
    ("long", "factor", "percents"),
    [
        ("1h", "14.4", ("14.4", "7.2", "1.44")),
        ("6h", "6", ("6", "3", "0.6")),
        ("1d", "3", ("3", "1.5", "0.3")),
        ("3d", "1", ("1", "0.5", "0.1")),
    ],
)
def test_factors_and_error_ratios_are_those_of_the_workbook(
    long: str, factor: str, percents: tuple[str, str, str]
) -> None:
    window = next(window for window in BURN_WINDOWS if window.long == long)
    assert plain(window.factor) == factor
    ratios = [plain(window.error_ratio(objective) * 100) for objective in (0.99, 0.995, 0.999)]
    assert ratios == list(percents)


@pytest.mark.parametrize(("objective", "events"), [(0.99, 70), (0.995, 139), (0.999, 695)])
def test_the_page_waits_for_enough_events_to_mean_ten_failures(objective: float, events: int) -> None:
    assert BURN_WINDOWS[0].minimum_events(objective) == events


def test_short_windows_are_a_twelfth_and_only_fast_burns_page() -> None:
    minutes = {"5m": 5, "30m": 30, "2h": 120, "6h": 360}
    for window in BURN_WINDOWS:
        assert minutes[window.short] * 12 == window.long_hours * 60
        assert (window.severity is Severity.CRITICAL) == (window.factor > 3)
        assert window.budget_share * PERIOD_HOURS == window.factor * window.long_hours


def test_numbers_are_written_without_binary_dust_or_exponent() -> None:
    assert plain(Decimal("14.4") * (1 - Decimal("0.995"))) == "0.072"
    assert plain(1 - Decimal("0.99999")) == "0.00001"
    assert plain(Decimal("100")) == "100"


# After a total outage, in seconds: what the workbook's table gives in minutes (8.6, 4.3 and 0.87; 21.6, 10.8, 2.16).
@pytest.mark.parametrize(
    ("objective", "hour", "six_hours"), [(0.99, 518.4, 1_296), (0.995, 259.2, 648), (0.999, 51.84, 129.6)]
)
def test_a_total_outage_pages_as_soon_as_the_workbook_says(objective: float, hour: float, six_hours: float) -> None:
    assert BURN_WINDOWS[0].seconds_to_fire(objective, 1) == pytest.approx(hour)
    assert BURN_WINDOWS[1].seconds_to_fire(objective, 1) == pytest.approx(six_hours)
    assert BURN_WINDOWS[0].seconds_to_fire(objective, 0.001) == float("inf")


def test_the_objectives_are_the_plans_by_stage() -> None:
    targets = {
        name: {o.name: o.target for o in objectives(load_stage(stage_file(PROJECT, name)).slo)} for name in STAGE_NAMES
    }
    assert [one["api-availability"] for one in targets.values()] == [0.99, 0.99, 0.995, 0.995, 0.999]
    for one in targets.values():
        assert (one["api-latency-p95"], one["api-latency-p99"], one["generation-latency"]) == (0.95, 0.99, 0.95)
        assert one["generation-success"] == 0.995


@pytest.mark.parametrize(
    ("key", "milliseconds", "bound"),
    [("api_p95_ms", 310, "300"), ("api_p99_ms", 600, "500"), ("generation_p95_ms", 3_333, "2500")],
)
def test_a_latency_that_no_histogram_tells_is_refused_with_those_that_one_does(
    key: str, milliseconds: int, bound: str
) -> None:
    slo = load_stage(stage_file(PROJECT, "stage-c")).slo.model_copy(update={key: milliseconds})
    with pytest.raises(PlanError) as caught:
        objectives(slo)
    assert caught.value.where == f"slo › {key}"
    assert bound in caught.value.remedy.replace(",", "").split()
