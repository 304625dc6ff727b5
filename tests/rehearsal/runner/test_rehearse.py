from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from rehearsal.runner import Action, Progress, Project, Rehearsal, Setting, preview_with_diff, rehearse
from rehearsal.runner.report import show
from rehearsal.toolchain import ensure_engine
from tests.rehearsal.runner.offline import Behaviour, offline_providers

pytestmark = pytest.mark.engine

SAMPLE = Path(__file__).with_name("sample")
LENGTH = "  ladder-sample:password-length: 20"


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample project that a test may change."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "sample", ignore=shutil.ignore_patterns("__pycache__")))


@contextmanager
def set_up(
    project: Path,
    tmp_path: Path,
    behaviour: Behaviour | None = None,
    before_destroy: Callable[[], None] = lambda: None,
    passphrase: str = "sample",  # noqa: S107 - opens nothing
) -> Iterator[Setting]:
    with offline_providers(behaviour or Behaviour(), "random", "docker") as providers:
        yield Setting(
            project=Project(directory=project, stacks=("stage-a", "stage-b"), passphrase=passphrase),
            toolchain=ensure_engine(),
            workspace=tmp_path / "workspace",
            providers=providers,
            before_destroy=before_destroy,
        )


def rehearsed(setting: Setting) -> Rehearsal:
    return rehearse(setting, lambda _: None, lambda _: None)


def shown(found: Rehearsal) -> list[str]:
    text = io.StringIO()
    show(found, Console(file=text, width=80))
    return text.getvalue().strip().splitlines()


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def digests(folder: Path) -> dict[str, str]:
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.is_file()}


def test_a_sound_ladder_passes_and_is_counted_stage_by_stage(sample: Path, tmp_path: Path) -> None:
    before = digests(sample)
    told: list[Progress] = []
    with set_up(sample, tmp_path) as setting:
        found = rehearse(setting, told.append, told.append)
    assert [(s.stage, s.resources, s.by_component, s.components) for s in found.stages] == [
        ("stage-a", 3, {"store": 3}, 1),
        ("stage-b", 5, {"store": 5}, 1),
    ]
    first, second = found.promotions
    assert (first.from_stage, first.to_stage, first.counts[Action.CREATE]) == (None, "stage-a", 3)
    assert (second.from_stage, second.to_stage) == ("stage-a", "stage-b")
    assert second.counts == {Action.CREATE: 2, Action.UPDATE: 0, Action.REPLACE: 0, Action.DELETE: 0}
    assert [t.urn.rsplit("::", 1)[-1] for t in first.stateful_touched] == ["store-password"]
    assert (found.passed, found.destroyed, found.failures) == (True, 5, ())
    assert {(p.done, p.total) for p in told} >= {(4, 4), (3, 3)}
    assert digests(sample) == before
    assert found.as_json()["verdict"] == "pass"
    lines = shown(found)
    assert lines[-1].startswith("PASS: 2 previews, 1 promotions, every second preview empty")
    assert "stateful, create in nothing → stage-a (1): store-password" in lines


def test_a_promotion_that_replaces_state_fails_and_names_it(sample: Path, tmp_path: Path) -> None:
    edit(sample / "__main__.py", "protect=True", "protect=password_length == 20")
    edit(sample / "Pulumi.stage-b.yaml", LENGTH, LENGTH.replace("20", "24"))
    with set_up(sample, tmp_path, Behaviour(replaces=frozenset({"length"}))) as setting:
        found = rehearsed(setting)
    assert not found.passed
    (failure,) = found.failures
    assert failure.stage == "stage-b"
    assert "1 stateful resources would lose their state:\nreplace urn:" in failure.message
    assert "store-password" in failure.message
    assert found.promotions[1].counts[Action.REPLACE] == 1
    assert found.as_json()["promotions"][0]["stateful_touched"][0]["action"] == "replace"


def test_one_stage_previewed_alone_shows_the_engines_full_diff(sample: Path, tmp_path: Path) -> None:
    with set_up(sample, tmp_path) as setting:
        run = preview_with_diff(setting, "stage-b", lambda _: None)
    assert run.succeeded
    assert "+ docker:index/volume:Volume: (create)" in run.output
    assert 'name: "volume-2"' in run.output


def test_a_refused_input_fails_with_the_providers_reason(sample: Path, tmp_path: Path) -> None:
    with set_up(sample, tmp_path, Behaviour(refuses=frozenset({"length"}))) as setting:
        run = preview_with_diff(setting, "stage-a", lambda _: None)
    assert not run.succeeded
    assert any("store-password: " in error and "is refused here" in error for error in run.errors)


def test_a_program_that_breaks_fails_with_its_own_error(sample: Path, tmp_path: Path) -> None:
    edit(sample / "Pulumi.stage-b.yaml", LENGTH, "")
    with set_up(sample, tmp_path) as setting:
        run = preview_with_diff(setting, "stage-b", lambda _: None)
    assert not run.succeeded
    assert any("Missing required configuration variable" in error for error in run.errors)


def test_a_wrong_passphrase_is_said_in_the_engines_words(sample: Path, tmp_path: Path) -> None:
    with set_up(sample, tmp_path, passphrase="not it") as setting:
        run = preview_with_diff(setting, "stage-a", lambda _: None)
    assert not run.succeeded
    assert any("incorrect passphrase" in error for error in run.errors)
