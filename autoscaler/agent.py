"""What the routers ask: HAProxy's agent check, answered with the share of the workers that serve.

The routers reach all workers by one private name, so its weight is that of `max_workers`; "50%" halves it, "0%" sends
nothing new there. Source: HAProxy configuration manual, agent-check: a connection is answered with one line and closed.
A router that gets no answer keeps the last weight.
"""

from __future__ import annotations

import socketserver
import threading

from autoscaler.records import Phase, State


class _Answer(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.request.sendall(self.server.line)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    line = b"0%\n"


class Agent:
    """Listens on `port` (0: any) from the first turn that is told; before it nobody knows what serves."""

    def __init__(self, port: int, max_workers: int) -> None:
        self._port, self._max_workers = port, max_workers
        self._server: _Server | None = None

    def tell(self, state: State) -> None:
        """Answer with the workers of `state` from now on. Raises OSError where the port is taken."""
        if self._server is None:
            self._server = _Server(("", self._port), _Answer)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()
        serving = sum(worker.phase is Phase.SERVING for worker in state.workers)
        self._server.line = f"{100 * serving // max(1, self._max_workers)}%\n".encode()

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        return self._server.server_address[1] if self._server else self._port

    def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
