from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException
from hypothesis import given
from hypothesis import strategies as st
from requests import ConnectionError as NoConnection
from rich.console import Console

from dreamseed.planning.survivability import Claim, Loss
from localtier.checks import Finding
from localtier.experiments import survival
from localtier.experiments.noticing import QUIET_SECONDS
from localtier.experiments.survival import (
    BASELINE_SECONDS,
    FAIL_SECONDS,
    LANES_SECONDS,
    NOTICED_LATE_SECONDS,
    NOTICED_SECONDS,
    SURVIVE_SECONDS,
    Outcome,
    RunningStage,
    decided,
    line,
    not_tried,
    try_all,
    try_claims,
    try_one,
)
from localtier.experiments.trials import Client, Trial, clients_of, trials_of
from localtier.load.ledger import Event
from localtier.load.ledger import Outcome as Happened
from localtier.load.run import LoadRun
from rehearsal.hosts import HostsError
from tests.localtier.experiments.fakes import Screen, claim, trial, tried
from tests.planning.stages import shipped

STEP_SECONDS = 0.25
BEGIN = 1_000.0
HERE = (Client.POSTGRES, Client.REDIS, Client.KAFKA, Client.CHAT)
Away = Callable[[Client, str, float], bool]


def never(*_: object) -> bool:
    return False


def always(client: Client, lane: str, after: float) -> bool:
    return after >= 0


def between(begin: float, end: float) -> Away:
    """Away from some seconds after the loss to others."""
    return lambda client, lane, after: begin <= after < end


class Stage:
    """A stage in a time of its own: every lane of each client does something four times a second.

    `away` tells by client, lane and seconds after the loss (below 0 before it) when that fails.
    """

    def __init__(self, away: Away = never, lanes: Sequence[str] = ("1", "2")) -> None:
        self.time = BEGIN
        self.lost_at: float | None = None
        self.away = away
        self.lanes = lanes
        self.inject_seconds = 0.0
        self.health: list[list[str]] = []
        self.fails: dict[str, Exception] = {}
        self.done: list[str] = []
        self._events: dict[Client, list[Event]] = {}

    def unhealthy(self) -> list[str]:
        return self.health.pop(0) if self.health else []

    def inject(self, trial: Trial) -> None:
        self.lost_at = self.time
        self._do("inject", trial)
        self.sleep(self.inject_seconds)

    def repair(self, trial: Trial) -> None:
        self.lost_at = None
        self._do("repair", trial)

    def _do(self, what: str, trial: Trial) -> None:
        self.done.append(f"{what} {trial.target}")
        if what in self.fails:
            raise self.fails[what]

    def clients(self, component: str) -> tuple[Client, ...]:
        return clients_of(component, HERE)

    @contextmanager
    def watching(self, clients: frozenset[Client]) -> Iterator[Stage]:
        self._events = {client: [] for client in clients}
        yield self

    def events(self, client: Client) -> Sequence[Event]:
        return self._events[client]

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        until = self.time + seconds
        while self.time < until:
            self.time += STEP_SECONDS
            after = -1.0 if self.lost_at is None else self.time - self.lost_at
            for client, events in self._events.items():
                for lane in self.lanes:
                    outcome = Happened.FAILED if self.away(client, lane, after) else Happened.OK
                    events.append(Event(time=self.time, outcome=outcome, lane=lane))


def one(stage: Stage, *claims: Claim) -> Outcome:
    """Try one trial of which the first claim is looked at."""
    outcomes, _ = try_one(stage, trial(*claims))
    return outcomes[0]


def test_a_claim_that_holds_agrees_with_what_was_seen_and_for_how_long() -> None:
    stage = Stage(between(0, 5))
    outcome = one(stage, claim())
    assert (outcome.observed, outcome.agrees, outcome.healed, outcome.detail) == (True, True, True, "")
    assert outcome.interruption_seconds == pytest.approx(5, abs=2 * STEP_SECONDS)
    assert stage.done == ["inject redis-1", "repair redis-1"]


