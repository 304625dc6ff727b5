"""One PostgreSQL instance: where it stands and what part it has."""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.planning import ports
from dreamseed.planning.hosts import Placed

POSTGRES_UID = 999
"""User of the official PostgreSQL image, which ours is built from. Source: docker-library/postgres Dockerfile."""


@dataclass(frozen=True, kw_only=True)
class Instance(Placed):
    """One PostgreSQL instance of a shard. `asynchronous` ones neither confirm commits nor become primary."""

    shard: int
    asynchronous: bool

    @property
    def port(self) -> int:
        """Return the published PostgreSQL port."""
        return ports.postgres(self.shard, self.number)

    @property
    def check_port(self) -> int:
        """Return the published port of Patroni's REST interface."""
        return ports.patroni(self.shard, self.number)
