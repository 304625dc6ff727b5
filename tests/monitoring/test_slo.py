from __future__ import annotations

from decimal import Decimal

import pytest

from dreamseed.monitoring.model import Severity
from dreamseed.monitoring.slo import BURN_WINDOWS, PERIOD_HOURS, plain


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