def test_a_claim_of_survival_does_not_hold_when_nobody_comes_back() -> None:
    stage = Stage(always)
    outcome = one(stage, claim())
    assert (outcome.observed, outcome.agrees) == (False, False)
    assert outcome.interruption_seconds >= SURVIVE_SECONDS
    assert stage.done[-1] == "repair redis-1"


def test_a_recovery_that_comes_too_late_is_none() -> None:
    in_time = SURVIVE_SECONDS - QUIET_SECONDS - 1
    assert one(Stage(between(0, in_time)), claim()).agrees
    assert not one(Stage(between(0, SURVIVE_SECONDS - QUIET_SECONDS + 1)), claim()).agrees


def test_one_lane_that_has_no_success_again_is_no_survival() -> None:
    outcome = one(Stage(lambda client, lane, after: after >= 0 and lane == "2"), claim())
    assert (outcome.observed, outcome.agrees) == (False, False)


def test_a_lane_that_falls_silent_without_an_error_is_no_survival() -> None:
    class Silent(Stage):
        def sleep(self, seconds: float) -> None:
            self.lanes = ("1", "2") if self.lost_at is None else ("1",)
            super().sleep(seconds)

    assert one(Silent(), claim()).observed is False


def test_a_lane_that_is_slow_to_be_seen_is_waited_for_before_anything_is_lost() -> None:
    class Slow(Stage):
        def sleep(self, seconds: float) -> None:
            whole = self.time - BEGIN > LANES_SECONDS - 1 and self.lost_at is None
            self.lanes = ("1", "2") if whole else ("1",)
            super().sleep(seconds)

    assert one(Slow(), claim()).observed is False


def test_errors_now_and_then_until_the_end_are_no_survival() -> None:
    flaky = Stage(lambda client, lane, after: after >= 0 and after % 2 < STEP_SECONDS)
    assert one(flaky, claim()).observed is False


def test_a_client_that_survives_although_it_is_claimed_not_to_is_a_difference() -> None:
    outcome = one(Stage(between(0, 5)), claim(survives=False))
    assert (outcome.claimed, outcome.observed, outcome.agrees) == (False, True, False)


def test_a_loss_that_is_claimed_not_to_be_survived_is_watched_long_enough() -> None:
    stage = Stage(always)
    outcome = one(stage, claim(survives=False))
    assert (outcome.observed, outcome.agrees) == (False, True)
    assert FAIL_SECONDS <= outcome.interruption_seconds < FAIL_SECONDS + 1


def test_a_loss_that_is_noticed_late_is_not_survived_before() -> None:
    stage = Stage(between(NOTICED_SECONDS - 1, 20))
    outcome = one(stage, claim())
    assert (outcome.observed, outcome.agrees) == (True, True)
    assert outcome.interruption_seconds >= 20 - NOTICED_SECONDS
    assert not one(Stage(between(NOTICED_SECONDS - 1, 200)), claim()).agrees


def test_the_loss_of_who_chooses_leaders_is_given_until_it_can_be_noticed() -> None:
    late = between(NOTICED_LATE_SECONDS["etcd"] - 1, 500)
    assert one(Stage(late), claim("etcd")).observed is False
    assert one(Stage(late), claim("redis")).observed is True


def test_a_loss_that_takes_long_to_make_is_counted_from_when_it_is_complete() -> None:
    stage = Stage(between(0, 70))
    stage.inject_seconds = 30
    assert one(stage, claim()).agrees
    outcome = one(stage, claim(survives=False))
    assert (outcome.observed, outcome.agrees) == (False, True)


def test_each_claim_of_one_loss_is_decided_by_its_own_clients() -> None:
    claims = [
        claim(component, survives=survives, loss=Loss.SERVER, target="server-1")
        for component, survives in (("redis", False), ("kafka", True), ("vllm", False))
    ]
    away = {Client.REDIS: always, Client.KAFKA: between(0, 30), Client.CHAT: never}
    outcomes, broken = try_one(Stage(lambda client, lane, after: away[client](client, lane, after)), trial(*claims))
    assert [(one.claim.component, one.observed, one.agrees) for one in outcomes] == [
        ("redis", False, True),
        ("kafka", True, True),
        ("vllm", True, False),
    ]
    assert broken == []


