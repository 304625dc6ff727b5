"""Starting a container and waiting until it is what was asked for: running, healthy, or at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from docker.api.client import APIClient
from docker.errors import APIError

from rehearsal.providers.docker.durations import NANOSECONDS_PER_SECOND
from rehearsal.providers.docker.properties import Api
from rehearsal.providers.docker.turns import Turn
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values

POLL_SECONDS = 0.25
PROBE_SECONDS = 1.0
PROBE_TIMEOUT_SECONDS = 30.0
SETTLE_SECONDS = 0.3
LOG_LINES = 30
WAIT_TIMEOUT_SECONDS = 60
"""The table's default of `waitTimeout`."""
JOB_TIMEOUT_SECONDS = 20 * 60
"""How long a create may take in the official provider: the default of its SDK's timeouts."""
SHELL = ["/bin/sh", "-c"]


def is_running(inspect: Api) -> bool:
    """Whether the container runs, or is between two starts of its restart policy."""
    return bool(inspect["State"]["Running"] or inspect["State"].get("Restarting"))


def ensure(api: APIClient, container_id: str, inputs: Values, turn: Turn) -> None:
    """Start what should run and does not, and wait as declared; raises `RefusedError` with the end of the log.

    A job (`attach`) that has ended with 0 is left alone, one that has not ended so runs again.
    """
    inspect = api.inspect_container(container_id)
    if inputs.get("start") is False:
        return
    state, is_job = inspect["State"], bool(inputs.get("attach"))
    unfinished = is_job and (state["Status"] == "created" or state["ExitCode"] != 0)
    if not is_running(inspect) and (unfinished or inputs.get("mustRun", True) or state["Status"] == "created"):
        api.start(container_id)
    if inputs.get("wait"):
        _wait_until_healthy(api, container_id, inputs.get("waitTimeout") or WAIT_TIMEOUT_SECONDS, turn)
    if is_job:
        _wait_for_end(api, container_id, turn)
    elif inputs.get("mustRun", True):
        _refuse_immediate_end(api, container_id, turn)


def log_tail(api: APIClient, container_id: str) -> str:
    """The last lines that the container wrote."""
    lines = api.logs(container_id, tail=LOG_LINES).decode("utf-8", "replace").rstrip()
    return f"the end of its log:\n{lines}" if lines else "it logged nothing"


def _until(deadline_seconds: float, turn: Turn) -> Iterator[None]:
    """Poll until the deadline; ends early with an error when the turn is over."""
    end = time.monotonic() + deadline_seconds
    while time.monotonic() < end:
        yield
        turn.pause(POLL_SECONDS)


def _wait_for_end(api: APIClient, container_id: str, turn: Turn) -> None:
    for _ in _until(JOB_TIMEOUT_SECONDS, turn):
        inspect = api.inspect_container(container_id)
        if not is_running(inspect):
            code = inspect["State"]["ExitCode"]
            if code != 0:
                raise RefusedError(f"the job ended with exit code {code}; {log_tail(api, container_id)}")
            return
    raise RefusedError(f"the job did not end within {JOB_TIMEOUT_SECONDS} s; {log_tail(api, container_id)}")


def _refuse_immediate_end(api: APIClient, container_id: str, turn: Turn) -> None:
    if is_running(inspect := api.inspect_container(container_id)):
        turn.pause(SETTLE_SECONDS)
        inspect = api.inspect_container(container_id)
    if not is_running(inspect):
        _refuse_end(api, inspect)


def _refuse_end(api: APIClient, inspect: Api) -> None:
    code = inspect["State"]["ExitCode"]
    raise RefusedError(f"the container exited immediately with exit code {code}; {log_tail(api, inspect['Id'])}")


class _Probe:
    """The container's own health test, run by exec; one at a time."""

    def __init__(self, api: APIClient, inspect: Api) -> None:
        check: dict[str, Any] = inspect["Config"].get("Healthcheck") or {}
        kind, *rest = check.get("Test") or ["NONE"]
        self._command = rest if kind == "CMD" else [*(inspect["Config"].get("Shell") or SHELL), *rest]
        self._timeout_seconds = check.get("Timeout", 0) / NANOSECONDS_PER_SECOND or PROBE_TIMEOUT_SECONDS
        self._api = api
        self._container_id = inspect["Id"]
        self._running: str | None = None
        self._started = float("-inf")
        self.exists = kind != "NONE"

    def succeeds(self) -> bool:
        """Whether the latest run has just succeeded; begins the next one when it is time."""
        try:
            return self._step()
        except APIError as error:
            if error.is_server_error() and error.status_code != 500:
                raise
            # The container is between two starts: there is nothing to run the test in.
            self._running = None
            return False

    def _step(self) -> bool:
        age = time.monotonic() - self._started
        if self._running is None:
            if age >= PROBE_SECONDS:
                made = self._api.exec_create(self._container_id, self._command)
                self._api.exec_start(made["Id"], detach=True)
                self._running, self._started = made["Id"], time.monotonic()
            return False
        result = self._api.exec_inspect(self._running)
        if result["Running"]:
            return False
        self._running = None
        return bool(result["ExitCode"] == 0 and age <= self._timeout_seconds)


def _wait_until_healthy(api: APIClient, container_id: str, timeout_seconds: float, turn: Turn) -> None:
    inspect = api.inspect_container(container_id)
    probe = _Probe(api, inspect)
    if not probe.exists:
        raise RefusedError("wait is set and the container has no healthcheck: add one, or leave wait out")
    for _ in _until(timeout_seconds, turn):
        inspect = api.inspect_container(container_id)
        if inspect["State"].get("Health", {}).get("Status") == "healthy":
            return
        if not is_running(inspect):
            _refuse_end(api, inspect)
        if inspect["State"]["Running"] and probe.succeeds():
            return
    last = (inspect["State"].get("Health", {}).get("Log") or [{}])[-1]
    said = f"; its health test last said (exit code {last['ExitCode']}): {last['Output'].strip()}" if last else ""
    raise RefusedError(
        f"the container was not healthy within {timeout_seconds:g} s{said}; {log_tail(api, container_id)}"
    )
