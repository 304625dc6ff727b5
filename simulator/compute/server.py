"""The stand-in over HTTP, with the paths, bodies and errors that the real client speaks.

Served: insertion, look-up, deletion, metadata and guest attributes of instances, and the aggregated lists of instances
and operations, two entries a page; a maintenance event takes a spot machine back at once. Nothing asks for a
credential. Source: Compute Engine API v1, discovery document as google-cloud-compute 1.45 was made from.
"""

from __future__ import annotations

import re
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator import json_server
from simulator.compute.model import Compute, LostError, Machine, Operation, RefusedError

PAGE = 2
_ROOT = r"/compute/v1/projects/[^/]+"
_INSTANCES = rf"{_ROOT}/zones/(?P<zone>[^/]+)/instances"
_INSTANCE = rf"{_INSTANCES}/(?P<name>[^/]+)"


class ComputeApi:
    """What each request does, apart from HTTP; `clock` is Unix seconds."""

    def __init__(self, compute: Compute, clock: Callable[[], float]) -> None:
        self.compute, self._clock = compute, clock
        self._lock = threading.Lock()

    def answer(self, method: str, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the body for a request. Raises `LostError`: then there is no answer."""
        parts = urlsplit(url)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        for wanted, pattern, handler in self._routes():
            found = re.fullmatch(pattern, parts.path)
            if method == wanted and found:
                try:
                    with self._lock:
                        return 200, handler(body, query, **found.groupdict())
                except RefusedError as error:
                    return error.status, _error(error)
        return 404, _error(RefusedError(404, "notFound"))

    def _routes(self) -> Iterator[tuple[str, str, Callable[..., dict[str, Any]]]]:
        yield "POST", _INSTANCES, self._insert
        yield "GET", _INSTANCE, self._get
        yield "DELETE", _INSTANCE, self._delete
        yield "POST", rf"{_INSTANCE}/setMetadata", self._set_metadata
        yield "POST", rf"{_INSTANCE}/simulateMaintenanceEvent", self._preempt
        yield "GET", rf"{_INSTANCE}/getGuestAttributes", self._guest_attributes
        yield "GET", rf"{_ROOT}/aggregated/instances", self._list
        yield "GET", rf"{_ROOT}/aggregated/operations", self._operations

    def _insert(self, body: dict[str, Any], query: dict[str, str], zone: str) -> dict[str, Any]:
        scheduling = body.get("scheduling", {})
        if not query.get("sourceInstanceTemplate") or scheduling.get("instanceTerminationAction") != "DELETE":
            raise RefusedError(400, "invalid")
        seconds = float(scheduling["maxRunDuration"]["seconds"])
        operation = self.compute.insert(
            body["name"], zone, body.get("labels", {}), seconds, query["requestId"], self._clock()
        )
        return _operation(operation, self._clock())

    def _get(self, _: dict[str, Any], __: dict[str, str], zone: str, name: str) -> dict[str, Any]:
        return _instance(self._there(name, zone), self._clock())

    def _delete(self, _: dict[str, Any], __: dict[str, str], zone: str, name: str) -> dict[str, Any]:
        self.compute.delete(name, zone, self._clock())
        return _done("delete", zone, name)

    def _set_metadata(self, body: dict[str, Any], _: dict[str, str], zone: str, name: str) -> dict[str, Any]:
        items = {item["key"]: item["value"] for item in body.get("items", [])}
        self.compute.drain(name, zone, items, body.get("fingerprint", ""), self._clock())
        return _done("setMetadata", zone, name)

    def _preempt(self, _: dict[str, Any], __: dict[str, str], zone: str, name: str) -> dict[str, Any]:
        self.compute.preempt(name, zone, self._clock())
        return _done("simulateMaintenanceEvent", zone, name)

    def _guest_attributes(self, _: dict[str, Any], __: dict[str, str], zone: str, name: str) -> dict[str, Any]:
        said = self._there(name, zone).report(self._clock())
        if said is None:
            raise RefusedError(404, "notFound")
        return {"queryPath": "dreamseed/", "queryValue": {"items": [_pair("phase", said, namespace="dreamseed")]}}

    def _list(self, _: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        label, _equals, value = query.get("filter", "").removeprefix("labels.").partition("=")
        machines = [one for one in self.compute.listed(self._clock()) if one.labels.get(label) == value]
        return _page("instances", [(one.zone, _instance(one, self._clock())) for one in machines], query)

    def _operations(self, _: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        now = self._clock()
        done = [one for one in self.compute.operations if one.done_at <= now]
        return _page("operations", [(one.zone, _operation(one, now)) for one in done], query)

    def _there(self, name: str, zone: str) -> Machine:
        machine = self.compute.find(name, zone, self._clock())
        if machine is None:
            raise RefusedError(404, "notFound")
        return machine


def serve_https(api: ComputeApi, address: tuple[str, int], certificate: Path, key: Path) -> None:
    """Serve at `address` until SIGTERM or SIGINT. Raises OSError where the port is taken or a file cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = json_server.server_of(api.answer, address, LostError)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop, which is this thread's.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()


@contextmanager
def serving(compute: Compute, clock: Callable[[], float], port: int = 0) -> Iterator[str]:
    """Serve the stand-in on loopback while the context lasts; yield its host and port."""
    api = ComputeApi(compute, clock)
    with json_server.serving(json_server.server_of(api.answer, ("127.0.0.1", port), LostError)) as address:
        yield address


def _page(kind: str, entries: list[tuple[str, dict[str, Any]]], query: dict[str, str]) -> dict[str, Any]:
    """Return one page of an aggregated list; its token is where the next one begins."""
    begin = int(query.get("pageToken") or 0)
    scopes: dict[str, Any] = {}
    for zone, entry in entries[begin : begin + PAGE]:
        scopes.setdefault(f"zones/{zone}", {kind: []})[kind].append(entry)
    more = {"nextPageToken": str(begin + PAGE)} if begin + PAGE < len(entries) else {}
    return {"items": scopes, **more}


def _instance(machine: Machine, now: float) -> dict[str, Any]:
    return {
        "name": machine.name,
        "zone": f"https://www.googleapis.com/compute/v1/projects/p/zones/{machine.zone}",
        "status": machine.status(now),
        "creationTimestamp": datetime.fromtimestamp(machine.created_at, UTC).isoformat(timespec="milliseconds"),
        "labels": machine.labels,
        "metadata": {
            "fingerprint": str(machine.fingerprint),
            "items": [_pair(key, value) for key, value in machine.metadata.items()],
        },
    }


def _operation(one: Operation, now: float) -> dict[str, Any]:
    done = one.done_at <= now
    failed = {"error": {"errors": [{"code": one.error, "message": one.error}]}} if done and one.error else {}
    return {
        "name": one.name,
        "clientOperationId": one.request_id,
        "operationType": "insert",
        "targetLink": f"https://www.googleapis.com/compute/v1/projects/p/zones/{one.zone}/instances/{one.target}",
        "status": "DONE" if done else "RUNNING",
        **failed,
    }


def _done(kind: str, zone: str, name: str) -> dict[str, Any]:
    link = f"https://www.googleapis.com/compute/v1/projects/p/zones/{zone}/instances/{name}"
    return {"name": f"operation-{kind}-{name}", "operationType": kind, "targetLink": link, "status": "DONE"}


def _pair(key: str, value: str, **more: str) -> dict[str, str]:
    return {"key": key, "value": value, **more}


def _error(error: RefusedError) -> dict[str, Any]:
    detail = {"domain": "global", "reason": error.reason, "message": str(error)}
    return {"error": {"code": error.status, "message": str(error), "errors": [detail]}}
