"""The model of retention against the real pgBackRest: the same backups, the same settings, what is left of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from dreamseed.planning.retention import Kept, Taken, expired
from localtier.drills.database import Database
from localtier.drills.drill import Settings, Tell, begin
from localtier.drills.points import archive_now
from localtier.drills.sandbox import Sandbox

BACKUPS = 9
KEEP_FULL = 2
"""Fewer than the stages keep, so that a short history meets expiry."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A history of backups, and where the model and pgBackRest differed in what they kept after each."""

    history: tuple[str, ...]
    differences: tuple[str, ...]


def compare_retention(sandbox: Sandbox, settings: Settings, tell: Tell) -> Compared:
    """Take full and incremental backups in a random order; after each, compare what is kept."""
    primary = begin(sandbox, settings, tell)
    primary.server.must("pgbackrest", *primary.common, "stanza-create")
    draw = random.Random(settings.seed)  # noqa: S311 - to repeat it
    history: list[str] = []
    taken: list[tuple[Taken, str]] = []
    differences: list[str] = []
    kept = Kept()
    for number in range(BACKUPS):
        kind = "full" if not taken or draw.random() < 0.5 else "incr"
        history.append(kind)
        command = [word for word in primary.backup_command(kind) if "retention-full" not in word]
        primary.server.must(*command[:-1], f"--repo1-retention-full={KEEP_FULL}", command[-1])
        archive_now(primary)
        label = str(primary.info()["backup"][-1]["label"])
        full = number if kind == "full" else taken[-1][0].full
        one = Taken(began=number, ended=number, full=full)
        taken.append((one, label))
        kept = expired([*kept.backups, one], KEEP_FULL)
        differences += _differences(primary, kept, taken)
    primary.server.lose()
    return Compared(history=tuple(history), differences=tuple(differences))


def _differences(primary: Database, kept: Kept, taken: list[tuple[Taken, str]]) -> list[str]:
    info = primary.info()
    labels = {one.began: label for one, label in taken}
    wanted = [labels[one.began] for one in kept.backups]
    there = [str(backup["label"]) for backup in info["backup"]]
    found = [] if wanted == there else [f"the model keeps {wanted}, pgBackRest {there}"]
    oldest = next(backup for backup in info["backup"] if backup["label"] == labels[kept.log_from or 0])
    first = min(str(archive["min"]) for archive in info["archive"])
    if first > str(oldest["archive"]["start"]):
        found.append(f"the log begins with {first}, the oldest backup needs {oldest['archive']['start']}")
    return found
