"""A program that is run by a forked process says and does what it does by Pulumi's own language host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dreamseed.commands.rehearse import PRELOADED, rehearsed_project
from rehearsal.programs.choice import FORKED, HOST, PULUMI
from rehearsal.providers.host import ProviderHost
from rehearsal.runner.engine import Engine
from rehearsal.runner.workspace import Workspace
from rehearsal.toolchain import ensure_engine
from tests.rehearsal.programs.given import SECRET, Small, by_both, forking_processes_with, is_of_the_sdk, told

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("programs")]

GOOD = """
import os, sys
import pulumi, helper
config = pulumi.Config()
pulumi.ComponentResource("small:index:Thing", "thing", {})
print("to standard output, ä"); print("to standard error", file=sys.stderr); print("   "); sys.stdout.write("unended")
pulumi.log.warn("a warning"); pulumi.log.debug("a detail")
pulumi.export("size", config.require_int("size") + helper.ONE)
pulumi.export("list", config.require_object("list"))
pulumi.export("token", config.get_secret("token"))
pulumi.export("keys", [pulumi.runtime.is_config_secret(f"small:{key}") for key in ("size", "list", "token")])
pulumi.export("where", [os.getcwd(), sys.argv[1:], sys.path, __name__, pulumi.get_organization(), pulumi.get_stack()])
pulumi.export("kept", sorted(set(os.environ) - {"PULUMI_LOG_OTLP_ENDPOINT"}))
pulumi.export("stdin", sys.stdin.read())
pulumi.export("preview", pulumi.runtime.is_dry_run())
"""
ENDINGS = {
    "an exception": "import helper\nhelper.fail()",
    "a syntax error": "import pulumi\nif True\n",
    "a missing import": "import pulumi\nimport nowhere_to_be_found\n",
    "a missing name": "from helper import nothing_of_this_name\n",
    "an exception in apply": "import pulumi, helper\npulumi.Output.from_input(1).apply(helper.fail)",
    "a run error": "import pulumi\nraise pulumi.RunError('as was said')",
    "missing configuration": "import pulumi\npulumi.Config().require('absent')",
    "an exit status": "import sys\nprint('before')\nsys.exit(3)",
    "an exit with words": "import sys\nsys.exit('in words')",
    "a signal": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "a thread that outlives it": "import threading, time\nthreading.Timer(0.3, lambda: print('late')).start()",
}
HELPER = "ONE = 1\n\n\ndef fail(*_):\n    raise ValueError('of the helper')\n"


@pytest.fixture
def small(tmp_path: Path) -> Small:
    made = Small(tmp_path / "small")
    made.write(GOOD, helper=HELPER)
    return made


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_program_that_succeeds_says_and_declares_the_same(small: Small, command: str) -> None:
    (run, by_host), (forked, by_fork) = by_both(small, command)
    assert run.succeeded, run.errors
    assert told(by_fork) == told(by_host)
    assert (forked.events.stack_outputs["stdin"], forked.events.stack_outputs["keys"]) == ("", [False, False, True])
    assert forked.events.stack_outputs == run.events.stack_outputs
    assert forked.events.stack_outputs["size"] == 4
    assert "[secret]" in forked.events.stack_outputs["token"].values()
    assert SECRET not in "".join(map(str, by_fork))
    # Two streams, told by two threads: which line comes first nobody promises.
    told_of = {said.message for said in forked.events.diagnostics if "standard" in said.message}
    assert told_of == {"to standard output, ä", "to standard error"}


def test_for_debugging_the_sdk_says_nothing_of_resources_and_the_program_what_it_likes(small: Small) -> None:
    of_resources = {host: sum(map(is_of_the_sdk, small.run(host)[1])) for host in (PULUMI, FORKED)}
    assert of_resources[PULUMI] >= 3
    assert of_resources[FORKED] == 0
    assert any("a detail" in line for line in told(small.run(FORKED)[1]))


@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_that_ends_otherwise_says_the_same(small: Small, name: str) -> None:
    small.write(ENDINGS[name], helper=HELPER)
    (run, by_host), (forked, by_fork) = by_both(small)
    assert told(by_fork) == told(by_host)
    assert (forked.succeeded, forked.errors) == (run.succeeded, run.errors)
    assert run.succeeded == (name == "a thread that outlives it")


LOSING = (
    "whole = forking.server.configuration; "
    "forking.server.configuration = lambda request: {**whole(request), forking.server.SECRET_KEYS: '[]'}"
)


def test_a_server_that_loses_which_keys_are_secret_is_told(small: Small) -> None:
    _, by_host = small.run(PULUMI)
    assert told(small.run(FORKED)[1]) == told(by_host)
    with forking_processes_with(LOSING):
        by_mutant, events = small.run(FORKED)
    assert by_mutant.succeeded
    assert by_mutant.events.stack_outputs["keys"] == [False, False, False]
    assert told(events) != told(by_host)


def test_a_stage_is_the_same_by_both(tmp_path: Path) -> None:
    told_by = {}
    with ProviderHost(tmp_path / "cloud") as host:
        for who in (PULUMI, FORKED):
            workspace = Workspace(rehearsed_project(), tmp_path / who)
            workspace.prepare()
            environment = workspace.environment(ensure_engine(), host.environment())
            engine = Engine(ensure_engine(), workspace, {**environment, HOST: who}, records=tmp_path / f"{who}-events")
            assert engine.create_stack("stage-a", like="stage-a").succeeded
            run = engine.preview("stage-a", "stage-a", lambda _: None)
            assert run.succeeded, run.errors
            assert len(run.events.resources()) > 100
            [record] = (tmp_path / f"{who}-events").iterdir()
            told_by[who] = told(list(map(json.loads, record.read_text(encoding="utf-8").splitlines())))
    assert PRELOADED
    assert any("pulumi:providers:gcp" in line for line in told_by[PULUMI])
    assert told_by[FORKED] == told_by[PULUMI]
