"""Google's storage, as its JSON API documents buckets (storage/v1, buckets get, insert and patch), on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_call(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            url = urlsplit(self.path)
            status, said = storage.answer(self.command, url.path, parse_qs(url.query), body)
            answer = said if status == 200 else {"error": {"code": status, "message": said}}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_call  # noqa: N815 - the base class calls them so

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        storage.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield storage
        server.shutdown()
        thread.join()
