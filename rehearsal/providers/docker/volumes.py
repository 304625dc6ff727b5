"""Volumes: one with the same labels is adopted, another one of the same name is refused."""

from __future__ import annotations

from docker.api.client import APIClient
from docker.errors import NotFound

from rehearsal.providers.docker.properties import (
    Api,
    at,
    body_of,
    differing,
    filled,
    labels_at,
    observed,
    patched,
    without_secrets,
)
from rehearsal.providers.docker.removal import remove_when_free
from rehearsal.providers.docker.turns import Turn
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import Values

TOKEN = "docker:index/volume:Volume"  # noqa: S105 - a Pulumi type token
PROPERTIES = (at("name", "Name"), at("driver", "Driver"), at("driverOpts", "Options"), labels_at("Labels"))


class Volumes:
    """Create, read and delete of `Volume`; nothing changes in place."""

    token = TOKEN

    def create(self, api: APIClient, _subject: Subject, inputs: Values, planned: Values, _turn: Turn) -> Found:
        """Make the volume, or adopt an equal one.

        Docker answers a second create with the first volume and its labels, without an error: look first.
        """
        bare = without_secrets(inputs)
        if bare.get("cluster"):
            raise RefusedError(
                "cluster: the attached docker provider makes no cluster volumes: leave it out",
                RefusedError.Kind.UNIMPLEMENTED,
            )
        try:
            inspect = api.inspect_volume(bare["name"])
        except NotFound:
            body = body_of(PROPERTIES, bare)
            api.create_volume(bare["name"], body.get("Driver"), body.get("Options"), body.get("Labels"))
            inspect = api.inspect_volume(bare["name"])
        if wrong := differing(PROPERTIES, inputs, inspect):
            raise RefusedError(
                f"a volume {bare['name']} exists and differs in {', '.join(wrong)}; it is left as it is, for it may "
                "hold data: remove it by hand if it does not, or take another name",
                RefusedError.Kind.ALREADY_EXISTS,
            )
        return Found(inspect["Name"], inputs, filled(planned, _outputs(inspect)))

    def read(self, api: APIClient, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The volume with every difference from what is known."""
        try:
            inspect = api.inspect_volume(resource_id)
        except NotFound:
            return None
        if not state:
            seen = observed(PROPERTIES, inspect)
            return Found(inspect["Name"], inputs or seen, seen | _outputs(inspect))
        new_inputs, new_outputs = patched(PROPERTIES, inspect, inputs, state)
        return Found(inspect["Name"], new_inputs, new_outputs | {"mountpoint": inspect["Mountpoint"]})

    def update(self, _api: APIClient, _id: str, _inputs: Values, _planned: Values, _turn: Turn) -> Values:
        """Only a cluster volume changes in place, and none is made here."""
        raise RefusedError("a volume has nothing that changes in place", RefusedError.Kind.UNIMPLEMENTED)

    def delete(self, api: APIClient, _subject: Subject, resource_id: str, _state: Values, turn: Turn) -> None:
        """Remove the volume and its data; as the official provider does, wait up to 30 s while it is in use."""
        remove_when_free(lambda: api.remove_volume(resource_id), "volume is in use", turn)

    def list(self, api: APIClient) -> list[Found]:
        """Every volume of the engine."""
        volumes = api.volumes()["Volumes"] or []
        return [Found(v["Name"], observed(PROPERTIES, v), _outputs(v)) for v in volumes]


def _outputs(inspect: Api) -> Values:
    return observed(PROPERTIES, inspect) | {"mountpoint": inspect["Mountpoint"]}
