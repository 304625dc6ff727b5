from __future__ import annotations

import json

from rich.console import Console

from dreamseed.cost.fit import FitResult, fit
from dreamseed.cost.fit.report import fit_json, fit_text
from tests.cost.estimates import TODAY, shipped_estimate
from tests.planning.stages import configured


def result(stage: str, budget_usd: float) -> FitResult:
    return fit(configured(stage), stage, budget_usd, today=TODAY)


def text(found: FitResult) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(fit_text(found), highlight=False)
    return capture.get()


def test_an_option_is_shown_with_its_keys_its_losses_and_their_source() -> None:
    shown = text(result("stage-b", 180))
    assert "over" in shown
    assert "sets: api.cpu=1, api.memory_gib=2, edge.plan=free" in shown
    assert "gives up: Cloudflare free instead of pro: WAF: no managed rules" in shown
    assert "Cloudflare plan: cloudflare-docs" in shown


def test_nothing_that_fits_is_said_with_what_is_missing_and_what_costs_most() -> None:
    found = result("stage-c", 100)
    shown = text(found)
    assert f"Nothing fits: the cheapest is {found.missing_usd:,.2f} USD above the budget." in shown
    assert "electricity, cards" in shown


def test_a_stage_that_fits_is_said_to_give_up_nothing() -> None:
    shown = text(result("stage-a", 100))
    assert "sets: nothing" in shown
    assert "gives up: nothing" in shown


def test_the_json_holds_every_option_and_its_losses() -> None:
    found = result("stage-b", 180)
    read = json.loads(json.dumps(fit_json(found)))
    assert read["fits"] is True
    assert read["usd_unchanged"] == round(shipped_estimate("stage-b").total.expected, 2)
    assert len(read["options"]) == len(found.front)
    assert [option["keeps_most"] for option in read["options"]].count(True) == len(found.keeping_most)
    assert all(option["usd_expected"] <= 180 for option in read["options"])
    assert read["cheapest"] == {key: value for key, value in read["options"][0].items() if key != "keeps_most"}


def test_what_load_would_fit_is_said_where_nothing_else_does() -> None:
    found = result("stage-c", 290)
    assert f"it would fit at a load factor of up to {found.load_factor_that_fits:g}; 0.1 is declared" in text(found)
    assert fit_json(found)["load_factor_that_fits"] == found.load_factor_that_fits
    assert "it would be above the budget even at a load factor of 0" in text(result("stage-c", 50))
    assert fit_json(result("stage-b", 180))["load_factor_that_fits"] is None
