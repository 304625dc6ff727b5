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
from localtier.credentials import read_credentials
from localtier.services import KeyPair, Services
from localtier.tunnel.settings import EdgeSettings, edge_routes, read_settings, write_settings
from rehearsal.hosts import World

EDGE = "edge"
CODE = Path(__file__).parents[1]
KEYS = {
    "backups": (ProvidedSecret.BACKUP_KEY_ID, ProvidedSecret.BACKUP_KEY),
    "backups-second": (ProvidedSecret.BACKUP_SECOND_KEY_ID, ProvidedSecret.BACKUP_SECOND_KEY),
}
"""The object store's keys that containers hold, by the end of the one bucket's name that each is for."""
LEARNED = frozenset({*(name for pair in KEYS.values() for name in pair), ProvidedSecret.TUNNEL_TOKEN})


@dataclass(frozen=True, kw_only=True)
class Outside:
    """The services outside of `world` for `plan`; `folder` takes the edge's settings."""

    world: World
    plan: StagePlan
    folder: Path

    def start(self) -> None:
        """Start what is missing; what runs learns the plan's routes."""
        Services(world=self.world, plan=self.plan).start()
        known = read_settings(self._settings).tokens if self._settings.exists() else ()
        self._tell_edge(known)
        search = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "localtier.tunnel.edge", "--settings", str(self._settings)]
        self.world.start_service(EDGE, command, {"PYTHONPATH": search})

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
        """Let the edge take the tunnel's token and the object store the keys among `secrets`."""
        if ProvidedSecret.TUNNEL_TOKEN in secrets:
            self._tell_edge((secrets[ProvidedSecret.TUNNEL_TOKEN],))
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
        if not self._settings.exists() or read_settings(self._settings) != wanted:
            write_settings(self._settings, wanted)

    @property
    def _settings(self) -> Path:
        return self.folder / "edge.json"
