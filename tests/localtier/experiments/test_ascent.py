from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Loss
from localtier.checks import Finding
from localtier.experiments import ascent as module
from localtier.experiments import climb, drift
from localtier.experiments.alerts import Findings, Seen
from localtier.experiments.ascent import Ascent, Claims, Program
from localtier.experiments.climb import Step
from localtier.experiments.drift import Drift
from localtier.experiments.kills import Killing, Victim
from localtier.experiments.restarts import Restart
from localtier.experiments.survival import Outcome
from localtier.experiments.trials import Trial, sample, trials_of
from localtier.k6 import K6Result
from localtier.load.ledger import Outcome as Happened
from localtier.load.report import LoadReport
from rehearsal.runner.resources import Action
from tests.localtier.experiments.fakes import CACHE_LOST, CLEAN, KEPT, PLAYED, Screen, claim, client, having, tried
from tests.localtier.experiments.fakes import verdict as verdict_of
from tests.planning.stages import shipped

OK = Happened.OK
ABC = ("stage-a", "stage-b", "stage-c")
ONE_KILL = dict.fromkeys(ABC[1:], (Victim.PULUMI,))
NO_DRIFT = Drift(stage="stage-b", changes=(), found={}, mended={}, errors=())


@dataclass
class World:
    """Everything that an ascent uses, made up: what is done is told, and what comes of it is given."""

    root: Path
    told: list[str] = field(default_factory=list)
    steps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    drift: Drift = NO_DRIFT
    findings: Sequence[Finding] = (Finding(what="redis", ok=True),)
    outcomes: Sequence[Outcome] = (KEPT,)
    broken: tuple[str, ...] = ()
    verified: LoadReport = CLEAN
    played: K6Result = PLAYED
    tried: dict[str, Sequence[Trial]] = field(default_factory=dict)
    killings: list[Killing] = field(default_factory=list)
    told_of: Findings = field(default_factory=Findings)
    reached: dict[str, Finding] = field(default_factory=dict)

    def plan(self, stage: str) -> StagePlan:
        return shipped(stage)

    def world(self, plan: StagePlan) -> str:
        return f"world of {plan.name}"

    def down(self, forget: bool) -> None:
        self.told.append("down and forgotten" if forget else "down")

    def check(self, plan: StagePlan, timeout_seconds: float) -> Sequence[Finding]:
        return self.findings

    def scan(self, plan: StagePlan) -> Sequence[Finding]:
        return [self.reached.get(plan.name, Finding(what="reach", ok=True))]

    def step_up(
        self, users: Users, before: StagePlan | None, stage: str, reached: Callable[[int], None], killing: Any = None
    ) -> Step:
        reached(1)
        self.told.append(f"users {users.number} from {before.name if before else 'nothing'} to {stage}")
        if killing:
            self.killings.append(killing)
        usual = Step(
            before=before.name if before else None,
            stage=stage,
            checks=10,
            faults=(),
            changed_again=(),
            engine_seconds=1,
            whole_seconds=2,
            memory_mib=3,
            users=CLEAN if before else None,
            kills=tuple(killing.kills) if killing else (),
        )
        return replace(usual, **self.steps.get(stage, {}))

    def try_claims(
        self, tier: object, plan: StagePlan, load: object, trials: Sequence[Trial], *_: object
    ) -> list[Outcome]:
        self.told.append(f"claims of {plan.name}")
        self.tried[plan.name] = trials
        return list(self.outcomes)

    def restart_engines(self, tier: object, plan: StagePlan, load: object) -> list[Restart]:
        self.told.append(f"engines of {plan.name} restarted")
        return [Restart(host="server-1", away_seconds={}, whole_seconds=9, broken=self.broken)]

    def try_drift(self, tier: object, plan: StagePlan, reached: Callable[[int], None]) -> Drift:
        self.told.append(f"drift at {plan.name}")
        reached(1)
        return self.drift

    @contextmanager
    def benched(self, tier: object, plan: StagePlan, users: Users) -> Iterator[StagePlan]:
        self.told.append(f"a bench at {plan.name}")
        yield plan
        self.told.append("the bench is left")

    def alert_trial(self, bench: StagePlan, tell: Callable[[str], None], *, short: bool) -> SimpleNamespace:
        tell("a fault is told")
        self.told.append(f"{'short' if short else 'long'} faults at {bench.name}")
        return SimpleNamespace(run=lambda: self.told_of)

    def play(self, tier: object, plan: StagePlan, share: float, seconds: float) -> K6Result:
        self.told.append(f"k6 at {plan.name}: {share} for {seconds}")
        return self.played


