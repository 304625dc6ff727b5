from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dreamseed.planning.secrets import GeneratedSecret
from dreamseed.planning.stage_plan import StagePlan
from localtier.k6 import K6Result, play, summary
from localtier.k6.run import Requests
from tests.planning.stages import shipped

A = shipped("stage-a")
NONE = Requests(count=0, failure_ratio=0, p50_ms=None, p95_ms=None, p99_ms=None)
API = Requests(count=1_350, failure_ratio=0, p50_ms=2, p95_ms=10.4, p99_ms=20)
SLOW = Requests(count=150, failure_ratio=0, p50_ms=900, p95_ms=6_001.2, p99_ms=7_000)


def result(generation: Requests = SLOW, missed: Sequence[str] = ()) -> K6Result:
    return K6Result(users=50, seconds=15, api=API, generation=generation, wrong_answers=0, missed=tuple(missed))


def test_a_line_says_who_played_and_what_they_saw() -> None:
    assert summary(A, result()) == (
        "stage-a: k6: 50 users for 15 s: 1350 API requests, p95 10 ms, 150 generations, p95 6,001 ms; "
        "every objective met"
    )


def test_a_line_names_every_objective_that_was_missed() -> None:
    said = summary(A, result(missed=["api: p(95)<300", "generation: p(95)<5000"]))
    assert said.endswith("; missed: api: p(95)<300; generation: p(95)<5000")
    assert "every objective met" not in said


def test_what_never_happened_has_a_dash_for_its_latency() -> None:
    assert "0 generations, p95 –;" in summary(A, result(NONE))


def test_k6_is_given_the_models_key_and_runs_outside_on_the_models_local_port(monkeypatch: pytest.MonkeyPatch) -> None:
    module = play.__globals__
    seen: list[Any] = []

    class Tier:
        console = "console"

        @contextmanager
        def engines(self, plan: StagePlan) -> Iterator[Mapping[str, str]]:
            yield {"server-1": "engine"}

        def world(self, plan: StagePlan) -> Tier:
            return self

        def outside(self, command: Sequence[str]) -> list[str]:
            return ["enter", *command]

    def held(plan: StagePlan, engines: Mapping[str, str], only: frozenset[str]) -> dict[str, str]:
        assert engines == {"server-1": "engine"}
        return {name: f"the {name}" for name in only}

    def ran(*arguments: Any, within: Any) -> K6Result:
        seen.extend([*arguments, within(["k6"])])
        return result()

    monkeypatch.setitem(module, "read_credentials", held)
    monkeypatch.setitem(module, "ensure_binary", lambda name, console: Path(f"/{name}"))
    monkeypatch.setitem(module, "run_k6", ran)
    tier: Any = Tier()
    assert play(tier, A, 0.5, 15) == result()
    binary, url, key, plan, share, seconds, within = seen
    assert (binary, plan, share, seconds, within) == (Path("/k6"), A, 0.5, 15, ["enter", "k6"])
    assert key == f"the {GeneratedSecret.VLLM_API_KEY}"
    assert url.startswith("http://127.0.0.1:")
