from __future__ import annotations

import pytest

from dreamseed.catalog import growth_scenarios as growth
from dreamseed.catalog import revenue_plan
from dreamseed.catalog.growth_scenarios import A_CHOICE, SCENARIOS, Scenario, Triangular
from dreamseed.config.types import Stage

DISTRIBUTIONS = [
    *(getattr(facts, name) for facts in SCENARIOS.values() for name in ("k", "churn")),
    *(value for value in vars(growth).values() if isinstance(value, Triangular)),
]


def test_the_plans_scenarios_are_all_there() -> None:
    assert {name: (facts.k.mode, facts.churn.mode) for name, facts in SCENARIOS.items()} == {
        Scenario.CONSERVATIVE: (1.1, 0.08),
        Scenario.REALISTIC: (1.2, 0.05),
        Scenario.OPTIMISTIC: (1.3, 0.03),
    }


def test_every_distribution_says_why_it_is_so_and_where_it_is_from() -> None:
    assert len(DISTRIBUTIONS) == 10
    assert all(one.reason and one.provenance.source for one in DISTRIBUTIONS)
    assert "choice" in A_CHOICE.source


@pytest.mark.parametrize("values", [(2, 1, 3), (1, 4, 3), (1, 1, 1)])
def test_a_triangle_out_of_order_or_without_width_is_refused(values: tuple[float, float, float]) -> None:
    low, mode, high = values
    with pytest.raises(ValueError, match="low ≤ mode ≤ high"):
        Triangular(low=low, mode=mode, high=high, reason="", provenance=A_CHOICE)


def test_a_larger_stage_converts_more_of_its_users() -> None:
    assert list(revenue_plan.CONVERSION) == list(Stage)
    assert list(revenue_plan.CONVERSION.values()) == [0.05, 0.08, 0.10, 0.12, 0.15]
