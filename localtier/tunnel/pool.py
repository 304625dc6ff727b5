"""The connectors that the edge has, and which of their connections gets the next stream."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from localtier.tunnel.handshake import Caller
from localtier.tunnel.link import Link, LinkLostError
from localtier.tunnel.stream import Stream


class NoConnectorError(ConnectionError):
    """No connector is there to take a stream."""


@dataclass
class Pool:
    """The connections in order of their turn."""

    members: deque[tuple[Caller, Link]] = field(default_factory=deque)

    def add(self, caller: Caller, link: Link) -> None:
        """Take in a connection; an older one of the same number gives way, its connector called again."""
        for known, old in list(self.members):
            if known == caller:
                old.draining = True
        self.members.appendleft((caller, link))

    def remove(self, link: Link) -> None:
        """Drop a connection that ended."""
        self.members = deque(member for member in self.members if member[1] is not link)

    async def open(self, hostname: str) -> Stream:
        """Return a stream to `hostname` over the connection whose turn it is.

        A connection that is lost or drains before the stream stands gives way to the next one. That the service
        refuses is final, as at Cloudflare, whose connector answers 502 then. Raises NoConnectorError,
        TargetRefusedError.
        """
        tried: set[int] = set()
        while (link := self._next(tried)) is not None:
            tried.add(id(link))
            try:
                return await link.open(hostname)
            except LinkLostError:
                continue
        raise NoConnectorError("no connector takes a stream")

    def tell(self, frame_payload: bytes) -> None:
        """Tell every connector where each name leads now."""
        for _, link in self.members:
            link.configure(frame_payload)

    def status(self) -> list[dict[str, Any]]:
        """Return each connection's connector, number, streams, and whether it drains."""
        return [
            {
                "connector": caller.connector,
                "connection": caller.connection,
                "streams": link.stream_count,
                "draining": link.draining,
            }
            for caller, link in sorted(self.members, key=lambda member: (member[0].connector, member[0].connection))
        ]

    def _next(self, tried: set[int]) -> Link | None:
        for _ in range(len(self.members)):
            link = self.members[0][1]
            self.members.rotate(-1)
            if not link.lost and not link.draining and id(link) not in tried:
                return link
        return None
