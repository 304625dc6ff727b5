"""A stage that stands in a rehearsal: no secret is readable in the engine's state, nor in what the fake cloud keeps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dreamseed.commands.rehearse import rehearsed_project, traits
from policy.rules.secrets import SHAPES
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Setting
from rehearsal.toolchain import ensure_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("policy")]
STAGE = "stage-a"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""How the engine marks a secret. Source: sdk/v3 3.259.0, go/common/resource/properties.go."""
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SHORTEST = 12
"""Shorter values (a port, a user's name within a secret file) are in many texts by themselves."""


@dataclass(frozen=True)
class Standing:
    """What a stage left behind: the engine's files as they are, the secrets in them, the fake cloud's files."""

    state: str
    secrets: frozenset[str]
    cloud: bytes


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    root = tmp_path_factory.mktemp("standing")
    with ProviderHost(root / "cloud") as host:
        setting = Setting(
            project=rehearsed_project(),
            toolchain=ensure_engine(),
            workspace=root / "workspace",
            providers=host.environment(),
            classify=traits,
        )
        engine = setting.engine("stage")
        assert engine.create_stack(STAGE, like=STAGE).succeeded
        run = engine.up(STAGE, STAGE, lambda _: None)
        assert run.succeeded, run.errors
        shown = subprocess.run(
            [engine.toolchain.pulumi, "stack", "export", "--show-secrets", "--stack", STAGE],
            capture_output=True,
            text=True,
            check=True,
            cwd=engine.workspace.project.directory,
            env=dict(engine.environment),
        )
        files = sorted(path for path in engine.workspace.backend.rglob("*") if path.is_file())
        state = "\n".join(path.read_text(encoding="utf-8") for path in files)
    cloud = b"".join(path.read_bytes() for path in sorted((root / "cloud").rglob("*")) if path.is_file())
    return Standing(state, frozenset(_secrets(_without_names(json.loads(shown.stdout)))), cloud)


def _without_names(state: dict[str, Any]) -> list[Any]:
    """Return the resources without the secret versions that hold a key's name: other resources show it as their id."""
    resources: list[Any] = state["deployment"]["resources"]
    return [r for r in resources if not (r["type"] == SECRET_VERSION and r["urn"].endswith("-id"))]


def _secrets(value: Any) -> Iterator[str]:
    """Yield every text of a decrypted state that is marked secret, or stands within what is."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            yield from _texts(json.loads(value["plaintext"]))
        else:
            for item in value.values():
                yield from _secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item)


def _texts(value: Any) -> Iterator[str]:
    """Yield what stands for a secret within a secret value: whole texts of one line, no file and no path."""
    if isinstance(value, str):
        if len(value) >= SHORTEST and "\n" not in value and " " not in value and not value.startswith("/"):
            yield value
    elif isinstance(value, dict):
        # Of an uploaded file its content alone is secret.
        kept = [value["content"]] if "content" in value else value.values()
        for item in kept:
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def readable(text: str, secrets: frozenset[str]) -> list[str]:
    """Return the secrets that stand in `text`, by their first characters, and the shapes of secrets that it shows."""
    found = [f"{secret[:3]}…" for secret in sorted(secrets) if secret in text]
    return found + [shape for shape, pattern in SHAPES.items() if pattern.search(text)]


def test_the_engines_state_shows_no_secret(standing: Standing) -> None:
    assert len(standing.secrets) > 10
    assert readable(standing.state, standing.secrets) == []


def test_what_the_fake_cloud_keeps_shows_no_secret(standing: Standing) -> None:
    assert standing.cloud
    assert readable(standing.cloud.decode("utf-8", errors="replace"), standing.secrets) == []


def test_a_secret_in_a_state_would_be_found(standing: Standing) -> None:
    leaked = sorted(standing.secrets)[0]
    assert readable(f'{standing.state} "password": "{leaked}"', standing.secrets) == [f"{leaked[:3]}…"]
    assert readable("token: ghp_" + "a1B2" * 9, frozenset()) == ["a token of GitHub"]
