"""`python -m simulator.compute`: the stand-in for Compute Engine at an address of its own, over HTTPS.

It forgets its machines when it ends. Whoever asks must take its certificate; it asks nobody for a credential.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from simulator.compute.model import Compute, Faults
from simulator.compute.server import ComputeApi, serve_https


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m simulator.compute", description=__doc__)
    parser.add_argument("--listen", required=True, help="the address")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    asked = parser.parse_args()
    api = ComputeApi(Compute(Faults()), time.time)
    serve_https(api, (asked.listen, asked.port), asked.certificate, asked.key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
