"""The part of HTTP that the edge reads: the head of a request, who sends it, and where it leads.

A connection carries one request: the answer says so (`Connection: close`), and clients open another one.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from localtier.tunnel.settings import AccessToken, EdgeRoute

MAX_HEAD_BYTES = 64 * 1024
NO_CONNECTOR = 530
"""Cloudflare's status when no connector is there (error 1033). Source: Cloudflare documentation, read 2026-11-24."""
CLIENT_ID = "cf-access-client-id"
CLIENT_SECRET = "cf-access-client-secret"  # noqa: S105 - a header's name
DROPPED = frozenset({"host", "connection", "keep-alive", "proxy-connection", CLIENT_ID, CLIENT_SECRET})


class RefusedError(Exception):
    """The edge answers itself, with `status`."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """The first line and the headers, names as they came."""

    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """Return the header `name` (lower case), empty without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def parse_head(head: bytes) -> RequestHead:
    """Return what a request's head says. Raises RefusedError (400)."""
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    pairs = [line.partition(":") for line in lines]
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or any(not colon or not key for key, colon, _ in pairs):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "not an HTTP/1 request")
    headers = tuple((key.strip(), value.strip()) for key, _, value in pairs)
    return RequestHead(method=words[0], target=words[1], version=words[2], headers=headers)


def check(head: RequestHead, route: EdgeRoute, access: AccessToken | None) -> None:
    """Refuse a request without the service token (401) or to a path that the route does not have (404).

    The path is searched for, not compared: cloudflared matches a rule's path so, as an expression without anchors.
    Sources: cloudflare/cloudflared, ingress/rule.go; Cloudflare API, service_auth_401_redirect, read 2026-11-24.
    """
    if access is not None and not _holds(head, access):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "no service token of Access")
    if route.path is not None and not re.search(route.path, unquote(urlsplit(head.target).path)):
        raise RefusedError(HTTPStatus.NOT_FOUND, "no rule of the tunnel leads there")


def forwarded(head: RequestHead, route: EdgeRoute) -> bytes:
    """Return the head as the service gets it: with the public name, without the service token."""
    lines = [f"{head.method} {head.target} {head.version}", f"Host: {route.hostname}", "Connection: close"]
    lines += [f"{key}: {value}" for key, value in head.headers if key.lower() not in DROPPED]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def refusal(error: RefusedError) -> bytes:
    """Return the edge's own answer."""
    body = f"{error}\n".encode()
    head = f"HTTP/1.1 {error.status} -\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def _holds(head: RequestHead, access: AccessToken) -> bool:
    shown = (head.header(CLIENT_ID), head.header(CLIENT_SECRET))
    asked = (access.client_id, access.client_secret)
    return all(hmac.compare_digest(a.encode(), b.encode()) for a, b in zip(shown, asked, strict=True))
