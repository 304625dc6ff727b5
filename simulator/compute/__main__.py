"""`python -m simulator.compute`: the stand-in for Compute Engine at an address of its own, over HTTPS.

It forgets its machines when it ends. Whoever asks must take its certificate; it asks nobody for a credential.
"""

from __future__ import annotations

import argparse
import signal
import ssl
import sys
import threading
import time
from pathlib import Path

from simulator.compute.model import Compute, Faults
from simulator.compute.server import ComputeApi, server_of


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulator.compute", description=__doc__)
    parser.add_argument("--listen", required=True, help="the address")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    asked = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(asked.certificate, asked.key)
    server = server_of(ComputeApi(Compute(Faults()), time.time), (asked.listen, asked.port))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop, which is this thread's.
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
