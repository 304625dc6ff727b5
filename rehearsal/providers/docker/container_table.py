"""Every property of a container that is made and read here, and the refusal of those that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.providers.docker import container_values as values
from rehearsal.providers.docker.properties import Api, Property, at, is_unset, labels_at, put, unchanged
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values

HOST = "HostConfig"
NANOCPUS = 10**9


def _config(name: str, key: str) -> Property:
    """A property of `Config`, which a create call has at its top."""
    return Property(
        name=name,
        write=lambda body, value: put(body, (key,), value),
        read=lambda inspect: inspect["Config"].get(key),
    )


def _host(name: str, *place: str) -> Property:
    return at(name, HOST, *place)


def _size(name: str, key: str) -> Property:
    return at(name, HOST, key, to=values.bytes_of, back=values.mebibytes_of)


def _listed(name: str, key: str) -> Property:
    """A list of texts without an order."""
    return Property(
        name=name,
        write=lambda body, value: put(body, (HOST, key), list(value)),
        read=lambda inspect: inspect[HOST].get(key),
        unordered=True,
    )


def _composite(
    name: str,
    write: Callable[[Api, Any], None],
    read: Callable[[Api], Any],
    normal: Callable[[Any], Any] = unchanged,
    *,
    unordered: bool = True,
) -> Property:
    return Property(name=name, write=write, read=read, normal=normal, unordered=unordered)


def _unseen(prop: Property) -> Property:
    """A property that shows a value of the image or of the engine when nobody declared one."""
    return Property(
        name=prop.name,
        write=prop.write,
        read=prop.read,
        normal=prop.normal,
        unordered=prop.unordered,
        seen_undeclared=False,
    )


def _made_elsewhere(_body: Api, _value: Any) -> None:
    """The name stands in the call's address, and networks are joined by calls of their own."""


LABELS = labels_at("Labels")

PROPERTIES: tuple[Property, ...] = (
    Property(name="name", write=_made_elsewhere, read=lambda inspect: inspect["Name"].lstrip("/")),
    # What stands under the declared reference is looked up by the caller (`Containers.image_seen`).
    Property(
        name="image",
        write=lambda body, value: put(body, ("Image",), value),
        read=lambda inspect: inspect["Image"],
    ),
    _config("command", "Cmd"),
    _config("entrypoints", "Entrypoint"),
    _unseen(_config("user", "User")),
    _unseen(_config("workingDir", "WorkingDir")),
    _config("hostname", "Hostname"),
    _config("domainname", "Domainname"),
    _config("stopSignal", "StopSignal"),
    _config("stopTimeout", "StopTimeout"),
    _config("tty", "Tty"),
    _config("stdinOpen", "OpenStdin"),
    Property(
        name="envs",
        write=lambda body, value: put(body, ("Env",), list(value)),
        read=values.own("Env"),
        unordered=True,
    ),
    Property(
        name="labels",
        write=LABELS.write,
        read=lambda inspect: LABELS.read(inspect["Config"]),
        unordered=True,
    ),
    _composite(
        "healthcheck", values.write_healthcheck, values.read_healthcheck, values.normal_healthcheck, unordered=False
    ),
    _host("restart", "RestartPolicy", "Name"),
    _host("maxRetryCount", "RestartPolicy", "MaximumRetryCount"),
    _size("memory", "Memory"),
    _unseen(_size("memorySwap", "MemorySwap")),
    _size("memoryReservation", "MemoryReservation"),
    _size("shmSize", "ShmSize"),
    _host("cpuShares", "CpuShares"),
    _host("cpuSet", "CpusetCpus"),
    _host("cpuPeriod", "CpuPeriod"),
    _host("cpuQuota", "CpuQuota"),
    at("cpus", HOST, "NanoCpus", to=lambda cpus: round(float(cpus) * NANOCPUS), back=lambda n: f"{n / NANOCPUS:g}"),
    _host("init", "Init"),
    _host("privileged", "Privileged"),
    _host("publishAllPorts", "PublishAllPorts"),
    _host("readOnly", "ReadonlyRootfs"),
    _host("rm", "AutoRemove"),
    _host("logDriver", "LogConfig", "Type"),
    _host("logOpts", "LogConfig", "Config"),
    _host("networkMode", "NetworkMode"),
    _host("ipcMode", "IpcMode"),
    _host("pidMode", "PidMode"),
    _host("usernsMode", "UsernsMode"),
    _unseen(_host("cgroupnsMode", "CgroupnsMode")),
    _host("cgroupParent", "CgroupParent"),
    _host("runtime", "Runtime"),
    _host("tmpfs", "Tmpfs"),
    _host("sysctls", "Sysctls"),
    _host("storageOpts", "StorageOpt"),
    _listed("securityOpts", "SecurityOpt"),
    _listed("groupAdds", "GroupAdd"),
    _listed("dns", "Dns"),
    _listed("dnsOpts", "DnsOptions"),
    _listed("dnsSearches", "DnsSearch"),
    _composite("ports", values.write_ports, values.read_ports, values.normal_port),
    _composite("volumes", values.write_volumes, values.read_volumes, values.set_only),
    _composite("ulimits", values.write_ulimits, values.read_ulimits),
    _composite("devices", values.write_devices, values.read_devices, values.normal_device),
    _composite("hosts", values.write_hosts, values.read_hosts),
    _composite(
        "capabilities",
        values.write_capabilities,
        values.read_capabilities,
        values.normal_capabilities,
        unordered=False,
    ),
    _composite("gpus", values.write_gpus, values.read_gpus, unordered=False),
    _composite("networksAdvanced", _made_elsewhere, values.read_networks, values.normal_network),
)

