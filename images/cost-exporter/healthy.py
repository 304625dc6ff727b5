"""Exit with 0 when the exporter beside serves its metrics. By hand and with few imports: it is asked often."""

from __future__ import annotations

import socket
import sys

TIMEOUT_SECONDS = 4.0


def serves(port: int) -> bool:
    """Tell whether the metrics are served on this container's `port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS) as asked:
            asked.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            return asked.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if serves(int(sys.argv[1])) else 1)
