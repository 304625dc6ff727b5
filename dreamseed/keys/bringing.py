"""Bringing a stack up for the exchange of a key: previewed and judged before, looked at again after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError
from dreamseed.keys.judging import faults
from dreamseed.keys.resources import KeyResource
from rehearsal.runner.engine import Engine
from rehearsal.runner.events import Change
from rehearsal.runner.resources import Resource, Traits


class RotationError(DreamSeedError):
    """An exchange that cannot begin, or go on."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack with its stage file; `say` is told what happens, in sentences without secrets.

    `stage` is what the engine's workspace knows that file by; one that is the user's own has only one.
    """

    engine: Engine
    name: str
    config_file: Path
    stage: str = ""
    classify: Callable[[Resource], Traits]
    say: Callable[[str], None]

    @property
    def project(self) -> Path:
        """Return the folder of the project file."""
        return self.engine.workspace.project.directory

    def state(self) -> Mapping[str, Any]:
        """Return the state with its secrets shown."""
        return self.engine.read_state(self.name, show_secrets=True)

    def require_rest(self) -> None:
        """Refuse to begin while anything else would change: what the exchange does must be its own."""
        if waiting := self._changes():
            raise RotationError(
                self.name,
                f"{len(waiting)} changes wait for an `up`, such as {waiting[0].action} {waiting[0].resource.name}",
                "the exchange brings the stack up, and nothing may come along that was not asked for",
                f"pulumi up --stack {self.name} --config-file {self.config_file}, then the command again",
            )

    def bring(self, what: str, key: KeyResource | None) -> None:
        """Preview, judge, and bring the stack up; `key` is the one that may change, None where only its users do."""
        changes = self._changes()
        if found := list(faults(changes, key, self.classify)):
            raise RotationError(
                self.name,
                f"{what} would do more than that:\n  " + "\n  ".join(found),
                "an exchange touches its own key, and no state",
                "the declaration as it was (git diff), or have another look at what changed beside it",
            )
        self.say(f"{what}: {_counted(changes)}")
        run = self.engine.up(self.name, self.stage, lambda _: None)
        if not run.succeeded:
            raise RuntimeError(
                "\n".join((*run.errors, "Nothing is lost: run the same command again, it goes on here."))
            )

    def look_again(self, old: Set[str], state: Mapping[str, Any]) -> None:
        """Refuse to call it done while anything is left to do, or a secret of `old` stands in the `state` it left."""
        if left := self._changes(whole=True):
            raise RuntimeError(f"after the exchange an up would still do something: {_counted(left)}")
        text = json.dumps(state)
        if any(secret in text for secret in old):
            raise RuntimeError(f"the previous secret still stands in the state of {self.name}")

    def _changes(self, *, whole: bool = False) -> list[Change]:
        """Return what an `up` would do to resources; `whole`: to providers and components, too."""
        preview = self.engine.preview(self.name, self.stage, lambda _: None)
        if not preview.succeeded:
            raise RuntimeError("\n".join(preview.errors))
        return preview.events.all_changes() if whole else preview.events.changes()


def _counted(changes: Iterable[Change]) -> str:
    found = [str(change.action) for change in changes]
    return ", ".join(f"{found.count(each)} to {each}" for each in dict.fromkeys(found)) or "nothing to do"
