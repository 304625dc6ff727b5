from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.planning.planner import plan_stage

PROJECT = Path(__file__).parents[2]
RUNBOOKS = PROJECT / "docs" / "runbooks"
URL = re.compile(
    r"https://github\.com/dreamseedai/infrastructure/blob/main/(?P<path>docs/runbooks/\w+\.md)#(?P<anchor>\w+)"
)


def anchors(page: Path) -> set[str]:
    return {heading.lower() for heading in re.findall(r"^### (\w+)$", page.read_text(encoding="utf-8"), re.MULTILINE)}


def alert_rules(name: str) -> list[dict[str, dict[str, str]]]:
    """The alerts that the stage's Prometheus is really given."""
    plan = plan_stage(load_stage(stage_file(PROJECT, name)), name).monitoring
    prometheus = next(one for one in plan.containers if one.name == "prometheus")
    text = next(file.text for file in prometheus.files if file.path.endswith("rules.yml"))
    groups = yaml.load(text, Loader=yaml.CSafeLoader)["groups"]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_link_of_every_alert_leads_to_a_heading_of_a_page_that_is_there(name: str) -> None:
    for rule in alert_rules(name):
        found = URL.fullmatch(rule["annotations"]["runbook_url"])
        assert found, rule
        assert found["anchor"] in anchors(PROJECT / found["path"]), rule["alert"]


def test_every_heading_is_the_runbook_of_an_alert_and_says_what_it_means_and_what_to_do() -> None:
    urls = {rule["annotations"]["runbook_url"] for name in STAGE_NAMES for rule in alert_rules(name)}
    linked = {tuple(url.rsplit("/", 1)[1].split(".md#")) for url in urls}
    written = {(page.stem, anchor) for page in RUNBOOKS.glob("*.md") for anchor in anchors(page)}
    assert written == linked
    for page in RUNBOOKS.glob("*.md"):
        for section in page.read_text(encoding="utf-8").split("\n### ")[1:]:
            assert all(part in section for part in ("**Means.**", "**Look")), section.splitlines()[0]
            assert "**Do.**" in section or "**Look, do.**" in section, section.splitlines()[0]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_alert_has_severity_owner_and_component(name: str) -> None:
    for rule in alert_rules(name):
        assert rule["labels"].keys() >= {"severity", "owner", "component"}
