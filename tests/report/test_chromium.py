from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from localtier.images import machine
from tests.report import chromium

APT_GET = """#!/bin/sh
[ "$1" = install ] && touch "$(dirname "$0")/chromium" && chmod +x "$(dirname "$0")/chromium"
exit 0
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, with what a script needs; none of the machine's own browsers is seen."""
    for name in ("sh", "touch", "chmod", "dirname"):
        found = shutil.which(name)
        assert found is not None
        (tmp_path / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_search_path", lambda: str(tmp_path))
    return tmp_path


def apt_get(folder: Path) -> None:
    (folder / "apt-get").write_text(APT_GET, encoding="utf-8")
    (folder / "apt-get").chmod(0o755)


def test_a_browser_that_is_missing_is_installed_by_root(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt_get(commands)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert chromium.chromium() is None
    assert chromium.main() == 0
    assert chromium.chromium() == str(commands / "chromium")


@pytest.mark.parametrize(("user", "debian"), [(1_000, True), (0, False)])
def test_where_it_cannot_be_installed_that_is_said_with_what_to_do(
    user: int, debian: bool, commands: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if debian:
        apt_get(commands)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert chromium.main() == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the tests that need one are skipped" in said
    assert "as root: apt-get install chromium" in said
    assert chromium.chromium() is None
