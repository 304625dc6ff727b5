"""A stage's backup script, running in a drill as it stands, and an answer in Patroni's place that lets it act."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from dreamseed.planning.services.postgres import stanza_of
from localtier.drills.database import SHARD, Database
from localtier.drills.sandbox import INSTANCE, Sandbox, run, wait_for
from localtier.drills.server import DrillError

BACKUP_SECONDS = 600.0
MARKS = "var/lib/pgbackrest"


class _Patroni(BaseHTTPRequestHandler):
    """Says what Patroni says of a primary. Source: Patroni 4 REST interface, GET /primary."""

    def do_GET(self) -> None:
        """Answer 200."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""


@dataclass(kw_only=True)
class Backups:
    """The backup container's script beside `database`, for the block."""

    sandbox: Sandbox
    database: Database
    _server: ThreadingHTTPServer | None = field(default=None)

    def __enter__(self) -> Backups:
        """Answer as Patroni and start the script."""
        container = self.sandbox.container(f"{INSTANCE}-backup")
        script = next(file.text for file in container.files if file.path == container.entrypoint[-1])
        address = urlsplit(script.split('--max-time 5 "', 1)[1].split('"', 1)[0])
        run("ip", "address", "replace", f"{address.hostname}/32", "dev", "lo")
        self._server = ThreadingHTTPServer((str(address.hostname), int(address.port or 0)), _Patroni)
        threading.Thread(target=self._server.serve_forever, name="patroni", daemon=True).start()
        self.database.server.start(*container.entrypoint, log="backup.log")
        return self

    def __exit__(self, *_: object) -> None:
        """Take Patroni's answer away: the script takes no more backups."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def first(self) -> None:
        """Wait until the first full backup is complete."""
        self._wait((self.database.server.root / MARKS / "last-offsite-full").exists)

    def copied(self) -> None:
        """Wait until the second site names the same backups as the first: it has all their files by then."""
        self._wait(lambda: self._names(0) != b"" and self._names(0) == self._names(1))

    def _names(self, number: int) -> bytes:
        site, stanza = self.sandbox.sites[number], stanza_of(SHARD)
        path = site.data / site.buckets[0].name / stanza / "backup" / stanza / "backup.info"
        return path.read_bytes() if path.exists() else b""

    def _wait(self, done: Callable[[], bool]) -> None:
        log = self.database.server.folder / "backup.log"
        try:
            wait_for("the backup script", done, BACKUP_SECONDS)
        except DrillError as error:
            raise DrillError(f"{error}\n{log.read_text(encoding='utf-8', errors='replace')[-1_500:]}") from error
