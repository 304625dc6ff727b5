from __future__ import annotations

import functools
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from dreamseed.catalog.growth_plan import GROWTH_PLAN
from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.cli import build
from dreamseed.commands import cost as command
from dreamseed.config.types import Stage
from dreamseed.cost import estimate
from dreamseed.cost.report.comment import MARKER
from tests.cost.estimates import shipped_estimate
from tests.planning.stages import ROOT, STAGE_NAMES

LINE_KEYS = {"name", "sku", "quantity", "unit", "usd_low", "usd_expected", "usd_high", "source", "read_on"}


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(build(["cost", "plan"]), ["cost", *arguments, "--project", str(ROOT)])


run = functools.cache(invoke)
"""A call without side effects, made once."""


def read(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_all_stages_as_json_hold_lines_totals_budget_headroom_and_nothing_unpriced() -> None:
    stages = read("--all")["stages"]
    assert [each["stage"] for each in stages] == list(Stage)
    for each, name in zip(stages, STAGE_NAMES, strict=True):
        assert each["unpriced"] == []
        assert each["budget"] == GROWTH_PLAN[Stage(each["stage"])].budget_usd
        assert each["headroom"] == pytest.approx(each["budget"] - each["totals"]["usd_expected"], abs=0.006)
        assert each["totals"]["usd_expected"] == pytest.approx(shipped_estimate(name).total.expected, abs=0.006)
        for line in each["lines"]:
            assert set(line) >= LINE_KEYS
            assert line["usd_low"] <= line["usd_expected"] <= line["usd_high"]
        assert sum(line["usd_expected"] for line in each["lines"]) == pytest.approx(
            each["totals"]["usd_expected"], abs=0.005 * len(each["lines"])
        )


def test_one_stage_as_json_is_that_stage() -> None:
    assert read("stage-b")["name"] == "stage-b"
    assert read("stage-b")["tornado"][0]["input"] == "electricity-flat"


def test_a_stage_within_its_budget_exits_with_0_and_one_above_it_with_1() -> None:
    assert run("stage-a").exit_code == 0
    assert run("stage-b").exit_code == 1
    assert run("--all").exit_code == 1


def test_a_stage_is_shown_with_its_lines_rules_and_what_moves_it() -> None:
    text = run("stage-a").stdout
    for part in ("API active instances, CPU", "left of the budget", "Guardrails", "What moves the 94.15 USD most"):
        assert part in text
    assert "cloud.google.com/run/pricing" not in text


def test_explained_each_line_names_its_formula_its_price_and_its_source() -> None:
    text = " ".join(run("stage-a", "--explain").stdout.split())
    assert "1 × 400 W × 730 h" in text
    assert "run-request-cpu" in text
    assert "cloud.google.com/run/pricing" in text
    assert "2026-11-23" in text


def test_all_stages_are_shown_against_plan_and_budget() -> None:
    text = run("--all").stdout
    assert text.count("against the growth plan") == 5
    assert "fits" in text
    assert "over by" in text
    assert "the plan's checklist says 800" in " ".join(text.split())


def test_all_stages_say_what_would_fit_or_what_is_missing() -> None:
    text = " ".join(run("--all").stdout.split())
    assert text.count("What fits and gives up least:") == 1
    assert text.count("Nothing fits: the cheapest of") == 3
    assert "gives up: Cloudflare free instead of pro" in text
    fits = {each["name"]: each["fit"] for each in read("--all")["stages"]}
    assert fits.pop("stage-a") is None
    assert fits["stage-b"]["fits"]
    for name, found in fits.items():
        alone = read(name, "--fit", str(found["budget"]))
        assert (found["cheapest"], found["usd_missing"]) == (alone["cheapest"], alone["usd_missing"])


def test_another_profile_is_shown_and_judged() -> None:
    low, high = (read("stage-c", "--profile", profile) for profile in ("low", "high"))
    assert low["headroom"] > high["headroom"]
    assert low["totals"] == high["totals"]


def test_a_what_if_is_priced_and_a_wrong_one_refused() -> None:
    business = read("stage-d", "--what-if", "edge.plan=business")
    assert business["totals"]["usd_expected"] - read("stage-d")["totals"]["usd_expected"] == pytest.approx(180)
    assert run("stage-d", "--what-if", "edge.plan=enterprise").exit_code == 1


def test_a_diff_is_shown_as_tables_as_a_comment_and_as_json() -> None:
    assert "stage-b → stage-c" in run("diff", "stage-b", "stage-c").stdout
    assert run("diff", "stage-b", "stage-c", "--markdown").stdout.startswith(MARKER)
    found = read("diff", "stage-a", "stage-a")
    assert (found["usd_change"], found["changes"]) == (0, [])


def test_a_diff_fails_when_a_rule_of_changes_fails_and_passes_otherwise() -> None:
    assert run("diff", "stage-a", "stage-a").exit_code == 0
    assert run("diff", "stage-a", "stage-a", "--what-if", "api.min_instances=1").exit_code == 1


def test_settings_within_a_budget_are_shown_with_what_they_give_up() -> None:
    shown = run("stage-b", "--fit", "180")
    assert shown.exit_code == 0
    assert "gives up: Cloudflare free instead of pro" in shown.stdout
    assert all(option["usd_expected"] <= 180 for option in read("stage-b", "--fit", "180")["options"])


def test_a_budget_that_nothing_fits_exits_with_1_and_says_what_is_missing() -> None:
    assert run("stage-c", "--fit", "50").exit_code == 1
    assert read("stage-c", "--fit", "50")["usd_missing"] > 0


def test_a_what_if_is_where_the_search_begins() -> None:
    base, business = (read("stage-b", "--fit", "60", *more) for more in ((), ("--what-if", "edge.plan=business")))
    assert business["usd_unchanged"] - base["usd_unchanged"] == pytest.approx(180)


def test_a_bill_is_shown_against_the_estimate() -> None:
    bill = str(ROOT / "tests/cost/actuals/november.csv")
    assert run("actuals", "stage-b", bill).exit_code == 0
    assert "10 of 30 days billed" in run("actuals", "stage-b", bill).stdout
    assert read("actuals", "stage-b", bill)["usd_billed"] == 317.1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("stage-a", "stage-b"),
        ("diff", "stage-a"),
        ("stage-a", "--all"),
        ("actuals", "stage-a"),
        ("stage-a", "stage-b", "--fit", "1"),
        ("stage-a", "--fit", "-1"),
        ("stage-a", "--markdown"),
        ("--all", "--explain"),
        ("diff", "stage-a", "stage-a", "--explain"),
        ("diff", "stage-a", "stage-a", "--profile", "low"),
        ("stage-a", "--fit", "100", "--profile", "high"),
    ],
)
def test_a_call_that_names_no_stage_or_too_many_or_an_option_that_nothing_reads_is_refused(
    words: tuple[str, ...],
) -> None:
    assert run(*words).exit_code == 2


def test_an_unpriced_resource_fails_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    without = PriceBook(price for price in BOOK if price.sku != "secret-version")
    monkeypatch.setattr(command, "estimate", partial(estimate, book=without))
    result = invoke("stage-a", "--json")
    assert result.exit_code == 1
    assert [each["sku"] for each in json.loads(result.stdout)["unpriced"]] == ["secret-version"]


def test_a_stage_file_anywhere_is_priced_by_its_path(tmp_path: Path) -> None:
    copy = tmp_path / "Pulumi.trial.yaml"
    copy.write_text((ROOT / "Pulumi.stage-a.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    assert read(str(copy))["name"] == "trial"
