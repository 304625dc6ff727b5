"""Which plugin is taken, and what is said where there is none."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from rehearsal.providers.plugin import finding
from rehearsal.providers.plugin.finding import (
    JudgeMode,
    NoPluginError,
    Wanted,
    find_plugin,
    install_command,
    require,
    wanted,
)
from rehearsal.tables.facts import PACKAGES
from tests.rehearsal.providers.plugin.installed import install


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An engine's home of its own, and no plugin on PATH."""
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path


def test_every_installed_sdk_says_which_plugin_it_asks_for() -> None:
    assert all(wanted(package).major.isdecimal() for package in PACKAGES)
    assert wanted("grafana").server == "github://api.github.com/pulumiverse"
    assert wanted("nowhere") == Wanted()


def test_the_sdks_version_is_taken_before_a_newer_one_of_its_major_version(home: Path) -> None:
    version = wanted("docker").version
    major = wanted("docker").major
    install(home, version=f"{major}.99.10", package="docker")
    install(home, version=f"{major}.99.9", package="docker")
    newest = find_plugin("docker")
    assert newest is not None
    assert newest.version == f"{major}.99.10"
    exact = install(home, version=version, package="docker")
    taken = find_plugin("docker")
    assert taken is not None
    assert (taken.version, taken.binary, taken.major) == (version, exact, major)
    assert str(taken) == f"the official plugin {version} ({exact})"


def test_a_judge_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="there is no judge 'vendor': write one of auto, tables, official"):
        JudgeMode("vendor")


def test_another_major_version_is_none(home: Path) -> None:
    install(home, version="1.0.0", package="docker")
    assert find_plugin("docker") is None


def test_without_an_sdk_the_newest_is_taken(home: Path) -> None:
    for version in ("1.9.0", "2.3.0", "2.10.0"):
        install(home, version=version)
    found = find_plugin("acme")
    assert found is not None
    assert (found.version, found.major) == ("2.10.0", "")


def test_what_is_no_program_or_has_no_version_is_none(home: Path) -> None:
    install(home).chmod(0o644)
    install(home, version="of-mine")
    assert find_plugin("acme") is None


def test_a_plugin_on_path_is_found_and_its_version_is_seen_when_it_runs(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("bin")
    shutil.copy(install(home, version="1.0.0", package="docker"), elsewhere)
    monkeypatch.setenv("PATH", os.pathsep.join(["/nowhere", str(elsewhere)]))
    found = find_plugin("docker")
    assert found is not None
    assert (found.binary.parent, found.version, found.major) == (elsewhere, "", wanted("docker").major)
    assert str(found).startswith("the official plugin on PATH (")


def test_what_is_missing_is_told_with_the_commands_that_install_it(home: Path) -> None:
    install(home, version=wanted("docker").version, package="docker")
    with pytest.raises(NoPluginError) as missing:
        require(["docker", "gcp", "grafana"])
    told = str(missing.value)
    assert told.startswith("no official plugin of gcp, grafana is installed")
    assert f"\n  pulumi plugin install resource gcp {wanted('gcp').version}\n" in told
    assert told.endswith(
        f"pulumi plugin install resource grafana {wanted('grafana').version} --server {wanted('grafana').server}"
    )
    assert "JUDGE=auto" in told
    require(["docker"])


def test_an_sdk_is_found_by_the_file_that_it_carries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, row in (("acme_sdk", {"name": "acme", "version": "v2.3.0"}), ("pulumi_other", {"resource": True})):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "pulumi-plugin.json").write_text(json.dumps(row), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    finding._sdks.cache_clear()
    try:
        assert wanted("acme") == Wanted("2.3.0")
        assert install_command("acme") == "pulumi plugin install resource acme 2.3.0"
        assert install_command("other") == "pulumi plugin install resource other"
    finally:
        finding._sdks.cache_clear()
