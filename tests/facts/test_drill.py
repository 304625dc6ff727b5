from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.facts.drill import DRILL_NAMESPACE, DrillFact, drill_files, read_drill, write_drill
from dreamseed.signing import SignatureError, digest, write_signed
from playbook.made_up import Keyring, keyring

TAKEN = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
NOW = TAKEN + timedelta(days=1)


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = keyring(tmp_path / "keys")
    made.allow("drill", "robot", f'namespaces="{DRILL_NAMESPACE}"')
    return made


def drill(**changes: Any) -> DrillFact:
    figures: dict[str, Any] = {
        "stage": Stage.A,
        "taken_at": TAKEN,
        "passed": True,
        "rpo_seconds": 41.5,
        "rto_seconds": 60.0,
        "restore_mb_per_second": 100.0,
        "data_bytes": 30_000_000,
        "missing_rows": 0,
        "source": "dreamseed drill stage-a",
    }
    return DrillFact(**{**figures, **changes})


def test_a_drill_is_read_as_it_was_written(ring: Keyring, tmp_path: Path) -> None:
    path = write_drill(tmp_path, drill(), ring.key("robot"))
    fact, signer = read_drill(path, ring.trust, NOW)
    assert path.name == "20261126T120000Z-stage-a.json"
    assert list(drill_files(tmp_path)) == [path]
    assert (fact.passed, fact.rpo_seconds, fact.taken_at) == (True, 41.5, TAKEN)
    assert signer.principal == "drill"
    record = json.loads(path.read_text())
    assert record["taken_at"] == "2026-11-26T12:00:00Z"
    assert fact.digest == digest({key: value for key, value in record.items() if key != "digest"})


def test_a_drill_that_failed_may_lack_figures_and_is_a_fact_too(ring: Keyring, tmp_path: Path) -> None:
    failed = drill(passed=False, rpo_seconds=None, rto_seconds=None)
    fact, _ = read_drill(write_drill(tmp_path, failed, ring.key("robot")), ring.trust, NOW)
    assert (fact.passed, fact.rto_seconds) == (False, None)


def test_a_drill_by_an_unknown_key_is_refused(ring: Keyring, tmp_path: Path) -> None:
    path = write_drill(tmp_path, drill(), ring.key("eve"))
    with pytest.raises(SignatureError, match="is unknown"):
        read_drill(path, ring.trust, NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest": "sha256:" + "0" * 64}, "another digest"),
        ({"rto_seconds": -1.0}, "is no drill"),
        ({"kind": "wish"}, "is no drill"),
        ({"taken_at": "2027-01-01T00:00:00Z"}, "another digest|is to come"),
    ],
)
def test_a_signed_file_that_is_no_fact_is_refused(
    ring: Keyring, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    path = tmp_path / "one.json"
    write_signed(path, {**drill().record(), **change}, ring.key("robot"), DRILL_NAMESPACE)
    with pytest.raises(DreamSeedError, match=words):
        read_drill(path, ring.trust, NOW)


def test_a_drill_of_tomorrow_is_refused(ring: Keyring, tmp_path: Path) -> None:
    path = write_drill(tmp_path, drill(taken_at=NOW + timedelta(seconds=1)), ring.key("robot"))
    with pytest.raises(DreamSeedError, match="is to come"):
        read_drill(path, ring.trust, NOW)
