"""Which backups and how much of the log pgBackRest keeps, as a model: what a stage's settings leave to restore from.

The rules, of `repo-retention-full` by count, as the stages set it: after every backup that succeeds, only the newest so
many full backups stay, each with the incremental ones that build on it, and the log from before the oldest of them is
gone. Source: pgBackRest 2.55, user guide, "Retention", and src/command/expire/expire.c (expireFullBackup,
removeExpiredArchive); compared with the real one by `dreamseed drill retention`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A backup that succeeded, with times in seconds; `full` is when the full backup began that it builds on."""

    began: int
    ended: int
    full: int

    @property
    def is_full(self) -> bool:
        """Tell whether it stands alone."""
        return self.full == self.began


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A repository: its backups, oldest first, and from when on it holds the whole log (None before any backup)."""

    backups: tuple[Taken, ...] = ()
    log_from: int | None = None

    def restorable(self, moment: int) -> bool:
        """Tell whether the database can be brought to `moment`: a whole chain ended before it, and the log goes on."""
        return any(
            backup.ended <= moment
            and self._whole(backup)
            and self.log_from is not None
            and self.log_from <= backup.began
            for backup in self.backups
        )

    def _whole(self, backup: Taken) -> bool:
        return any(other.is_full and other.began == backup.full for other in self.backups)


def expired(backups: Sequence[Taken], keep_full: int) -> Kept:
    """Return what is left of `backups`, given in the order in which they succeeded, once pgBackRest has expired."""
    fulls = [backup.began for backup in backups if backup.is_full][-keep_full:]
    kept = tuple(backup for backup in backups if backup.full in fulls)
    return Kept(backups=kept, log_from=fulls[0] if fulls else None)
