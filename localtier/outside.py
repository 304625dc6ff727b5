"""What stands outside of the servers and is not the load: Cloudflare's edge, names, the object store."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import docker

from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.tunnel import CONNECT_TIMEOUT_SECONDS
from dreamseed.planning.stage_plan import StagePlan
from localtier.certificates import ensure_ca, issue
from localtier.credentials import read_credentials
from localtier.images.engine import local_cache
from localtier.services import KeyPair, Services
from localtier.services.object_store import HTTPS_PORT
from localtier.services.services import WORKERS_ADDRESS
from localtier.spot.settings import spot_plan
from localtier.tunnel.protocol import EDGE_PORT
from localtier.tunnel.settings import (
    STATUS_PORT,
    AccessToken,
    EdgeRoute,
    EdgeSettings,
    edge_routes,
    read_settings,
    write_settings,
)
from rehearsal.hosts import World

EDGE, WORKERS_EDGE = "edge", "edge-of-workers"
WORKERS_EDGE_PORT = EDGE_PORT + 1
"""Cloudflare's one edge tells tunnels apart; here each has an edge of its own, and a port."""
WORKERS_STATUS_PORT = STATUS_PORT + 1
CODE = Path(__file__).parents[1]
KEYS = {
    "backups": (ProvidedSecret.BACKUP_KEY_ID, ProvidedSecret.BACKUP_KEY),
    "backups-second": (ProvidedSecret.BACKUP_SECOND_KEY_ID, ProvidedSecret.BACKUP_SECOND_KEY),
}
"""The object store's keys that containers hold, by the end of the one bucket's name that each is for."""
ACCESS = (ProvidedSecret.TUNNEL_CLIENT_ID, ProvidedSecret.TUNNEL_CLIENT_SECRET)
LEARNED = frozenset({*(name for pair in KEYS.values() for name in pair), ProvidedSecret.TUNNEL_TOKEN, *ACCESS})


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The services outside of `world` for `plan`; `folder` takes the edge's settings."""

    world: World
    plan: StagePlan
    folder: Path

    def start(self) -> None:
        """Start what is missing; what runs learns the plan's routes."""
        Services(world=self.world, plan=self.plan).start()
        self._tell_edge(_known(self._settings).tokens)
        self._start_edge(EDGE, self._settings)
        if self.plan.burst is not None:
            known = _known(self._workers_settings)
            self._tell_workers_edge(known.tokens, known.access)
            ports = (f"--port={WORKERS_EDGE_PORT}", f"--status-port={WORKERS_STATUS_PORT}")
            self._start_edge(WORKERS_EDGE, self._workers_settings, *ports)

    def admit_workers(self, token: str) -> None:
        """Let the workers' edge take connectors with the token of their tunnel, which no container here holds."""
        self._tell_workers_edge((token,), _known(self._workers_settings).access)

    def learn(self) -> None:
        """Tell the services the secrets that the containers hold by now."""
        engines: dict[str, docker.DockerClient] = {
            host.name: self.world.client(host.name) for host in self.plan.hosts if self.world.is_running(host.name)
        }
        try:
            self.tell(read_credentials(self.plan, engines, only=LEARNED))
        finally:
            for engine in engines.values():
                engine.close()

    def tell(self, secrets: Mapping[str, str]) -> None:
        """Let the edges take the tunnel's token and Access', and the object store the keys, among `secrets`."""
        if ProvidedSecret.TUNNEL_TOKEN in secrets:
            self._tell_edge((secrets[ProvidedSecret.TUNNEL_TOKEN],))
        if self.plan.burst is not None and set(ACCESS) <= set(secrets):
            client_id, client_secret = (secrets[name] for name in ACCESS)
            access = AccessToken(client_id=client_id, client_secret=client_secret)
            self._tell_workers_edge(_known(self._workers_settings).tokens, access)
        prefix = self.plan.config.object_store.bucket_prefix
        keys = [
            KeyPair(secrets[key_id], secrets[key], f"{prefix}-{bucket}")
            for bucket, (key_id, key) in KEYS.items()
            if {key_id, key} <= set(secrets)
        ]
        if keys:
            Services(world=self.world, plan=self.plan).sync_keys(keys)

    def _tell_edge(self, tokens: tuple[str, ...]) -> None:
        wanted = EdgeSettings(
            tokens=tokens,
            routes=edge_routes(self.plan.routes),
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        )
        _tell(self._settings, wanted)

    def _tell_workers_edge(self, tokens: tuple[str, ...], access: AccessToken | None) -> None:
        """Offer the workers' private name as Cloudflare does: over TLS, to whoever holds Access' token."""
        route = spot_plan(self.plan).route
        files = issue(ensure_ca(local_cache() / "ca"), [route.hostname], [], self.folder / "workers-certificate")
        offered = EdgeRoute(
            name=route.name,
            hostname=route.hostname,
            service=route.service,
            local_port=HTTPS_PORT,
            address=WORKERS_ADDRESS,
            certificate=str(files.certificate),
            key=str(files.key),
        )
        _tell(self._workers_settings, EdgeSettings(tokens=tokens, routes=(offered,), access=access))

    def _start_edge(self, service: str, settings: Path, *more: str) -> None:
        search = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "localtier.tunnel.edge", "--settings", str(settings), *more]
        self.world.start_service(service, command, {"PYTHONPATH": search})

    @property
    def _settings(self) -> Path:
        return self.folder / "edge.json"

    @property
    def _workers_settings(self) -> Path:
        return self.folder / "edge-of-workers.json"


def _known(path: Path) -> EdgeSettings:
    """Return what an edge was told last; nothing where it was told nothing."""
    return read_settings(path) if path.exists() else EdgeSettings(tokens=(), routes=())


def _tell(path: Path, wanted: EdgeSettings) -> None:
    if _known(path) != wanted:
        write_settings(path, wanted)
