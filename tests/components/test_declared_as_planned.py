"""What runs on the servers, held to the plan input by input: a component that decides something is told here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from dreamseed.catalog.images import reference_of
from dreamseed.config import STAGE_NAMES
from dreamseed.planning.container import SECRET_CLOSE, SECRET_OPEN, Container, File, Health, NetworkName, VolumeKind
from dreamseed.planning.hosts import Host
from dreamseed.planning.rights import PROCESSES_OF_A_USER
from dreamseed.planning.stage_plan import StagePlan
from tests.planning.stages import shipped
from tests.program import Registered, record

KINDS = ("Container", "Volume", "Network", "RemoteImage")
SECRET = re.compile(f"{SECRET_OPEN}[^{SECRET_CLOSE}]+{SECRET_CLOSE}")
TUN = {"hostPath": "/dev/net/tun", "containerPath": "/dev/net/tun", "permissions": "rwm"}
ALWAYS: Mapping[str, Any] = {
    "init": True,
    "logDriver": "json-file",
    "logOpts": {"max-size": "50m", "max-file": "3"},
    "securityOpts": ["no-new-privileges:true"],
}


def of_kind(kind: str, resources: tuple[Registered, ...]) -> dict[str, Registered]:
    return {each.name: each for each in resources if each.type.startswith("docker:") and each.type.endswith(f":{kind}")}


def differences(plan: StagePlan, resources: tuple[Registered, ...]) -> list[str]:
    """Return where what is declared on the servers is not what the plan says."""
    found = []
    for kind, wanted in (
        ("Container", {one.name: _container(one, _host(plan, one.host)) for one in plan.containers}),
        ("Volume", {one.name: _labelled(one.name, kind=one.kind.value) for one in plan.volumes}),
        ("Network", dict(_networks(plan))),
        ("RemoteImage", {name: {"name": image, "keepLocally": True} for name, (_, image) in _images(plan).items()}),
    ):
        declared = of_kind(kind, resources)
        found += [f"{name} is {'planned' if name in wanted else 'declared'} only" for name in wanted.keys() ^ declared]
        for name in wanted.keys() & declared:
            found += [f"{name}: {key}" for key in _differing(wanted[name], declared[name].inputs)]
    protected = {one.name for one in plan.volumes if one.kind is VolumeKind.DATA}
    found += [
        f"{name}: protect" for name, v in of_kind("Volume", resources).items() if v.protect != (name in protected)
    ]
    return found + list(_misplaced(plan, resources)) + list(_out_of_order(plan, resources))


def _host(plan: StagePlan, name: str) -> Host:
    return next(host for host in plan.hosts if host.name == name)


def _container(one: Container, host: Host) -> dict[str, Any]:
    """Return the inputs that the plan of a container means; its image and its secrets are not known to it."""
    service = {"managed-by": "dreamseed", "component": one.component, "service": one.service}
    ports = [] if one.host_network else one.ports
    limits = ({"nproc": PROCESSES_OF_A_USER} if one.user else {}) | dict(one.ulimits)
    optional = {
        "entrypoints": list(one.entrypoint),
        "command": list(one.command),
        "envs": [f"{key}={value}" for key, value in one.environment.items()],
        "user": one.user,
        "networkMode": "host" if one.host_network else None,
        "shmSize": one.shm_size_mib,
        "gpus": "device=" + ",".join(str(index) for index in one.gpu_indices) if one.gpu_indices else None,
        "devices": [TUN] if one.service == "wireguard" else None,
        "attach": True if one.job else None,
        **(_health(one.health) if one.health else {}),
    }
    return {
        **ALWAYS,
        "name": one.name,
        "hostname": one.name,
        "memory": one.memory_mib,
        "memorySwap": one.memory_mib,
        "cpuShares": max(2, round(1_024 * one.cpu_cores)),
        "capabilities": {"drops": ["ALL"]}
        | ({"adds": ["NET_ADMIN"]} if one.service in ("packet-filter", "wireguard") else {}),
        "uploads": [_file(file) for file in one.files],
        "volumes": [
            *({"volumeName": m.volume, "containerPath": m.path, "readOnly": m.read_only} for m in one.mounts),
            *({"hostPath": f, "containerPath": to, "readOnly": True} for f, to in one.host_paths.items()),
        ],
        "networksAdvanced": [
            {"name": f"dreamseed-{network}", "aliases": [one.name, *one.aliases]} for network in one.networks
        ],
        "ports": [
            {"internal": port.container, "external": port.published, "ip": host.address, "protocol": "tcp"}
            for port in ports
        ],
        "ulimits": [{"name": name, "soft": value, "hard": value} for name, value in limits.items()],
        "readOnly": not one.files,
        "labels": [{"label": key, "value": value} for key, value in service.items()],
        "restart": "no" if one.job else "always",
        "mustRun": not one.job,
        "stopTimeout": one.stop_grace_seconds,
        "destroyGraceSeconds": one.stop_grace_seconds,
        **{key: value for key, value in optional.items() if value not in (None, [])},
    }


def _health(health: Health) -> dict[str, Any]:
    check = {
        "tests": list(health.test),
        "interval": f"{health.interval_seconds}s",
        "timeout": f"{health.timeout_seconds}s",
        "retries": health.retries,
        "startPeriod": f"{health.start_period_seconds}s",
    }
    return {"healthcheck": check, "wait": True, "waitTimeout": health.wait_timeout_seconds}


def _file(file: File) -> dict[str, Any]:
    owner = str(file.owner)
    return {"file": file.path, "content": file.text, "permissions": file.mode, "owner": owner, "group": owner}


def _labelled(name: str, **labels: str) -> dict[str, Any]:
    marked = {"managed-by": "dreamseed", **labels}
    return {"name": name, "labels": [{"label": key, "value": value} for key, value in marked.items()]}


def _networks(plan: StagePlan) -> Iterator[tuple[str, dict[str, Any]]]:
    for host in plan.hosts:
        for network in NetworkName:
            subnet = host.subnets[network]
            pool = {"subnet": str(subnet), "gateway": str(next(subnet.hosts()))}
            yield (
                f"{host.name}-{network}",
                {**_labelled(f"dreamseed-{network}"), "driver": "bridge", "ipamConfigs": [pool]},
            )


def _images(plan: StagePlan) -> dict[str, tuple[str, str]]:
    """Return each image by its logical name: its host, and its reference by digest."""
    found = {}
    for host in plan.hosts:
        for key in plan.images[host.name]:
            short = key.split("@")[0].split("/")[-1].split(":")[0]
            found[f"{host.name}-{short}"] = (host.name, reference_of(key))
    return found


def _differing(wanted: Any, declared: Mapping[str, Any]) -> list[str]:
    return [
        key for key in (wanted.keys() | declared.keys()) - {"image"} if not _same(wanted.get(key), declared.get(key))
    ]


def _same(wanted: Any, declared: Any) -> bool:
    """Compare, with any text where the plan's has a secret."""
    if isinstance(wanted, dict) and isinstance(declared, Mapping):
        return wanted.keys() == declared.keys() and all(_same(wanted[key], declared[key]) for key in wanted)
    if isinstance(wanted, list) and isinstance(declared, list):
        return len(wanted) == len(declared) and all(map(_same, wanted, declared))
    if isinstance(wanted, str) and isinstance(declared, str) and SECRET_OPEN in wanted:
        return re.fullmatch(".+".join(map(re.escape, SECRET.split(wanted))), declared) is not None
    return bool(wanted == declared) and isinstance(wanted, bool) == isinstance(declared, bool)


