"""Small stand-ins of the services on loopback, each with the faults that a test asks for."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from redis.crc import key_slot


@contextmanager
def served(handler: Callable[[Any], None], count: int = 1) -> Iterator[list[int]]:
    """Serve `handler` (given the socket's request handler) on `count` ports."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            handler(self)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: clients break off on purpose."""

    servers = [Server(("127.0.0.1", 0), Handler) for _ in range(count)]
    for server in servers:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield [int(server.server_address[1]) for server in servers]
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


class RedisCluster:
    """Nodes that announce addresses of another network and share the slots; `stored` by port."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.ports: list[int] = []
        self.stored: dict[str, str] = {}
        self.refuse_writes = False
        self.misplaced = 0

    def handle(self, connection: Any) -> None:
        own = connection.server.server_address[1]
        authenticated = False
        while words := self._command(connection.rfile):
            name = words[0].upper()
            if name == "AUTH":
                authenticated = words[-1] == self.password
                answer = "+OK\r\n" if authenticated else "-WRONGPASS invalid\r\n"
            elif not authenticated:
                answer = "-NOAUTH Authentication required.\r\n"
            else:
                answer = self._answer(name, words, own)
            connection.wfile.write(answer.encode())

    @staticmethod
    def _command(lines: Any) -> list[str]:
        first = lines.readline()
        if not first:
            return []
        words = []
        for _ in range(int(first[1:])):
            size = int(lines.readline()[1:])
            words.append(lines.read(size + 2)[:-2].decode())
        return words

    def _answer(self, name: str, words: list[str], own: int) -> str:
        if name == "CLUSTER":
            return self._slots()
        if name in ("GET", "SET", "MGET"):
            at = key_slot(words[1].encode()) * len(self.ports) // 16_384
            self.misplaced += self.ports[at] != own
        if name == "SET":
            if self.refuse_writes:
                return "-READONLY You can't write against a read only replica.\r\n"
            self.stored[words[1]] = words[2]
            return "+OK\r\n"
        if name == "GET":
            return bulk(self.stored.get(words[1]))
        if name == "MGET":
            return f"*{len(words) - 1}\r\n" + "".join(bulk(self.stored.get(key)) for key in words[1:])
        return COMMANDS if name == "COMMAND" else "+OK\r\n"

    def _slots(self) -> str:
        rows = ""
        for index, port in enumerate(self.ports):
            first = -(-16_384 * index // len(self.ports))
            last = -(-16_384 * (index + 1) // len(self.ports)) - 1
            rows += f"*3\r\n:{first}\r\n:{last}\r\n*3\r\n{bulk('10.20.0.11')}:{port}\r\n{bulk(f'{port:040d}')}"
        return f"*{len(self.ports)}\r\n{rows}"


def bulk(text: str | None) -> str:
    return "$-1\r\n" if text is None else f"${len(text)}\r\n{text}\r\n"


def described(name: str, last_key: int) -> str:
    return f"*6\r\n{bulk(name)}:-2\r\n*0\r\n:1\r\n:{last_key}\r\n:1\r\n"


COMMANDS = "*3\r\n" + described("get", 1) + described("set", 1) + described("mget", -1)


class Model:
    """Answers chat completions by a script: the name of what each request gets, the last one for all further."""

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self._lock = threading.Lock()

    def handle(self, connection: Any) -> None:
        headers = {}
        connection.rfile.readline()
        while line := connection.rfile.readline().decode().strip():
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        request = json.loads(connection.rfile.read(int(headers["content-length"])))
        with self._lock:
            self.requests.append(request)
            self.authorizations.append(headers.get("authorization", ""))
            step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        connection.wfile.write(self._answer(step, request["stream"]))

    @staticmethod
    def _answer(step: str, stream: bool) -> bytes:
        if step.isdigit():
            return f"HTTP/1.1 {step} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        if step == "reset":
            return b""
        if not stream:
            reason = "null" if step == "unfinished" else '"stop"'
            body = f'{{"choices": [{{"finish_reason": {reason}}}]}}'
            size = len(body) + (10 if step == "cut" else 0)
            return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}".encode()
        lines = 'data: {"choices": []}\n\n' * 3 + ("" if step in ("cut", "unfinished") else "data: [DONE]\n\n")
        return f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{lines}".encode()
