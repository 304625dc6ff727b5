"""The composite properties of a container, each both ways; sizes are MiB declared and bytes in Docker's API.

Source of the forms: Docker Engine API 1.41 (ContainerCreate, ContainerInspect), tried on Docker Engine 20.10.24,
2026-11-24; how the official provider fills them: kreuzwerker/terraform-provider-docker,
internal/provider/resource_docker_container_structures.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.providers.docker.durations import from_nanoseconds, to_nanoseconds
from rehearsal.providers.docker.properties import Api, is_unset, put
from rehearsal.providers.values import Values

MEBIBYTE = 2**20
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the provider's default of a published port's address
DEVICES_PREFIX = "device="
DURATIONS = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod"}


def set_only(values: Values) -> Values:
    """What is set of an object."""
    return {key: value for key, value in values.items() if not is_unset(value)}


def bytes_of(mebibytes: int) -> int:
    """MiB as bytes; -1, which means no limit, stays."""
    return mebibytes * MEBIBYTE if mebibytes > 0 else mebibytes


def mebibytes_of(size_bytes: int) -> int:
    """Bytes as whole MiB, rounded down as the official provider does; -1 stays."""
    return size_bytes // MEBIBYTE if size_bytes > 0 else size_bytes


def write_ports(body: Api, ports: list[Values]) -> None:
    """`[{internal, external, ip, protocol}]`."""
    for port in ports:
        key = f"{port['internal']}/{port.get('protocol') or 'tcp'}"
        put(body, ("ExposedPorts", key), {})
        binding = {"HostIp": port.get("ip") or ANY_ADDRESS, "HostPort": str(port["external"])}
        body.setdefault("HostConfig", {}).setdefault("PortBindings", {}).setdefault(key, []).append(binding)


def read_ports(inspect: Api) -> list[Values]:
    """The bindings as configured, so that a stopped container shows them too."""
    ports = []
    for key, bindings in sorted((inspect["HostConfig"].get("PortBindings") or {}).items()):
        internal, _, protocol = key.partition("/")
        for binding in bindings or []:
            port = {"internal": int(internal), "external": int(binding.get("HostPort") or 0), "protocol": protocol}
            ports.append(port | {"ip": binding.get("HostIp") or ANY_ADDRESS})
    return ports


def normal_port(port: Values) -> Values:
    """A port with its defaults."""
    return {"ip": ANY_ADDRESS, "protocol": "tcp"} | set_only(port)


def write_volumes(body: Api, volumes: list[Values]) -> None:
    """`[{volumeName or hostPath, containerPath, readOnly}]` as binds."""
    binds = []
    for volume in volumes:
        modes = ["ro" if volume.get("readOnly") else "rw", volume.get("selinuxRelabel") or ""]
        source = volume.get("hostPath") or volume["volumeName"]
        binds.append(f"{source}:{volume['containerPath']}:{','.join(filter(None, modes))}")
    put(body, ("HostConfig", "Binds"), binds)


def read_volumes(inspect: Api) -> list[Values]:
    """Binds as volumes; a source with a slash in front is a path of the host."""
    volumes = []
    for bind in inspect["HostConfig"].get("Binds") or []:
        source, path, *rest = bind.split(":")
        modes = rest[0].split(",") if rest else []
        kind = "hostPath" if source.startswith("/") else "volumeName"
        relabel = next((mode for mode in modes if mode in {"z", "Z"}), "")
        found = {kind: source, "containerPath": path, "readOnly": "ro" in modes, "selinuxRelabel": relabel}
        volumes.append(set_only(found))
    return volumes


def write_ulimits(body: Api, ulimits: list[Values]) -> None:
    """`[{name, soft, hard}]`."""
    limits = [{"Name": item["name"], "Soft": item["soft"], "Hard": item["hard"]} for item in ulimits]
    put(body, ("HostConfig", "Ulimits"), limits)


def read_ulimits(inspect: Api) -> list[Values]:
    """The limits as configured."""
    limits = inspect["HostConfig"].get("Ulimits") or []
    return [{"name": item["Name"], "soft": item["Soft"], "hard": item["Hard"]} for item in limits]


def write_capabilities(body: Api, capabilities: Values) -> None:
    """`{adds, drops}`."""
    for name, key in (("adds", "CapAdd"), ("drops", "CapDrop")):
        if capabilities.get(name):
            put(body, ("HostConfig", key), list(capabilities[name]))


def read_capabilities(inspect: Api) -> Values:
    """`{adds, drops}` as Docker lists them."""
    config = inspect["HostConfig"]
    return set_only({"adds": config.get("CapAdd") or [], "drops": config.get("CapDrop") or []})


def normal_capabilities(capabilities: Values) -> Values:
    """Newer engines put `CAP_` in front; order means nothing."""
    return {
        key: sorted(name.upper().removeprefix("CAP_") for name in names)
        for key, names in sorted(capabilities.items())
        if names
    }


def write_healthcheck(body: Api, check: Values) -> None:
    """`{tests, interval, timeout, startPeriod, retries}`; durations in nanoseconds."""
    times = {key: to_nanoseconds(check.get(name)) for name, key in DURATIONS.items()}
    body["Healthcheck"] = {"Test": list(check.get("tests") or []), "Retries": check.get("retries") or 0, **times}


def read_healthcheck(inspect: Api) -> Values:
    """The check that Docker runs; empty when there is none."""
    check = inspect["Config"].get("Healthcheck") or {}
    times = {name: from_nanoseconds(check[key]) for name, key in DURATIONS.items() if check.get(key)}
    return set_only({"tests": check.get("Test") or [], "retries": check.get("Retries"), **times})


def normal_healthcheck(check: Values) -> Values:
    """A check with its defaults, durations as numbers."""
    times = {name: to_nanoseconds(check.get(name)) for name in DURATIONS}
    return {"tests": check.get("tests") or [], "retries": check.get("retries") or 0, **times}


def write_gpus(body: Api, gpus: str) -> None:
    """`all` or `device=0,2`, as the `--gpus` option of Docker's command line."""
    request: Api = {"Driver": "", "Capabilities": [["gpu"]]}
    if gpus.startswith(DEVICES_PREFIX):
        request["DeviceIDs"] = gpus.removeprefix(DEVICES_PREFIX).split(",")
    else:
        request["Count"] = -1 if gpus == "all" else int(gpus)
    put(body, ("HostConfig", "DeviceRequests"), [request])


