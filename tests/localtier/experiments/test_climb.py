from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import Finding
from localtier.experiments import climb
from localtier.experiments.climb import Step, changed, problems, step_up, with_verdicts
from localtier.experiments.kills import Kill, Victim
from localtier.experiments.noticing import services
from localtier.load.ledger import Outcome
from localtier.load.report import ClientReport, LoadReport
from rehearsal.runner.engine import Run
from tests.localtier.experiments.fakes import client, report, run, verdict
from tests.planning.stages import STAGE_NAMES, shipped

OK, FAILED, IN_DOUBT, LOST = Outcome.OK, Outcome.FAILED, Outcome.IN_DOUBT, Outcome.LOST
SERVICES = ("postgres", "chat", "redis", "kafka")
CLEAN = report(
    client("postgres", OK, IN_DOUBT, OK, verdict=verdict()),
    client("postgres-reader", OK, FAILED),
    client("redis", OK, verdict=verdict(unacknowledged=2)),
    client("kafka", OK, verdict=verdict()),
    client("chat", OK),
)
STEP = Step(
    before="stage-c",
    stage="stage-d",
    checks=100,
    faults=(),
    changed_again=(),
    engine_seconds=60,
    whole_seconds=70,
    memory_mib=2_048,
    users=CLEAN,
    services=SERVICES,
    spare_engine=True,
)


def found(users: LoadReport | None = CLEAN, **changes: Any) -> list[str]:
    return list(problems(replace(STEP, users=users, **changes)))


def having(*others: ClientReport) -> LoadReport:
    """The clean report with some clients in place of those of their names."""
    names = {one.client for one in others}
    return report(*(one for one in CLEAN.clients if one.client not in names), *others)


def test_a_step_that_did_what_it_had_to_has_no_problem() -> None:
    assert found() == []


def test_a_step_from_nothing_needs_no_users() -> None:
    assert found(None, before=None, services=(), spare_engine=False) == []


def test_every_fault_is_a_problem_with_the_step_that_it_belongs_to() -> None:
    assert found(faults=("redis: no slots", "kafka: not in sync")) == [
        "stage-c → stage-d: redis: no slots",
        "stage-c → stage-d: kafka: not in sync",
    ]
    assert found(None, before=None, faults=("x: y",)) == ["nothing → stage-d: x: y"]


