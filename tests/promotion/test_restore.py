from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import docker
import pytest
from docker.errors import NotFound

from dreamseed.config import Stage
from dreamseed.promotion.saga import StepError
from playbook import restore
from playbook.restore import PLACE, Backup, Shard, rows_of
from tests.promotion.saga_world import plan_of

SEGMENT = "000000010000000000000007"
Answer = tuple[int, str]


@dataclass
class Done:
    exit_code: int
    output: tuple[bytes | None, bytes | None]


@dataclass
class FakeContainer:
    """A container that answers by the first word, or by the SQL, that it knows."""

    name: str
    answers: dict[str, Answer | list[Answer]]
    asked: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    attrs: dict[str, Any] = field(
        default_factory=lambda: {
            "Image": "sha256:1",
            "Config": {"User": "999"},
            "NetworkSettings": {"Networks": {"data": {}}},
        }
    )

    def exec_run(self, words: list[str], environment: dict[str, str], demux: bool) -> Done:
        text = " ".join(words)
        self.asked.append(text)
        for part, answer in self.answers.items():
            if part in text:
                status, said = answer.pop(0) if isinstance(answer, list) else answer
                return Done(status, (said.encode(), None))
        return Done(1, (None, f"nobody knows {text}".encode()))

    def get_archive(self, path: str) -> tuple[Iterator[bytes], dict[str, Any]]:
        return iter([b"tar"]), {}

    def put_archive(self, path: str, content: Any) -> bool:
        self.asked.append(f"put {path}")
        return True

    def start(self) -> None:
        self.asked.append("start")

    def remove(self, force: bool) -> None:
        self.removed.append("container")


@dataclass
class FakeEngine:
    """An engine whose containers are those of stage A's first shard, and whatever is made in it."""

    running: dict[str, FakeContainer]
    place: FakeContainer
    log: list[str] = field(default_factory=list)

    @property
    def containers(self) -> FakeEngine:
        return self

    @property
    def volumes(self) -> FakeEngine:
        return self

    def get(self, name: str) -> Any:
        if name == PLACE and PLACE not in self.running:
            raise NotFound(name)
        return self.running[name]

    def create(self, image: str, **options: Any) -> FakeContainer:
        self.log.append(f"create {options['name']} of {image}")
        assert all(mount["Source"] == PLACE or mount["ReadOnly"] for mount in options["mounts"])
        self.running[PLACE] = self.place
        return self.place


ROWS = "public.answer|3|77\npublic.user|2|5"
DATABASE: dict[str, Answer | list[Answer]] = {
    "/primary": (0, ""),
    "pg_snapshot_xmin": (0, "740\n"),
    "datallowconn": (0, "dreamseed\npostgres"),
    "hashtextextended(t::text, 0)": [(0, ROWS), (0, "")],
    "pg_create_restore_point": (0, SEGMENT),
    "pg_switch_wal": (0, ""),
    "pg_stat_archiver": [(0, ""), (0, SEGMENT[:-1] + "6"), (0, SEGMENT)],
}
BACKUP: dict[str, Answer | list[Answer]] = {
    "--type=incr": [(restore.LOCKED, "locked"), (0, "")],
    "info": (0, json.dumps([{"backup": [{"label": "20261126-F"}, {"label": "20261126-F_I"}]}])),
}
RESTORED: dict[str, Answer | list[Answer]] = {
    "pgbackrest": (0, ""),
    "pg_ctl": (0, ""),
    "pg_is_in_recovery": [(0, "t"), (0, "f")],
    "datallowconn": (0, "dreamseed\npostgres"),
    "hashtextextended(t::text, 0)": [(0, ROWS), (0, "")],
}
TAKEN = Backup(
    shard=1,
    label="20261126-F_I",
    point="promotion-stage-b-1",
    unfinished=740,
    rows={"dreamseed public.answer": (3, "77"), "dreamseed public.user": (2, "5")},
)


def known(answers: dict[str, Answer | list[Answer]], **others: Answer) -> dict[str, Answer | list[Answer]]:
    """A copy of answers, as they are used up."""
    return {key: list(one) if isinstance(one, list) else one for key, one in answers.items()} | others


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playbook.restore.time.sleep", lambda _: None)


