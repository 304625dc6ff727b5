"""All services outside that containers need, as one: started, stopped, told about keys."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dreamseed.planning.stage_plan import StagePlan
from localtier.certificates import ensure_ca, issue
from localtier.images import ensure_binary
from localtier.images.engine import local_cache
from localtier.services import names, object_store
from localtier.services.object_store import ADDRESSES, FIRST_ADDRESS, HTTPS_PORT, KeyPair, Site
from localtier.tunnel.protocol import EDGE_HOST
from rehearsal.hosts import World

NAME_SERVER = "name-server"
COMPUTE = "compute-engine"
COMPUTE_HOST = "compute.googleapis.com"
COMPUTE_ADDRESS = f"{ADDRESSES}.{FIRST_ADDRESS + 20}"
"""Beyond those of the object store's sites."""
WORKERS_ADDRESS = f"{ADDRESSES}.{FIRST_ADDRESS + 21}"
"""Where Cloudflare answers for the spot workers' private name."""
CODE = Path(__file__).parents[2]
DNS_PORT = 53
START_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Services:
    """The name server, the object store and Compute Engine of `world`, as `plan` needs them.

    Every method raises `HostsError` when something does not start, with its last words.
    """

    world: World
    plan: StagePlan

    def start(self) -> None:
        """Start what is missing, and wait until all of it listens; what runs as planned is left alone."""
        gateways = [lan.gateway for lan in self.world.lans]
        command = names.command(gateways, self.names)
        clouds = [COMPUTE_ADDRESS, WORKERS_ADDRESS] if self._scales else []
        self.world.give_outside([*(site.address for site in self.sites), *clouds])
        self.world.start_service(NAME_SERVER, command)
        for site in self.sites:
            self._start(site)
        if self._scales:
            self._start_compute("simulator.compute")
            self._wait(COMPUTE, [(COMPUTE_ADDRESS, HTTPS_PORT)])
        self._wait(NAME_SERVER, [(gateway, DNS_PORT) for gateway in gateways])
        for site in self.sites:
            self._wait(site.service, [(site.address, HTTPS_PORT)])

    def stop(self) -> None:
        """Stop all of them; what the object store holds stays."""
        self.stop_object_store()
        if self._scales:
            self.world.stop_service(COMPUTE)
        self.world.stop_service(NAME_SERVER)

    def status(self) -> Mapping[str, bool]:
        """Return by name which of them run."""
        wanted = (NAME_SERVER, *(site.service for site in self.sites), *((COMPUTE,) if self._scales else ()))
        return {name: self.world.is_service_running(name) for name in wanted}

    def stop_object_store(self, region: str | None = None) -> None:
        """Take the object store down, in one region or all: its names stay, and its addresses refuse connections."""
        for site in self._chosen(region):
            self.world.stop_service(site.service)

    def start_object_store(self, region: str | None = None) -> None:
        """Undo `stop_object_store`, and wait until it listens."""
        for site in self._chosen(region):
            self._start(site)
            self._wait(site.service, [(site.address, HTTPS_PORT)])

    def sync_keys(self, keys: Sequence[KeyPair]) -> None:
        """Let the object store take exactly these application keys from now on."""
        for site in self.sites:
            object_store.prepare(site)
            object_store.sync_keys(site, keys)

    @property
    def sites(self) -> tuple[Site, ...]:
        """Return the object store's sites."""
        return object_store.sites(self.plan.buckets, self.folder)

    @property
    def folder(self) -> Path:
        """Return the folder of what the object store holds."""
        return self.world.root / "object-store"

    @property
    def names(self) -> dict[str, str]:
        """Return the names that the outside answers to, with an address each."""
        known = {EDGE_HOST: self.world.lans[0].gateway} | {site.endpoint: site.address for site in self.sites}
        if self.plan.burst is not None:
            known |= {COMPUTE_HOST: COMPUTE_ADDRESS, self.plan.burst.route.hostname: WORKERS_ADDRESS}
        return known

    @property
    def _scales(self) -> bool:
        """Tell whether the stage's autoscaler asks Compute Engine."""
        return bool(self.plan.autoscaler.containers)

    def make_machines(self, spot_settings: Path) -> None:
        """Let Compute Engine make machines from now on, as `localtier.spot` is told by a file; it knows of none yet."""
        self._start_compute("localtier.spot", f"--settings={spot_settings}")
        self._wait(COMPUTE, [(COMPUTE_ADDRESS, HTTPS_PORT)])

    def _start_compute(self, module: str, *more: str) -> None:
        certificate = issue(ensure_ca(local_cache() / "ca"), [COMPUTE_HOST], [], self.world.root / "compute")
        command = [sys.executable, "-m", module, f"--listen={COMPUTE_ADDRESS}", f"--port={HTTPS_PORT}", *more]
        command += [f"--certificate={certificate.certificate}", f"--key={certificate.key}"]
        search = os.pathsep.join(filter(None, (str(CODE), os.environ.get("PYTHONPATH"))))
        self.world.start_service(COMPUTE, command, {"PYTHONPATH": search})

    def _start(self, site: Site) -> None:
        object_store.prepare(site)
        ca = ensure_ca(local_cache() / "ca")
        certificate = issue(ca, [site.endpoint], [], site.folder / "certificate")
        command = object_store.command(ensure_binary("versitygw"), site, certificate)
        self.world.start_service(site.service, command, object_store.environment(site))

    def _chosen(self, region: str | None) -> tuple[Site, ...]:
        chosen = tuple(site for site in self.sites if region in {None, site.region})
        if not chosen:
            known = ", ".join(site.region for site in self.sites)
            raise ValueError(f"no object store in {region!r}: write one of {known}")
        return chosen

    def _wait(self, service: str, wanted: Sequence[tuple[str, int]]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not set(wanted) <= self.world.listening_outside():
            if not self.world.is_service_running(service):
                raise self.world.service_error(service, "ended while starting")
            if time.monotonic() > deadline:
                raise self.world.service_error(service, f"did not listen within {START_TIMEOUT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)
