"""Containers: made, read, updated and removed as the official provider does, with what differs named in
docs/reference/docker-provider.md.

Source: kreuzwerker/terraform-provider-docker, internal/provider/resource_docker_container_funcs.go, read 2026-11-24.
"""

from __future__ import annotations

from typing import Any

from docker.api.client import APIClient
from docker.errors import APIError, ImageNotFound, NotFound

from rehearsal.providers.docker.container_table import PROPERTIES, UPDATABLE, refuse_unknown
from rehearsal.providers.docker.container_values import bytes_of, without_image
from rehearsal.providers.docker.images import find_image, inspect_image
from rehearsal.providers.docker.leftovers import URN_LABEL, make_way
from rehearsal.providers.docker.properties import (
    Api,
    body_of,
    filled,
    is_unset,
    observed,
    patched,
    without_secrets,
)
from rehearsal.providers.docker.starting import ensure, is_running
from rehearsal.providers.docker.turns import Turn
from rehearsal.providers.docker.uploads import archive
from rehearsal.providers.seams import Found, HalfMadeError, RefusedError, Subject
from rehearsal.providers.values import UNKNOWN, Values

TOKEN = "docker:index/container:Container"  # noqa: S105 - a Pulumi type token
IMAGE_ID = "sha256:"
HIDDEN = frozenset({URN_LABEL})


