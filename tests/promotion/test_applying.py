from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dreamseed.promotion.saga import StepError
from playbook.applying import Applying
from playbook.engine_plan import EnginePlan
from rehearsal.runner.engine import Engine, Run
from rehearsal.runner.events import Change, EventLog
from rehearsal.runner.resources import Action, Resource


def change(name: str, action: Action = Action.UPDATE, *, protected: bool = False, inputs: str = "a") -> Change:
    urn = f"urn:pulumi:promoted::dreamseed::docker:index/container:Container::{name}"
    return Change(Resource(urn, "docker:index/container:Container", (), {"image": inputs}, protected), action, ())


@dataclass
class Log(EventLog):
    changed: tuple[Change, ...] = ()

    def all_changes(self) -> list[Change]:
        return list(self.changed)


def ran(*changes: Change, succeeded: bool = True) -> Run:
    return Run(succeeded, Log(changed=changes), 1.0, () if succeeded else ("broken",), "")


@dataclass
class FakeEngine:
    """Answers previews and ups in turn, and says what was asked."""

    previews: list[Run]
    ups: list[Run] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    making: tuple[str, ...] = ()

    @property
    def workspace(self) -> Any:
        return SimpleNamespace(unlock=lambda _: None)

    def read_state(self, stack: str) -> dict[str, Any]:
        pending = [{"type": "creating", "resource": {"urn": f"{stack}::it", "type": token}} for token in self.making]
        return {"deployment": {"pending_operations": pending}}

    def preview(self, stack: str, stage: str, reached: object) -> Run:
        self.asked.append(("preview", stage))
        return self.previews.pop(0)

    def up(self, stack: str, stage: str, reached: object) -> Run:
        self.asked.append(("up", stage))
        return self.ups.pop(0)


ONE, TWO = change("one"), change("two", Action.CREATE)
APPROVED = EnginePlan.of("stage-a", "stage-b", [ONE, TWO])


def applying(engine: FakeEngine, kept_in: Path = Path("nowhere")) -> Applying:
    return Applying(
        engine=cast(Engine, engine),
        stack="promoted",
        before="stage-a",
        after="stage-b",
        reached=lambda _: None,
        kept_in=kept_in,
    )


def bring(engine: FakeEngine, begun: EnginePlan | None = None) -> list[EnginePlan]:
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "begun-stage-b.json"
        if begun is not None:
            begun.write(kept)
        applying(engine, kept.parent).up(APPROVED.digest)
        return [EnginePlan.read(kept)]


def test_the_approved_plan_is_kept_and_brought_up() -> None:
    engine = FakeEngine([ran(ONE, TWO)], [ran(TWO, ONE)])
    assert bring(engine) == [APPROVED]
    assert engine.asked == [("preview", "stage-b"), ("up", "stage-b")]


def test_the_order_of_changes_is_no_part_of_a_plan_and_everything_else_is() -> None:
    assert EnginePlan.of("stage-a", "stage-b", [TWO, ONE]).digest == APPROVED.digest
    others: list[list[Any]] = [
        [ONE],
        [ONE, TWO, change("three")],
        [ONE, change("two", Action.REPLACE)],
        [ONE, change("two", Action.CREATE, inputs="b")],
    ]
    assert len({APPROVED.digest, *(EnginePlan.of("stage-a", "stage-b", one).digest for one in others)}) == 5
    assert EnginePlan.of("stage-b", "stage-c", [ONE, TWO]).digest != APPROVED.digest


@pytest.mark.parametrize("changes", [(ONE,), (ONE, TWO, change("three")), (ONE, change("two", inputs="b"))])
def test_another_plan_is_never_brought_up(changes: tuple[Change, ...]) -> None:
    engine = FakeEngine([ran(*changes)])
    with pytest.raises(StepError, match="something else than was approved"):
        bring(engine)
    assert engine.asked == [("preview", "stage-b")]


