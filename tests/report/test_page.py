from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from dreamseed.config import Stage
from dreamseed.cost import estimate
from dreamseed.cost.guardrails import guardrails
from dreamseed.report import report_page
from dreamseed.report.facts import StageFacts
from tests.cost.estimates import shipped_estimate
from tests.planning.stages import STAGE_NAMES, planned
from tests.report.html import Page, parse
from tests.report.shipped import COMMIT, DAY, shipped_page, shipped_report


@pytest.fixture(scope="module")
def page() -> Page:
    return parse(shipped_page())


def with_stage(index: int, facts: StageFacts) -> Page:
    """The page with one stage's facts replaced."""
    report = shipped_report()
    stages = (*report.stages[:index], facts, *report.stages[index + 1 :])
    return parse(report_page(replace(report, stages=stages)))


def test_every_element_is_closed_and_every_id_is_there_once(page: Page) -> None:
    assert page.faults == []
    assert len(page.ids()) == len(set(page.ids()))


@pytest.mark.parametrize("broken", ["<p>", "</div>", "<section><p></section></p>"])
def test_an_element_that_is_not_closed_would_be_found(broken: str) -> None:
    assert parse(shipped_page().replace("</main>", f"{broken}</main>")).faults


def test_the_page_loads_nothing_and_runs_no_script(page: Page) -> None:
    assert page.loads() == []
    assert page.named("script", "iframe", "object", "embed") == []
    assert not [name for element in page.elements for name in element.attributes if name.startswith("on")]
    assert "url(" not in shipped_page()
    assert "@import" not in shipped_page()


def test_what_would_be_loaded_is_found() -> None:
    assert parse('<img src="https://example.org/x.png">').loads() == ["https://example.org/x.png"]


def test_every_link_on_the_page_has_its_target(page: Page) -> None:
    targets = {link.attributes["href"] for link in page.named("a")}
    assert len(targets) > len(STAGE_NAMES)
    assert targets <= {f"#{identity}" for identity in page.ids()}


def test_headings_leave_no_level_out_and_there_is_one_title(page: Page) -> None:
    levels = [int(heading.name[1]) for heading in page.named("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_what_is_drawn_is_said_in_words_too(page: Page) -> None:
    assert [image for image in page.named("img") if not image.attributes.get("alt")] == []
    regions = [element for element in page.elements if element.attributes.get("role") in ("img", "region")]
    unnamed = [each for each in regions if not each.attributes.get("aria-label") and each.name != "svg"]
    assert len(regions) > len(STAGE_NAMES)
    assert unnamed == []
    assert len(page.named("title")) == 1 + len(page.named("svg"))


def test_every_table_names_its_columns_and_its_rows(page: Page) -> None:
    assert len(page.named("table")) >= 4 * len(STAGE_NAMES)
    assert {head.attributes.get("scope") for head in page.named("th")} == {"row", "col"}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_costs_on_the_page_are_those_of_the_estimate(name: str, page: Page) -> None:
    found = shipped_estimate(name)
    for figure in (
        found.total.low,
        found.total.expected,
        found.total.high,
        *(line.usd.expected for line in found.lines),
    ):
        assert f"{figure:,.2f}" in page.text
    over = -found.headroom_usd()
    assert (f"over by {over:,.0f}" in page.text) == (over > 0)


def test_the_page_says_which_stages_are_over_and_what_would_fit(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "4 of 5 stages are expected to cost more than their budget as they are declared: B, C, D, E" in text
    for facts in shipped_report().stages:
        assert (facts.fit is None) == (facts.stage is Stage.A)
        if facts.fit and facts.fit.cheapest:
            assert f"still {facts.fit.missing_usd:,.0f} above" in text or facts.fit.front
    assert "fits at" in text
    assert "it would fit at a load factor of up to" in text
    assert "it would be above the budget even at a load factor of 0" in text


def test_growth_survival_objectives_and_departures_are_all_there(page: Page) -> None:
    report = shipped_report()
    for entry in report.growth.entries[1:]:
        assert str(entry.begins_on) in page.text
    assert "1,500,000" in page.text
    for kpi in report.growth.kpis:
        assert kpi.target.name in page.text
    for facts in report.stages:
        assert f"{facts.plan.config.slo.availability:.1%}".replace("%", " %") in page.text
        for departure in facts.departures:
            assert departure.topic in page.text
            assert departure.program_does in page.text
    assert "43 min" in page.text
    assert "the service goes on without any one of: server-1, server-2, witness" in page.text


def test_where_the_page_is_from_and_how_old_its_prices_are_stands_on_it(page: Page) -> None:
    assert COMMIT in page.text
    assert f"As of {DAY}" in page.text
    assert "past its shelf life after" in page.text
    assert "nothing has been applied to one" in page.text
    changed = replace(shipped_report().origin, changed=True)
    assert "not committed" not in page.text
    assert "not committed" in report_page(replace(shipped_report(), origin=changed))


def test_the_same_report_is_the_same_page() -> None:
    assert report_page(shipped_report()) == shipped_page()


def test_a_price_past_its_shelf_life_is_said() -> None:
    facts = shipped_report().stages[0]
    old = estimate(facts.plan, today=DAY + timedelta(days=400))
    assert f"{len(old.stale)} are past their shelf life" in with_stage(0, replace(facts, estimate=old)).text


def test_an_accepted_overrun_is_shown_as_such_with_its_reason() -> None:
    accepted = {"usd_per_month": 70, "reason": "until a month <is> measured", "until": "2027-06-30"}
    plan = planned("stage-b", {"budget": {"accepted_overrun": accepted}})
    facts, found = shipped_report().stages[1], estimate(plan, today=DAY)
    text = with_stage(1, replace(facts, plan=plan, estimate=found, guardrails=guardrails(found, DAY))).text
    assert "over by 65, accepted" in text
    assert "until a month <is> measured" in text


def test_what_has_no_price_is_not_passed_over() -> None:
    plan = planned("stage-a", {"service": {"region": "europe-west9", "zone": "europe-west9-a"}})
    found = estimate(plan, today=DAY)
    assert found.unpriced
    facts = replace(shipped_report().stages[0], plan=plan, estimate=found, guardrails=guardrails(found, DAY))
    text = with_stage(0, facts).text
    assert "The total leaves it out" in text
    assert f"At A {len(found.unpriced)} parts have no price" in text
