"""A stand-in's answers over HTTP: JSON in, JSON out, whatever the method."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, str, dict[str, Any]], tuple[int, Any]]
"""From the method, the path with its query, and the body, to the status and the body of the answer."""


def server_of(
    answer: Answer, address: tuple[str, int], lost: type[Exception] | tuple[type[Exception], ...] = ()
) -> ThreadingHTTPServer:
    """Return a server at `address` that answers so; it listens, and serves when it is told to.

    Where `answer` raises one of `lost`, the connection is closed without an answer.
    """

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            try:
                status, found = answer(self.command, self.path, body)
            except lost:
                self.close_connection = True
                return
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(address, Handler)


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serve while the context lasts; yield host and port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"{server.server_address[0]!s}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
