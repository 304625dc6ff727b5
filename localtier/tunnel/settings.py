"""What the edge is told by a file: which tokens it takes, where each name leads, and who may pass.

The file is replaced as a whole and holds secrets, so only its owner reads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localtier.tunnel.handshake import CONNECT_TIMEOUT_SECONDS, Directions

if TYPE_CHECKING:
    from dreamseed.planning.services.tunnel import TunnelRoute

LOOPBACK = "127.0.0.1"
HTTP_PORTS = {"llm": 18_080, "metrics": 18_081}
"""Where the edge offers the HTTP routes, which have no port of their own in the plan, by their names."""
STATUS_PORT = 18_099
"""Where the edge tells how it stands."""


@dataclass(frozen=True, kw_only=True)
class EdgeRoute:
    """One private service: `hostname` leads to `service`, and `address`:`local_port` leads to `hostname`.

    `path` is a regular expression that is searched in the path of HTTP requests, null for every path. With the files of
    a `certificate` and its `key` clients speak TLS, as Cloudflare's do who do not come by the API's sidecar.
    """

    name: str
    hostname: str
    service: str
    local_port: int
    path: str | None = None
    address: str = LOOPBACK
    certificate: str | None = None
    key: str | None = None

    @property
    def http(self) -> bool:
        """Tell whether the edge reads the requests; else it passes bytes."""
        return self.service.startswith(("http://", "https://"))


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """The service token that HTTP requests must show in two headers."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """What the edge is told; without `access` everybody passes."""

    tokens: tuple[str, ...]
    routes: tuple[EdgeRoute, ...]
    access: AccessToken | None = None
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS

    @property
    def directions(self) -> Directions:
        """Return what the connectors are told."""
        services = {route.hostname: route.service for route in self.routes}
        return Directions(services=services, connect_timeout_seconds=self.connect_timeout_seconds)


class SettingsError(Exception):
    """The file does not say what the edge needs."""


def edge_routes(routes: Iterable[TunnelRoute]) -> tuple[EdgeRoute, ...]:
    """Return the planned routes with a local port each. Raises SettingsError for an HTTP route without one."""
    return tuple(
        EdgeRoute(
            name=route.name,
            hostname=route.hostname,
            service=route.service,
            local_port=route.local_port if route.local_port is not None else _http_port(route.name),
            path=route.path,
        )
        for route in routes
    )


def write_settings(path: Path, settings: EdgeSettings) -> None:
    """Replace the file at once: a reader sees the old settings or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
    temporary.replace(path)


def read_settings(path: Path) -> EdgeSettings:
    """Return the settings in a file. Raises SettingsError with its place and reason."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        access = content.get("access")
        return EdgeSettings(
            tokens=tuple(str(token) for token in content["tokens"]),
            routes=tuple(EdgeRoute(**route) for route in content["routes"]),
            access=AccessToken(**access) if access else None,
            connect_timeout_seconds=float(content.get("connect_timeout_seconds", CONNECT_TIMEOUT_SECONDS)),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SettingsError(
            f"{path}: {error!r}\n  why: the edge needs tokens, routes and access\n"
            "  write instead: what write_settings makes of EdgeSettings"
        ) from error


def _http_port(name: str) -> int:
    try:
        return HTTP_PORTS[name]
    except KeyError:
        raise SettingsError(
            f"route {name}: no local port\n  why: the edge offers each HTTP route on a fixed one\n"
            "  write instead: a port for it in HTTP_PORTS"
        ) from None