class Users:
    """Users of the made-up world, by their number."""

    def __init__(self, tier: World, number: int = 1) -> None:
        self.tier = tier
        self.number = number

    def load(self, plan: StagePlan) -> SimpleNamespace:
        return SimpleNamespace(verify=lambda: self.tier.verified)

    def others(self) -> Users:
        return Users(self.tier, self.number + 1)

    def forget(self) -> None:
        self.tier.told.append("users forgotten")

    def welcome(self, plan: StagePlan) -> None:
        self.tier.told.append(f"users {self.number} welcome to {plan.name}")

    def leave(self, plan: StagePlan) -> None:
        self.tier.told.append(f"users {self.number} leave {plan.name}")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(tmp_path)
    monkeypatch.setattr(module, "Users", Users)
    monkeypatch.setattr(climb, "step_up", made.step_up)
    monkeypatch.setattr(drift, "try_drift", made.try_drift)
    monkeypatch.setattr(module, "try_claims", made.try_claims)
    monkeypatch.setattr(module, "restart_engines", made.restart_engines)
    monkeypatch.setattr(module, "play", made.play)
    monkeypatch.setattr(module, "benched", made.benched)
    monkeypatch.setattr(module, "AlertTrial", made.alert_trial)
    return made


def ran(world: World, stages: Sequence[str] = ABC, **program: Any) -> Ascent:
    tier: Any = world
    made = Ascent(tier, Program(stages=tuple(stages), **program), Screen())
    made.run()
    return made


def said(ascent: Ascent) -> str:
    assert isinstance(ascent.console, Screen)
    return ascent.console.said


def test_an_ascent_begins_from_nothing_and_ends_without_users(world: World) -> None:
    ascent = ran(world)
    assert world.told == [
        "users forgotten",
        "down and forgotten",
        "users 1 from nothing to stage-a",
        "users 1 from stage-a to stage-b",
        "users 1 from stage-b to stage-c",
        "users 1 leave stage-c",
    ]
    assert ascent.problems == []
    assert [step.stage for step in ascent.steps] == [*ABC]


def test_a_stage_that_does_not_come_up_is_a_finding_and_the_end(world: World) -> None:
    world.steps["stage-b"] = {"faults": ("the engine: refused",)}
    ascent = ran(world)
    assert ascent.problems == ["stage-a → stage-b: the engine: refused"]
    assert not [text for text in world.told if "stage-c" in text]


@pytest.mark.parametrize(
    "wrong",
    [
        {"changed_again": ("update x",)},
        {"services": ("kafka",)},
        {"users": having(client("postgres", OK, verdict=verdict_of(missing=1)))},
    ],
)
def test_what_a_step_does_wrong_is_a_finding_and_the_next_one_is_tried_all_the_same(
    wrong: Mapping[str, Any], world: World
) -> None:
    world.steps["stage-b"] = wrong
    ascent = ran(world)
    assert len(ascent.problems) == 1
    assert f"✗ {ascent.problems[0]}" in said(ascent)
    assert len(ascent.steps) == 3


def test_kills_are_drawn_for_promotions_and_not_for_the_first_stage(world: World) -> None:
    ascent = ran(world, kills=dict.fromkeys(ABC, (Victim.PULUMI,) * 3), seed=5)
    assert [one.stage for one in world.killings] == ["stage-b", "stage-c"]
    assert [len(one.kills) for one in world.killings] == [3, 3]
    assert {kill.victim for one in world.killings for kill in one.kills} == {Victim.PULUMI}
    assert [str(one.world) for one in world.killings] == ["world of stage-b", "world of stage-c"]
    assert "6 kills on the way" in ascent.words
    assert said(ascent).count("killed: Pulumi engine after") == 6


def test_a_docker_engine_is_killed_only_where_the_stage_before_has_it(world: World) -> None:
    ran(world, ("stage-d", "stage-e"), kills={"stage-e": (Victim.DOCKER,) * 8})
    assert {kill.host for kill in world.killings[0].kills} <= {host.name for host in shipped("stage-d").hosts}