# What steers the calls here and is no property of the container itself.
STEERING = frozenset(
    {
        "attach",
        "containerReadRefreshTimeoutMilliseconds",
        "destroyGraceSeconds",
        "logs",
        "mustRun",
        "removeVolumes",
        "start",
        "uploads",
        "wait",
        "waitTimeout",
    }
)
# What Docker changes in a running container. Source: docker.json notes; tried on Docker Engine 20.10.24, 2026-11-23.
UPDATABLE = ("restart", "maxRetryCount", "memory", "memorySwap", "memoryReservation", "cpuShares", "cpuSet")
NESTED_REFUSED = (
    ("networksAdvanced", ("driverOpts", "gwPriority", "linkLocalIps", "macAddress")),
    ("volumes", ("fromContainer",)),
)
BRIDGE_KEYS = frozenset({"__defaults", "__meta"})


def refuse_unknown(inputs: Values) -> None:
    """Raises `RefusedError` for a property that would be ignored here: the container would not be as declared."""
    known = STEERING | BRIDGE_KEYS | {prop.name for prop in PROPERTIES}
    wrong = [name for name, value in inputs.items() if name not in known and not is_unset(value)]
    for name, fields in NESTED_REFUSED:
        for item in inputs.get(name) or []:
            wrong += [f"{name}[].{field}" for field in fields if not is_unset(item.get(field))]
    for volume in inputs.get("volumes") or []:
        if not volume.get("containerPath") or not (volume.get("volumeName") or volume.get("hostPath")):
            wrong.append("volumes[] without containerPath and one of volumeName or hostPath")
    if any(is_unset(port.get("external")) for port in inputs.get("ports") or []):
        wrong.append("ports[] without external (a port that Docker would choose)")
    if (inputs.get("healthcheck") or {}).get("startInterval", "0s") not in {"", "0s"}:
        wrong.append("healthcheck.startInterval (Docker 25 and later)")
    if wrong:
        raise RefusedError(
            f"not made by the attached docker provider: {', '.join(sorted(set(wrong)))}. Leave it out, or add it to "
            "rehearsal/providers/docker/container_table.py",
            RefusedError.Kind.UNIMPLEMENTED,
        )
