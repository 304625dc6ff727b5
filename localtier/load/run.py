"""A load as a process of its own: started, told, stopped and verified from outside."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from localtier.load.report import LoadReport, report_from, report_of
from localtier.load.runner import PID_FILE, SECRETS_FILE, STOP_SECONDS, TARGETS_FILE, Rates
from localtier.load.targets import Targets, write_private, write_targets

LOG_FILE = "load.log"
POLL_SECONDS = 0.05
PROJECT = Path(__file__).resolve().parents[2]


class LoadError(Exception):
    """The load does not do what it is asked: what, and where its own words stand."""


@dataclass(frozen=True, kw_only=True)
class LoadRun:
    """The load of one `folder` (ledgers, targets, secrets, log).

    `prefix` is a command that the processes are run by, such as nsenter into the network where the sidecar's ports
    are; it must become the process it runs.
    """

    folder: Path
    prefix: Sequence[str] = ()

    def tell(self, targets: Targets, secrets: Mapping[str, str]) -> None:
        """Write where the clients go; a running load follows within a second. Secrets that are unknown yet may lack."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_targets(self.folder / TARGETS_FILE, targets)
        write_private(self.folder / SECRETS_FILE, secrets)

    def start(self, targets: Targets, secrets: Mapping[str, str], rates: Rates | None = None) -> int:
        """Start the clients and return the process id; a load that runs is only told. It outlives its parent."""
        self.tell(targets, secrets)
        running = self.pid()
        if running is not None:
            return running
        options = [word for name, rate in asdict(rates or Rates()).items() for word in (_option(name), str(rate))]
        with (self.folder / LOG_FILE).open("ab") as log:
            process = subprocess.Popen(
                [*self._command("run"), *options],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + STOP_SECONDS
        while self.pid() is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LoadError(f"the load does not start; its words: {self.folder / LOG_FILE}")
            time.sleep(POLL_SECONDS)
        return process.pid

    def pid(self) -> int | None:
        """Return the id of the process that runs this folder's load, null when none does."""
        try:
            pid = int(json.loads((self.folder / PID_FILE).read_text(encoding="utf-8"))["pid"])
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, KeyError):
            return None
        return pid if str(self.folder).encode() in words else None

    def stop(self, timeout_seconds: float = 2 * STOP_SECONDS) -> None:
        """Stop the clients and wait for it; nothing to do when none run. Raises LoadError when they do not stop."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout_seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise LoadError(f"process {pid} does not stop; its words: {self.folder / LOG_FILE}")
            _reap(pid)
            time.sleep(POLL_SECONDS)

    def figures(self, since: float = -math.inf, until: float = math.inf) -> LoadReport:
        """Return what the clients did between two times (seconds since 1970), also while they run."""
        return report_of(self.folder, since, until)

    def verify(self, timeout_seconds: float = 600) -> LoadReport:
        """Compare what was acknowledged with what is there. Raises LoadError; best after `stop`."""
        done = subprocess.run(
            self._command("verify"), cwd=PROJECT, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
        try:
            return report_from(done.stdout)
        except (ValueError, LookupError, TypeError) as error:
            raise LoadError(f"no report; the verification's words: {done.stderr[-2_000:]}") from error

    def _command(self, job: str) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "localtier.load", job, str(self.folder)]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _reap(pid: int) -> None:
    """Take leave of the process when it is a child of ours: until then it seems to run."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
