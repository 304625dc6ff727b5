"""What a key opens on a stage that runs: asked with the one in use, and with the one that it was exchanged for."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType

from dreamseed.config.keys import KeyName
from dreamseed.planning import ports
from dreamseed.planning.services.postgres_exchange import roles
from localtier.checks.site import Site

OK = "200"
Door = Callable[[Site, str], tuple[bool, ...]]
"""Whether each container whose door a key is for takes a secret. Raises `AskFailed` when one does not answer."""


def takes_password(verifier: str, password: str) -> bool:
    """Return whether PostgreSQL, which keeps `verifier` of a role, takes `password` from it.

    Raises ValueError for one that is no SCRAM verifier. Source of the form: PostgreSQL 15 documentation, pg_authid;
    of the keys: RFC 5802, section 3. Passwords here are ASCII, so SASLprep changes none.
    """
    mechanism, parameters, keys = verifier.split("$")
    if mechanism != "SCRAM-SHA-256":
        raise ValueError(f"a verifier of {mechanism}")
    iterations, salt = parameters.split(":")
    stored, _ = (base64.b64decode(key) for key in keys.split(":"))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored)


def _role(key: KeyName) -> Door:
    def opens(site: Site, secret: str) -> tuple[bool, ...]:
        role = roles(site.plan.config)[key]
        statement = f"select rolpassword from pg_authid where rolname = '{role}'"  # noqa: S608 - a role of the plan
        argv = ["psql", "-h", "/run/postgresql", "-U", "postgres", "-Atc", statement]
        return tuple(takes_password(site.exec_text(name, argv).strip(), secret) for name in _instances(site))

    return opens


def _instances(site: Site) -> list[str]:
    return [instance.name for shard in site.plan.topology.shards for instance in shard]


def _cache(site: Site, secret: str) -> tuple[bool, ...]:
    def asked(name: str, port: int) -> str:
        return site.exec_text(name, ["redis-cli", "-p", str(port), "ping"], {"REDISCLI_AUTH": secret})

    return tuple("PONG" in asked(node.name, node.port) for node in site.plan.topology.redis)


def _engines(site: Site, secret: str) -> tuple[bool, ...]:
    ask = (
        f'curl -s -m 10 -o /dev/null -w "%{{http_code}}" -H "Authorization: Bearer $KEY" http://127.0.0.1:{ports.VLLM}'
    )
    engines = (engine.name for engine in site.services("vllm"))
    return tuple(site.exec_text(name, ["sh", "-c", f"{ask}/v1/models"], {"KEY": secret}) == OK for name in engines)


def _patroni(site: Site, secret: str) -> tuple[bool, ...]:
    """Remove a setting of Patroni's that is not there: an empty change would be refused with 400 for any password."""
    ask = (
        'printf \'user = "patroni:%s"\\n\' "$KEY" | curl -s -m 10 -o /dev/null -w "%{http_code}" -K - '
        f"-X PATCH --data '{{\"dreamseed\": null}}' http://127.0.0.1:{ports.PATRONI}/config"
    )
    return tuple(site.exec_text(name, ["sh", "-c", ask], {"KEY": secret}) == OK for name in _instances(site))


DOORS: Mapping[KeyName, Door] = MappingProxyType(
    {
        KeyName.REDIS: _cache,
        KeyName.VLLM_API_KEY: _engines,
        KeyName.PATRONI_API: _patroni,
        **{
            key: _role(key)
            for key in (
                KeyName.POSTGRES_APPLICATION,
                KeyName.POSTGRES_MONITOR,
                KeyName.POSTGRES_SUPERUSER,
                KeyName.POSTGRES_REPLICATION,
                KeyName.POSTGRES_REWIND,
            )
        },
    }
)
"""The doors that can be asked here; the tunnel's are Cloudflare's, and so not here."""