def test_what_a_kill_left_of_the_approved_plan_is_finished() -> None:
    engine = FakeEngine([ran(change("two", Action.REPLACE))], [ran(change("two", Action.REPLACE))])
    assert bring(engine, APPROVED) == [APPROVED]


def test_what_only_a_person_can_find_stops_it_before_a_second_one_is_made() -> None:
    engine = FakeEngine([ran(TWO)], [ran(TWO)], making=("cloudflare:index/dnsRecord:DnsRecord",))
    with pytest.raises(StepError, match="was killed while it made it: whether that is there, nobody recorded"):
        bring(engine, APPROVED)
    assert engine.asked == []


@pytest.mark.parametrize("token", ["docker:index/container:Container", "pulumi:providers:docker"])
def test_what_tells_itself_by_its_name_does_not_stop_it(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr("playbook.applying.recover", lambda *_, **__: looked.append(token))
    engine = FakeEngine([ran(TWO)], [ran(TWO)], making=(token,))
    bring(engine, APPROVED)
    assert (looked, [did for did, _ in engine.asked]) == ([token], ["preview", "up"])


def test_a_search_that_fails_stops_it_in_the_engines_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the cloud is away")

    monkeypatch.setattr("playbook.applying.recover", broken)
    with pytest.raises(StepError, match="the cloud is away"):
        bring(FakeEngine([], [], making=("docker:index/container:Container",)), APPROVED)


def test_after_a_kill_nothing_else_is_changed_either() -> None:
    engine = FakeEngine([ran(TWO, change("three"))])
    with pytest.raises(
        StepError, match=r"1 changes are left to do that the approved plan lacks, such as update of .*three"
    ):
        bring(engine, APPROVED)
    assert ("up", "stage-b") not in engine.asked


def test_a_plan_begun_under_another_approval_allows_nothing() -> None:
    other = EnginePlan.of("stage-a", "stage-b", [TWO])
    with pytest.raises(StepError, match="something else than was approved"):
        bring(FakeEngine([ran(TWO)]), other)


def test_what_the_engine_did_besides_is_told() -> None:
    with pytest.raises(StepError, match="were done"):
        bring(FakeEngine([ran(ONE, TWO)], [ran(ONE, TWO, change("three", Action.DELETE))]))


@pytest.mark.parametrize(
    "engine", [FakeEngine([ran(succeeded=False)]), FakeEngine([ran(ONE, TWO)], [ran(ONE, succeeded=False)])]
)
def test_a_failing_engine_is_told_in_its_own_words(engine: FakeEngine) -> None:
    with pytest.raises(StepError, match="the engine said: broken"):
        bring(engine)


def test_rolled_back_only_what_is_protected_may_stay() -> None:
    kept = change("data", Action.DELETE, protected=True)
    engine = FakeEngine([ran(kept, succeeded=False)], [ran(kept, succeeded=False)])
    assert applying(engine).roll_back() == "stage-a is up again; kept, for a person to decide: data"
    assert engine.asked == [("up", "stage-a"), ("preview", "stage-a")]
    clean = FakeEngine([ran()], [ran()])
    assert applying(clean).roll_back() == "stage-a is up again"


@pytest.mark.parametrize(
    "left",
    [
        (change("data", Action.DELETE),),
        (change("data", Action.UPDATE, protected=True),),
        (change("data", Action.DELETE, protected=True), change("engine")),
    ],
)
def test_a_roll_back_that_leaves_anything_else_failed(left: tuple[Change, ...]) -> None:
    engine = FakeEngine([ran(*left, succeeded=False)], [ran(succeeded=False)])
    with pytest.raises(StepError, match="is not wholly back"):
        applying(engine).roll_back()


def test_a_preview_that_fails_for_another_reason_is_no_roll_back() -> None:
    with pytest.raises(StepError, match="is not wholly back"):
        applying(FakeEngine([ran(succeeded=False)], [ran()])).roll_back()