def _misplaced(plan: StagePlan, resources: tuple[Registered, ...]) -> Iterator[str]:
    """Yield what goes to another server's engine than planned, and containers that run another image."""
    for kind, host_of in (
        ("Container", {one.name: one.host for one in plan.containers}),
        ("Volume", {one.name: one.host for one in plan.volumes}),
        ("RemoteImage", {name: host for name, (host, _) in _images(plan).items()}),
    ):
        for name, each in of_kind(kind, resources).items():
            if not each.provider.endswith(f"::docker-{host_of.get(name)}"):
                yield f"{name}: provider"
    images, declared = of_kind("RemoteImage", resources), of_kind("Container", resources)
    by_reference = {(host, reference): name for name, (host, reference) in _images(plan).items()}
    for one in plan.containers:
        image = images.get(by_reference[one.host, reference_of(one.image)])
        container = declared.get(one.name)
        if container is not None and (image is None or container.inputs.get("image") != f"sha256:{image.name}"):
            yield f"{one.name}: image"


def _out_of_order(plan: StagePlan, resources: tuple[Registered, ...]) -> Iterator[str]:
    """Yield containers that do not wait for those that are to be healthy before them."""
    declared = of_kind("Container", resources)
    for service in plan.services:
        here = {one.name for one in service.containers}
        for one in service.containers:
            waits = (
                {urn.rsplit("::", 1)[-1] for urn in declared[one.name].dependencies} if one.name in declared else here
            )
            yield from (f"{one.name}: does not wait for {name}" for name in one.after if name in here - waits)


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_what_runs_on_the_servers_is_declared_as_it_is_planned(stage: str) -> None:
    plan = shipped(stage)
    assert all(of_kind(kind, record(stage)) for kind in KINDS)
    assert differences(plan, record(stage)) == []


@pytest.mark.parametrize(
    ("kind", "name", "changes"),
    [
        ("Container", "redis-1", {"inputs": {"memory": 1}}),
        ("Container", "redis-1", {"inputs": {"image": "sha256:server-1-grafana"}}),
        ("Container", "redis-1", {"inputs": {"ulimits": [{"name": "nofile", "soft": 1, "hard": 1}]}}),
        (
            "Container",
            "redis-2",
            {"provider": "urn:pulumi:stage-e::dreamseed::pulumi:providers:docker::docker-witness"},
        ),
        ("Container", "redis-2", {"dependencies": ()}),
        ("Volume", "redis-1-data", {"protect": False}),
        ("Network", "server-1-data", {"inputs": {"driver": "host"}}),
        ("RemoteImage", "server-1-redis", {"inputs": {"keepLocally": False}}),
        ("Container", "redis-1", None),
    ],
)
def test_what_is_declared_otherwise_is_told(kind: str, name: str, changes: Mapping[str, Any] | None) -> None:
    sound = of_kind(kind, record("stage-e"))[name]
    others = tuple(each for each in record("stage-e") if each is not sound)
    broken = () if changes is None else (_changed(sound, changes),)
    assert any(name in told for told in differences(shipped("stage-e"), (*others, *broken)))


def _changed(sound: Registered, changes: Mapping[str, Any]) -> Registered:
    given = dict(changes)
    if "inputs" in given:
        given["inputs"] = {**sound.inputs, **given["inputs"]}
    return replace(sound, **given)
