"""The job that exchanges passwords inside a running shard: PostgreSQL knows one for a role, so it is told first.

It is declared while a password of a role is exchanged, and at no other time. Instances, poolers and the API come after
it. Between it and them new sessions with the previous password are refused; those that stand go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dreamseed.config import StageConfig
from dreamseed.config.keys import KeyName
from dreamseed.planning.container import Container, secret
from dreamseed.planning.keys import generations_of, previous_of
from dreamseed.planning.render import render
from dreamseed.planning.services.postgres_instance import Instance, plan_job, private

SUPERUSER_FILE = "/run/secrets/postgres-superuser"


def roles(config: StageConfig) -> Mapping[KeyName, str]:
    """Return the roles whose passwords the program makes."""
    return {
        KeyName.POSTGRES_SUPERUSER: "postgres",
        KeyName.POSTGRES_REPLICATION: "replicator",
        KeyName.POSTGRES_REWIND: "rewind",
        KeyName.POSTGRES_APPLICATION: config.postgres.database,
        KeyName.POSTGRES_MONITOR: "monitor",
    }


def plan_exchange(config: StageConfig, instances: Sequence[Instance], after: str) -> Container | None:
    """Return the job of the shard that `instances` form, None where no role's password is exchanged."""
    exchanged = {key: role for key, role in roles(config).items() if generations_of(config, key).with_previous}
    if not exchanged:
        return None
    passwords = [SUPERUSER_FILE]
    files = [private(SUPERUSER_FILE, secret(KeyName.POSTGRES_SUPERUSER))]
    if KeyName.POSTGRES_SUPERUSER in exchanged:
        previous = previous_of(KeyName.POSTGRES_SUPERUSER)
        passwords.append(f"/run/secrets/{previous}")
        files.append(private(passwords[-1], secret(previous)))
    statements = "".join(f"alter role {role} password '{secret(key)}';\n" for key, role in exchanged.items())
    job = plan_job(
        config,
        instances,
        "exchange",
        render("postgres-exchange.sh.j2", members=instances, passwords=passwords),
        files=(private("/etc/dreamseed/exchange.sql", statements), *files),
        after=(after,),
    )
    # libpq is told hosts and ports apart.
    return replace(job, hears=tuple(f"{instance.address}:{instance.port}" for instance in instances))
