from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperOption

from dreamseed.cli import build
from dreamseed.reference.commands import commands as dreamseed_commands
from rehearsal.toolchain import ensure_engine
from tests.workflows.files import FOLDER, PROJECT, Job, commands, jobs, workflows

JOBS = jobs()
each_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.workflow}:{job.name}")
TARGETS = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SHELL = {
    "exit",
    "git",
    "echo",
    "cat",
    "export",
    "set",
    "sudo",
    "tee",
    "review.md",
    "$GITHUB_STEP_SUMMARY",
    "$GITHUB_OUTPUT",
}
MAY_WRITE = {
    ("pull-request.yml", "comment"): {"pull-requests"},
    ("deploy.yml", "up"): {"id-token"},
    ("scheduled.yml", "drift"): {"id-token"},
    ("api-image.yml", "pin"): {"contents"},
}
ZIZMOR = Path(sys.executable).with_name("zizmor")


def test_the_workflows_of_the_plan_are_there() -> None:
    assert set(workflows()) == {"pull-request.yml", "deploy.yml", "scheduled.yml", "api-image.yml"}
    triggers = {job.workflow: job.triggers for job in JOBS}
    assert triggers["pull-request.yml"] == ("pull_request",)
    assert triggers["deploy.yml"] == ("push", "workflow_call")
    assert triggers["api-image.yml"] == ("repository_dispatch",)
    assert "schedule" in triggers["scheduled.yml"]


@each_job
def test_a_job_has_no_right_but_those_it_names_and_none_writes_but_the_few(job: Job) -> None:
    assert workflows()[job.workflow]["permissions"] == {}
    granted = job.content["permissions"]
    assert {name for name, right in granted.items() if right == "write"} == MAY_WRITE.get(
        (job.workflow, job.name), set()
    )
    assert granted["contents"] == ("write" if job.workflow == "api-image.yml" else "read")


@each_job
def test_a_job_ends_and_does_not_keep_the_token_that_it_was_checked_out_with(job: Job) -> None:
    assert job.content["timeout-minutes"] <= 120
    checkouts = [step for step in job.steps if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_every_action_is_pinned_by_its_commit_the_same_everywhere_and_names_its_version() -> None:
    pins: dict[str, set[str]] = {}
    for path in FOLDER.glob("*.yml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses:" in line and "uses: $/" not in line:  # of this repository, as it is
                found = re.search(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d[\d.]*)$", line)
                assert found, f"{path.name}: {line.strip()}"
                pins.setdefault(found[1], set()).add(f"{found[2]} {found[3]}")
    assert set(pins) == {"actions/checkout", "actions/setup-python", "google-github-actions/auth"}
    assert all(len(pinned) == 1 for pinned in pins.values())


@each_job
def test_a_job_of_a_pull_request_reads_no_secret_and_one_that_does_stands_behind_an_environment(job: Job) -> None:
    assert "pull_request_target" not in job.triggers
    if "pull_request" in job.triggers:
        assert not job.secrets
        assert "environment" not in job.content
    if job.secrets or "id-token" in job.content["permissions"]:
        assert "environment" in job.content
    assert not any("credentials_json" in str(step) for step in job.steps), "a key of a service account"


@each_job
def test_every_secret_of_a_job_is_one_that_the_real_accounts_need(job: Job) -> None:
    page = (PROJECT / "docs/how-to/preview-with-the-plain-cli.md").read_text(encoding="utf-8")
    assert {name for name in job.secrets if f"`{name}`" not in page} == set()


def _unknown(words: list[str]) -> str | None:
    """Return what of a command this project does not have, if anything."""
    program, *rest = [word for word in words if word not in ("sudo", "--preserve-env=PATH")]
    if program == "make":
        targets = [word for word in rest if "=" not in word and not word.startswith("-")]
        return next((word for word in targets if word not in TARGETS), None)
    if program.endswith("/dreamseed"):
        known = {path[1:]: command for path, command in dreamseed_commands(build())}
        command = known.get((rest[0],))
        options = {o for p in command.params if isinstance(p, TyperOption) for o in p.opts} if command else set()
        return next((w for w in rest if w.startswith("--") and w not in options), None if command else rest[0])
    return None if program in (SHELL | {"pulumi"}) else program


@each_job
def test_every_command_that_a_job_runs_is_one_that_there_is(job: Job) -> None:
    assert job.commands
    assert [fault for words in job.commands if (fault := _unknown(words))] == []


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("make everything", "everything"),
        (".venv/bin/dreamseed deploy", "deploy"),
        (".venv/bin/dreamseed review weekly --to x", "--to"),
        ("curl https://example.invalid | sh", "curl"),
    ],
)
def test_a_command_that_there_is_not_is_noticed(script: str, fault: str) -> None:
    assert next(_unknown(words) for words in commands(script)) == fault


@pytest.mark.engine
def test_every_option_that_a_job_gives_pulumi_is_one_of_the_engines() -> None:
    engine = ensure_engine()
    called = [words[1:] for job in JOBS for words in job.commands if words[0] == "pulumi"]
    assert {words[0] for words in called} == {"preview", "up"}
    for command, *options in called:
        environment = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
        run = subprocess.run(
            [engine.pulumi, command, "--help"], capture_output=True, text=True, check=True, env=environment
        )
        known = set(re.findall(r"--[a-z-]+", run.stdout))
        assert {word for word in options if word.startswith("--")} <= known


def test_what_is_brought_up_was_previewed_and_is_held_to_the_policies() -> None:
    job = next(job for job in JOBS if job.workflow == "deploy.yml")
    assert [words[1] for words in job.commands if words[0] == "pulumi"] == ["preview", "up"]
    assert all("--policy-pack" in words for words in job.commands if words[0] == "pulumi")


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    run = subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", PROJECT / ".github"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_zizmor_would_find_a_title_that_reaches_a_shell_and_an_action_by_its_tag(tmp_path: Path) -> None:
    text = (FOLDER / "pull-request.yml").read_text(encoding="utf-8")
    text = text.replace("- run: make rehearse", "- run: echo '${{ github.event.pull_request.title }}'")
    text = re.sub(r"checkout@[0-9a-f]{40} # v5.0.0", "checkout@v5", text)
    broken = tmp_path / ".github/workflows/pull-request.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(text, encoding="utf-8")
    run = subprocess.run([ZIZMOR, "--offline", "--no-progress", broken], capture_output=True, text=True, check=False)
    assert run.returncode != 0
    assert "template-injection" in run.stdout
    assert "unpinned-uses" in run.stdout


def test_a_fork_gets_its_comment_in_the_summary_and_nothing_of_a_fork_reaches_a_shell() -> None:
    job = next(job for job in JOBS if job.name == "comment")
    own, fork = (step for step in job.steps if "pull-request" in step.get("run", ""))
    assert own["env"]["GITHUB_TOKEN"] == "${{ github.token }}"
    assert fork["if"] == own["if"].replace("==", "!=")
    assert "env" not in fork
    assert "${{" not in own["run"] + fork["run"]
    known = {"GITHUB_REPOSITORY": "dreamseedai/infrastructure", "NUMBER": "7", "BASE": "4f1c2ab"}
    words = shlex.split(re.sub(r"\$(\w+)", lambda name: known[name[1]], own["run"]))
    assert words == ["make", "pull-request", "BASE=4f1c2ab", "ARGS=--post dreamseedai/infrastructure#7"]
    # Without it the pipe would hide that the change may not be merged.
    assert fork["run"].startswith("set -o pipefail\n")