def test_claims_are_tried_where_they_are_asked_for_in_the_depth_that_is_asked_for(world: World) -> None:
    ran(world, claims={"stage-a": Claims.HOSTS, "stage-b": Claims.SAMPLE, "stage-c": Claims.EVERY})
    assert world.tried == {
        "stage-a": [one for one in trials_of(shipped("stage-a")) if one.loss is Loss.SERVER],
        "stage-b": sample(trials_of(shipped("stage-b"))),
        "stage-c": trials_of(shipped("stage-c")),
    }


def test_those_who_wrote_before_the_losses_are_verified_and_others_go_on(world: World) -> None:
    ran(world, ("stage-a", "stage-b"), claims={"stage-a": Claims.EVERY})
    assert world.told[2:] == [
        "users 1 from nothing to stage-a",
        "claims of stage-a",
        "engines of stage-a restarted",
        "users 1 leave stage-a",
        "users 2 welcome to stage-a",
        "users 2 from stage-a to stage-b",
        "users 2 leave stage-b",
    ]


def test_a_trial_that_must_not_be_done_is_named_with_its_reason(world: World) -> None:
    ascent = ran(world, ("stage-a",), claims={"stage-a": Claims.EVERY})
    assert "stage-a: not tried: disk pg-1-1-data: postgres shard 1 loses data" in said(ascent)


def test_a_claim_that_does_not_hold_is_a_finding(world: World) -> None:
    world.outcomes = (KEPT, tried(claim(target="redis-2"), False))
    (problem,) = ran(world, ("stage-a",), claims={"stage-a": Claims.EVERY}).problems
    assert problem.startswith("stage-a: ✗ container redis-2: redis does not survive")


def test_what_a_restarted_engine_does_not_bring_back_is_a_finding(world: World) -> None:
    world.broken = ("grafana: exited",)
    (problem,) = ran(world, ("stage-a",), claims={"stage-a": Claims.EVERY}).problems
    assert problem.startswith("stage-a: Docker Engine of server-1 killed and started")


def test_no_engine_is_restarted_where_something_is_broken_already(world: World) -> None:
    world.outcomes = (tried(claim(), True, healed=False),)
    ran(world, ("stage-a",), claims={"stage-a": Claims.EVERY})
    assert "engines of stage-a restarted" not in world.told


def test_what_is_lost_by_the_losses_is_a_finding(world: World) -> None:
    world.verified = having(client("postgres", OK, verdict=verdict_of(missing=1)))
    (problem,) = ran(world, ("stage-a",), claims={"stage-a": Claims.EVERY}).problems
    assert problem.startswith("stage-a: after the losses: postgres: of 9 acknowledged, 1 missing")


def test_drift_is_made_at_its_stage_alone_and_what_it_leaves_is_a_finding(world: World) -> None:
    world.drift = replace(world.drift, mended={"pg-1-1": Action.REPLACE}, errors=("x: is refused",))
    world.findings = [Finding(what="redis", ok=True), Finding(what="grafana", ok=False, detail="is away")]
    ascent = ran(world, drift_at="stage-b")
    assert [text for text in world.told if "drift" in text] == ["drift at stage-b"]
    assert ascent.problems == [
        "stage-b: drift: x: is refused",
        "stage-b: up after refresh: pg-1-1: replace, where it should be nothing",
        "stage-b: after drift: grafana: is away",
    ]


SEEN_TOLD = Seen(
    fault="a disk nearly full",
    how="really",
    expected=frozenset({"DiskLow"}),
    limit_seconds=60,
    told_seconds={"DiskLow": 31.0},
    others=frozenset(),
)


def test_faults_are_made_in_their_short_form_at_their_stage_while_the_users_are_away(world: World) -> None:
    world.told_of = Findings(seen=[SEEN_TOLD])
    ascent = ran(world, ("stage-a", "stage-b"), alerts_at="stage-b")
    assert world.told[-6:] == [
        "users 1 leave stage-b",
        "a bench at stage-b",
        "short faults at stage-b",
        "the bench is left",
        "users 1 welcome to stage-b",
        "users 1 leave stage-b",
    ]
    assert (ascent.problems, ascent.alerts) == ([], {"stage-b": [SEEN_TOLD]})
    assert "1 faults told exactly" in ascent.words
    assert "stage-b: a fault is told" in said(ascent)


