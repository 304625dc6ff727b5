"""The question whether a connector is connected, for its health check: small, since it is asked all the time."""

from __future__ import annotations

import socket

SECONDS = 3.0


def ask(address: tuple[str, int]) -> bool:
    """Tell whether the connector whose metrics stand at `address` answers /ready with 200."""
    try:
        with socket.create_connection(address, timeout=SECONDS) as connection:
            connection.sendall(b"GET /ready HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.makefile("rb").readline()
    except OSError:
        return False
