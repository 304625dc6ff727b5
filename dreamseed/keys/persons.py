"""The exchange of a secret that a person made: written, encrypted, into every stage file, then brought to its users."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from dreamseed.config.load import STAGE_NAMES, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.keys.bringing import Stack

SALT = "encryptionsalt"


class SecretError(DreamSeedError):
    """A secret that cannot be taken, or has no place to be written to."""


@dataclass(frozen=True)
class StageSecrets:
    """The secrets in the stage files of one state; they share its salt, so that one passphrase opens all."""

    stack: Stack

    def exchange(self, name: str, value: str) -> None:
        """Write the secret, and bring it to its users; safe to run again. Raises `SecretError`, `RuntimeError`."""
        files = self._files()
        old = self._read(name)
        for path in files:
            run = self._pulumi(path, ["set", "--secret"], name, value)
            if run.returncode:
                raise RuntimeError(f"{path.name}: {run.stderr.strip()}")
        self.stack.say(f"written, encrypted, into {', '.join(path.name for path in files)}")
        self.stack.bring(f"{name} comes into use", None)
        self.stack.look_again({old} if old and old != value else set(), self.stack.state())
        self.stack.say(f"{name} is exchanged")

    def _files(self) -> Sequence[Path]:
        """Return the given file and the stage files beside it; raises `SecretError` where they have another salt."""
        given_file = self.stack.config_file
        beside = [stage_file(given_file.parent, name) for name in STAGE_NAMES]
        found = list(dict.fromkeys([given_file, *(path for path in beside if path.exists())]))
        salts = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")).get(SALT) for path in found}
        if different := [name for name, salt in salts.items() if salt != salts[given_file.name]]:
            raise SecretError(
                ", ".join(different),
                f"has another {SALT} than {given_file.name}",
                "the stage files are for one state: a secret is written into all of them, for one passphrase",
                f"the line {SALT} of {given_file.name}, and their secrets anew: docs/how-to/own-secrets.md",
            )
        return found

    def _read(self, name: str) -> str | None:
        """Return the secret that stands in the given file, None where there is none."""
        run = self._pulumi(self.stack.config_file, ["get", "--json"], name)
        return str(json.loads(run.stdout)["value"]) if run.returncode == 0 else None

    def _pulumi(self, path: Path, words: list[str], name: str, value: str = "") -> subprocess.CompletedProcess[str]:
        """Run `pulumi config`; the value goes in by standard input, since a process list shows arguments."""
        command, *options = words
        return subprocess.run(
            [
                *(str(self.stack.engine.toolchain.pulumi), "config", command, f"dreamseed:{name}", *options),
                *("--stack", self.stack.name, "--config-file", str(path), "--non-interactive"),
            ],
            cwd=self.stack.project,
            env=dict(self.stack.engine.environment),
            input=value,
            capture_output=True,
            text=True,
            check=False,
        )


def given(text: str, name: str) -> str:
    """Return the secret in what a person gave, without the end of its line; raises `SecretError` when it is none."""
    value = text.rstrip("\r\n")
    if not value or value != value.strip() or "\n" in value:
        raise SecretError(
            f"the new {name}",
            "is empty, or more than one line, or has blanks around it",
            "it is put into a file as it is given",
            f"one line: dreamseed keys rotate {name} … < FILE",
        )
    return value
