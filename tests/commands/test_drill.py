"""`dreamseed drill`: what was measured becomes a signed fact, which gates read back and Prometheus is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dreamseed.commands import drill as command
from dreamseed.config import Stage
from dreamseed.facts.drill import DRILL_NAMESPACE, DrillFact
from dreamseed.gates.gate import gate
from dreamseed.gates.gather import Places, gather
from dreamseed.gates.model import Verdict
from dreamseed.gates.waiver import DRILL_LINE
from playbook.made_up import Keyring, keyring
from tests.program import PROJECT

FOUND: dict[str, Any] = {
    "seconds_until_loss": 9.0,
    "acknowledged_rows": 900,
    "restored_rows": 700,
    "lost_rows": 200,
    "missing_rows": 0,
    "changed_rows": 0,
    "rpo_seconds": 4.5,
    "rto_seconds": 12.0,
    "restore_seconds": 8.0,
    "replay_seconds": 1.0,
    "data_bytes": 200_000_000,
    "replayed_bytes": 0,
    "restore_mb_per_second": 60.0,
    "copy_mb_per_second": 300.0,
    "amcheck": "clean",
    "source": "us-west-004",
}


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = keyring(tmp_path / "keys")
    made.allow("drill", "robot", f'namespaces="{DRILL_NAMESPACE}"')
    return made


def drilled(monkeypatch: pytest.MonkeyPatch, ring: Keyring, folder: Path, **changes: Any) -> int:
    """Run `dreamseed drill loss stage-b` over a sandbox that found this; return its exit status."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.setattr(command, "_enclosed", lambda *_: FOUND | changes)
    told = ["loss", "stage-b", "--key", str(ring.key("robot")), "--facts", str(folder)]
    return CliRunner().invoke(command.app, told).exit_code


def places(ring: Keyring, folder: Path) -> Places:
    return Places(store=folder / "none", drills=folder, waivers=folder / "none", trust=ring.trust)


def drill_line(ring: Keyring, folder: Path) -> tuple[Verdict, str]:
    """Return what the gate from B to C says of restore drills, by the facts in `folder` and the keys of `ring`."""
    lines = gate(gather(PROJECT, places(ring, folder), datetime.now(UTC)), Stage.B, Stage.C).lines
    [line] = [line for line in lines if line.key == DRILL_LINE]
    return line.verdict, line.evidence


def test_a_drill_that_passed_is_a_signed_fact_that_opens_the_gates_line(
    monkeypatch: pytest.MonkeyPatch, ring: Keyring, tmp_path: Path
) -> None:
    assert drill_line(ring, tmp_path / "facts")[0] is Verdict.UNKNOWN
    assert drilled(monkeypatch, ring, tmp_path / "facts") == 0
    verdict, evidence = drill_line(ring, tmp_path / "facts")
    assert verdict is Verdict.PASS
    assert "RPO 4.5 s, RTO 12 s" in evidence


def test_a_drill_that_lost_archived_rows_is_a_fact_too_and_closes_the_line(
    monkeypatch: pytest.MonkeyPatch, ring: Keyring, tmp_path: Path
) -> None:
    assert drilled(monkeypatch, ring, tmp_path / "facts", missing_rows=3) == 1
    assert drill_line(ring, tmp_path / "facts")[0] is Verdict.FAIL


def test_a_fact_that_was_edited_afterwards_is_neither_read_by_gates_nor_told(
    monkeypatch: pytest.MonkeyPatch, ring: Keyring, tmp_path: Path
) -> None:
    facts = tmp_path / "facts"
    drilled(monkeypatch, ring, facts, missing_rows=3)
    [path] = facts.glob("*.json")
    path.write_text(path.read_text(encoding="utf-8").replace('"missing_rows":3', '"missing_rows":0'), encoding="utf-8")
    verdict, evidence = drill_line(ring, facts)
    assert verdict is Verdict.UNKNOWN
    assert "refused" in evidence


def test_publish_tells_what_the_gates_read(monkeypatch: pytest.MonkeyPatch, ring: Keyring, tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    drilled(monkeypatch, ring, folder)
    told: list[tuple[str, tuple[DrillFact, ...]]] = []

    def publish(url: str, drills: tuple[DrillFact, ...], _: datetime) -> tuple[str, ...]:
        told.append((url, drills))
        return ("B",)

    monkeypatch.setattr(command, "publish_drills", publish)
    monkeypatch.setattr(Places, "of", staticmethod(lambda *_, **__: places(ring, folder)))
    done = CliRunner().invoke(command.app, ["publish", "--prometheus", "http://p:9090"])
    assert (done.exit_code, done.output) == (0, "http://p:9090 knows the newest drills of B\n")
    [(url, [fact])] = told
    assert (url, fact.stage, fact.rpo_seconds) == ("http://p:9090", Stage.B, 4.5)
