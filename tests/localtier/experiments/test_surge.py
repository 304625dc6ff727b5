"""A surge on a made-up stage: what a sound one brings, and what each fault of it must be told as."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from localtier.experiments.surge import HURRIED, Stage, hurried, play_case, users_of
from localtier.experiments.surge_episode import CUT_STREAM, Asked, Case, Episode, Sample, lost, problems
from localtier.experiments.surge_report import Found, episode_content, episode_table, moments_of
from localtier.experiments.surge_stage import total
from localtier.spot.events import MachineEvent, What
from tests.autoscaler.policies import NOW, policy
from tests.localtier.experiments.fakes import Screen
from tests.planning.stages import shipped

POLICY = policy()
USD = 0.9
ASKED_AFTER, SERVES_AFTER, DRAINED_AFTER, GONE_AFTER = 45.0, 60.0, 10.0, 20.0
SERVES_FOR = 300.0


@dataclass
class Surge:
    stage: MadeUp
    until: float

    @property
    def over(self) -> bool:
        return self.stage.time >= self.until


@dataclass
class MadeUp:
    """A stage whose worker comes 45 s after the surge began; mutants of it change one thing."""

    time: float = NOW
    queue: float = 50
    serves: bool = True
    weighs: bool = True
    answers: bool = True
    drains: bool = True
    machines: int = 1
    stays: bool = False
    chats: bool = True
    counts: bool = True
    failures: tuple[tuple[float, str], ...] = ()
    generations_failed: int = 0
    can_take_back: bool = True
    began: float = NOW
    taken_back_at: float | None = None
    rests: float = 0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)

    def rested(self) -> bool:
        return self.time - NOW >= self.rests

    @property
    def goes_at(self) -> float:
        return self.taken_back_at or self.began + ASKED_AFTER + SERVES_FOR

    @property
    def gone_at(self) -> float:
        return self.goes_at + DRAINED_AFTER + GONE_AFTER

    def sample(self) -> Sample:
        since = self.time - self.began
        there = since >= ASKED_AFTER and (self.time < self.gone_at or self.stays)
        serving = there and since >= ASKED_AFTER + SERVES_AFTER and self.time < self.goes_at and self.serves
        served = max(0.0, min(self.time, self.goes_at) - self.began - ASKED_AFTER - SERVES_AFTER)
        return Sample(
            time=self.time,
            usage=0.95 if since < HURRIED.surge_seconds and self.queue else 0.1,
            running=9,
            waiting=self.queue if since < HURRIED.surge_seconds else 0,
            machines=frozenset(f"spot-{number}" for number in range(self.machines if there else 0)),
            remembered=frozenset({"w-1"} if there else ()),
            answered=int(served) if self.serves and self.answers else 0,
            weight=8 if serving and self.weighs else 0,
            month_usd=USD if self.time >= self.gone_at and self.counts else 0.0,
        )

    @contextmanager
    def surging(self, seconds: float) -> Iterator[Surge]:
        self.began = self.time
        yield Surge(self, self.time + seconds)

    def take_back(self) -> None:
        if self.can_take_back:
            self.taken_back_at = self.time

    def events(self, since: float) -> tuple[MachineEvent, ...]:
        assert since == self.began
        asked = self.began + ASKED_AFTER
        happened = [(asked, What.ASKED), (asked + 1, What.RUNNING)]
        happened += [(asked + SERVES_AFTER, What.SERVING)] if self.serves else []
        if self.taken_back_at is not None:
            happened += [(self.goes_at, What.PREEMPTED)]
        elif self.drains:
            happened += [(self.goes_at, What.DRAINING), (self.goes_at + DRAINED_AFTER, What.DRAINED)]
        if self.taken_back_at is None:
            happened += [(self.goes_at + DRAINED_AFTER, What.DELETED)]
        happened += [] if self.stays else [(self.gone_at, What.GONE)]
        return tuple(MachineEvent(time=at, machine="w-1", what=what) for at, what in happened if at <= self.time)

    def decided(self) -> dict[str, float]:
        return {"w-1": self.began + ASKED_AFTER - 1} if self.sample().remembered else {}

    def asked(self, since: float) -> Asked:
        answered = tuple(since + number for number in range(int(self.time - since))) if self.chats else ()
        return Asked(
            generations=100,
            generations_failed=self.generations_failed,
            chats_answered=answered,
            chats_failed=self.failures,
        )

    def left(self) -> tuple[str, ...]:
        return ("container engine on spot-1",) if self.stays else ()


def played(case: Case = Case.DRAINED, **changes: Any) -> Episode:
    stage: Stage = MadeUp(**changes)
    return play_case(stage, case, HURRIED, lambda _: None)


def told(episode: Episode) -> list[str]:
    return list(problems(episode, POLICY, USD))


@pytest.mark.parametrize("case", list(Case))
def test_a_worker_that_comes_serves_and_goes_is_no_problem(case: Case) -> None:
    assert told(played(case)) == []


@pytest.mark.parametrize(
    ("changes", "case", "words"),
    [
        ({"queue": 0.0}, Case.DRAINED, "never passed the threshold"),
        ({"serves": False}, Case.DRAINED, "no worker ever served"),
        ({"weighs": False}, Case.DRAINED, "no weight"),
        ({"answers": False}, Case.DRAINED, "answered no request"),
        ({"drains": False}, Case.DRAINED, "before it had drained"),
        ({"machines": POLICY.max_workers + 1}, Case.DRAINED, f"{POLICY.max_workers} may be"),
        ({"stays": True}, Case.DRAINED, "container engine on spot-1 is left over"),
        ({"chats": False}, Case.DRAINED, "no chat was answered while the worker went"),
        ({"counts": False}, Case.DRAINED, "0.0000 counted"),
        ({"generations_failed": 1}, Case.DRAINED, "1 requests were lost"),
        ({"failures": ((NOW + 350, "status 503"),)}, Case.DRAINED, "1 requests were lost (status 503)"),
        ({"failures": ((NOW + 350, CUT_STREAM),)}, Case.DRAINED, f"1 requests were lost ({CUT_STREAM})"),
        ({"failures": ((NOW + 10, CUT_STREAM),)}, Case.TAKEN_BACK, f"1 requests were lost ({CUT_STREAM})"),
        ({"failures": ((NOW + 115, "status 502"),)}, Case.TAKEN_BACK, "1 requests were lost (status 502)"),
        ({"can_take_back": False}, Case.TAKEN_BACK, "no machine was taken back"),
    ],
)
def test_each_fault_is_told(changes: dict[str, Any], case: Case, words: str) -> None:
    assert any(words in one for one in told(played(case, **changes))), told(played(case, **changes))


def test_a_stream_that_a_machine_which_was_taken_back_was_writing_may_be_cut_and_is_counted() -> None:
    episode = played(Case.TAKEN_BACK, failures=((NOW + 115, CUT_STREAM),))
    assert lost(episode) == (0, 1)
    assert told(episode) == []


def test_a_worker_nobody_asked_for_and_a_machine_that_failed_are_told() -> None:
    episode = played()
    assert any("no worker was asked for" in one for one in told(replace(episode, events=())))
    failed = MachineEvent(time=NOW + 50, machine="w-1", what=What.FAILED, detail="no engine")
    assert any("w-1 failed: no engine" in one for one in told(replace(episode, events=(*episode.events, failed))))


def test_what_is_spent_is_held_to_the_months_cap() -> None:
    dear = POLICY.spending.cap_usd_per_month * 3_600
    assert any("USD were spent" in one for one in problems(played(), POLICY, dear))


def test_a_surge_begins_only_when_the_next_change_is_allowed_and_ends_in_time_when_a_worker_stays() -> None:
    stage = MadeUp(rests=120, stays=True)
    episode = play_case(stage, Case.DRAINED, HURRIED, lambda _: None)
    assert stage.began == NOW + 120
    assert HURRIED.limit_seconds <= stage.time - stage.began < HURRIED.limit_seconds + 2
    assert episode.left


def test_the_times_count_from_when_the_threshold_was_passed() -> None:
    episode, found = played(), Found(policy=POLICY)
    moments = moments_of(episode, found)
    assert moments["the autoscaler decides"] == ASKED_AFTER - 1
    assert moments["a machine is asked for"] == ASKED_AFTER
    assert moments["its engine and connector run"] == moments["every router counts it"] == ASKED_AFTER + SERVES_AFTER
    assert moments["first answer of a worker"] == ASKED_AFTER + SERVES_AFTER + 1
    assert moments["has drained"] == ASKED_AFTER + SERVES_FOR + DRAINED_AFTER
    assert moments["gone"] == ASKED_AFTER + SERVES_FOR + DRAINED_AFTER + GONE_AFTER
    seconds = SERVES_FOR + DRAINED_AFTER + GONE_AFTER - 1
    assert episode.billed_usd(3_600) == pytest.approx(seconds)


def test_the_table_has_both_surges_and_the_file_says_the_same() -> None:
    found = Found(policy=POLICY, episodes=[played(), played(Case.TAKEN_BACK)])
    screen = Screen(width=150)
    screen.print(episode_table(found))
    assert all(case in screen.written.getvalue() for case in Case)
    content = episode_content(found.episodes[1], found)
    assert content["events"][-1]["what"] == "gone"
    assert content["seconds"]["has drained"] is None


def test_hurried_settings_change_only_when_a_worker_goes() -> None:
    from autoscaler.settings import Queries, Settings

    planned = Settings(policy=POLICY, queries=Queries(headroom_usd="1"), project="p", template="t")
    changed: Callable[[Settings], dict[str, Any]] = lambda one: one.model_dump(  # noqa: E731 - one line
        exclude={"policy": {"down_window", "up_cooldown_seconds", "down_cooldown_seconds", "life"}}
    )
    assert changed(hurried(planned)) == changed(planned)
    assert hurried(planned).policy.life.min_serving_seconds < POLICY.life.min_serving_seconds


def test_a_surge_asks_for_more_than_the_owners_cache_holds() -> None:
    plan = shipped("stage-c")
    assert plan.layout is not None
    made = POLICY.model_copy(update={"owned_kv_tokens": plan.layout.kv_tokens})
    assert 200 < users_of(made) < 320  # more than that at once, an engine refuses (`max_queued_requests`)


def test_a_metric_is_summed_over_the_samples_with_the_labels() -> None:
    page = '# TYPE a gauge\na{x="1",y="2"} 3\na{x="2"} 4\nab{x="1"} 5\na 6\n'
    assert total(page, "a") == 13
    assert total(page, "a", x="1") == 3
    assert total(page, "absent") == 0
