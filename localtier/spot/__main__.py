"""`python -m localtier.spot`: Compute Engine at an address of its own, whose machines are Docker Engines here.

Every place is empty when it begins. It forgets its machines when it ends; their containers stay until the next begin.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from pathlib import Path

from localtier.spot.compute import SpotCompute
from localtier.spot.events import MachineLog
from localtier.spot.life import Life, clear, client
from localtier.spot.settings import read_spot_settings
from simulator.compute.server import ComputeApi, serve_https


def main() -> int:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m localtier.spot", description=__doc__)
    parser.add_argument("--listen", required=True, help="the address")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--settings", type=Path, required=True, help="file made by write_spot_settings")
    asked = parser.parse_args()
    settings = read_spot_settings(asked.settings)
    for place in settings.places:
        with closing(client(place)) as engine:
            clear(engine)
    log = MachineLog(Path(settings.log))
    compute = SpotCompute(settings.places, Life(settings=settings, tell=log.write), log.write)
    serve_https(ComputeApi(compute, time.time), (asked.listen, asked.port), asked.certificate, asked.key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
