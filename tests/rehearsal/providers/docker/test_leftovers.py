from __future__ import annotations

from typing import Any

import pytest

from rehearsal.providers.docker import leftovers
from rehearsal.providers.docker.leftovers import URN_LABEL, make_way
from rehearsal.providers.seams import Subject

URN = "urn:pulumi:a::b::docker:index/container:Container::web"


class Engine:
    """A Docker Engine with one container that this resource made; `states` are what each look at it finds."""

    def __init__(self, *states: str) -> None:
        self.states = [*states]
        self.removed_in: list[str] = []

    def inspect_container(self, _: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        self.seen = state
        return {"Id": "0123456789abcdef", "Config": {"Labels": {URN_LABEL: URN}}, "State": {"Status": state}}

    def remove_container(self, _: str, *, v: bool, force: bool) -> None:
        assert v
        assert force
        self.removed_in.append(self.seen)


@pytest.mark.parametrize(
    ("states", "removed_in"),
    [(("created", "created", "created", "running"), "running"), (("running",), "running"), (("exited",), "exited")],
)
def test_a_container_that_may_be_starting_is_removed_only_once_it_runs(
    states: tuple[str, ...], removed_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(leftovers, "STARTING_SECONDS", 3_600.0)
    engine: Any = Engine(*states)
    make_way(engine, "web", Subject(token="docker:index/container:Container", name="web", urn=URN))
    assert engine.removed_in == [removed_in]


def test_one_that_never_starts_is_removed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "STARTING_SECONDS", 0.0)
    engine: Any = Engine("created")
    make_way(engine, "web", Subject(token="docker:index/container:Container", name="web", urn=URN))
    assert engine.removed_in == ["created"]
