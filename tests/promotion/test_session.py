from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.facts.days import days_until, last_full_day
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import STORE_FILE, Fact, Store
from dreamseed.gates.gather import Places
from playbook.engine_plan import EnginePlan
from playbook.made_up import MadeProject, make_project, now
from playbook.session import Session

PLAN = EnginePlan("stage-a", "stage-b", ({"urn": "u", "action": "create", "properties": [], "inputs": "sha256:0"},))


def command(made: MadeProject, *arguments: str) -> Result:
    return CliRunner().invoke(build(), [*arguments, "--project", str(made.root)])


@pytest.fixture
def made(tmp_path: Path) -> MadeProject:
    """A project whose promotion from A to B both have signed."""
    project = make_project(tmp_path / "project")
    project.record_met(Stage.A, now())
    PLAN.write(project.root / "build" / "plan.json")
    plan = str(project.root / "build" / "plan.json")
    prepared = command(project, "approve", "prepare", "--to", "stage-b", "--plan", plan)
    assert prepared.exit_code == 0, str(prepared.exception or prepared.output)
    for role, name in (("cto", "kim"), ("cfo", "lee")):
        signed = command(project, "approve", "sign", "1", "--as", role, "--key", str(project.ring.key(name)))
        assert signed.exit_code == 0, signed.output
    return project


def approval(made: MadeProject, at: datetime | None = None, plan: EnginePlan = PLAN) -> int:
    session = Session(
        project=made.root,
        places=Places.of(made.root),
        here=Stage.A,
        target=Stage.B,
        clock=lambda: at or now(),
    )
    return session.approval(plan.digest)[0].number


def record(made: MadeProject, measure: Measure, day_offset: int, value: float, at: datetime) -> None:
    day = last_full_day(at, ZoneInfo("Asia/Seoul")) + timedelta(days=day_offset)
    fact = Fact(measure=measure, day=day, value=value, source="late")
    Store(made.root / STORE_FILE).record([fact], at)


def test_what_both_signed_holds_today_and_tomorrow(made: MadeProject) -> None:
    assert approval(made) == 1
    assert approval(made, now() + timedelta(days=1)) == 1
    listed = command(made, "approve", "list")
    assert "signed by cto SHA256:" in listed.output


def test_committing_the_approval_and_the_facts_changes_no_program(made: MadeProject) -> None:
    made.commit("approve")
    assert approval(made) == 1


def late_fact(made: MadeProject) -> None:
    record(made, Measure.SIGN_UPS, -3, 1_002.0, now())


def changed_stage_file(made: MadeProject) -> None:
    path = made.root / "Pulumi.stage-b.yaml"
    path.write_text(path.read_text().replace("max_instances: 8", "max_instances: 9"))


def committed_program(made: MadeProject) -> None:
    path = made.root / "__main__.py"
    path.write_text(path.read_text() + "\n")
    made.commit()


def further_signer(made: MadeProject) -> None:
    path = made.root / "approvals" / "allowed_signers"
    path.write_text(path.read_text() + f"cfo {made.ring.public('eve')}\n")


def no_drill(made: MadeProject) -> None:
    for path in (made.root / "facts" / "drills").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (late_fact, "a fact that it rests on, is another"),
        (changed_stage_file, "files differ from git's, such as Pulumi.stage-b.yaml"),
        (committed_program, "the program is another"),
        (further_signer, "files differ from git's, such as approvals/allowed_signers"),
        (no_drill, "the gate, or a fact that it rests on, is another"),
    ],
)
def test_what_changes_after_the_signatures_voids_them(
    made: MadeProject, change: Callable[[MadeProject], None], words: str
) -> None:
    change(made)
    with pytest.raises(DreamSeedError, match=words):
        approval(made)


def test_another_plan_than_the_approved_one_is_refused(made: MadeProject) -> None:
    with pytest.raises(DreamSeedError, match="the engine's plan is another"):
        approval(made, plan=EnginePlan("stage-a", "stage-b", ()))


def test_a_gate_that_fails_by_the_day_of_the_promotion_stops_it(made: MadeProject) -> None:
    later = now() + timedelta(days=2)
    record(made, Measure.CONCURRENT_USERS, 0, 3.0, later)
    with pytest.raises(DreamSeedError, match="by now the gate fails: concurrent-users"):
        approval(made, later)


def test_nothing_is_drawn_up_while_a_line_is_missing(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    PLAN.write(project.root / "build" / "plan.json")
    plan = str(project.root / "build" / "plan.json")
    refused = command(project, "approve", "prepare", "--to", "stage-b", "--plan", plan)
    assert "the gate is not passed: sign-ups (unknown)" in str(refused.exception)
    assert not list((project.root / "approvals").glob("*.json"))


def test_a_signed_waiver_takes_the_place_of_a_line(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    moment = now()
    project.record_met(Stage.A, moment)
    last = last_full_day(moment, ZoneInfo("Asia/Seoul"))
    fast = [
        Fact(measure=Measure.API_P95_SECONDS, day=day, value=0.1, source="fast")
        for day in days_until(last + timedelta(days=1), 3)
    ]
    Store(project.root / STORE_FILE).record(fast, moment)
    assert command(project, "gate", "stage-a").exit_code == 1
    until = str(moment.date() + timedelta(days=5))
    waive = ("approve", "waive", "--to", "stage-b", "--line", "api-p95", "--until", until, "--as", "cto")
    reason = "the cards are full long before the latency shows it"
    waived = command(project, *waive, "--reason", reason, "--key", str(project.ring.key("kim")))
    assert waived.exit_code == 0, str(waived.exception)
    found = command(project, "gate", "stage-a")
    assert found.exit_code == 0
    assert "waived" in found.output


def test_the_page_holds_ladder_lights_and_history(made: MadeProject, tmp_path: Path) -> None:
    page = tmp_path / "gates.html"
    assert command(made, "gate", "stage-a", "--html", str(page)).exit_code == 0
    text = page.read_text()
    assert "Stage A, and what comes next" in text
    assert "0001: stage A to B, not begun" in text
    assert text.count('<span class="letter">') == len(Stage)
    assert "<script" not in text