def shard(**others: Answer) -> tuple[Shard, FakeEngine]:
    running = {
        "pg-1-1": FakeContainer("pg-1-1", known(DATABASE)),
        "pg-1-1-backup": FakeContainer("pg-1-1-backup", known(BACKUP)),
    }
    engine = FakeEngine(running, FakeContainer(PLACE, known(RESTORED, **others)))
    return Shard(plan=plan_of(Stage.A), engines={"server-1": cast(docker.DockerClient, engine)}, number=1), engine


def test_a_backup_notes_every_row_before_the_point_and_waits_until_that_is_archived() -> None:
    one, engine = shard()
    assert one.back_up("promotion-stage-b-1") == TAKEN
    asked = " ".join(engine.running["pg-1-1"].asked)
    assert asked.index("hashtextextended") < asked.index("pg_create_restore_point") < asked.index("pg_stat_archiver")
    assert Backup.of(json.loads(json.dumps(TAKEN.record()))) == TAKEN


def test_a_backup_waits_for_one_that_is_being_taken() -> None:
    one, engine = shard()
    one.back_up("promotion-stage-b-1")
    assert sum("--type=incr" in text for text in engine.running["pg-1-1-backup"].asked) == 2


def test_it_is_restored_up_to_its_point_into_an_empty_place_that_is_gone_afterwards() -> None:
    one, engine = shard()
    told = one.verify(TAKEN)
    assert told.startswith("20261126-F_I of shard 1 restored into an empty place in")
    assert told.endswith("5 rows in 2 tables, all alike")
    restored = next(text for text in engine.place.asked if text.startswith("pgbackrest"))
    for words in ("local.conf", "--stanza=shard-1", "--target=promotion-stage-b-1", "--set=20261126-F_I"):
        assert words in restored
    started = next(text for text in engine.place.asked if text.startswith("pg_ctl"))
    assert "-c archive_mode='off'" in started, "a second primary must not archive"
    assert "-c listen_addresses=''" in started, "nobody may write to it"
    assert engine.place.removed == ["container", "container"]


@pytest.mark.parametrize(
    ("rows", "differs"),
    [
        ("public.answer|3|78\npublic.user|2|5", "dreamseed public.answer"),
        ("public.answer|2|77\npublic.user|2|5", "dreamseed public.answer"),
        ("public.answer|3|77", "dreamseed public.user"),
        (ROWS + "\npublic.more|1|1", "dreamseed public.more"),
    ],
)
def test_one_row_that_differs_is_found(rows: str, differs: str) -> None:
    one, engine = shard()
    engine.place.answers["hashtextextended(t::text, 0)"] = [(0, rows), (0, "")]
    with pytest.raises(StepError, match=f"differs in {differs}\n"):
        one.verify(TAKEN)
    assert engine.place.removed == ["container", "container"]


@pytest.mark.parametrize("broken", ["pgbackrest", "pg_ctl"])
def test_a_restore_that_fails_is_told_and_leaves_nothing(broken: str) -> None:
    one, engine = shard(**{broken: (37, "no backup set found")})
    with pytest.raises(StepError, match="no backup set found"):
        one.verify(TAKEN)
    assert engine.place.removed == ["container", "container"]


def test_without_a_primary_nothing_is_backed_up() -> None:
    one, engine = shard()
    engine.running["pg-1-1"].answers["/primary"] = (22, "")
    with pytest.raises(StepError, match="shard 1 has no primary"):
        one.back_up("promotion-stage-b-1")


def blind(database: Any, unfinished: int) -> dict[str, tuple[int, str]]:
    """A comparison that looks at the tables' names only."""
    return {name: TAKEN.rows.get(name, (0, "")) for name in rows_of(database, unfinished)}


def test_a_comparison_that_counts_no_rows_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore, "rows_of", blind)
    test: Callable[[str, str], None] = test_one_row_that_differs_is_found
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        test("public.answer|3|78\npublic.user|2|5", "dreamseed public.answer")