def test_a_component_of_several_clients_survives_only_when_all_of_them_work() -> None:
    away = Stage(lambda client, lane, after: client is Client.KAFKA and after >= 0)
    assert one(away, claim("tunnel")).observed is False


def test_nothing_is_lost_while_a_client_does_not_work_anyway() -> None:
    stage = Stage(lambda client, lane, after: client is Client.REDIS)
    outcome = one(stage, claim())
    assert (outcome.observed, outcome.agrees) == (None, False)
    assert "did not work before" in outcome.detail
    assert stage.done == []
    assert stage.time - BEGIN == pytest.approx(BASELINE_SECONDS, abs=1)


def test_a_claim_that_nobody_here_would_notice_is_not_taken_for_one_that_holds() -> None:
    class Empty(Stage):
        def clients(self, component: str) -> tuple[Client, ...]:
            return ()

    stage = Empty()
    outcome = one(stage, claim(survives=False))
    assert (outcome.observed, outcome.agrees) == (None, False)
    assert "nobody" in outcome.detail
    assert stage.done == []


@pytest.mark.parametrize(
    "error", [HostsError("no such volume", "look"), DockerException("refused"), NoConnection("reset")]
)
def test_a_loss_that_could_not_be_made_shows_nothing_and_is_given_back_all_the_same(error: Exception) -> None:
    stage = Stage()
    stage.fails["inject"] = error
    outcome = one(stage, claim(survives=False))
    assert (outcome.observed, outcome.agrees) == (None, False)
    assert f"could not be done: {error}" in outcome.detail
    assert stage.done == ["inject redis-1", "repair redis-1"]


def two_trials() -> list[Trial]:
    return [trial(claim()), trial(claim(target="redis-2"))]


def test_every_trial_is_tried_as_long_as_everything_is_whole_again_and_told() -> None:
    stage, told = Stage(between(0, 2)), Screen()
    outcomes = try_all(stage, two_trials(), told)
    assert [(one.trial.target, one.agrees) for one in outcomes] == [("redis-1", True), ("redis-2", True)]
    assert [text[0] for text in told.said.splitlines()] == ["✓", "✓"]


def test_a_claim_that_did_not_hold_does_not_keep_the_next_one_from_being_tried() -> None:
    outcomes = try_all(Stage(always), two_trials(), Screen())
    assert [one.observed for one in outcomes] == [False, False]


def test_after_a_loss_that_is_not_mended_the_rest_is_not_tried_and_does_not_agree() -> None:
    stage = Stage(between(0, 2))
    stage.health = [[], ["redis: 16383 slots"]]
    first, second = try_all(stage, two_trials(), Screen())
    assert (first.observed, first.healed, first.agrees) == (True, False, False)
    assert "unhealthy after: redis: 16383 slots" in first.detail
    assert (second.observed, second.agrees) == (None, False)
    assert "not tried, unhealthy before: redis: 16383 slots" in second.detail
    assert stage.done == ["inject redis-1", "repair redis-1"]


@pytest.mark.parametrize("error", [HostsError("no power", "look"), DockerException("gone"), NoConnection("reset")])
def test_a_loss_that_could_not_be_given_back_ends_the_trials(error: Exception) -> None:
    stage = Stage(between(0, 2))
    stage.fails["repair"] = error
    first, second = try_all(stage, two_trials(), Screen())
    assert (first.agrees, second.observed) == (False, None)
    assert f"not repaired: {error}" in first.detail


