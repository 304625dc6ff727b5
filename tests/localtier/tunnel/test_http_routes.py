"""Requests through the edge: which pass, what the service sees of them, and what a client sees of a fault."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from localtier.certificates import ensure_ca, issue
from localtier.tunnel.http_request import RefusedError, check, parse_head
from localtier.tunnel.settings import AccessToken, EdgeRoute
from localtier.tunnel.stream import reset_socket
from tests.localtier.tunnel.tier import Tier, tier
from tests.ports import free_port

ACCESS = AccessToken(client_id="id.access", client_secret="open sesame")
SHOWN = "CF-Access-Client-Id: id.access\r\nCF-Access-Client-Secret: open sesame\r\n"


async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the head as it came, and the body."""
    head = await reader.readuntil(b"\r\n\r\n")
    body = head + await reader.readexactly(5 if b"Content-Length: 5" in head else 0)
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()
    writer.close()


async def ask(made: Tier, target: str, headers: str = "", method: str = "GET", body: str = "") -> tuple[int, str]:
    reader, writer = await made.client()
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n{body}".encode())
    answer = (await asyncio.wait_for(reader.read(-1), 20)).decode()
    writer.close()
    return int(answer.split(" ")[1]), answer.partition("\r\n\r\n")[2]


def test_a_request_reaches_the_service_under_its_public_name_and_without_the_service_token() -> None:
    async def run() -> tuple[int, str]:
        async with tier(mirror, scheme="http", access=ACCESS) as made:
            return await ask(made, "/v1/x?y=1", SHOWN + "Content-Length: 5\r\nX-Own: 1\r\n", "POST", "hello")

    status, seen = asyncio.run(run())
    assert status == 200
    head, _, body = seen.partition("\r\n\r\n")
    assert head.split("\r\n") == [
        "POST /v1/x?y=1 HTTP/1.1",
        "Host: one.example",
        "Connection: close",
        "Content-Length: 5",
        "X-Own: 1",
    ]
    assert body == "hello"


@pytest.mark.parametrize("headers", ["", SHOWN.replace("sesame", "sesam"), SHOWN.replace("id.access", "")])
def test_who_does_not_show_the_service_token_gets_401_and_the_service_sees_nothing(headers: str) -> None:
    async def run() -> tuple[int, int]:
        async with tier(mirror, scheme="http", access=ACCESS) as made:
            status, _ = await ask(made, "/", headers)
            return status, made.connectors[0].figures.total_requests

    assert asyncio.run(run()) == (401, 0)


def test_a_path_that_the_route_does_not_have_gets_404_and_the_service_sees_nothing() -> None:
    async def run() -> tuple[list[int], int]:
        async with tier(mirror, scheme="http", path="/api/v1/otlp/v1/metrics") as made:
            paths = ("/api/v1/query", "/", "/api/v1/otlp/v1/metric", "/api/v1/otlp/v1/metrics")
            return [(await ask(made, path))[0] for path in paths], made.connectors[0].figures.total_requests

    assert asyncio.run(run()) == ([404, 404, 404, 200], 1)


@pytest.mark.parametrize(
    ("path", "target", "passes"),
    [
        ("/metrics", "/metrics?x=1", True),
        ("/metrics", "/other?x=/metrics", False),
        ("/metrics", "/%6detrics", True),
        ("/metrics", "/below/metrics-too", True),
        ("^/metrics$", "/below/metrics-too", False),
    ],
)
def test_a_path_is_matched_as_cloudflared_does(path: str, target: str, passes: bool) -> None:
    route = EdgeRoute(name="m", hostname="m.example", service="http://m:1", local_port=1, path=path)
    head = parse_head(f"GET {target} HTTP/1.1\r\nHost: m\r\n\r\n".encode())
    if passes:
        check(head, route, None)
    else:
        with pytest.raises(RefusedError, match="no rule"):
            check(head, route, None)


def test_what_is_no_request_gets_400() -> None:
    async def run() -> int:
        async with tier(mirror, scheme="http") as made:
            return (await ask(made, "/ with spaces"))[0]

    assert asyncio.run(run()) == 400


def test_without_a_connector_the_client_gets_530() -> None:
    async def run() -> tuple[int, str]:
        async with tier(mirror, connectors=0, scheme="http") as made:
            return await ask(made, "/")

    assert asyncio.run(run()) == (530, "error code: 1033\n")


def test_a_service_that_breaks_before_its_answer_is_a_bad_gateway() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reset_socket(writer)

    async def run() -> int:
        async with tier(breaks, scheme="http") as made:
            return (await ask(made, "/"))[0]

    assert asyncio.run(run()) == 502


def test_an_answer_that_is_cut_is_never_taken_for_a_whole_one() -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await asyncio.sleep(60)

    async def run() -> None:
        async with tier(half, scheme="http") as made:
            reader, writer = await made.client()
            writer.write(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert (await reader.readuntil(b"half")).endswith(b"half")
            await made.kill(made.connectors[0])
            with pytest.raises(ConnectionResetError):
                await reader.read(1)

    asyncio.run(run())


def test_a_route_with_a_certificate_is_offered_over_tls_at_its_own_address(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path / "ca")
    files = issue(ca, ["one.example"], [], tmp_path / "edge")
    trusting = ssl.create_default_context(cafile=str(ca.certificate))

    async def run() -> tuple[str, int]:
        async with tier(mirror, scheme="http", access=ACCESS) as made:
            public = replace(
                made.route,
                address="127.0.0.2",
                local_port=free_port(),
                certificate=str(files.certificate),
                key=str(files.key),
            )
            await made.change(public)
            reader, writer = await asyncio.open_connection(
                "127.0.0.2", public.local_port, ssl=trusting, server_hostname="one.example"
            )
            writer.write(f"GET /health HTTP/1.1\r\nHost: one.example\r\n{SHOWN}\r\n".encode())
            answer = (await asyncio.wait_for(reader.read(-1), 20)).decode()
            writer.close()
            return answer, made.connectors[0].figures.total_requests

    answer, requests = asyncio.run(run())
    assert answer.startswith("HTTP/1.1 200")
    assert "GET /health" in answer
    assert requests == 1