def test_a_fault_that_is_not_told_and_what_it_leaves_behind_are_findings(world: World) -> None:
    world.told_of = Findings(seen=[SEEN_TOLD], problems=["a disk nearly full: PgDown was told too"])
    world.findings = [Finding(what="vllm", ok=False, detail="is away")]
    assert ran(world, ("stage-a",), alerts_at="stage-a").problems == [
        "stage-a: alerts: a disk nearly full: PgDown was told too",
        "stage-a: after the alerts: vllm: is away",
    ]
    assert ran(world, ("stage-a",)).problems == []


def test_what_a_container_reaches_and_should_not_is_a_finding_of_its_stage(world: World) -> None:
    world.reached["stage-b"] = Finding(what="reach of data", ok=False, detail="reaches etcd-1:9999")
    assert ran(world, ABC[:2]).problems == ["stage-b: scan: reach of data: reaches etcd-1:9999"]


def test_k6_plays_at_every_stage_when_it_is_asked_to(world: World) -> None:
    ascent = ran(world, k6_seconds=5, k6_users=200)
    shares = {"stage-a": 1.0, "stage-b": 200 / 500, "stage-c": 200 / 3_000}
    assert [text for text in world.told if "k6" in text] == [f"k6 at {one}: {shares[one]} for 5" for one in ABC]
    assert (ascent.problems, [*ascent.loads]) == ([], [*ABC])
    world.told.clear()
    assert ran(world).loads == {}
    assert not [text for text in world.told if "k6" in text]


def test_a_wrong_answer_is_a_finding_and_a_missed_objective_is_told(world: World) -> None:
    world.played = replace(PLAYED, missed=("p(95)<300",))
    ascent = ran(world, ("stage-a",), k6_seconds=5)
    assert ascent.problems == []
    assert "missed: p(95)<300" in said(ascent)
    world.played = replace(PLAYED, wrong_answers=2)
    assert ran(world, ("stage-a",), k6_seconds=5).problems == ["stage-a: k6: 2 of 9 answers are wrong"]


def test_users_who_generated_nothing_have_shown_nothing(world: World) -> None:
    world.played = replace(PLAYED, generation=replace(PLAYED.generation, count=0))
    assert len(ran(world, ("stage-a",), k6_seconds=5).problems) == 1


def test_the_verdict_is_the_last_line_and_says_what_was_done(world: World) -> None:
    ascent = ran(world, claims={"stage-c": Claims.SAMPLE}, drift_at="stage-b", kills=ONE_KILL)
    ascent.show()
    last = said(ascent).splitlines()[-1]
    assert last.startswith("PASS: 3 steps to stage-c, 2 kills on the way, 1 claims tried, 1 Docker Engine restarted")


def test_a_finding_makes_the_verdict_a_failure(world: World) -> None:
    world.steps["stage-a"] = {"faults": ("x: y",)}
    ascent = ran(world)
    ascent.show()
    assert said(ascent).splitlines()[-1] == "FAIL: 1 findings"
    assert ascent.problems == ["nothing → stage-a: x: y"]


def test_everything_that_was_found_is_told_to_machines(world: World) -> None:
    world.outcomes = (CACHE_LOST,)
    ascent = ran(
        world,
        ("stage-a", "stage-b"),
        claims={"stage-b": Claims.EVERY},
        drift_at="stage-b",
        kills=ONE_KILL,
        k6_seconds=5,
    )
    assert not ascent.problems
    content = json.loads(json.dumps(ascent.found))
    assert [step["stage"] for step in content["steps"]] == ["stage-a", "stage-b"]
    assert [kill["victim"] for kill in content["steps"][1]["kills"]] == [Victim.PULUMI.value]
    assert content["drifts"][0]["stage"] == "stage-b"
    assert [one["lost"] for one in content["claims"]["stage-b"]] == ["container redis-1"]
    assert content["k6"]["stage-a"]["users"] == 3


def test_an_ascent_to_nowhere_says_so(world: World) -> None:
    tier: Any = world
    ascent = Ascent(tier, Program(stages=ABC), Screen())
    assert ascent.words.startswith("0 steps to nowhere")
