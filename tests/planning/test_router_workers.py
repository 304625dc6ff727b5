"""The routers' way to the spot workers, on a real HAProxy: a stand-in for Cloudflare, and engines that only answer."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from autoscaler.agent import Agent
from autoscaler.records import Phase, State, Worker
from autoscaler.store import Store
from localtier.certificates import ensure_ca, issue
from tests.autoscaler.test_daemon import BUSY
from tests.autoscaler.test_daemon import World as Daemons
from tests.planning.stages import shipped
from tests.planning.test_services_vllm import router
from tests.ports import free_port

HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
NAME = "llm-burst-private.dreamseed.example"
NO_CONNECTOR = 530
"""What Cloudflare answers for a tunnel without a connector."""
pytestmark = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed here (Debian: haproxy)")
within_two_minutes = retry(
    retry=retry_if_exception_type((AssertionError, httpx.HTTPError)),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(120),
    reraise=True,
)


@dataclass
class Answering:
    """An HTTP server that answers everything with `status`, and what it was asked."""

    status: int = 200
    seen: list[dict[str, str]] = field(default_factory=list)

    def start(self, stack: ExitStack, context: ssl.SSLContext | None = None) -> int:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path != "/health":
                    outer.seen.append({key.lower(): value for key, value in self.headers.items()})
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.send_header("Set-Cookie", "CF_Authorization=x")
                self.end_headers()

            do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        return int(server.server_address[1])


@dataclass
class World:
    """A router in front of two engines and of what Cloudflare answers, with the daemon's agent."""

    port: int
    stats: int
    engines: tuple[Answering, Answering]
    cloudflare: Answering
    agent: Agent

    def serves(self, workers: int) -> None:
        self.agent.tell(
            State(
                workers=tuple(
                    Worker(
                        name=f"w-{number}",
                        zone="z",
                        requested_at=0,
                        asked_at=0,
                        expires_at=1,
                        usd_per_hour=1,
                        phase=Phase.SERVING,
                    )
                    for number in range(workers)
                )
            )
        )

    def ask(self, times: int) -> Counter[int]:
        url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        with httpx.Client(trust_env=False, timeout=30) as client:
            return Counter(client.post(url, json={}).status_code for _ in range(times))

    def server(self, metric: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{self.stats}/metrics", trust_env=False).text
        wanted = f'haproxy_server_{metric}{{proxy="engines",server="spot-workers"'
        found = [line for line in text.splitlines() if line.startswith(wanted)]
        up = [line for line in found if 'state="' not in line or 'state="UP"' in line]
        return float(up[0].rsplit(" ", 1)[1])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("router")
    ca = ensure_ca(folder / "ca")
    files = issue(ca, [NAME], [], folder / "edge")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with ExitStack() as stack:
        engines, cloudflare, agent = (Answering(), Answering()), Answering(NO_CONNECTOR), Agent(0, max_workers=2)
        port, stats, inner = free_port(), free_port(), free_port()
        edge = cloudflare.start(stack, context)
        made = World(port, stats, engines, cloudflare, agent)
        made.serves(0)
        stack.callback(agent.close)
        changes = {
            "⟦tunnel-client-id⟧": "the-id",
            "⟦tunnel-client-secret⟧": "the-secret",
            f"{NAME}:443 resolvers outside init-addr none": f"127.0.0.1:{edge}",
            "@system-ca": str(ca.certificate),
            "agent-addr 10.20.0.11 agent-port 9511 agent-inter 5s": f"agent-addr 127.0.0.1 agent-port {agent.port} "
            "agent-inter 1s",
            "inter 10s fastinter 2s": "inter 1s fastinter 500ms",
            "slowstart 10s": "slowstart 1s",
            "bind *:8080": f"bind 127.0.0.1:{port}",
            "bind *:8404": f"bind 127.0.0.1:{stats}",
            "127.0.0.1:8081": f"127.0.0.1:{inner}",
            "10.20.0.11:8001": f"127.0.0.1:{engines[0].start(stack)}",
            "10.20.0.11:8002": f"127.0.0.1:{engines[1].start(stack)}",
        }
        text = router(shipped("stage-c"))
        for before, after in changes.items():
            assert before in text, before
            text = text.replace(before, after)
        (folder / "haproxy.cfg").write_text(text, encoding="utf-8")
        process = stack.enter_context(subprocess.Popen([str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")]))
        stack.callback(process.terminate)
        yield made


@pytest.fixture
def nobody(world: World) -> World:
    """The world when no worker is there, which the router knows."""
    world.cloudflare.status = NO_CONNECTOR
    world.serves(0)
    _away(world)
    for one in (*world.engines, world.cloudflare):
        one.seen.clear()
    return world


@within_two_minutes
def _away(world: World) -> None:
    assert world.server("status") == 0


@within_two_minutes
def _there(world: World, weight: int) -> None:
    assert world.server("status") == 1
    assert world.server("weight") == weight


def test_without_a_worker_nothing_goes_there(nobody: World) -> None:
    assert nobody.ask(20) == {200: 20}
    assert not nobody.cloudflare.seen
    assert sum(len(engine.seen) for engine in nobody.engines) == 20


def test_a_worker_gets_its_share_with_the_token_that_no_engine_sees(nobody: World) -> None:
    nobody.cloudflare.status = 200
    nobody.serves(2)
    _there(nobody, weight=16)
    assert nobody.ask(200) == {200: 200}
    assert nobody.cloudflare.seen
    for headers in nobody.cloudflare.seen:
        assert headers["host"] == NAME
        assert (headers["cf-access-client-id"], headers["cf-access-client-secret"]) == ("the-id", "the-secret")
    for engine in nobody.engines:
        assert engine.seen
        assert not [headers for headers in engine.seen if "cf-access-client-secret" in headers]


def test_one_of_two_workers_has_half_the_weight_and_one_that_drains_none(nobody: World) -> None:
    nobody.cloudflare.status = 200
    nobody.serves(1)
    _there(nobody, weight=8)
    nobody.serves(0)
    _drained(nobody)
    nobody.cloudflare.seen.clear()
    assert nobody.ask(50) == {200: 50}
    assert not nobody.cloudflare.seen


@within_two_minutes
def _drained(world: World) -> None:
    assert world.server("weight") == 0


@pytest.mark.parametrize("status", [500, 502, 503, 504, NO_CONNECTOR])
def test_a_worker_that_goes_without_a_word_costs_no_request(nobody: World, status: int) -> None:
    nobody.cloudflare.status = 200
    nobody.serves(2)
    _there(nobody, weight=16)
    nobody.cloudflare.status = status
    assert nobody.ask(100) == {200: 100}


def test_a_worker_whose_tunnel_is_gone_costs_no_request_while_the_agent_still_counts_it(nobody: World) -> None:
    nobody.cloudflare.status = 200
    nobody.serves(2)
    _there(nobody, weight=16)
    nobody.cloudflare.status = NO_CONNECTOR
    _away(nobody)
    nobody.cloudflare.seen.clear()
    assert nobody.ask(50) == {200: 50}
    assert not nobody.cloudflare.seen


def test_the_daemon_brings_a_worker_for_a_surge_and_takes_it_away_after_it_and_no_request_is_lost(
    nobody: World, tmp_path: Path
) -> None:
    Store(tmp_path).begin()
    daemon = Daemons(tmp_path, signals=dict(BUSY))

    def turns(count: int) -> set[Phase]:
        daemon.stopping.clear()
        daemon.turns, daemon.last_turn = 0, count
        made = daemon.daemon()
        made.agent = nobody.agent
        made.run(0.0)
        workers = Store(tmp_path).peek().workers
        # The name answers while the connector of a worker that serves is there.
        serving = [one for one in daemon.compute.machines if one.report(daemon.now) == "serving"]
        nobody.cloudflare.status = 200 if serving else NO_CONNECTOR
        return {one.phase for one in workers}

    assert turns(6) == {Phase.SERVING}
    _there(nobody, weight=8)
    assert nobody.ask(200) == {200: 200}
    assert nobody.cloudflare.seen
    daemon.signals |= {"kv_cache_usage": "0.05", "running": "1", "waiting": "0", "first_token_seconds": "0.2"}
    for _ in range(200):
        if turns(1) != {Phase.SERVING}:
            break
    assert turns(1) <= {Phase.DRAINING, Phase.DELETING}
    _drained(nobody)
    nobody.cloudflare.seen.clear()
    assert nobody.ask(50) == {200: 50}
    assert not nobody.cloudflare.seen
    assert turns(40) == set()
    _away(nobody)
    assert nobody.ask(50) == {200: 50}
