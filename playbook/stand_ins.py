"""What a rehearsal has in place of servers, in files: a small database, a model's archive, cards, an Alertmanager.

The restore is real, of a stand-in: the backup is read into an empty place, and every row is compared.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dreamseed.promotion.saga import StepError
from dreamseed.signing import canonical, digest_of_bytes, write_whole

ROWS = 1_000
SILENCE = timedelta(hours=2)
WHERE = "promote › back-up"


@dataclass(frozen=True)
class StandIns:
    """The stand-ins in `folder`."""

    folder: Path

    def begin(self, gpus: Mapping[str, int]) -> None:
        """Make what is not there yet: a database with rows, a model, the cards of the first stage."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self._database.exists():
            part = self._database.with_suffix(".part")
            part.unlink(missing_ok=True)
            with closing(sqlite3.connect(part)) as connection, connection:
                connection.execute("CREATE TABLE answer (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
                rows = ((number, f"answer {number}") for number in range(ROWS))
                connection.executemany("INSERT INTO answer VALUES (?, ?)", rows)
            part.replace(self._database)
        if not self._gpus.exists():
            self.install(gpus)

    def install(self, gpus: Mapping[str, int]) -> None:
        """Put cards in: what a person does by hand."""
        write_whole(self._gpus, canonical(dict(gpus)))

    @property
    def gpus(self) -> dict[str, int]:
        """Return the cards that each server shows."""
        found: dict[str, int] = json.loads(self._gpus.read_text(encoding="utf-8"))
        return found

    def back_up(self, name: str, model: str) -> None:
        """Back the database up as `name`, and archive the model."""
        target = self._backup(name)
        part = target.with_suffix(".part")
        part.unlink(missing_ok=True)
        target.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(self._database)) as source, closing(sqlite3.connect(part)) as copy:
            source.backup(copy)
        part.replace(target)
        write_whole(self._archive(name), canonical({"model": model}))

    def verify_backup(self, name: str, model: str) -> str:
        """Restore `name` into an empty place and compare every row; see that the archive is of this model."""
        if not self._backup(name).exists():
            raise _lost("the backup is missing")
        with tempfile.TemporaryDirectory(prefix="dreamseed-restore-") as empty:
            restored = Path(empty, "database.sqlite")
            with closing(sqlite3.connect(self._backup(name))) as source, closing(sqlite3.connect(restored)) as copy:
                source.backup(copy)
            there, here = _rows(restored), _rows(self._database)
        if there != here:
            raise _lost(f"the restored database has {there[1]} rows with another content than the {here[1]} there are")
        if json.loads(self._archive(name).read_text(encoding="utf-8")) != {"model": model}:
            raise _lost("the archive is of another model")
        return f"restored into an empty place: {there[1]} rows, all alike; {model} archived (stand-ins)"

    @property
    def _database(self) -> Path:
        return self.folder / "database.sqlite"

    @property
    def _gpus(self) -> Path:
        return self.folder / "gpus.json"

    def _backup(self, name: str) -> Path:
        return self.folder / "backups" / f"{name}.sqlite"

    def _archive(self, name: str) -> Path:
        return self.folder / "backups" / f"{name}.models.json"


@dataclass(frozen=True)
class FileSilence:
    """A silence that stands in a file: of which alerts and until when, written when it is opened, gone when closed."""

    path: Path
    clock: Callable[[], datetime]
    alerts: tuple[str, ...]

    def open(self) -> str:
        """Open the silence; one that is open already is opened anew."""
        until = self.clock() + SILENCE
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, canonical({"alerts": list(self.alerts), "until": until.isoformat()}))
        return f"{len(self.alerts)} alerts until {until:%Y-%m-%d %H:%M %Z}"

    def close(self) -> None:
        """Close the silence."""
        self.path.unlink(missing_ok=True)


def _rows(path: Path) -> tuple[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT id, text FROM answer ORDER BY id").fetchall()
    return digest_of_bytes(canonical(rows)), len(rows)


def _lost(what: str) -> StepError:
    return StepError(WHERE, what, "nothing is changed before a backup was restored", "a new backup: the same command")
