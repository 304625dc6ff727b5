"""Google's storage, as its JSON API documents buckets (storage/v1, buckets get, insert and patch), on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator import json_server

DEFAULTS = {"softDeletePolicy": {"retentionDurationSeconds": "604800"}}
"""What Google sets where nothing is said: seven days."""


@dataclass
class Storage:
    """The buckets by name; `foreign` are names of other customers; `calls` are the methods of calls that change."""

    url: str = ""
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> tuple[int, Any]:
        name = body.get("name", "") if method == "POST" else path.rpartition("/")[2]
        if name in self.foreign:
            return (409, "the name is taken") if method == "POST" else (403, "may not see it")
        if method == "GET":
            return (200, self.buckets[name]) if name in self.buckets else (404, "no such bucket")
        self.calls.append(method)
        if method == "POST":
            assert query["project"]
            self.buckets[name] = {**DEFAULTS, **body, "metageneration": "1"}
        else:
            self.buckets[name] |= body
        return 200, self.buckets[name]


@contextmanager
def serving(storage: Storage) -> Iterator[Storage]:
    """Serve the buckets until the block ends."""

    def answer(method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        url = urlsplit(path)
        status, said = storage.answer(method, url.path, parse_qs(url.query), body)
        return status, said if status == 200 else {"error": {"code": status, "message": said}}

    with json_server.serving(json_server.server_of(answer, ("127.0.0.1", 0))) as address:
        storage.url = f"http://{address}"
        yield storage
