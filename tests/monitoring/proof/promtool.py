"""Asking promtool: rules and cases as its files, one call for many of them, the verdict of each."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from dreamseed.monitoring.model import Alert, Group
from dreamseed.monitoring.rules import rules_content
from localtier.images import ensure_binary
from tests.monitoring.proof.series import Case, Expectation

TOGETHER = 200
"""Files a call."""


def checked(folder: Path) -> str:
    """Return what promtool finds wrong with ``prometheus.yml`` of a folder and the rules that it names."""
    run = _promtool("check", "config", "--lint=all", "--lint-fatal", str(folder / "prometheus.yml"))
    return run.stdout if run.returncode else ""


def failures(files: Sequence[Path]) -> dict[Path, str]:
    """Run the test files; return what promtool says about each that failed. Raises AssertionError for a lost one."""
    found: dict[Path, str] = {}
    for begin in range(0, len(files), TOGETHER):
        some = files[begin : begin + TOGETHER]
        report = some[0].with_suffix(".xml")
        run = _promtool("test", "rules", f"--junit={report}", *map(str, some))
        suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314 - promtool's own
        verdicts = {Path(suite.attrib["name"]): _said(suite) for suite in suites}
        assert set(verdicts) == set(some), run.stdout[-2_000:]
        found |= {file: text for file, text in verdicts.items() if text}
    return found


def _said(suite: ElementTree.Element) -> str:
    texts = [fault.text or "failed" for kind in ("failure", "error") for fault in suite.iter(kind)]
    counted = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    return "\n".join(texts) or ("failed" if counted else "")


def write_cases(folder: Path, name: str, alert: Alert, cases: Iterable[Case]) -> Path:
    """Write a file of tests with the one `alert` and all its cases; the rule's annotations are left out.

    promtool evaluates every rule at every step of a file, so an alert is alone, and its recorded series are given.
    """
    rule = rules_content([Group(name="alone", alerts=(alert,))], "")["groups"][0]["rules"][0]
    del rule["annotations"]
    rules = folder / f"{name}.rules.json"
    rules.write_text(json.dumps({"groups": [{"name": "alone", "rules": [rule]}]}), encoding="utf-8")
    chosen = list(cases)
    ticks = {case.tick for case in chosen}
    assert len(ticks) == 1, f"{alert.name}: cases of one alert share their evaluation interval"
    return _write(
        folder / f"{name}.test.json",
        {
            "rule_files": [rules.name],
            "evaluation_interval": f"{ticks.pop()}s",
            "tests": [_case(case, rule["labels"]) for case in chosen],
        },
    )


def write_expectation(folder: Path, name: str, expression: str, expected: Expectation) -> Path:
    """Write a file of tests that asks for the value of one expression."""
    # Rounded, since sums in binary differ in their last digits.
    sample = {"labels": expected.result, "value": round(expected.value, 6)}
    rounded = f"round({expression}, 1e-6)"
    test = {
        "interval": f"{expected.step}s",
        "input_series": _input(expected.series, expected.step),
        "promql_expr_test": [{"expr": rounded, "eval_time": f"{expected.seconds}s", "exp_samples": [sample]}],
    }
    return _write(folder / f"{name}.test.json", {"rule_files": [], "tests": [test]})


def _case(case: Case, static: dict[str, str]) -> dict[str, Any]:
    raised = [{"exp_labels": {**static, **labels}} for labels in case.labels]
    moments: list[tuple[int, list[dict[str, Any]]]] = [(case.seconds, raised)]
    if raised and case.first:
        moments.insert(0, (case.seconds - case.tick, []))
    return {
        "interval": f"{case.step}s",
        "input_series": _input(case.series, case.step),
        "alert_rule_test": [
            {"eval_time": f"{seconds}s", "alertname": case.alert, "exp_alerts": expected}
            for seconds, expected in moments
        ],
    }


def _input(series: Any, step: int) -> list[dict[str, str]]:
    return [{"series": name, "values": one.text(step)} for name, one in series.items()]


def _write(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ensure_binary("promtool")), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
