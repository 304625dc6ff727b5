"""Networks: an equal one is adopted, another one of the same name is refused."""

from __future__ import annotations

from docker.api.client import APIClient
from docker.errors import NotFound

from rehearsal.providers.docker.container_values import set_only
from rehearsal.providers.docker.leftovers import remove_left_behind
from rehearsal.providers.docker.properties import (
    Api,
    Property,
    at,
    body_of,
    differing,
    filled,
    is_unset,
    labels_at,
    observed,
    patched,
    put,
    without_secrets,
)
from rehearsal.providers.docker.removal import remove_when_free
from rehearsal.providers.docker.turns import Turn
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import Values

TOKEN = "docker:index/network:Network"  # noqa: S105 - a Pulumi type token
IPAM_KEYS = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange", "auxAddress": "AuxiliaryAddresses"}
PREDEFINED = frozenset({"bridge", "host", "none"})


def _write_ipam(body: Api, configs: list[Values]) -> None:
    rows = [{key: config[name] for name, key in IPAM_KEYS.items() if config.get(name)} for config in configs]
    put(body, ("IPAM", "Config"), rows)


def _read_ipam(inspect: Api) -> list[Values]:
    rows = (inspect.get("IPAM") or {}).get("Config") or []
    return [{name: row[key] for name, key in IPAM_KEYS.items() if not is_unset(row.get(key))} for row in rows]


PROPERTIES = (
    at("name", "Name"),
    at("driver", "Driver"),
    at("internal", "Internal"),
    at("attachable", "Attachable"),
    at("ingress", "Ingress"),
    at("ipv6", "EnableIPv6"),
    at("options", "Options"),
    at("ipamDriver", "IPAM", "Driver"),
    at("ipamOptions", "IPAM", "Options"),
    Property(name="ipamConfigs", write=_write_ipam, read=_read_ipam, normal=set_only, unordered=True),
    labels_at("Labels"),
)


def _named(api: APIClient, name: str) -> Api | None:
    """The network of exactly this name; names are not unique to Docker, so two are refused."""
    found = [network for network in api.networks(names=[name]) if network["Name"] == name]
    if len(found) > 1:
        ids = ", ".join(network["Id"][:12] for network in found)
        raise RefusedError(f"{len(found)} networks are called {name} ({ids}): remove all but one by hand")
    return api.inspect_network(found[0]["Id"]) if found else None


class Networks:
    """Create, read and delete of `Network`; nothing changes in place."""

    token = TOKEN

    def create(self, api: APIClient, _subject: Subject, inputs: Values, planned: Values, _turn: Turn) -> Found:
        """Make the network, or adopt the equal one that an interrupted run has made."""
        bare = without_secrets(inputs)
        inspect = _named(api, bare["name"])
        if inspect is None:
            body = body_of(PROPERTIES, bare)
            made = api.create_network(
                bare["name"],
                driver=body.get("Driver"),
                options=body.get("Options"),
                ipam=body.get("IPAM"),
                check_duplicate=True,
                internal=body.get("Internal", False),
                labels=body.get("Labels"),
                enable_ipv6=body.get("EnableIPv6", False),
                attachable=body.get("Attachable"),
                ingress=body.get("Ingress"),
            )
            inspect = api.inspect_network(made["Id"])
        elif wrong := differing(PROPERTIES, inputs, inspect):
            raise RefusedError(
                f"a network {bare['name']} exists and differs in {', '.join(wrong)}: remove it by hand, or take "
                "another name",
                RefusedError.Kind.ALREADY_EXISTS,
            )
        return Found(inspect["Id"], inputs, filled(planned, _outputs(inspect)))

    def read(self, api: APIClient, resource_id: str, inputs: Values, state: Values) -> Found | None:
        """The network with every difference from what is known."""
        try:
            inspect = api.inspect_network(resource_id)
        except NotFound:
            return None
        if not state:
            seen = observed(PROPERTIES, inspect)
            return Found(inspect["Id"], inputs or seen, seen | _outputs(inspect))
        new_inputs, new_outputs = patched(PROPERTIES, inspect, inputs, state)
        return Found(inspect["Id"], new_inputs, new_outputs | {"scope": inspect["Scope"]})

    def update(self, _api: APIClient, _id: str, _inputs: Values, _planned: Values, _turn: Turn) -> Values:
        """The table replaces for every property, so this is never asked for."""
        raise RefusedError("a network has nothing that changes in place", RefusedError.Kind.UNIMPLEMENTED)

    def delete(self, api: APIClient, subject: Subject, resource_id: str, _state: Values, turn: Turn) -> None:
        """Remove the network; as the official provider does, wait up to 30 s for its last containers to leave it.

        What depends on the network in the engine's state is gone by now, so a container of the same stack that is
        still in it was left behind by an interrupted run, and goes too.
        """

        def remove() -> None:
            inspect = api.inspect_network(resource_id)
            for container_id in inspect.get("Containers") or {}:
                remove_left_behind(api, container_id, subject)
            api.remove_network(resource_id)

        remove_when_free(remove, "has active endpoints", turn)

    def list(self, api: APIClient) -> list[Found]:
        """Every network of the engine that Docker does not make itself."""
        inspected = [api.inspect_network(n["Id"]) for n in api.networks() if n["Name"] not in PREDEFINED]
        return [Found(i["Id"], observed(PROPERTIES, i), _outputs(i)) for i in inspected]


def _outputs(inspect: Api) -> Values:
    return observed(PROPERTIES, inspect) | {"scope": inspect["Scope"]}
