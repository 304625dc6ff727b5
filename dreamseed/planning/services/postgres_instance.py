"""One PostgreSQL instance, where it stands and what part it has; and what the jobs of a shard share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, NetworkName
from dreamseed.planning.hosts import Placed

COMPONENT = "postgres"
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


def private(path: str, text: str) -> File:
    """Return a file that PostgreSQL's user alone reads."""
    return File(path=path, text=text, owner=POSTGRES_UID, mode="0400")


def plan_job(
    config: StageConfig,
    instances: Sequence[Instance],
    name: str,
    script: str,
    *,
    files: Sequence[File],
    after: Sequence[str],
) -> Container:
    """Return the job `name` of the shard that `instances` form: `script` with `files`, run once `after` others."""
    shard = instances[0].shard
    return Container(
        name=f"pg-{shard}-{name}",
        component=COMPONENT,
        service=f"{name}-{shard}",
        host=instances[0].host.name,
        image=config.postgres.image,
        networks=(NetworkName.DATA,),
        memory_mib=128,
        cpu_cores=0.05,
        user=str(POSTGRES_UID),
        entrypoint=("/bin/sh", "/etc/dreamseed/job.sh"),
        files=(File(path="/etc/dreamseed/job.sh", text=script), *files),
        job=True,
        after=tuple(after),
    )