class Containers:
    """Create, read, update and delete of `Container`."""

    token = TOKEN

    def create(self, api: APIClient, subject: Subject, inputs: Values, planned: Values, turn: Turn) -> Found:
        """Make and start the container and wait as declared.

        One that this resource made before, in a run that was interrupted, is removed first: its data is in volumes.
        What fails before the start leaves nothing behind. What fails from the start on raises `HalfMadeError`, as with
        the official provider: the engine then knows the container, and the next run starts it or replaces it.
        """
        declared = {key: value for key, value in without_secrets(planned).items() if value is not UNKNOWN}
        refuse_unknown(without_secrets(inputs))
        make_way(api, declared["name"], subject)
        container_id = self._make(api, subject, declared)
        try:
            ensure(api, container_id, declared, turn)
        except (RefusedError, APIError) as error:
            found = self._found(api, container_id, inputs, planned)
            reason = error.explanation if isinstance(error, APIError) else error
            raise HalfMadeError(f"{declared['name']} was created and then: {reason}", found) from error
        return self._found(api, container_id, inputs, planned)

    @staticmethod
    def _make(api: APIClient, subject: Subject, declared: Values) -> str:
        body = body_of(PROPERTIES, declared)
        body.setdefault("HostConfig", {}).setdefault("Init", False)
        body.setdefault("Labels", {})[URN_LABEL] = subject.urn
        try:
            made = api.create_container_from_config(body, declared["name"])  # type: ignore[no-untyped-call] # in the stubs
        except ImageNotFound as error:
            raise RefusedError(
                f"the engine has no image {declared['image']}: declare it as a RemoteImage and use its image_id",
                RefusedError.Kind.NOT_FOUND,
            ) from error
        container_id = str(made["Id"])
        try:
            _join_networks(api, container_id, declared.get("networksAdvanced") or [])
            if declared.get("uploads"):
                api.put_archive(container_id, "/", archive(declared["uploads"]))
        except BaseException:
            api.remove_container(container_id, v=True, force=True)
            raise
        return container_id

    def _found(self, api: APIClient, container_id: str, inputs: Values, planned: Values) -> Found:
        inspect, image = _inspected(api, container_id)
        own = without_image(inspect, image, without_secrets(inputs), HIDDEN)
        outputs = _with_computed(filled(planned, observed(PROPERTIES, own)), inspect)
        if outputs.get("attach") and outputs.get("logs"):
            outputs["containerLogs"] = api.logs(container_id).decode("utf-8", "replace")
        return Found(container_id, inputs, outputs)

    def read(self, api: APIClient, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The container with every difference from what is known; `mustRun` is false when it should run and does not.

        Source: upstream pull request 841 and the table's notes: the next update starts it.
        """
        try:
            inspect, image = _inspected(api, resource_id)
        except NotFound:
            return None
        known = inputs or {key: value for key, value in state.items() if key in {"envs", "labels"}}
        own = without_image(inspect, image, without_secrets(known), HIDDEN)
        if not state:
            seen = observed(PROPERTIES, own)
            return Found(inspect["Id"], inputs or seen, _with_computed(seen, inspect))
        reference = without_secrets(state).get("image", "")
        own["Image"] = _image_seen(api, inspect["Image"], reference)
        new_inputs, new_outputs = patched(PROPERTIES, own, inputs, state)
        new_outputs = _with_computed(new_outputs, inspect)
        if state.get("mustRun", True) and state.get("start") is not False and not is_running(inspect):
            new_outputs["mustRun"] = False
            if "mustRun" in inputs:
                new_inputs["mustRun"] = False
        return Found(inspect["Id"], new_inputs, new_outputs)

    def update(self, api: APIClient, resource_id: str, inputs: Values, planned: Values, turn: Turn) -> Values:
        """Change limits and restart policy in place, and start and await what does not run though it must."""
        declared = {key: value for key, value in without_secrets(planned).items() if value is not UNKNOWN}
        refuse_unknown(without_secrets(inputs))
        try:
            inspect, _ = _inspected(api, resource_id)
        except NotFound as error:
            raise RefusedError(
                f"the container {declared['name']} is gone: it was removed by hand; run `pulumi refresh` first",
                RefusedError.Kind.NOT_FOUND,
            ) from error
        if _not_as_declared(inspect, declared):
            api.update_container(resource_id, **_limits(declared))
            _refuse_unchanged(_inspected(api, resource_id)[0], declared)
        ensure(api, resource_id, declared, turn)
        return self._found(api, resource_id, inputs, planned).outputs

    def delete(self, api: APIClient, _subject: Subject, resource_id: str, state: Values, _turn: Turn) -> None:
        """Stop the container with its grace, then remove it and its nameless volumes; named ones stay."""
        known = without_secrets(state)
        grace_seconds = int(known.get("destroyGraceSeconds") or 0)
        try:
            if grace_seconds and not known.get("attach"):
                api.stop(resource_id, timeout=grace_seconds)
            api.remove_container(resource_id, v=bool(known.get("removeVolumes", True)), force=True)
        except NotFound:
            return
        except APIError as error:
            if "is already in progress" not in str(error.explanation):
                raise

    def list(self, api: APIClient) -> list[Found]:
        """Every container of the engine, running or not."""
        found = [self.read(api, container["Id"], {}, {}) for container in api.containers(all=True)]
        return [container for container in found if container is not None]


def _inspected(api: APIClient, container_id: str) -> tuple[Api, Api | None]:
    """A container, and the configuration of its image unless that is gone."""
    inspect: Api = api.inspect_container(container_id)
    try:
        return inspect, inspect_image(api, inspect["Image"])["Config"] or {}
    except ImageNotFound:
        return inspect, None


def _image_seen(api: APIClient, image_id: str, reference: str) -> str:
    """The declared reference while the container's image stands under it, else the image's id."""
    if reference.startswith(IMAGE_ID) or reference == image_id:
        return image_id
    image = find_image(api, reference)
    return reference if image is not None and image["Id"] == image_id else image_id


def _with_computed(outputs: Values, inspect: Api) -> Values:
    """The outputs with what only Docker knows; the exit code only of what has ended."""
    networks = inspect["NetworkSettings"].get("Networks") or {}
    computed: Values = {
        "bridge": inspect["NetworkSettings"].get("Bridge", ""),
        "networkDatas": [
            {
                "networkName": name,
                "ipAddress": endpoint.get("IPAddress", ""),
                "ipPrefixLength": endpoint.get("IPPrefixLen", 0),
                "gateway": endpoint.get("Gateway", ""),
                "globalIpv6Address": endpoint.get("GlobalIPv6Address", ""),
                "globalIpv6PrefixLength": endpoint.get("GlobalIPv6PrefixLen", 0),
                "ipv6Gateway": endpoint.get("IPv6Gateway", ""),
                "macAddress": endpoint.get("MacAddress", ""),
            }
            for name, endpoint in sorted(networks.items())
        ],
    }
    if not is_running(inspect):
        return outputs | computed | {"exitCode": inspect["State"]["ExitCode"]}
    return {key: value for key, value in outputs.items() if key != "exitCode"} | computed


def _join_networks(api: APIClient, container_id: str, networks: list[Values]) -> None:
    """Leave Docker's own bridge for the declared networks."""
    if not networks:
        return
    try:
        api.disconnect_container_from_network(container_id, "bridge")
    except APIError as error:
        if "is not connected to" not in str(error.explanation):
            raise
    for network in networks:
        api.connect_container_to_network(
            container_id,
            network["name"],
            aliases=network.get("aliases"),
            ipv4_address=network.get("ipv4Address"),
            ipv6_address=network.get("ipv6Address"),
        )


def _limits(declared: Values) -> dict[str, Any]:
    """What Docker's update call takes; memory and swap always together, as a limit above the old swap is refused."""
    limits: dict[str, Any] = {
        "mem_limit": bytes_of(declared.get("memory") or 0),
        "memswap_limit": bytes_of(declared.get("memorySwap") or 0),
        "mem_reservation": bytes_of(declared.get("memoryReservation") or 0),
        "cpu_shares": declared.get("cpuShares"),
        "cpuset_cpus": declared.get("cpuSet"),
        "restart_policy": {
            "Name": declared.get("restart") or "no",
            "MaximumRetryCount": declared.get("maxRetryCount") or 0,
        },
    }
    return {key: value for key, value in limits.items() if not is_unset(value)}


def _not_as_declared(inspect: Api, declared: Values) -> dict[str, Any]:
    """The updatable properties that the container has otherwise, with what it has."""
    return {
        prop.name: prop.read(inspect)
        for prop in PROPERTIES
        if prop.name in UPDATABLE
        and (prop.seen_undeclared or not is_unset(declared.get(prop.name)))
        and prop.key(declared.get(prop.name)) != prop.key(prop.read(inspect))
    }


def _refuse_unchanged(inspect: Api, declared: Values) -> None:
    """An accepted update proves nothing: Docker ignores some values, such as a limit that is taken away."""
    if wrong := _not_as_declared(inspect, declared):
        shown = ", ".join(f"{name} is {value} instead of {declared.get(name)}" for name, value in wrong.items())
        raise RefusedError(
            f"Docker accepted the update of {declared['name']} and did not make it: {shown}. Replace the container: "
            "`pulumi up --replace URN`"
        )
