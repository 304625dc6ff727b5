"""Processes that outlive the command that started them, found again by a record that a reused id cannot match."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
POLL_SECONDS = 0.05
DEAD_STATES = frozenset("ZX")


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """A process for good: its id, when it started (clock ticks since this boot), which boot, and what it was told.

    Source: proc(5), field 22 of `/proc/PID/stat`.
    """

    pid: int
    started_ticks: int
    boot_id: str
    command_digest: str

    def is_alive(self) -> bool:
        """Tell whether this very process runs; one that only waits to be collected does not."""
        _collect(self.pid)
        return self.boot_id == boot_id() and started_ticks(self.pid) == self.started_ticks

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this very process; nothing happens when it has ended."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.is_alive():
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)

    def ends_within(self, seconds: float) -> bool:
        """Wait for the end; tell whether it came."""
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        _collect(self.pid)
        return True


def _collect(pid: int) -> None:
    """Let go of an ended process that this one started: until then it stays in the table."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def boot_id() -> str:
    """Return what tells this boot of the machine from every other one."""
    return BOOT_ID.read_text(encoding="ascii").strip()


def started_ticks(pid: int) -> int | None:
    """Return when a running process started, in clock ticks since the boot; None when it does not run.

    A process whose first thread has ended runs while another of its threads does.
    """
    try:
        # The name stands in parentheses and may hold anything, so the fields are counted behind the last one.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in DEAD_STATES and threads <= 1 else int(fields[19])


def digest(command: Sequence[str], environment: Mapping[str, str] | None) -> str:
    """Return what changes when a command or its environment does, without telling the environment."""
    text = json.dumps([list(command), sorted((environment or {}).items())])
    return hashlib.sha256(text.encode()).hexdigest()


def start_detached(
    command: Sequence[str], *, log: Path, record: Path, environment: Mapping[str, str] | None = None
) -> ProcessRecord:
    """Start a command in a session of its own, its output appended to `log`, and write its record.

    `environment` is added to this process's. Raises OSError when the program cannot be run.
    """
    for path in (log, record):
        path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    started = ProcessRecord(
        pid=process.pid,
        started_ticks=started_ticks(process.pid) or 0,
        boot_id=boot_id(),
        command_digest=digest(command, environment),
    )
    process.returncode = 0  # it is to outlive this one, so its object must not warn that it still runs
    part = record.with_name(f"{record.name}.part")
    part.write_text(json.dumps(asdict(started)), encoding="utf-8")
    part.rename(record)
    return started


def recorded(record: Path) -> ProcessRecord | None:
    """Return the process of a record while it runs, else None."""
    try:
        found = ProcessRecord(**json.loads(record.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return found if found.is_alive() else None


def end(record: Path, *, grace_seconds: float) -> None:
    """End a record's process, first by SIGTERM and after the grace by SIGKILL, and forget the record."""
    found = recorded(record)
    if found is not None:
        found.send(signal.SIGTERM)
        if not found.ends_within(grace_seconds):
            found.send(signal.SIGKILL)
            found.ends_within(grace_seconds)
    record.unlink(missing_ok=True)


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, for a message."""
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
    except FileNotFoundError:
        return "(no log)"
