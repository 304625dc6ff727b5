"""`cloudflared` as the plan runs it: `python -m localtier.tunnel.connector tunnel … run --token-file FILE`.

Imitated, with the sources read in November 2026: the command lines (arguments.py); four connections to the edge that
come back by themselves; names and services told by the edge; /ready (cloudflare/cloudflared, metrics/readiness.go)
and four metrics by their names; at SIGTERM no new streams and 30 s for those that run (documentation of
--grace-period), a second signal ends it at once; so long to connect to a service as the edge says
(connectTimeout, 30 s by default). Not imitated: QUIC and HTTP/2, TLS to the edge, SRV look-ups and the second
region, websockets, DNS and private network routes, the pool of connections to HTTP services, logs and
diagnostics. Python's standard library is all it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from localtier.tunnel.arguments import ReadyArguments, UsageError, parse
from localtier.tunnel.ready import ask


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says and return the exit status."""
    try:
        parsed = parse(arguments)
    except UsageError as error:
        sys.stderr.write(f"Incorrect Usage: {error}\n")
        return 1
    if isinstance(parsed, ReadyArguments):
        return 0 if ask(parsed.metrics) else 1
    # Only now: the health check runs every few seconds and needs none of it.
    from localtier.tunnel.connecting import serve

    return serve(parsed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
