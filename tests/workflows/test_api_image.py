"""The steps of `api-image.yml`, really run on a repository of their own, and the command that they call."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from dreamseed.cli import build
from dreamseed.commands.image import OWN
from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.errors import ConfigError, ConfigErrors
from tests.workflows.files import PROJECT, jobs, workflows

REPOSITORY = "us-central1-docker.pkg.dev/dreamseed-prod/dreamseed"
OLD, NEW, OTHER = (f"{REPOSITORY}/api@sha256:{digit * 64}" for digit in "0ab")
OLD = OLD[:-1] + "1"
GIT = shutil.which("git") or "git"
TOKEN = "ghs_theTokenOfTheTests"
PIN = next(job for job in jobs() if job.workflow == "api-image.yml")


@dataclass(frozen=True)
class Checkout:
    """A clone of a repository that holds the stage files and this environment, as the workflow finds it."""

    folder: Path
    origin: Path

    def git(self, *words: str) -> str:
        return subprocess.run([GIT, *words], cwd=self.folder, capture_output=True, text=True, check=True).stdout

    def run(self, step: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the step of this name in bash, as a runner does."""
        script = next(one["run"] for one in PIN.steps if one.get("name", "").startswith(step))
        known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | environment
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False, env=known)

    def deliver(self, image: str) -> str:
        """Run both steps; return what the job hands on."""
        written = self.run("Write the digest", IMAGE=image)
        assert written.returncode == 0, written.stderr
        output = self.folder.with_name("output")
        output.write_text("", encoding="utf-8")
        pushed = self.run("Commit to main", GITHUB_TOKEN=TOKEN, GITHUB_OUTPUT=str(output))
        assert pushed.returncode == 0, pushed.stderr
        return output.read_text(encoding="utf-8").strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A repository with the shipped stage files on main."""
    origin, folder = tmp_path / "origin.git", tmp_path / "checkout"
    folder.mkdir()
    for file in (PROJECT / "Pulumi.yaml", *(stage_file(PROJECT, name) for name in STAGE_NAMES)):
        shutil.copy(file, folder)
    (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (folder / ".gitignore").write_text(".venv\n", encoding="utf-8")
    made = Checkout(folder, origin)
    subprocess.run([GIT, "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", str(origin))
    made.git("add", "--all")
    made.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "Begin")
    made.git("push", "--quiet", "--set-upstream", "origin", "main")
    return made


def test_a_new_image_becomes_one_line_of_one_commit_on_main_that_is_handed_on(checkout: Checkout) -> None:
    assert checkout.deliver(NEW) == f"commit={checkout.git('rev-parse', 'HEAD').strip()}"
    assert checkout.git("ls-remote", "origin", "main").split()[0] == checkout.git("rev-parse", "HEAD").strip()
    changed = [line for line in checkout.git("diff", "HEAD~1", "-U0").splitlines() if line[:2] in ("- ", "+ ")]
    assert [line.split()[-1] for line in changed] == [OLD, NEW]
    assert {load_stage(stage_file(checkout.folder, name)).api.image for name in STAGE_NAMES} == {NEW}


def test_an_image_that_runs_already_is_no_commit_and_deploys_nothing(checkout: Checkout) -> None:
    checkout.deliver(NEW)
    before = checkout.git("rev-parse", "HEAD")
    assert checkout.deliver(NEW) == ""
    assert checkout.git("rev-parse", "HEAD") == before
    deploy = workflows()["api-image.yml"]["jobs"]["deploy"]
    assert deploy["if"] == "needs.pin.outputs.commit != ''"
    assert deploy["with"]["commit"] == "${{ needs.pin.outputs.commit }}"


def test_what_was_merged_meanwhile_is_not_overwritten(checkout: Checkout, tmp_path: Path) -> None:
    other = tmp_path / "other"
    checkout.git("clone", "--quiet", str(checkout.origin), str(other))
    merged = Checkout(other, checkout.origin)
    merged.git("-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--allow-empty", "-qm", "Merge")
    merged.git("push", "--quiet")
    checkout.run("Write the digest", IMAGE=NEW)
    pushed = checkout.run("Commit to main", GITHUB_TOKEN=TOKEN, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert pushed.returncode != 0
    assert not (tmp_path / "output").exists()
    assert checkout.git("ls-remote", "origin", "main").split()[0] == merged.git("rev-parse", "HEAD").strip()


def test_the_token_stands_in_no_file_and_no_argument(checkout: Checkout) -> None:
    checkout.deliver(NEW)
    files = [path for path in checkout.folder.rglob("*") if path.is_file() and ".venv" not in path.parts]
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)
    script = next(one["run"] for one in PIN.steps if one.get("id") == "push")
    calls = [line for line in script.splitlines() if line.strip().startswith("git ")]
    assert not any("TOKEN" in line or "GIT_CONFIG" in line for line in calls)


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (f"{REPOSITORY}/api:latest", "it is no image of"),
        (f"{REPOSITORY}/api@sha256:{'a' * 63}", "is not an image pinned by digest"),
        (f"docker.io/somebody/api@sha256:{'a' * 64}", "it is no image of"),
        (f"{REPOSITORY}/api-two@sha256:{'a' * 64}", "it is no image of"),
        ("$(touch stolen)", "it is no image of"),
    ],
)
def test_what_is_no_digest_of_this_image_is_refused_and_nothing_is_written(
    checkout: Checkout, image: str, fault: str
) -> None:
    before = (checkout.folder / "Pulumi.yaml").read_bytes()
    refused = checkout.run("Write the digest", IMAGE=image)
    assert refused.returncode == 1
    assert fault in refused.stderr
    assert (checkout.folder / "Pulumi.yaml").read_bytes() == before
    assert not (checkout.folder / "stolen").exists()


def test_a_stage_with_an_image_of_its_own_is_named_instead_of_left_behind(checkout: Checkout) -> None:
    file = stage_file(checkout.folder, "stage-c")
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["config"]["dreamseed:stage"]["api"]["image"] = OTHER
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    refused = checkout.run("Write the digest", IMAGE=NEW)
    assert refused.returncode == 1
    assert "Pulumi.stage-c.yaml: api.image" in refused.stderr


@pytest.mark.parametrize("name", OWN)
def test_every_image_of_the_owners_own_can_be_exchanged_and_no_other(checkout: Checkout, name: str) -> None:
    text = (checkout.folder / "Pulumi.yaml").read_text(encoding="utf-8")
    reference = f"{REPOSITORY}/{name}@sha256:{'c' * 64}"
    arguments = ["image", name, reference, "--project", str(checkout.folder)]
    assert CliRunner().invoke(build(["image", "schema"]), arguments).exit_code == 0
    after = (checkout.folder / "Pulumi.yaml").read_text(encoding="utf-8")
    assert [new for old, new in zip(text.splitlines(), after.splitlines(), strict=True) if old != new] == [
        next(line.partition(": ")[0] for line in text.splitlines() if f"/{name}@" in line) + f": {reference}"
    ]
    unknown = CliRunner().invoke(build(["image", "schema"]), ["image", "model", reference])
    assert unknown.exit_code == 2
    assert "no image 'model'" in unknown.output


def test_a_reference_that_stands_twice_is_not_guessed_at(checkout: Checkout) -> None:
    file = checkout.folder / "Pulumi.yaml"
    file.write_text(file.read_text(encoding="utf-8") + f"# before it was {OLD}\n", encoding="utf-8")
    with pytest.raises((ConfigError, ConfigErrors), match="stands 2 times"):
        CliRunner().invoke(
            build(["image", "schema"]),
            ["image", "api", NEW, "--project", str(checkout.folder)],
            catch_exceptions=False,
        )
