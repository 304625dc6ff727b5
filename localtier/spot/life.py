"""A worker's life on a Docker Engine: the engine and the connector that its script starts, and how they go.

The script itself (`burst-worker.sh.j2`) is not run: no driver is installed, nothing is fetched from a bucket, secrets
and metadata come without their servers. What it starts is started, with its arguments, in its order.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

from autoscaler.cloud import DRAIN_ITEM
from localtier.spot.compute import Fate, Tell
from localtier.spot.events import MachineEvent, What
from localtier.spot.settings import Place, SpotSettings
from rehearsal.providers.docker.uploads import archive

ENGINE, CONNECTOR = "engine", "connector"
KEY_FILE, TOKEN_FILE = "/run/secrets/vllm-api-key", "/run/secrets/tunnel-token"
SERVE = 'VLLM_API_KEY="$(cat /run/secrets/vllm-api-key)"; export VLLM_API_KEY; exec vllm serve "$@"'
CONNECTOR_UID = 65_532
STOP_SECONDS = 10
"""How long Docker gives a container when its machine goes down. Source: dockerd, --shutdown-timeout and docker stop;
that a machine which is taken back gets that far in its 30 s was never seen."""
POLL_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Life:
    """Lives on the place of its fate. Its reports stand in the model's machine, its events go to `tell`."""

    settings: SpotSettings
    tell: Tell
    clock: Callable[[], float] = time.time

    def __call__(self, fate: Fate) -> None:
        """Start the worker, and end it when its fate says so; nothing is left on the place afterwards."""
        machine = fate.machine
        try:
            with closing(client(fate.place)) as engine:
                try:
                    self._serve(fate, engine)
                    while not self._over(fate):
                        time.sleep(POLL_SECONDS)
                    self._say(fate, fate.why)
                    _shut_down(engine)
                finally:
                    clear(engine)
        except (DockerException, RequestException, OSError) as error:
            self._say(fate, What.FAILED, f"{type(error).__name__}: {error}"[:300])
        machine.ends_at = min(machine.ends_at, self.clock())
        self._say(fate, What.GONE)

    def _serve(self, fate: Fate, engine: docker.DockerClient) -> None:
        """Do what the script does, as long as the machine is there."""
        machine, settings = fate.machine, self.settings
        engine.ping()
        machine.running_at = self.clock()
        self._say(fate, What.RUNNING)
        served = _started_engine(engine, settings)
        while not _healthy(served, settings.port):
            if self._over(fate):
                return
            time.sleep(POLL_SECONDS)
        connector = _started_connector(engine, settings)
        machine.serving_at = self.clock()
        self._say(fate, What.SERVING)
        while DRAIN_ITEM not in machine.metadata:
            if self._over(fate):
                return
            time.sleep(POLL_SECONDS)
        self._say(fate, What.DRAINING)
        connector.kill("SIGTERM")
        deadline = self.clock() + settings.drain_seconds
        while _runs(connector) and self.clock() < deadline:
            if self._over(fate):
                return
            time.sleep(POLL_SECONDS)
        _kill(connector)
        machine.drained_at = self.clock()
        self._say(fate, What.DRAINED)

    def _over(self, fate: Fate) -> bool:
        return self.clock() >= fate.machine.ends_at

    def _say(self, fate: Fate, what: What, detail: str = "") -> None:
        self.tell(MachineEvent(time=self.clock(), machine=fate.machine.name, what=what, detail=detail))


def client(place: Place) -> docker.DockerClient:
    """Return a client of a place's engine; the caller closes it."""
    return docker.DockerClient(base_url=f"unix://{place.socket}", version="1.41", timeout=60)


def clear(engine: docker.DockerClient) -> None:
    """Remove every container of a place, as a machine that is deleted takes its disk with it."""
    for container in engine.containers.list(all=True):
        with suppress(NotFound):
            container.remove(force=True, v=True)


def connector_words(settings: SpotSettings) -> list[str]:
    """Return what the script tells the connector."""
    grace = f"{settings.drain_seconds}s"
    return ["tunnel", "--no-autoupdate", "--grace-period", grace, "run", "--token-file", TOKEN_FILE]


def _started_engine(engine: docker.DockerClient, settings: SpotSettings) -> Container:
    container = engine.containers.create(
        settings.engine_image,
        ["-c", SERVE, "vllm-serve", *settings.arguments],
        name=ENGINE,
        entrypoint="/bin/sh",
        environment={"SIMULATOR_GPU": settings.card, "SIMULATOR_GPU_COUNT": str(settings.cards)},
        ports={f"{settings.port}/tcp": ("127.0.0.1", settings.port)},
        security_opt=["no-new-privileges"],
    )
    _put(container, KEY_FILE, settings.api_key, owner=0)
    container.start()
    return container


def _started_connector(engine: docker.DockerClient, settings: SpotSettings) -> Container:
    container = engine.containers.create(
        settings.connector_image,
        connector_words(settings),
        name=CONNECTOR,
        network_mode="host",
        environment={"TUNNEL_EDGE": settings.edge},
        security_opt=["no-new-privileges"],
    )
    _put(container, TOKEN_FILE, settings.tunnel_token, owner=CONNECTOR_UID)
    container.start()
    return container


def _put(container: Container, path: str, text: str, owner: int) -> None:
    file = {"file": path, "content": text, "permissions": "0400", "owner": str(owner), "group": str(owner)}
    container.put_archive("/", archive([file]))


def _healthy(container: Container, port: int) -> bool:
    try:
        asked = ["curl", "-fsS", "-m", "5", "-o", "/dev/null", f"http://127.0.0.1:{port}/health"]
        return bool(container.exec_run(asked).exit_code == 0)
    except APIError:  # it ended, or is not up yet: the autoscaler gives up on it in its own time
        return False


def _runs(container: Container) -> bool:
    container.reload()
    return bool(container.status == "running")


def _kill(container: Container, signal: str = "SIGKILL") -> None:
    with suppress(NotFound, APIError):  # it ended by itself
        container.kill(signal)


def _shut_down(engine: docker.DockerClient) -> None:
    """Stop what runs as a machine that goes down does: all at once, and by force after a while."""
    running = engine.containers.list()
    for container in running:
        _kill(container, "SIGTERM")
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline and any(_runs(one) for one in running):
        time.sleep(POLL_SECONDS)
