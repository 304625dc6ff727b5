from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import docker
import pytest

from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.journal import Entry, Event
from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.saga import StepError
from localtier import maintenance
from localtier.checks import CHECKS, Finding
from localtier.k6 import K6Result, Requests
from localtier.tier import Standing, Tier
from playbook import ascent, running, state
from playbook.archive import archive_models, verify_archive
from playbook.ascent import inventory, step_seconds
from playbook.running import RunningWorld, whole_load
from playbook.window import AlertmanagerSilence
from tests.promotion.saga_world import NOW, plan_of

PLAYED = K6Result(
    users=20,
    seconds=20.0,
    api=Requests(count=144, failure_ratio=0.0, p50_ms=4.0, p95_ms=9.0, p99_ms=12.0),
    generation=Requests(count=16, failure_ratio=0.0, p50_ms=900.0, p95_ms=1_400.0, p99_ms=1_500.0),
    wrong_answers=0,
    missed=(),
)


class FakeTier:
    """A tier in a folder that only says what stands."""

    def __init__(self, root: Path, standing: Standing | None = None) -> None:
        self.root = root
        self.standing = standing
        self.folder = "promotion"

        self.findings = [Finding(what="server-1 is whole", ok=True), Finding(what="monitoring: all is up", ok=True)]
        self.parallel: dict[str, int] = {}
        self.rules: dict[str, str] = {}

    def world(self, plan: object) -> None:
        return None

    def check(self, plan: object, seconds: float, names: Sequence[str] = tuple(CHECKS)) -> list[Finding]:
        assert set(names) <= CHECKS.keys()
        return [one for one in self.findings if "containers" in names or one.what.startswith("monitoring")]

    @contextmanager
    def engines(self, plan: StagePlan) -> Iterator[dict[str, Any]]:
        yield {host.name: Commands(self.parallel) for host in plan.hosts}


class Commands:
    """An engine whose containers were started with so many cards."""

    def __init__(self, parallel: dict[str, int]) -> None:
        self._parallel = parallel
        self.attrs: dict[str, Any] = {}

    @property
    def containers(self) -> Commands:
        return self

    def get(self, name: str) -> Commands:
        self.attrs = {"Config": {"Cmd": ["--model", "m", state.PARALLEL, str(self._parallel[name])]}}
        return self


def world(tmp_path: Path, standing: Standing | None = None, **changes: Any) -> RunningWorld:
    (tmp_path / "promotion").mkdir(exist_ok=True)
    made = RunningWorld(
        tier=cast(Tier, FakeTier(tmp_path, standing)),
        before=plan_of(Stage.A),
        after=plan_of(Stage.B),
        reached=lambda _: None,
        clock=lambda: NOW,
        share=0.04,
    )
    return replace(made, **changes)


def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: K6Result, **changes: Any) -> RunningWorld:
    one = world(tmp_path, **changes)
    monkeypatch.setattr(running, "play", lambda tier, plan, share, seconds: result)
    one.play_load()
    return one


def test_the_load_test_says_who_was_played_and_what_all_users_would_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = played(tmp_path, monkeypatch, PLAYED).verify_load()
    assert "20 users for 20 s: 144 API requests, p95 9 ms, 16 generations, p95 1,400 ms; every objective met" in told
    assert "played was 4.00% of the users; all of them would ask 640 tokens/s as k6 asks" in told
    assert "the cards' bound is 2,960" in told


@pytest.mark.parametrize(
    "changes",
    [
        {"missed": ("http_req_duration{kind:generation}: p(95)<5000",)},
        {"wrong_answers": 1},
        {"generation": replace(PLAYED.generation, count=0)},
    ],
)
def test_a_load_test_that_missed_an_objective_or_asked_nothing_fails(
    changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = played(tmp_path, monkeypatch, replace(PLAYED, **changes))
    with pytest.raises(StepError, match="--load-share") as failed:
        one.verify_load()
    assert "played was 4.00% of the users" in str(failed.value)


@pytest.mark.parametrize("stage", Stage)
def test_what_all_users_would_ask_is_told_for_every_stage(stage: Stage) -> None:
    told = whole_load(plan_of(stage), 1)
    assert told.startswith("played was 100.00% of the users")


def test_a_stage_that_an_unfinished_up_was_to_bring_does_not_stand_yet(tmp_path: Path) -> None:
    assert world(tmp_path, Standing(stage="stage-a", target="stage-b")).is_applied() is None
    assert world(tmp_path, Standing(stage="stage-b", target="stage-b")).is_applied() == "stage-b stands"


def test_where_nothing_stands_it_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="make local STAGE=stage-a"):
        world(tmp_path).begin()


