"""The scheduled load of Cloud SQL, by the stage's own script, into a PostgreSQL held to what Cloud SQL allows.

Imitated: the service's user is no superuser, may neither replicate nor bypass row security, and only creates roles and
databases; the superuser is another, whom no password lets in; settings are PostgreSQL's own, as the plan sets no flag.
Not imitated: Google's patches, its list of extensions, its flags' bounds, TLS, and the instance's start and stop, which
are only noted. Sources: Google's documentation of PostgreSQL users in Cloud SQL (cloudsqlsuperuser); docs/surprises.md,
section 2.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from dreamseed.planning.secrets import GeneratedSecret
from localtier.drills.database import Database
from localtier.drills.drill import Settings, Tell, begin
from localtier.drills.sandbox import Sandbox, listening, run, wait_for
from localtier.drills.server import PATH, DrillError, Server
from localtier.drills.writer import TABLE, Writer

TARGET_ADDRESS = "127.0.0.2"
ADMINISTRATOR = "cloudsqladmin"
WRITE_SECONDS = 4.0
START_SECONDS = 60.0
TOOLS, ASKED = "/tmp/tools", "/tmp/asked"  # noqa: S108 - of the drill's own server, in memory
API = """#!/bin/sh
# In curl's place: an access token, and a note of how the instance is told to be.
case "$*" in *metadata.google*) echo '{"access_token":"none"}' ;; *activationPolicy*) echo "$*" >> /tmp/asked ;; esac
"""
LOSSY = """#!/bin/sh
# In pg_restore's place: all is restored, then one row is lost without a word.
/usr/lib/postgresql/17/bin/pg_restore "$@" || exit
psql --host "$TARGET_HOST" --username postgres --dbname dreamseed_incoming --quiet \\
  --command "DELETE FROM drill_rows WHERE id = (SELECT max(id) FROM drill_rows)"
"""
"""Each stands in a folder that the script's path names first."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One load: what was tried, whether it was taken, the copy's rows afterwards, and how the instance was left."""

    what: str
    taken: bool
    expected_taken: bool
    rows: int
    told_by: str
    left_stopped: bool
    seconds: float

    @property
    def passed(self) -> bool:
        """Tell whether a whole copy was taken and a lossy one refused, and the instance is stopped."""
        return self.taken is self.expected_taken and self.left_stopped


@dataclass(kw_only=True)
class Target:
    """A PostgreSQL with what Cloud SQL gives its users."""

    sandbox: Sandbox
    server: Server
    password: str = field(default_factory=lambda: secrets.token_hex(16))

    def create(self) -> None:
        """Make it, with the user `postgres` held as Cloud SQL holds it, and start it at an address of its own."""
        run("ip", "address", "replace", f"{TARGET_ADDRESS}/32", "dev", "lo")
        data = "/var/lib/postgresql/data/pg"
        self.server.must("initdb", "-D", data, "-U", ADMINISTRATOR, "--encoding=UTF8")
        doors = (
            f"local all {ADMINISTRATOR} trust\nhost all {ADMINISTRATOR} all reject\nhost all all all scram-sha-256\n"
        )
        self.server.write(f"{data}/pg_hba.conf", doors, 0o600)
        words = ("-c", f"listen_addresses={TARGET_ADDRESS}", "-c", "unix_socket_directories=/run/postgresql")
        self.server.start("postgres", "-D", data, *words, log="target.log")
        wait_for("the target's PostgreSQL", lambda: listening(TARGET_ADDRESS, 5432), START_SECONDS)
        role = "NOSUPERUSER NOREPLICATION NOBYPASSRLS CREATEDB CREATEROLE"
        self._administer(f"CREATE ROLE cloudsqlsuperuser NOLOGIN {role}")
        self._administer(f"CREATE ROLE postgres LOGIN {role} IN ROLE cloudsqlsuperuser PASSWORD '{self.password}'")
        self._administer("ALTER DATABASE postgres OWNER TO cloudsqlsuperuser")

    def _administer(self, statement: str) -> None:
        self.server.must("psql", "-qX", "-h", "/run/postgresql", "-U", ADMINISTRATOR, "-d", "postgres", "-c", statement)

    def value(self, query: str, database: str) -> Any:
        """Return the one value of a query of the service's user."""
        with psycopg.connect(
            host=TARGET_ADDRESS,
            user="postgres",
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        ) as connection:
            row = connection.execute(query).fetchone()
        return row[0] if row else None


def run_load(sandbox: Sandbox, settings: Settings, tell: Tell) -> tuple[Loaded, ...]:
    """Load while clients write, load again, then by a restore that loses a row; return what became of each."""
    recovery = sandbox.plan.recovery
    if recovery is None or recovery.source.local_port is None:
        raise DrillError(f"{sandbox.plan.name} has no Cloud SQL to load")
    # Where the sidecar of the job's container lets the source appear.
    source = begin(sandbox, settings, tell, recovery.source.local_port)
    service = _service(source)
    target = Target(sandbox=sandbox, server=sandbox.server("cloud-sql"))
    target.create()
    writer = Writer(database=service, seed=settings.seed, rows_per_second=settings.rows_per_second)
    writer.start()
    found = []
    for what, lossy in (("a first load", False), ("a load beside a copy", False), ("a restore that loses a row", True)):
        time.sleep(WRITE_SECONDS)
        found.append(_load(recovery.refresh_script, service, target, what, lossy=lossy))
        tell(f"{what}: {'taken' if found[-1].taken else 'refused'}, {found[-1].rows:,} rows; {found[-1].told_by}")
    writer.stop()
    return tuple(found)


def _service(source: Database) -> Database:
    """Make the service's own database and user; return the database as that user writes to it."""
    name = source.sandbox.plan.config.postgres.database
    password = source.sandbox.secrets[GeneratedSecret.POSTGRES_APPLICATION]
    source.rows(f"create role {name} login password '{password}'")
    source.rows(f"create database {name} owner {name}")
    return replace(source, user=name, password=GeneratedSecret.POSTGRES_APPLICATION, name=name)


def _load(script: str, service: Database, target: Target, what: str, *, lossy: bool) -> Loaded:
    """Run the stage's script as its job does, and look at what is there afterwards."""
    server, tools = service.server, {"curl": API} | ({"pg_restore": LOSSY} if lossy else {})
    server.must("sh", "-c", f"rm -rf {TOOLS} {ASKED} && mkdir {TOOLS}")
    for name, text in tools.items():
        server.write(f"{TOOLS}/{name}", text, 0o500)
    server.write(f"{TOOLS}/load.sh", script)
    variables = {
        "PATH": f"{TOOLS}:{PATH}",
        "INSTANCE": "drill",
        "TARGET_HOST": TARGET_ADDRESS,
        "SOURCE_PASSWORD": service.sandbox.secrets[service.password],
        "TARGET_PASSWORD": target.password,
    }
    began = time.monotonic()
    done = server.run("env", *(f"{name}={value}" for name, value in variables.items()), "bash", f"{TOOLS}/load.sh")
    asked = server.must("cat", ASKED).splitlines()
    return Loaded(
        what=what,
        taken=done.returncode == 0,
        expected_taken=not lossy,
        rows=int(target.value(f"select count(*) from {TABLE}", service.name)),  # noqa: S608 - our own name
        told_by="; ".join(line for line in done.stderr.splitlines() if not line.startswith("NOTICE:"))[:300]
        or "nothing",
        left_stopped="NEVER" in asked[-1],
        seconds=time.monotonic() - began,
    )