def test_a_second_up_that_changes_something_is_a_problem() -> None:
    assert found(changed_again=("update redis-1", "create x")) == [
        "stage-c → stage-d: a second up changes update redis-1, create x"
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_acknowledged_nothing_meanwhile_has_shown_nothing(service: str) -> None:
    idle = having(client(service, FAILED) if service != "chat" else client(service))
    assert found(idle) == [f"stage-c → stage-d: {service}: nothing was acknowledged meanwhile, so nothing is shown"]
    gone = report(*(one for one in CLEAN.clients if one.client != service))
    assert len(found(gone)) == 1


@pytest.mark.parametrize("fault", ["missing", "duplicated", "corrupted"])
@pytest.mark.parametrize("writer", sorted(climb.WRITERS))
def test_what_is_lost_twice_or_changed_is_a_problem_with_its_keys(writer: str, fault: str) -> None:
    wrong = having(client(writer, OK, verdict=verdict(**{fault: 1, "examples": ("1000000001",)})))
    (said,) = found(wrong)
    assert writer in said
    assert "of 9 acknowledged" in said
    assert {"missing": "1 missing", "duplicated": "1 twice", "corrupted": "1 changed"}[fault] in said
    assert said.endswith("1000000001")


def test_a_writer_that_could_not_be_verified_is_a_problem() -> None:
    assert found(having(client("kafka", OK, unverified="OSError: refused"))) == [
        "stage-c → stage-d: kafka: not verified: OSError: refused"
    ]


def test_an_acknowledged_row_that_a_reader_missed_is_a_problem_though_it_was_there_later() -> None:
    (said,) = found(having(client("postgres-reader", OK, LOST)))
    assert said == "stage-c → stage-d: postgres-reader: 1 acknowledged ones were not there when read"


def test_a_failed_chat_is_a_problem_where_a_second_engine_stood() -> None:
    failed = having(client("chat", OK, FAILED))
    (said,) = found(failed)
    assert "1 chats failed" in said
    assert found(failed, spare_engine=False) == []


def test_a_failed_chat_is_excused_only_by_a_killed_docker_engine() -> None:
    failed = having(client("chat", OK, FAILED))
    docker = Kill(victim=Victim.DOCKER, after_changes=1, host="server-1")
    pulumi = Kill(victim=Victim.PULUMI, after_changes=1)
    assert found(failed, kills=(pulumi, docker)) == []
    assert len(found(failed, kills=(pulumi,))) == 1


def test_a_killed_docker_engine_excuses_no_lost_write() -> None:
    docker = Kill(victim=Victim.DOCKER, after_changes=1, host="server-1")
    lost = having(client("kafka", OK, verdict=verdict(missing=1)))
    assert len(found(lost, kills=(docker,))) == 1


def test_a_run_that_did_nothing_changed_nothing() -> None:
    assert changed(run({"redis-1": "same"})) == ()
    assert changed(run({"redis-1": "update", "redis-2": "replace"})) == ("update redis-1", "replace redis-2")


def test_a_second_run_that_failed_is_no_run_without_changes() -> None:
    assert changed(run({}, "redis-1: is refused")) == ("redis-1: is refused",)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_stage_has_the_services_that_its_plan_has(stage: str) -> None:
    plan = shipped(stage)
    has = {"postgres": True, "chat": True, "redis": bool(plan.topology.redis), "kafka": bool(plan.topology.kafka)}
    assert set(services(plan)) == {service for service, there in has.items() if there}


def test_the_figures_of_a_span_get_the_verdicts_on_everything() -> None:
    span = report(client("kafka", OK), client("redis", OK))
    whole = report(
        client("kafka", OK, OK, OK, verdict=verdict(missing=2)), client("redis", unverified="why"), client("chat", OK)
    )
    kafka, redis = with_verdicts(span, whole).clients
    assert (kafka.figures.succeeded, kafka.verdict) == (1, verdict(missing=2))
    assert (redis.verdict, redis.unverified) == (None, "why")


class Load:
    """A load that says what it was asked."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def figures(self, since: float, until: float) -> LoadReport:
        assert since <= until
        self.told.append("figures")
        return report(client("chat", OK), client("postgres", OK))

    def verify(self) -> LoadReport:
        self.told.append("verify")
        return report(client("chat", OK), client("postgres", OK, verdict=verdict(missing=1)))


class Tier:
    """A tier of which each `up` ends as it is told, and which is as `findings` say."""

    def __init__(self, *runs: Run, findings: Sequence[Finding] = (Finding(what="redis", ok=True),)) -> None:
        self.runs = list(runs)
        self.findings = findings
        self.told: list[str] = []

    def plan(self, stage: str) -> StagePlan:
        return shipped(stage)

    def up(self, stage: str, reached: object) -> Run:
        self.told.append("up")
        return self.runs.pop(0)

    def check(self, plan: StagePlan, timeout_seconds: float) -> Sequence[Finding]:
        self.told.append("check")
        return self.findings

    @contextmanager
    def engines(self, plan: StagePlan) -> Iterator[Mapping[str, str]]:
        yield {host.name: host.name for host in plan.hosts}


class Users:
    """Users of a tier who are only counted."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier

    def load(self, plan: StagePlan) -> Load:
        return Load(self.tier.told)

    def welcome(self, plan: StagePlan) -> None:
        self.tier.told.append("welcome")


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host's containers use a GiB, together."""
    monkeypatch.setattr(climb, "memory_mib", lambda host: {"one": 1_000.0, "other": 24.0})


def stepped(tier: Tier, before: str | None, stage: str, killing: object = None) -> Step:
    users: Any = Users(tier)
    given: Any = killing
    return step_up(users, shipped(before) if before else None, stage, lambda _: None, given)


def test_a_step_from_nothing_is_checked_brought_up_again_and_then_has_users() -> None:
    tier = Tier(run({"pg-1-1": "create"}), run())
    step = stepped(tier, None, "stage-a")
    assert tier.told == ["up", "check", "up", "welcome"]
    assert (step.before, step.users, step.services, step.spare_engine) == (None, None, (), False)
    assert (step.checks, step.faults, step.changed_again, step.memory_mib) == (1, (), (), 1_024)
    assert list(problems(step)) == []


def test_a_promotion_is_measured_until_everything_is_whole_and_verified_at_its_end() -> None:
    tier = Tier(run({"pg-1-1": "replace"}), run())
    step = stepped(tier, "stage-a", "stage-b")
    assert tier.told == ["up", "check", "figures", "up", "welcome", "verify"]
    assert step.users is not None
    assert step.users.client("postgres").verdict == verdict(missing=1)
    assert step.services == services(shipped("stage-a"))
    assert not step.spare_engine
    assert step.engine_seconds <= step.whole_seconds


def test_engines_that_the_promotion_replaces_are_named_and_a_second_one_is_noticed() -> None:
    a_to_b = stepped(Tier(run(), run()), "stage-a", "stage-b")
    assert a_to_b.engines_replaced == ("server-1-vllm-1",)
    assert stepped(Tier(run(), run()), "stage-c", "stage-d").spare_engine


def test_checks_that_fail_and_a_second_run_that_changes_something_are_kept() -> None:
    findings = [Finding(what="redis", ok=True), Finding(what="kafka", ok=False, detail="2 of 3")]
    step = stepped(Tier(run(), run({"kafka-1": "update"}), findings=findings), "stage-c", "stage-d")
    assert (step.checks, step.faults, step.changed_again) == (2, ("kafka: 2 of 3",), ("update kafka-1",))


def test_a_run_that_failed_is_a_fault_and_nothing_is_built_upon_it() -> None:
    tier = Tier(run({}, "redis-1: is refused", "kafka-1: too"))
    step = stepped(tier, "stage-c", "stage-d")
    assert step.faults == ("the engine: redis-1: is refused", "the engine: kafka-1: too")
    assert tier.told == ["up", "figures", "verify"]
    assert (step.checks, step.memory_mib) == (0, 0)


def test_a_step_on_which_something_is_killed_says_what_was() -> None:
    class Killing:
        made = (Kill(victim=Victim.PULUMI, after_changes=2),)
        not_made = (Kill(victim=Victim.PULUMI, after_changes=3),)
        freed = ("10.20.0.11:6379",)

        def bring(self) -> Run:
            return run({"redis-1": "update"})

    tier = Tier(run())
    step = stepped(tier, "stage-c", "stage-d", Killing())
    assert (step.kills, step.kills_not_made) == (Killing.made, Killing.not_made)
    assert step.ports_freed == Killing.freed
    assert tier.told[:2] == ["check", "figures"]


def test_a_kill_that_did_not_come_about_is_a_finding() -> None:
    late = Kill(victim=Victim.PULUMI, after_changes=3)
    (said,) = problems(replace(stepped(Tier(run(), run()), "stage-c", "stage-d"), users=None, kills_not_made=(late,)))
    assert said.startswith("stage-c → stage-d: Pulumi engine after 3 changes")


@pytest.mark.parametrize(("before", "after"), [*itertools.pairwise(STAGE_NAMES)])
def test_what_users_had_before_is_what_a_step_is_judged_by(before: str, after: str) -> None:
    assert stepped(Tier(run(), run()), before, after).services == services(shipped(before))