def test_cards_are_not_put_in_by_themselves(tmp_path: Path) -> None:
    one = world(tmp_path, Standing(stage="stage-a", target="stage-a"))
    one.begin()
    assert one.gpus_seen() == {"server-1": 1}
    one.install()
    assert one.gpus_seen() == {"server-1": 2}


def standing_at_b(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RunningWorld, FakeTier]:
    """A world in which everything of stage B is as planned."""
    one = world(tmp_path)
    tier = cast(FakeTier, one.tier)
    tier.parallel = {engine_name(replica): replica.tensor_parallel for replica in one.after.layout.replicas}
    rules = {
        container.name: file.text
        for container in one.after.monitoring.containers
        for file in container.files
        if file.path == state.RULES
    }
    tier.rules = rules
    monkeypatch.setattr(running, "read_file", lambda engine, name, path: tier.rules[name])
    monkeypatch.setattr(state, "thresholds", lambda plan, resources: "the rules are those of stage-b")
    return one, tier


def test_engines_and_rules_that_are_as_planned_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = standing_at_b(tmp_path, monkeypatch)
    assert one.verify_engines() == "server-1-vllm-1 tp2; 2 of 2 checks passed"
    assert one.verify_thresholds() == "the rules are those of stage-b; monitoring: all is up"


def fewer_cards(tier: FakeTier) -> None:
    tier.parallel = dict.fromkeys(tier.parallel, 1)


def check_that_fails(tier: FakeTier) -> None:
    tier.findings = [Finding(what="monitoring: all is up", ok=False, detail="one is down")]


def nothing_checked(tier: FakeTier) -> None:
    tier.findings = []


def old_rules(tier: FakeTier) -> None:
    tier.rules = {name: text.replace("5", "6", 1) for name, text in tier.rules.items()}


@pytest.mark.parametrize(
    ("look", "fault", "words"),
    [
        (RunningWorld.verify_engines, fewer_cards, "server-1-vllm-1 runs with 1 cards, planned are 2"),
        (RunningWorld.verify_engines, check_that_fails, "one is down"),
        (RunningWorld.verify_engines, nothing_checked, "nothing was found to look at"),
        (RunningWorld.verify_thresholds, check_that_fails, "one is down"),
        (RunningWorld.verify_thresholds, nothing_checked, "nothing was found to look at"),
        (RunningWorld.verify_thresholds, old_rules, "the rules of prometheus are not those of the plan"),
    ],
)
def test_what_is_not_as_planned_is_no_evidence(
    look: Callable[[RunningWorld], str],
    fault: Callable[[FakeTier], None],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, tier = standing_at_b(tmp_path, monkeypatch)
    fault(tier)
    with pytest.raises(StepError, match=words):
        look(one)


class Engine:
    """An engine with one container, whose models are what `content` holds."""

    def __init__(self, content: Path) -> None:
        self._content = content

    @property
    def containers(self) -> Engine:
        return self

    def get(self, name: str) -> Engine:
        return self

    def get_archive(self, path: str) -> tuple[list[bytes], dict[str, Any]]:
        packed = self._content.parent / "packed.tar"
        with tarfile.open(packed, "w") as archive:
            archive.add(self._content, ".cache")
        return [packed.read_bytes()], {}


@pytest.fixture
def archived(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    models = tmp_path / "models"
    models.mkdir()
    (models / "weights").write_bytes(b"w" * 5_000)
    path = tmp_path / "models.tar"
    engines = {"server-1": cast(docker.DockerClient, Engine(models))}
    return path, archive_models(plan_of(Stage.A), engines, path)


def test_the_models_are_archived_and_read_back(archived: tuple[Path, dict[str, Any]]) -> None:
    assert verify_archive(*archived) == "1 files of 5,000 bytes archived and read back"


def shortened(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:3_000])


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"www", b"xww", 1))