def read_gpus(inspect: Api) -> str:
    """The first request for GPUs in the form of the command line."""
    for request in inspect["HostConfig"].get("DeviceRequests") or []:
        if ["gpu"] in (request.get("Capabilities") or []):
            if request.get("DeviceIDs"):
                return DEVICES_PREFIX + ",".join(request["DeviceIDs"])
            return "all" if request.get("Count") == -1 else str(request.get("Count"))
    return ""


def write_devices(body: Api, devices: list[Values]) -> None:
    """`[{hostPath, containerPath, permissions}]`."""
    mapped = [
        {
            "PathOnHost": device["hostPath"],
            "PathInContainer": device.get("containerPath") or device["hostPath"],
            "CgroupPermissions": device.get("permissions") or "rwm",
        }
        for device in devices
    ]
    put(body, ("HostConfig", "Devices"), mapped)


def read_devices(inspect: Api) -> list[Values]:
    """The devices as configured."""
    return [
        {"hostPath": d["PathOnHost"], "containerPath": d["PathInContainer"], "permissions": d["CgroupPermissions"]}
        for d in inspect["HostConfig"].get("Devices") or []
    ]


def normal_device(device: Values) -> Values:
    """A device with its defaults."""
    defaults = {"containerPath": device["hostPath"], "permissions": "rwm"}
    return defaults | set_only(device)


def write_hosts(body: Api, hosts: list[Values]) -> None:
    """`[{host, ip}]` as extra lines of /etc/hosts."""
    put(body, ("HostConfig", "ExtraHosts"), [f"{item['host']}:{item['ip']}" for item in hosts])


def read_hosts(inspect: Api) -> list[Values]:
    """The extra lines; an IPv6 address holds colons itself."""
    pairs = [line.partition(":") for line in inspect["HostConfig"].get("ExtraHosts") or []]
    return [{"host": host, "ip": ip} for host, _, ip in pairs]


def read_networks(inspect: Api) -> list[Values]:
    """The networks that the container is in; Docker's own `bridge` only beside others, where nobody declared it."""
    networks = inspect.get("NetworkSettings", {}).get("Networks") or {}
    if set(networks) <= {"bridge", "host", "none"}:
        return []
    found = []
    for name, endpoint in sorted(networks.items()):
        addresses = endpoint.get("IPAMConfig") or {}
        # Older engines list the container's short id as an alias of their own.
        aliases = [alias for alias in endpoint.get("Aliases") or [] if alias != inspect["Id"][:12]]
        network = {"name": name, "aliases": aliases}
        network |= {"ipv4Address": addresses.get("IPv4Address"), "ipv6Address": addresses.get("IPv6Address")}
        found.append(set_only(network))
    return found


def normal_network(network: Values) -> Values:
    """A membership with its aliases in order."""
    return set_only(network) | {"aliases": sorted(set(network.get("aliases") or []))}


def own(key: str) -> Callable[[Api], list[Any]]:
    """A list or map of the container's configuration without what it has from its image (see `without_image`)."""
    return lambda inspect: inspect["Config"].get(key) or []


def without_image(inspect: Api, image: Api | None, declared: Values, hidden: frozenset[str]) -> Api:
    """An inspect answer without the environment and labels that come from the image, and without `hidden` labels.

    Docker merges both into the container; what the program declares stays, also where it equals the image's. When the
    image is gone, nothing tells its values from others: only what is declared stays.
    """
    config = inspect["Config"]
    envs, labels = set(declared.get("envs") or []), {item["label"] for item in declared.get("labels") or []}
    given_envs = set(config.get("Env") or []) if image is None else set(image.get("Env") or [])
    given_labels = (config if image is None else image).get("Labels") or {}
    kept_envs = [env for env in config.get("Env") or [] if env in envs or env not in given_envs]
    kept_labels = {
        key: value
        for key, value in (config.get("Labels") or {}).items()
        if key not in hidden and (key in labels or given_labels.get(key) != value)
    }
    return inspect | {"Config": config | {"Env": kept_envs, "Labels": kept_labels}}