def test_on_a_stage_that_is_not_whole_nothing_is_tried() -> None:
    stage = Stage()
    stage.health = [["pg-1-1: not healthy"]]
    outcomes = try_all(stage, two_trials(), Screen())
    assert [(one.observed, one.agrees) for one in outcomes] == [(None, False)] * 2
    assert stage.done == []


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (tried(claim(), True), "✓ container redis-1: redis survives (away 1.2 s, whole again 7 s after repair)"),
        (
            tried(claim(), False),
            "✗ container redis-1: redis does not survive, claimed: survives (away 1.2 s, whole again 7 s after repair)",
        ),
        (
            tried(claim(survives=False), True),
            "✗ container redis-1: redis survives, claimed: does not survive (away 1.2 s, whole again 7 s after repair)",
        ),
        (
            tried(claim(), None, healed=False, detail="why"),
            "✗ container redis-1: redis was not seen (away 1.2 s, whole again 7 s after repair) why",
        ),
    ],
)
def test_an_outcome_is_told_in_a_line_with_the_claim_where_it_differs(outcome: Outcome, text: str) -> None:
    assert line(outcome) == text


CLAIMS = st.builds(claim, st.sampled_from(["redis", "etcd", "kafka"]), survives=st.booleans())
SECONDS = st.floats(0, 2 * SURVIVE_SECONDS)


@given(CLAIMS, st.booleans(), SECONDS)
def test_only_who_works_has_survived_and_in_the_end_everything_is_decided(
    of: Claim, working: bool, elapsed: float
) -> None:
    said = decided(of, working, elapsed)
    assert said is not True or working
    assert said is not False or not working
    assert said is not None or elapsed < SURVIVE_SECONDS


@given(CLAIMS, SECONDS)
def test_no_loss_is_said_to_be_survived_before_it_can_have_been_noticed(of: Claim, elapsed: float) -> None:
    noticed = NOTICED_LATE_SECONDS.get(of.component, NOTICED_SECONDS)
    assert (decided(of, True, elapsed) is True) is (elapsed >= noticed)


@given(CLAIMS, SECONDS)
def test_no_loss_is_given_up_before_its_time(of: Claim, elapsed: float) -> None:
    noticed = NOTICED_LATE_SECONDS.get(of.component, NOTICED_SECONDS)
    limit = SURVIVE_SECONDS if of.survives else max(FAIL_SECONDS, noticed)
    assert (decided(of, False, elapsed) is False) is (elapsed >= limit)


class Tier:
    """A tier of which only the world and the checks are asked."""

    def __init__(self, findings: Sequence[Finding] = ()) -> None:
        self.findings = findings

    def world(self, _: object) -> Any:
        return None

    def check(self, _: object, timeout_seconds: float) -> Sequence[Finding]:
        assert timeout_seconds > 0
        return self.findings


def test_only_what_may_be_tried_is_tried_and_the_rest_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Trial] = []

    def noted(stage: RunningStage, trials: Sequence[Trial], console: Console) -> list[Outcome]:
        seen.extend(trials)
        return []

    monkeypatch.setattr(survival, "try_all", noted)
    plan = shipped("stage-a")
    tier: Any = Tier()
    trials = trials_of(plan)
    assert try_claims(tier, plan, LoadRun(folder=tmp_path), trials, Screen()) == []
    left_out = dict(not_tried(plan, trials))
    assert "disk pg-1-1-data" in left_out
    assert "cloud run" in left_out
    assert [one.name for one in seen] == [one.name for one in trials if one.name not in left_out]
    assert all(left_out.values())


def test_the_running_stage_is_what_its_tier_and_its_load_say(tmp_path: Path) -> None:
    findings = [Finding(what="redis", ok=True), Finding(what="kafka", ok=False, detail="2 of 3 in sync")]
    tier: Any = Tier(findings)
    plan = shipped("stage-a")
    stage = RunningStage(world=tier.world(plan), plan=plan, tier=tier, load=LoadRun(folder=tmp_path))
    assert stage.unhealthy() == ["kafka: 2 of 3 in sync"]
    assert stage.clients("tunnel") == (Client.POSTGRES, Client.CHAT)
    with stage.watching(frozenset({Client.CHAT})) as watch:
        (tmp_path / "chat.jsonl").write_text('{"time":1,"outcome":"ok"}\n')
        assert [event.time for event in watch.events(Client.CHAT)] == [1]
