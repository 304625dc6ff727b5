"""A stand-in for Cloud Run's Admin API: one service, its two scalings, and what an update of each does.

Imitated: GET of a service, PATCH with `updateMask` (without one the whole service is written anew, and what the body
lacks is reset), 404, 429. A change of `template` makes a revision, one of the service-level scaling does not. Source:
Cloud Run Admin API v2, projects.locations.services, as recalled 2026-11-27. That instances start is not imitated.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator import json_server

SERVICE = re.compile(r"/v2/(projects/[^/]+/locations/[^/]+/services/[^/]+)")
SCALING = "scaling.minInstanceCount"


class CloudRun:
    """The services of a project by their full names; `rate_limits` is the share of calls that are refused."""

    def __init__(self, rate_limits: float = 0.0, seed: int = 0) -> None:
        self.services: dict[str, dict[str, Any]] = {}
        self.rate_limits = rate_limits
        self.patches: list[tuple[str, str]] = []
        self._random = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._lock = threading.Lock()

    def declare(self, name: str, least: int, most: int) -> None:
        """Make or write anew a service as a provider does: without a mask, so that its own scaling is reset."""
        template = {"scaling": {"minInstanceCount": least, "maxInstanceCount": most}}
        self._write(name, {"template": template}, mask="")

    def warm(self, name: str) -> int:
        """Return how many instances are kept warm: the larger of the service's minimum and its revision's."""
        service = self.services[name]
        revision = service.get("template", {}).get("scaling", {}).get("minInstanceCount", 0)
        return max(int(revision), int(service.get("scaling", {}).get("minInstanceCount", 0)))

    def answer(self, method: str, url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the body for a request."""
        parts = urlsplit(url)
        found = SERVICE.fullmatch(parts.path)
        with self._lock:
            if self._random.random() < self.rate_limits:
                return 429, _error(429, "RESOURCE_EXHAUSTED")
            if found is None or found[1] not in self.services:
                return 404, _error(404, "NOT_FOUND")
            if method == "GET":
                return 200, self.services[found[1]]
            if method != "PATCH":
                return 405, _error(405, "METHOD_NOT_ALLOWED")
            mask = parse_qs(parts.query).get("updateMask", [""])[-1]
            if mask not in ("", SCALING):
                return 400, _error(400, "INVALID_ARGUMENT")
            self._write(found[1], body, mask)
            return 200, {"name": f"operations/{len(self.patches)}", "done": False}

    def _write(self, name: str, body: dict[str, Any], mask: str) -> None:
        before = self.services.get(name, {})
        if mask == SCALING:
            count = int(body.get("scaling", {}).get("minInstanceCount", 0))
            after = {**before, "scaling": {**before.get("scaling", {}), "minInstanceCount": count}}
        else:
            after = {"revision": before.get("revision", 0), "scaling": {}, **body, "name": name}
            after["revision"] += after.get("template") != before.get("template")
        self.services[name] = after
        self.patches.append((name, mask))


@contextmanager
def serving(cloud: CloudRun) -> Iterator[str]:
    """Serve the stand-in on loopback while the context lasts; yield its address."""

    with json_server.serving(json_server.server_of(cloud.answer, ("127.0.0.1", 0))) as address:
        yield f"http://{address}"


def _error(code: int, status: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": status, "status": status}}
