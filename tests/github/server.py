"""GitHub's interface for comments as a real server on loopback: pages, Link headers, refusals, answers that get lost.

Semantics: https://docs.github.com/en/rest/issues/comments and
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api (read 2026-11-26). It lets a token
edit everyone's comments, as GitHub does where the token may write: whose comment is edited is the client's care.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_theTokenOfTheTests"
VIEWER = "github-actions[bot]"
LIST = "/repos/dreamseedai/infrastructure/issues/7/comments"
PAGES = "/repositories/1/issues/7/comments"


@dataclass(frozen=True)
class Fault:
    """One request goes wrong: refused with `status`, or its answer lost, `done` telling whether it was acted on."""

    method: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: Any = field(default_factory=lambda: {"message": "a fault of the test"})
    done: bool = False


class FakeGitHub:
    """The comments of pull request 7, who asks, and what was asked."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.most_per_page = 100
        self.viewer: Any = {"data": {"viewer": {"login": VIEWER}}}
        self.next_page: str | None = None
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str]] = []
        self.headers: list[Mapping[str, str]] = []
        self.silent = threading.Event()
        self.url = ""

    def write(self, body: str | None, login: str | None = VIEWER) -> int:
        """Add a comment; return its number."""
        number = 100 + len(self.comments)
        address = f"https://github.example/dreamseedai/infrastructure/pull/7#issuecomment-{number}"
        user = None if login is None else {"login": login, "type": "User"}
        self.comments.append({"id": number, "html_url": address, "body": body, "user": user})
        return number

    def bodies(self) -> list[str | None]:
        return [each["body"] for each in self.comments]

    def writes(self) -> list[str]:
        """The methods of what was asked that changes comments."""
        return [method for method, path in self.asked if method != "GET" and not path.endswith("/graphql")]

    def fault(self, method: str) -> Fault | None:
        found = next((each for each in self.faults if each.method == method), None)
        if found is not None:
            self.faults.remove(found)
        return found

    def act(self, method: str, target: str, content: Mapping[str, str]) -> tuple[int, Any, Mapping[str, str]]:
        parts = urlsplit(target)
        edited = re.fullmatch(r"/repos/dreamseedai/infrastructure/issues/comments/(\d+)", parts.path)
        if (method, parts.path) == ("POST", "/graphql"):
            return 200, self.viewer, {}
        if method == "GET" and parts.path in (LIST, PAGES):
            return self._page(parse_qs(parts.query))
        if (method, parts.path) == ("POST", LIST):
            self.write(content["body"])
            return 201, self.comments[-1], {}
        if method == "PATCH" and edited:
            comment = next(each for each in self.comments if each["id"] == int(edited[1]))
            comment["body"] = content["body"]
            return 200, comment, {}
        return 404, {"message": "Not Found"}, {}

    def _page(self, query: Mapping[str, list[str]]) -> tuple[int, Any, Mapping[str, str]]:
        size = min(int(query.get("per_page", ["30"])[0]), self.most_per_page)
        page = int(query.get("page", ["1"])[0])
        shown = self.comments[(page - 1) * size : page * size]
        links = [f'<{self.url}{PAGES}?per_page={size}&page=1>; rel="first"']
        if page * size < len(self.comments):
            following = self.next_page or f"{self.url}{PAGES}?per_page={size}&page={page + 1}"
            links.insert(0, f'<{following}>; rel="next"')
        return 200, shown, {"Link": ", ".join(links)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: FakeGitHub

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        content = json.loads(self.rfile.read(length)) if length else {}
        github, method = self.github, self.command
        github.asked.append((method, self.path))
        github.headers.append(dict(self.headers))
        if github.silent.is_set():
            self.close_connection = True
            self.rfile.read(1)  # returns when the client gives up
            return
        fault = None if self.path.endswith("/graphql") and method == "POST" else github.fault(method)
        if fault is None:
            self._answer(*github.act(method, self.path, content))
        elif fault.status is not None:
            self._answer(fault.status, fault.answer, fault.headers)
        else:
            if fault.done:
                github.act(method, self.path, content)
            self.close_connection = True

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the names that the base class looks for

    def _answer(self, status: int, answer: Any, headers: Mapping[str, str]) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: tests read `asked`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @classmethod
    def of(cls, github: FakeGitHub) -> Self:
        return cls(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": github}))


@contextmanager
def serving() -> Iterator[FakeGitHub]:
    """A GitHub with an empty pull request 7, on a free port of loopback."""
    github = FakeGitHub()
    server = _Server.of(github)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
