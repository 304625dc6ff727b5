"""Starts and stops the provider process, and says how an engine finds it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rehearsal.providers.b2.server import b2_environment
from rehearsal.providers.judge.choice import Judging
from rehearsal.providers.serving import Announcement, is_served
from rehearsal.tables.facts import OWN_TABLES

PROJECT = Path(__file__).parents[2]
ANNOUNCEMENT = "providers.json"
LOG = "providers.log"
START_SECONDS = 120.0
"""On a machine whose cores others use, too, 30 s were not enough (2026-11-27)."""
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_TAIL_LINES = 20


class HostFailedError(Exception):
    """The provider process did not start; the message holds the end of its log."""


class ProviderHost:
    """The provider process of one state directory; as a context manager it lives as long as the block."""

    def __init__(
        self,
        state_dir: Path,
        docker_hosts: Path | None = None,
        tables: Sequence[Path] = (),
        judging: Judging | None = None,
    ) -> None:
        """With `docker_hosts`, a JSON file of Docker hosts and their engines' URLs, docker resources are real ones.

        `tables` are folders of further tables, whose packages are attached, too (`rehearsal/tables/own.py`).
        `judging` says whether official plugins judge; by default only tables do.
        """
        self.state_dir = state_dir
        self._docker_hosts = docker_hosts
        self._tables = tables
        self._judging = judging or Judging()
        self._process: subprocess.Popen[bytes] | None = None
        self._announcement: Announcement | None = None

    @property
    def announcement(self) -> Announcement:
        """Where the process serves; raises `HostFailedError` when none is running."""
        if self._announcement is None:
            self._announcement = self._running()
        if self._announcement is None:
            raise HostFailedError(f"no provider process serves {self.state_dir}: start one first")
        return self._announcement

    def __enter__(self) -> ProviderHost:
        self._start(parent=os.getpid())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start_detached(self) -> Announcement:
        """Start a process that outlives this one, or find the one that runs already.

        It keeps the code of dynamic resources that it has loaded: stop it after changing that.
        """
        running = self._running()
        if running is None:
            self._start(parent=None)
        return self.announcement

    def environment(self) -> dict[str, str]:
        """What an engine, and a program that it runs, must have in the environment."""
        ports = ",".join(f"{name}:{port}" for name, port in self.announcement.providers.items())
        return {
            "PULUMI_DEBUG_PROVIDERS": ports,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        } | b2_environment(self.announcement.b2)

    def stop(self) -> None:
        """Stop the process of this state directory, however it was started; nothing happens when none runs."""
        running, self._announcement = self._running(), None
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                # A call to a Docker Engine may last longer; what it does is found again by the next run.
                self._process.kill()
                self._process.wait()
            self._process = None
        elif running is not None:
            os.kill(running.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while self._running() is not None and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    def _start(self, parent: int | None) -> None:
        if self._running() is not None:
            raise HostFailedError(
                f"a provider process serves {self.state_dir} already: stop it, or use another directory"
            )
        self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        announce = self.state_dir / ANNOUNCEMENT
        announce.unlink(missing_ok=True)
        command = [sys.executable, "-m", "rehearsal.providers", "--state", str(self.state_dir.resolve())]
        command += ["--announce", str(announce.resolve())]
        command += ["--judge", self._judging.mode, "--judge-seconds", str(self._judging.seconds)]
        directory = self._judging.directory
        command += ["--judge-directory", str(directory.resolve())] if directory is not None else []
        command += ["--parent", str(parent)] if parent is not None else []
        command += ["--docker-hosts", str(self._docker_hosts.resolve())] if self._docker_hosts is not None else []
        search = os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH"))))
        own = {OWN_TABLES: os.pathsep.join(str(folder.resolve()) for folder in self._tables)} if self._tables else {}
        with (self.state_dir / LOG).open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=os.environ | {"PYTHONPATH": search} | own,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=parent is None,
            )
        self._wait(announce)

    def _wait(self, announce: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not announce.exists():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                what = "ended" if ended else f"did not announce itself within {START_SECONDS:g} s"
                self.stop()
                lines = (self.state_dir / LOG).read_text("utf-8", "replace").splitlines()
                tail = "\n".join(lines[-LOG_TAIL_LINES:]) or "(its log is empty)"
                raise HostFailedError(f"the provider process {what}; the end of {self.state_dir / LOG}:\n{tail}")
            time.sleep(POLL_SECONDS)
        self._announcement = _read(announce)

    def _running(self) -> Announcement | None:
        """The announcement of the process that serves the directory, or None."""
        return _read(self.state_dir / ANNOUNCEMENT) if is_served(self.state_dir) else None


def _read(file: Path) -> Announcement | None:
    try:
        return Announcement(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
