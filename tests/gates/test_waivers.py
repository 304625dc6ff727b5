from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dreamseed.config import Stage
from dreamseed.errors import DreamSeedError
from dreamseed.facts.measures import Measure
from dreamseed.gates.gate import gate
from dreamseed.gates.model import Gate, Verdict
from dreamseed.gates.waiver import WAIVER_NAMESPACE, Waiver, WaiverRecord, read_waiver, write_waiver
from dreamseed.signing import write_signed
from playbook.made_up import Keyring, keyring
from tests.gates.situations import DAY, NOW, met, situation

REASON = "the cards are full long before the latency shows it"


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = keyring(tmp_path / "keys")
    for role, name in (("cto", "kim"), ("cfo", "lee")):
        made.allow(role, name, f'namespaces="{WAIVER_NAMESPACE}"')
    return made


def record(**changes: Any) -> WaiverRecord:
    given: dict[str, Any] = {
        "from_stage": Stage.B,
        "to_stage": Stage.C,
        "line": "api-p95",
        "role": "cto",
        "reason": REASON,
        "made_on": NOW.date(),
        "until": NOW.date() + timedelta(days=7),
    }
    return WaiverRecord(**{**given, **changes})


def asked(*waivers: Waiver, fast: bool = True, **changes: Any) -> Gate:
    values = {**met(Stage.B), **({(Measure.API_P95_SECONDS, DAY): 0.1} if fast else {})}
    return gate(situation(Stage.B, values, waivers=waivers, **changes), Stage.B, Stage.C)


def verdict(found: Gate, key: str = "api-p95") -> Verdict:
    return next(line.verdict for line in found.lines if line.key == key)


def held(**changes: Any) -> Waiver:
    return Waiver(record=record(**changes), digest="sha256:" + "5" * 64)


def test_a_waiver_lets_its_line_pass_and_the_evidence_stays() -> None:
    assert asked().verdict is Verdict.FAIL
    found = asked(held())
    assert (verdict(found), found.verdict) == (Verdict.WAIVED, Verdict.PASS)
    (line,) = [one for one in found.lines if one.key == "api-p95"]
    assert "100 ms" in line.evidence
    assert REASON in line.evidence
    assert line.facts[-1] == held().digest


def test_what_passes_by_itself_is_not_waived() -> None:
    assert verdict(asked(held(), fast=False)) is Verdict.PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"line": "queue-wait"},
        {"role": "cfo"},
        {"from_stage": Stage.A, "to_stage": Stage.B},
        {"made_on": date(2026, 11, 1), "until": date(2026, 11, 25)},
        {"made_on": date(2026, 11, 27), "until": date(2026, 11, 28)},
    ],
    ids=["another line", "another role", "another gate", "over", "not yet"],
)
def test_another_waiver_waives_nothing(changes: dict[str, Any]) -> None:
    assert verdict(asked(held(**changes))) is Verdict.FAIL


def test_the_restore_drill_is_never_waived() -> None:
    found = asked(held(line="restore-drill"), fast=False, drills=[])
    assert (verdict(found, "restore-drill"), found.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def test_a_waived_trigger_opens_no_review() -> None:
    values = {key: value for key, value in met(Stage.B).items() if key[0] is not Measure.SIGN_UPS}
    found = gate(situation(Stage.B, values, waivers=[held(line="sign-ups")]), Stage.B, Stage.C)
    assert verdict(found, "sign-ups") is Verdict.WAIVED
    assert verdict(found, "monitoring") is Verdict.UNKNOWN


def test_a_signed_waiver_is_read_back(ring: Keyring, tmp_path: Path) -> None:
    for role, name, line in (("cto", "kim", "api-p95"), ("cfo", "lee", "reserve")):
        path = write_waiver(tmp_path, record(role=role, line=line), ring.key(name))
        assert read_waiver(path, ring.trust, NOW).record == record(role=role, line=line)


@pytest.mark.parametrize(
    ("changes", "signer", "words"),
    [
        ({}, "lee", "says cto and is signed by cfo"),
        ({}, "eve", "is unknown"),
        ({"line": "restore-drill"}, "kim", "waives the restore drill"),
        ({"until": "2026-12-27"}, "kim", "holds from 2026-11-26 until 2026-12-27"),
        ({"until": "2026-11-25"}, "kim", "holds from"),
        ({"reason": "because"}, "kim", "is no waiver"),
    ],
)
def test_a_file_that_is_no_waiver_is_refused(
    ring: Keyring, tmp_path: Path, changes: dict[str, Any], signer: str, words: str
) -> None:
    path = tmp_path / "one.json"
    content = {**record().model_dump(mode="json", by_alias=True), **changes}
    write_signed(path, content, ring.key(signer), WAIVER_NAMESPACE)
    with pytest.raises(DreamSeedError, match=words):
        read_waiver(path, ring.trust, NOW)


def test_a_waiver_that_may_not_be_is_not_written(ring: Keyring, tmp_path: Path) -> None:
    with pytest.raises(DreamSeedError, match="restored"):
        write_waiver(tmp_path, record(line="restore-drill"), ring.key("kim"))
    assert not list(tmp_path.glob("*.json"))
