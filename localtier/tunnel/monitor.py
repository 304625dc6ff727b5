"""What a connector says about itself over HTTP: /ready and /metrics, by cloudflared's names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

REQUEST_SECONDS = 5.0
TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
"""Without it Prometheus 3 takes no scrape. Source: Prometheus documentation, content negotiation."""


@dataclass
class Figures:
    """What is counted. Names of the metrics: cloudflare/cloudflared, proxy/metrics.go and connection/metrics.go."""

    connections: int = 0
    total_requests: int = 0
    request_errors: int = 0
    concurrent_requests: int = 0


def metrics_text(figures: Figures) -> str:
    """Return the figures in Prometheus' text format."""
    rows = (
        ("cloudflared_tunnel_ha_connections", "gauge", figures.connections),
        ("cloudflared_tunnel_total_requests", "counter", figures.total_requests),
        ("cloudflared_tunnel_request_errors", "counter", figures.request_errors),
        ("cloudflared_tunnel_concurrent_requests_per_tunnel", "gauge", figures.concurrent_requests),
    )
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in rows)


def ready_text(figures: Figures, connector: str) -> tuple[int, str]:
    """Return status and text of /ready: 200 while at least one connection stands, else 503."""
    status = 200 if figures.connections else 503
    body = {"status": status, "readyConnections": figures.connections, "connectorId": connector}
    return status, json.dumps(body)


async def serve_text(address: tuple[str, int], answer: Callable[[str], tuple[int, str]]) -> asyncio.Server:
    """Serve what `answer` returns for a path: a status and a text."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, text = answer(head.split(" ")[1])
                body = text.encode()
                writer.write(
                    f"HTTP/1.1 {status} -\r\nContent-Type: {TEXT_FORMAT}\r\nContent-Length: {len(body)}\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                writer.write(body)
                await writer.drain()
        writer.close()

    return await asyncio.start_server(handle, *address)