@pytest.mark.parametrize(("damage", "words"), [(shortened, "cannot be read|not as it was"), (changed, "not as it was")])
def test_a_damaged_archive_of_the_models_is_found(
    damage: Callable[[Path], None], words: str, archived: tuple[Path, dict[str, Any]]
) -> None:
    damage(archived[0])
    with pytest.raises(StepError, match=words):
        verify_archive(*archived)


class Alertmanager:
    """What was opened and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, answers: bool = True) -> None:
        self.open: list[str] = []
        self.answers = answers
        self._number = 0
        monkeypatch.setattr(maintenance, "ask_outside", lambda world, ask: ask())
        monkeypatch.setattr(maintenance, "open_silence", self.opened)
        monkeypatch.setattr(maintenance, "close_silence", self.closed)

    def closed(self, url: str, identifier: str) -> None:
        if not self.answers:
            raise DreamSeedError(url, "does not answer", "silences are Alertmanager's", "one that runs")
        self.open.remove(identifier)

    def opened(self, url: str, alerts: tuple[str, ...], **words: Any) -> str:
        if not self.answers:
            raise DreamSeedError(url, "does not answer", "silences are Alertmanager's", "one that runs")
        self._number += 1
        self.open.append(f"silence-{self._number}")
        return self.open[-1]


def silence(tmp_path: Path) -> AlertmanagerSilence:
    return world(tmp_path).silence


def test_a_silence_is_opened_and_closed_and_one_that_a_kill_left_is_closed_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Alertmanager(monkeypatch)
    assert "alerts for 60 minutes: silence-1" in silence(tmp_path).open()
    silence(tmp_path).open()
    assert there.open == ["silence-2"]
    silence(tmp_path).close()
    silence(tmp_path).close()
    assert there.open == []


def test_an_alertmanager_that_does_not_answer_keeps_no_promotion_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Alertmanager(monkeypatch, answers=False)
    assert silence(tmp_path).open().startswith("none: ")
    silence(tmp_path).close()


def test_a_silence_that_could_not_be_closed_is_closed_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Alertmanager(monkeypatch)
    silence(tmp_path).open()
    there.answers = False
    silence(tmp_path).close()
    assert there.open == ["silence-1"]
    there.answers = True
    silence(tmp_path).open()
    assert there.open == ["silence-2"]


def entry(second: int, event: Event, step: str = "") -> Entry:
    return Entry(at=datetime(2026, 11, 26, 12, 0, second, tzinfo=UTC), event=event, step=step, detail={})


def test_a_step_took_what_the_run_took_that_verified_it() -> None:
    entries = [
        entry(0, Event.SILENCED),
        entry(1, Event.BEGUN, "back-up"),
        entry(30, Event.SILENCED),  # killed: the wait for the next run is not the step's
        entry(31, Event.BEGUN, "back-up"),
        entry(40, Event.DONE, "back-up"),
        entry(50, Event.SILENCED),
        entry(53, Event.VERIFIED, "back-up"),
        entry(54, Event.BEGUN, "gpu-seen"),
        entry(56, Event.VERIFIED, "gpu-seen"),
    ]
    assert step_seconds(entries) == {"back-up": 3.0, "gpu-seen": 2.0}


def test_an_inventory_holds_every_input_but_secrets() -> None:
    def resource(**inputs: Any) -> dict[str, object]:
        return {"urn": "u", "inputs": inputs}

    def secret(value: str) -> dict[str, str]:
        return {ascent.SECRET: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": value}

    one = inventory([resource(image="a", key=secret("x"))])
    assert json.dumps(one) == json.dumps(inventory([resource(image="a", key=secret("y"))]))
    assert one != inventory([resource(image="b", key=secret("x"))])
