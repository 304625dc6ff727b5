"""The ways in which a state is lost or damaged, and the documented steps after each."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.recovery.site import STACK, Before, Site


def lost(site: Site, before: Before, _older: Path) -> None:
    """The whole state is gone, and no copy is left."""
    shutil.rmtree(site.folder / "engine" / "backend" / ".pulumi" / "stacks")
    assert site.engine.create_stack(STACK, like=site.stage).succeeded
    _recovered(site, before)


def cut_off(site: Site, before: Before, _older: Path) -> None:
    """The file was cut off while it was written; the one before it is whole."""
    file = site.state_file
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    preview = site.engine.preview(STACK, site.stage, lambda _: None)
    assert not preview.succeeded
    assert site.run("recover", "--worksheet", str(site.folder / "early.json")).exit_code == 1
    restored = site.run("state", "restore", "--copy", str(file.with_name(f"{file.name}.bak")))
    assert restored.exit_code == 0, restored.output
    _recovered(site, before)


def older(site: Site, before: Before, older: Path) -> None:
    """Only a copy from before the last promotion is left."""
    shutil.rmtree(site.folder / "engine" / "backend" / ".pulumi" / "stacks")
    assert site.engine.create_stack(STACK, like=site.stage).succeeded
    restored = site.run("state", "restore", "--copy", str(older))
    assert restored.exit_code == 0, restored.output
    _recovered(site, before)


def one_missing(site: Site, before: Before, _older: Path) -> None:
    """Somebody took stateful resources out of the state, with what depends on them."""
    kept = site.engine.read_state(STACK)
    stateful = [r["urn"] for r in kept["deployment"]["resources"] if r.get("protect")]
    victim = stateful[len(stateful) // 2]
    command = ["pulumi", "state", "delete", victim, "--force", "--target-dependents", "--yes", "--stack", STACK]
    subprocess.run(
        command, cwd=site.project.directory, env=dict(site.engine.environment), check=True, capture_output=True
    )
    left = {r["urn"] for r in site.engine.read_state(STACK)["deployment"]["resources"]}
    assert victim not in left
    _recovered(site, before)


CASES: Mapping[str, Callable[[Site, Before, Path], None]] = {
    "lost": lost,
    "cut off": cut_off,
    "older": older,
    "one missing": one_missing,
}


def _recovered(site: Site, before: Before) -> None:
    result = site.recover(before)
    assert result.exit_code == 0, "\n".join(site.said)


def export(site: Site, path: Path) -> Path:
    """Write a copy of the state as it stands now."""
    path.write_text(json.dumps(site.engine.read_state(STACK)), encoding="utf-8")
    return path
