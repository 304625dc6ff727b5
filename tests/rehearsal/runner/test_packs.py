from __future__ import annotations

from pathlib import Path

from rehearsal.runner.events import EventLog
from rehearsal.runner.packs import RUNTIME, SCRIPT, stand_in
from rehearsal.toolchain import Toolchain

STACK = "urn:pulumi:e::p::pulumi:pulumi:Stack::p-e"
SERVICE = "urn:pulumi:e::p::gcp:cloudrunv2/service:Service::api"


def _event(urn: str, level: str) -> str:
    return (
        f'{{"policyEvent": {{"resourceUrn": "{urn}", "message": "<{{%red%}}>too wide<{{%reset%}}>\\n", '
        f'"policyName": "narrow", "enforcementLevel": "{level}"}}}}'
    )


def test_a_pack_is_started_by_the_engines_own_script_under_a_runtime_that_no_language_host_has(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / SCRIPT).write_text("#!/bin/sh\n", encoding="utf-8")
    for _ in range(2):  # a workspace may be prepared again
        made = stand_in(tmp_path / "rules", Toolchain(engine / "pulumi", engine, "3.259.0"), tmp_path / "work")
    assert (made.pack / "PulumiPolicy.yaml").read_text(encoding="utf-8") == f"runtime: {RUNTIME}\n"
    assert str(tmp_path / "rules") in (made.pack / "__main__.py").read_text(encoding="utf-8")
    assert (made.bin_dir / f"pulumi-analyzer-policy-{RUNTIME}").resolve() == engine / SCRIPT


def test_a_broken_rule_is_read_with_its_resource_and_fails_the_run_only_where_it_is_mandatory() -> None:
    log = EventLog()
    log.feed([_event(SERVICE, "advisory")])
    assert [(one.rule, one.urn, one.message, one.mandatory) for one in log.broken] == [
        ("narrow", SERVICE, "too wide", False)
    ]
    assert log.errors == []
    log.feed([_event(STACK, "mandatory")])
    assert log.broken[1].urn == ""
    assert log.errors == ["narrow: too wide"]
