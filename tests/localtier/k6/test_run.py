from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from localtier.k6 import K6Failed, Surge, run_k6, run_surge
from localtier.k6.run import SCRIPT, K6Result, parse_summary
from tests.planning.stages import shipped

A = shipped("stage-a")


def summary(**changes: Any) -> dict[str, Any]:
    """What k6 1.8.1 writes, as far as it is read; `changes` by metric name with dots for underscores."""
    metrics: dict[str, Any] = {
        "http_reqs{kind:api}": {"values": {"count": 135, "rate": 9}},
        "http_reqs{kind:generation}": {"values": {"count": 15, "rate": 1}},
        "http_req_duration{kind:api}": {
            "values": {"p(50)": 0.7, "p(95)": 10.4, "p(99)": 36.9},
            "thresholds": {"p(95)<300": {"ok": True}, "p(99)<500": {"ok": True}},
        },
        "http_req_duration{kind:generation}": {
            "values": {"p(50)": 1.3, "p(95)": 4.2, "p(99)": 4.3},
            "thresholds": {"p(95)<5000": {"ok": True}},
        },
        "http_req_failed{kind:api}": {"values": {"rate": 0}},
        "http_req_failed{kind:generation}": {"values": {"rate": 0.25}},
        "checks": {"values": {"passes": 15, "fails": 0}},
    }
    return {"metrics": metrics | changes}


def parsed(**changes: Any) -> K6Result:
    return parse_summary(summary(**changes), 50, 15)


def test_the_summary_is_read_into_figures() -> None:
    result = parsed()
    assert (result.users, result.seconds, result.missed, result.passed) == (50, 15, (), True)
    assert (result.api.count, result.api.p95_ms, result.api.p99_ms) == (135, 10.4, 36.9)
    assert (result.generation.count, result.generation.failure_ratio) == (15, 0.25)


def test_a_missed_objective_is_named_and_fails_the_run() -> None:
    slow = {"values": {"p(95)": 6001}, "thresholds": {"p(95)<5000": {"ok": False}}}
    result = parsed(**{"http_req_duration{kind:generation}": slow})
    assert result.missed == ("http_req_duration{kind:generation}: p(95)<5000",)
    assert not result.passed


def test_a_run_without_a_generation_or_with_a_wrong_answer_does_not_pass() -> None:
    assert not parsed(**{"http_reqs{kind:generation}": {"values": {"count": 0}}}).passed
    assert not parsed(checks={"values": {"passes": 14, "fails": 1}}).passed


def fake_k6(folder: Path, script: str) -> Path:
    path = folder / "k6"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_script_is_told_everything_by_environment_and_no_key_by_argument(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(summary()), encoding="utf-8")
    binary = fake_k6(
        tmp_path,
        f'echo "$@" >{tmp_path}/argv; env >{tmp_path}/env; cp {tmp_path}/summary.json "$CHAT_SUMMARY"; exit 99',
    )
    result = run_k6(binary, "http://llm:8080/", "the-key", A, 0.1, 15, headers={"X": "1"})
    assert result.api.count == 135
    assert "the-key" not in (tmp_path / "argv").read_text(encoding="utf-8")
    told = set(re.findall(r"^(CHAT_\w+)=", (tmp_path / "env").read_text(encoding="utf-8"), re.M))
    assert told == set(re.findall(r"__ENV\.(CHAT_\w+)", SCRIPT.read_text(encoding="utf-8")))


def test_a_surge_asks_for_whole_generations_alone_and_may_lose_none(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(summary()), encoding="utf-8")
    binary = fake_k6(tmp_path, f'env >{tmp_path}/env; cp {tmp_path}/summary.json "$CHAT_SUMMARY"; exit 99')
    result = run_surge(binary, "http://llm", "k", A, Surge(users=7, tokens=500, seconds=90))
    assert (result.users, result.seconds) == (7, 90)
    told = dict(re.findall(r"^(CHAT_\w+)=(.*)$", (tmp_path / "env").read_text(encoding="utf-8"), re.M))
    assert (told["CHAT_MAX_TOKENS"], told["CHAT_REQUESTS_PER_GENERATION"]) == ("500", "1")
    assert json.loads(told["CHAT_MORE"]) == {"ignore_eos": True}
    options = json.loads(told["CHAT_OPTIONS"])
    assert options["scenarios"]["users"]["vus"] == 7
    assert options["thresholds"]["http_req_failed{kind:generation}"] == ["rate<=0"]
    assert set(told) == set(re.findall(r"__ENV\.(CHAT_\w+)", SCRIPT.read_text(encoding="utf-8")))


def test_a_run_that_did_not_take_place_is_an_error_with_k6s_words(tmp_path: Path) -> None:
    with pytest.raises(K6Failed, match="ended with 104: wrong options"):
        run_k6(fake_k6(tmp_path, "echo wrong options >&2; exit 104"), "http://llm", "k", A, 0.1, 1)
    with pytest.raises(K6Failed, match="ended with 0"):
        run_k6(fake_k6(tmp_path, "exit 0"), "http://llm", "k", A, 0.1, 1)


def test_the_command_can_be_run_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(summary()), encoding="utf-8")
    binary = fake_k6(tmp_path, f'cp {tmp_path}/summary.json "$CHAT_SUMMARY"')
    run_k6(binary, "http://llm", "k", A, 0.1, 1, within=lambda command: ["env", f"WITHIN={len(command)}", *command])
