"""The API's sidecar: a listener on loopback for each private TCP service, and a page that tells when all listen.

Environment: TUNNEL_ROUTES is ``port=hostname,…``, CHECK_PORT serves ``/ready``; cloudflared itself reads the service
token from TUNNEL_SERVICE_TOKEN_ID and TUNNEL_SERVICE_TOKEN_SECRET. Source: Cloudflare documentation, client-side
cloudflared for arbitrary TCP, read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
RESTART_SECONDS = 1.0
STOP_SECONDS = 5.0
TABLE = Path("/proc/net/tcp")
LISTENING = "0A"
"""The state of a listening socket in /proc/net/tcp. Source: proc(5) and the kernel's tcp_states.h."""

logger = logging.getLogger("tunnel-client")


def read_routes(text: str) -> dict[int, str]:
    """Return the hostname behind each port of ``port=hostname,…``; raises ValueError that names a wrong part."""
    routes: dict[int, str] = {}
    for part in filter(None, text.split(",")):
        port, equals, hostname = part.partition("=")
        if not (equals and hostname and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError(f"TUNNEL_ROUTES: '{part}' is not port=hostname")
        if int(port) in routes:
            raise ValueError(f"TUNNEL_ROUTES: port {port} stands twice")
        routes[int(port)] = hostname
    return routes


def listening_ports(table: str) -> frozenset[int]:
    """Return the ports that something listens on, of the text of /proc/net/tcp.

    To connect instead would open a connection through the tunnel to the service at each check.
    """
    rows = [line.split() for line in table.splitlines()[1:]]
    return frozenset(int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == LISTENING)


async def keep_listening(port: int, hostname: str) -> None:
    """Run cloudflared for one route, and again whenever it ends, until cancelled."""
    while True:
        process = await asyncio.create_subprocess_exec(
            "cloudflared", "access", "tcp", "--hostname", hostname, "--url", f"{LOOPBACK}:{port}"
        )
        try:
            status = await process.wait()
        except asyncio.CancelledError:
            await _stop(process)
            raise
        logger.warning("the listener for %s ended (%d); starting it again", hostname, status)
        await asyncio.sleep(RESTART_SECONDS)


async def _stop(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


async def answer(ports: Iterable[int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one HTTP request: 200 at /ready while every port listens, 503 while one does not, 404 elsewhere."""
    request = (await reader.readline()).split()
    while (await reader.readline()).strip():
        pass
    if len(request) < 2 or request[1].split(b"?")[0] != b"/ready":
        status = "404 Not Found"
    else:
        missing = sorted(set(ports) - listening_ports(TABLE.read_text(encoding="ascii")))
        status = "503 Service Unavailable" if missing else "200 OK"
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    writer.close()


async def run(environment: Mapping[str, str]) -> None:
    """Serve until SIGTERM or SIGINT; raises ValueError for a wrong environment."""
    routes = read_routes(environment.get("TUNNEL_ROUTES", ""))
    check_port = environment.get("CHECK_PORT", "")
    if not check_port.isdecimal():
        raise ValueError(f"CHECK_PORT: '{check_port}' is not a port")
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(routes, reader, writer)

    # Cloud Run's probes come from outside of the container.
    server = await asyncio.start_server(serve, "0.0.0.0", int(check_port))  # noqa: S104
    listeners = [asyncio.create_task(keep_listening(port, hostname)) for port, hostname in routes.items()]
    async with server:
        await stopped.wait()
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)


def main() -> int:
    """Run with the process's environment; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(run(os.environ))
    except ValueError as error:
        logger.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
