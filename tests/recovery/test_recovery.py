"""The real engine on a small stack whose state is lost or damaged, recovered by the documented steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dreamseed.commands import recover as command
from dreamseed.commands import standing as settings
from rehearsal.runner import Project
from tests.recovery.cases import CASES, export
from tests.recovery.site import STACK, Before, Site, copied, standing, with_passphrase

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("recovery")]
PROJECT = Project(directory=Path(__file__).with_name("sample"), stacks=("one", "two"), passphrase="sample")


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Before]:
    """A stack that was promoted from one to two, a copy of its state from before, and what it was."""
    folder = tmp_path_factory.mktemp("recovery")
    with standing(PROJECT, folder / "stack", "two") as site:
        assert site.engine.create_stack(STACK, like="one").succeeded
        site.up("one")
        older = export(site, folder / "older.json")
        site.up("two")
        return folder / "stack", older, site.before()


@pytest.fixture
def site(stood: tuple[Path, Path, Before], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(settings, "rehearsed_project", lambda: PROJECT)
    monkeypatch.setattr(command, "PAUSE_SECONDS", 0.0)
    with copied(PROJECT, stood[0], tmp_path / "stack", "two") as copy:
        yield copy


@pytest.mark.parametrize("case", CASES)
def test_a_damaged_state_is_recovered_with_nothing_stateful_touched(
    site: Site, stood: tuple[Path, Path, Before], case: str
) -> None:
    CASES[case](site, stood[2], stood[1])
    assert site.wrong(stood[2]) == []


def test_with_the_passphrase_lost_ids_come_from_the_copy_and_values_from_where_they_are_used(
    site: Site, stood: tuple[Path, Path, Before]
) -> None:
    before = stood[2]
    stranger = with_passphrase(site, "another")
    refused = stranger.engine.preview(STACK, "two", lambda _: None)
    assert "incorrect passphrase" in "".join(refused.errors)
    copy = export(stranger, site.folder / "copy.json")  # ids are no secrets
    site.state_file.unlink()
    for file in stranger.engine.workspace.root.glob("settings/Pulumi.*.yaml"):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith("encryptionsalt")), encoding="utf-8")
    assert stranger.engine.create_stack(STACK, like="two").succeeded
    first = stranger.run("recover", "--worksheet", str(site.folder / "recovery.json"), "--ids-from", str(copy))
    assert first.exit_code == 1
    assert "database" in first.output
    assert "example.com" not in first.output.split("to be looked up")[1]
    done = stranger.recover(before, "--ids-from", str(copy))
    assert done.exit_code == 0, "\n".join(stranger.said)
    # Google tells a version's text again; the rehearsal's cloud keeps no secret, so that there one more is made.
    assert [wrong for wrong in stranger.wrong(before) if "secretVersion" not in wrong] == []


@pytest.mark.parametrize("forgotten", ["::example.com", "RandomPassword::database"])
def test_a_recovery_that_leaves_something_stateful_out_is_told(
    site: Site, stood: tuple[Path, Path, Before], forgotten: str
) -> None:
    site.forgets = (forgotten,)
    with pytest.raises(AssertionError, match=f"create urn:.*{forgotten}"):
        CASES["lost"](site, stood[2], stood[1])
