"""A Docker Engine in memory: the calls that the provider makes, answered in the form that Docker 20.10 answers in."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import requests
from docker.errors import APIError, ImageNotFound, NotFound

from rehearsal.providers.docker.cloud import DockerCloud
from rehearsal.providers.docker.engines import Engines
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import Found, Subject
from rehearsal.providers.values import Values

HOST = "ssh://ops@one.example"
IMAGE_ID = "sha256:" + "1" * 64
IMAGE_CONFIG = {"Env": ["PATH=/bin", "LANG=C"], "Cmd": ["serve"], "User": "app", "Labels": {"from": "image"}}
HOST_DEFAULTS = {
    "NetworkMode": "default",
    "IpcMode": "private",
    "Runtime": "runc",
    "ShmSize": 64 * 2**20,
    "LogConfig": {"Type": "json-file", "Config": {}},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "CgroupnsMode": "host",
}


def runs(inspect: Values) -> None:
    """A container that keeps running."""
    inspect["State"].update(Status="running", Running=True)


def ends_with(exit_code: int) -> Callable[[Values], None]:
    """A container that ends at once."""
    return lambda inspect: inspect["State"].update(Status="exited", Running=False, ExitCode=exit_code)


def refusal(status: int, message: str, kind: type[APIError] = APIError) -> APIError:
    """An error as the client raises it."""
    response = requests.Response()
    response.status_code = status
    return kind(message, response=response, explanation=message)


def inspect_of(body: Values, name: str, image: Values = IMAGE_CONFIG) -> Values:
    """What Docker shows of a container that was created with the body."""
    config = {key: value for key, value in copy.deepcopy(body).items() if key != "HostConfig"}
    given = {line.partition("=")[0] for line in config.get("Env") or []}
    config["Env"] = [*(config.get("Env") or []), *(e for e in image["Env"] if e.partition("=")[0] not in given)]
    config["Labels"] = image["Labels"] | (config.get("Labels") or {})
    for key in ("Cmd", "User"):
        config[key] = config.get(key) or image[key]
    identity = hashlib.sha256(name.encode()).hexdigest()
    config.setdefault("Hostname", identity[:12])
    return {
        "Id": identity,
        "Name": f"/{name}",
        "Image": config["Image"],
        "Config": config,
        "HostConfig": HOST_DEFAULTS | copy.deepcopy(body.get("HostConfig", {})),
        "State": {"Status": "created", "Running": False, "Restarting": False, "ExitCode": 0},
        "NetworkSettings": {"Bridge": "", "Networks": {"bridge": {"Aliases": None}}},
    }


class FakeDocker:
    """`docker.APIClient` over dictionaries; `on_start` decides what becomes of a container that is started."""

    def __init__(self) -> None:
        self.containers_by_id: dict[str, Values] = {}
        self.networks_by_id: dict[str, Values] = {}
        self.volumes_by_name: dict[str, Values] = {}
        self.images_by_id: dict[str, Values] = {
            IMAGE_ID: {"Id": IMAGE_ID, "Config": IMAGE_CONFIG, "RepoDigests": [], "Created": "2026", "Names": []}
        }
        self.archives: list[bytes] = []
        self.stopped_with: list[int] = []
        self.probe_exit_code = 0
        self.health = "starting"
        self.ignores_updates = False
        self.on_start: Callable[[Values], None] = lambda inspect: inspect["State"].update(
            Status="running", Running=True
        )
        self._count = 0

    # Images
    def inspect_image(self, name: str) -> Values:
        for image in self.images_by_id.values():
            if name in (image["Id"], *image["Names"], *image["RepoDigests"]):
                return image
        raise refusal(404, f"No such image: {name}", ImageNotFound)

    def images(self, filters: dict[str, str] | None = None) -> list[Values]:
        key, _, value = (filters or {"label": ""})["label"].partition("=")
        return [i for i in self.images_by_id.values() if not key or i["Config"]["Labels"].get(key) == value]

    def remove_image(self, image_id: str, force: bool = False) -> None:
        if any(c["Image"] == image_id for c in self.containers_by_id.values()) and not force:
            raise refusal(409, "conflict: image is being used by a container")
        del self.images_by_id[image_id]

    # Containers
    def _container(self, name: str) -> Values:
        for inspect in self.containers_by_id.values():
            if name in (inspect["Id"], inspect["Name"].lstrip("/")):
                return inspect
        raise refusal(404, f"No such container: {name}", NotFound)

    def inspect_container(self, name: str) -> Values:
        return copy.deepcopy(self._container(name))

    def containers(self, **_given: bool) -> list[Values]:
        return [{"Id": identity} for identity in self.containers_by_id]

    def create_container_from_config(self, body: Values, name: str) -> Values:
        self.inspect_image(body["Image"])
        if any(c["Name"] == f"/{name}" for c in self.containers_by_id.values()):
            raise refusal(409, f'Conflict. The container name "/{name}" is already in use')
        self._count += 1
        inspect = inspect_of(body, name)
        inspect["Id"] = hashlib.sha256(f"{name} {self._count}".encode()).hexdigest()
        if "Healthcheck" in body:
            inspect["State"]["Health"] = {"Status": self.health, "Log": []}
        self.containers_by_id[inspect["Id"]] = inspect
        return {"Id": inspect["Id"]}

    def disconnect_container_from_network(self, container_id: str, network: str) -> None:
        self._container(container_id)["NetworkSettings"]["Networks"].pop(network)

    def connect_container_to_network(self, container_id: str, network: str, **given: Any) -> None:
        aliases = [*(given.get("aliases") or []), container_id[:12]]
        endpoint = {"Aliases": aliases, "IPAMConfig": {"IPv4Address": given.get("ipv4_address")}}
        self._container(container_id)["NetworkSettings"]["Networks"][network] = endpoint

    def put_archive(self, container_id: str, path: str, data: bytes) -> bool:
        self._container(container_id)
        self.archives.append(data)
        return True

    def start(self, container_id: str) -> None:
        self.on_start(self._container(container_id))

    def stop(self, container_id: str, timeout: int) -> None:
        self._container(container_id)["State"].update(Status="exited", Running=False)
        self.stopped_with.append(timeout)

    def logs(self, container_id: str, tail: int = 0) -> bytes:
        return b"its last words\n"

    def exec_create(self, container_id: str, command: list[str]) -> Values:
        return {"Id": "probe"}

    def exec_start(self, probe_id: str, detach: bool) -> None:
        return None

    def exec_inspect(self, probe_id: str) -> Values:
        return {"Running": False, "ExitCode": self.probe_exit_code}

    def update_container(self, container_id: str, **limits: Any) -> None:
        config = self._container(container_id)["HostConfig"]
        names = {"mem_limit": "Memory", "memswap_limit": "MemorySwap", "cpu_shares": "CpuShares"}
        names |= {
            "restart_policy": "RestartPolicy",
            "cpuset_cpus": "CpusetCpus",
            "mem_reservation": "MemoryReservation",
        }
        if not self.ignores_updates:
            config.update({names[key]: value for key, value in limits.items()})

    def remove_container(self, container_id: str, v: bool, force: bool) -> None:
        del self.containers_by_id[self._container(container_id)["Id"]]

    # Networks
    def networks(self, names: list[str] | None = None) -> list[Values]:
        return [n for n in self.networks_by_id.values() if names is None or any(name in n["Name"] for name in names)]

    def create_network(self, name: str, **given: Any) -> Values:
        self._count += 1
        identity = hashlib.sha256(f"network {self._count}".encode()).hexdigest()
        ipam = {"Driver": "default", "Config": [{"Subnet": "172.18.0.0/16"}]} | (given["ipam"] or {})
        network = {"Id": identity, "Name": name, "Driver": given["driver"] or "bridge", "Scope": "local", "IPAM": ipam}
        self.networks_by_id[identity] = network | {"Labels": given["labels"] or {}, "Containers": {}}
        return {"Id": identity}

    def inspect_network(self, identity: str) -> Values:
        if identity not in self.networks_by_id:
            raise refusal(404, f"network {identity} not found", NotFound)
        return copy.deepcopy(self.networks_by_id[identity])

    def remove_network(self, identity: str) -> None:
        self.inspect_network(identity)
        inside = [c for c in self.networks_by_id[identity]["Containers"] if c in self.containers_by_id]
        if inside:
            raise refusal(403, f"error while removing network: network {identity} has active endpoints")
        del self.networks_by_id[identity]

    # Volumes
    def inspect_volume(self, name: str) -> Values:
        if name not in self.volumes_by_name:
            raise refusal(404, f"get {name}: no such volume", NotFound)
        return copy.deepcopy(self.volumes_by_name[name])

    def create_volume(self, name: str, driver: str | None, options: Values | None, labels: Values | None) -> None:
        made = {"Name": name, "Driver": driver or "local", "Options": options, "Labels": labels, "Mountpoint": "/v"}
        self.volumes_by_name.setdefault(name, made)

    def volumes(self) -> Values:
        return {"Volumes": list(self.volumes_by_name.values())}

    def remove_volume(self, name: str) -> None:
        self.inspect_volume(name)
        del self.volumes_by_name[name]


class FakeEngines:
    """The one host of the tests."""

    def __init__(self, docker: FakeDocker) -> None:
        self.docker = docker

    def mapping(self) -> dict[str, str]:
        return {HOST: "memory"}

    @contextmanager
    def connected(self, host: str) -> Iterator[FakeDocker]:
        assert host == HOST
        yield self.docker


class World:
    """A docker cloud over one engine in memory, driven as the servicer drives it."""

    def __init__(self) -> None:
        self.docker = FakeDocker()
        self.cloud = DockerCloud(cast(Engines, FakeEngines(self.docker)))
        self.judge = TableJudge()

    @staticmethod
    def subject(token: str, name: str = "thing", stack: str = "dev") -> Subject:
        return Subject(token, f"urn:pulumi:{stack}::proj::{token}::{name}", name, {"host": HOST})

    def create(self, token: str, inputs: Values, name: str = "thing", stack: str = "dev") -> Found:
        subject = self.subject(token, name, stack)
        checked = self.judge.check(subject, inputs, {}, b"seed")
        assert checked.failures == []
        return self.cloud.create(subject, checked.inputs, self.judge.plan_create(subject, checked.inputs))

    def read(self, token: str, known: Found) -> Found:
        found = self.cloud.read(self.subject(token), known.id, known.inputs, known.outputs)
        assert found is not None
        return found

    def update(self, token: str, known: Found, inputs: Values) -> Values:
        subject = self.subject(token)
        planned = self.judge.plan_update(subject, known.outputs, inputs)
        return self.cloud.update(subject, known.id, inputs, planned)

    def changes(self, token: str, known: Found, inputs: Values) -> dict[str, bool]:
        """What the program's inputs change in what is known, and whether each change replaces."""
        difference = self.judge.diff(self.subject(token), known.inputs, known.outputs, inputs, [])
        return {change.path: change.replaces for change in difference.changes}
