"""Every container of every stage, as the program really declares it, held to the rules of the servers' tier."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pulumi
import pytest

from components.containers import fill
from dreamseed.config import STAGE_NAMES
from dreamseed.planning.container import File, secret
from dreamseed.planning.rights import PROCESSES_OF_A_USER
from tests.program import Registered, record

CONTAINER = "docker:index/container:Container"
ADMINISTERS = ("packet-filter", "wireguard")
"""The components whose containers have NET_ADMIN in their server's network."""
SECRET_VALUES = re.compile(r"generated-|configured-|key-of-|secret-of-|tunnel-token-value")
Rule = Callable[[Registered], bool]


def containers() -> list[Registered]:
    return [resource for stage in STAGE_NAMES for resource in record(stage) if resource.type == CONTAINER]


def publishes_only_on_private_addresses(container: Registered) -> bool:
    addresses = [ip_address(port.get("ip", "0.0.0.0")) for port in container.inputs.get("ports", [])]
    return all(address.is_private and not address.is_unspecified for address in addresses)


def in_the_hosts_network_only_reads(container: Registered) -> bool:
    # Docker drops published ports there without an error, and refuses other networks.
    if container.inputs.get("networkMode") != "host":
        return True
    volumes = container.inputs.get("volumes", [])
    joined = container.inputs.get("ports", []) + container.inputs.get("networksAdvanced", [])
    measures, administers = "node-exporter" in container.name, container.component in ADMINISTERS
    return not joined and (measures or administers) and all(measures and one["readOnly"] for one in volumes)


def has_no_capability_but_its_network_s(container: Registered) -> bool:
    own = {"adds": ["NET_ADMIN"]} if container.component in ADMINISTERS else {}
    return bool(container.inputs.get("capabilities") == {**own, "drops": ["ALL"]})


def has_no_device_but_the_link_s(container: Registered) -> bool:
    own = container.component == "wireguard"
    device = {"hostPath": "/dev/net/tun", "containerPath": "/dev/net/tun", "permissions": "rwm"}
    return bool((container.inputs.get("devices") or []) == ([device] if own else []))


def is_read_only_where_no_file_is_put(container: Registered) -> bool:
    # Docker refuses both at once.
    return bool(container.inputs["readOnly"] is not bool(container.inputs["uploads"]))


def bounds_the_processes_of_its_user(container: Registered) -> bool:
    limits = {limit["name"]: limit["hard"] for limit in container.inputs.get("ulimits", [])}
    return bool(limits.get("nproc") == PROCESSES_OF_A_USER or container.inputs.get("user") is None)


def gains_no_privileges(container: Registered) -> bool:
    hardened = "no-new-privileges:true" in container.inputs["securityOpts"]
    return hardened and not container.inputs.get("privileged")


def is_limited_in_memory_without_swap(container: Registered) -> bool:
    return bool(0 < container.inputs["memory"] == container.inputs["memorySwap"])


def rotates_its_logs(container: Registered) -> bool:
    return {"max-size", "max-file"} <= set(container.inputs["logOpts"])


def restarts_unless_it_is_a_job(container: Registered) -> bool:
    return bool(container.inputs["restart"] == ("always" if container.inputs["mustRun"] else "no"))


def stops_with_grace(container: Registered) -> bool:
    return bool(0 < container.inputs["stopTimeout"] == container.inputs["destroyGraceSeconds"])


def is_healthy_before_the_next_is_touched(container: Registered) -> bool:
    check = container.inputs.get("healthcheck")
    return check is None or (container.inputs["wait"] is True and container.inputs["waitTimeout"] > 0)


def is_deleted_before_it_is_made_again(container: Registered) -> bool:
    # Names and ports are fixed: the new one cannot exist beside the old one.
    return container.delete_before_replace


def shows_no_secret_outside_its_files(container: Registered) -> bool:
    shown = {key: value for key, value in container.inputs.items() if key != "uploads"}
    return not SECRET_VALUES.search(str(shown))


def marks_files_with_secrets(container: Registered) -> bool:
    holds = SECRET_VALUES.search(str(container.inputs.get("uploads", []))) is not None
    return not holds or any(path.startswith("uploads") for path in container.secrets)


def leaves_no_marker_in_a_file(container: Registered) -> bool:
    return "⟦" not in str(container.inputs.get("uploads", []))


RULES: dict[Rule, dict[str, Any]] = {
    publishes_only_on_private_addresses: {"ports": [{"internal": 1.0, "external": 1.0, "ip": "0.0.0.0"}]},
    in_the_hosts_network_only_reads: {"networkMode": "host"},
    has_no_capability_but_its_network_s: {"capabilities": {"adds": ["NET_ADMIN"], "drops": ["ALL"]}},
    has_no_device_but_the_link_s: {"devices": [{"hostPath": "/dev/net/tun"}]},
    is_read_only_where_no_file_is_put: {"readOnly": True, "uploads": [{"file": "/etc/a"}]},
    bounds_the_processes_of_its_user: {"user": "999", "ulimits": []},
    gains_no_privileges: {"securityOpts": []},
    is_limited_in_memory_without_swap: {"memorySwap": -1.0},
    rotates_its_logs: {"logOpts": {}},
    restarts_unless_it_is_a_job: {"restart": "unless-stopped"},
    stops_with_grace: {"destroyGraceSeconds": 0.0},
    is_healthy_before_the_next_is_touched: {"healthcheck": {"tests": ["CMD", "true"]}, "wait": None},
    shows_no_secret_outside_its_files: {"envs": ["PASSWORD=generated-redis"]},
    leaves_no_marker_in_a_file: {"uploads": [{"content": "requirepass ⟦redis⟧"}]},
}
"""Each rule beside a broken container that it must refuse."""


@pytest.mark.parametrize(
    "rule", [*RULES, is_deleted_before_it_is_made_again, marks_files_with_secrets], ids=lambda rule: rule.__name__
)
def test_every_container_of_every_stage(rule: Rule) -> None:
    assert len(containers()) > 100
    assert [container.urn for container in containers() if not rule(container)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_broken_container_is_refused_by_the_rule(rule: Rule) -> None:
    sound = next(one for one in containers() if one.component not in ADMINISTERS)
    broken = dataclasses.replace(sound, inputs={**sound.inputs, **RULES[rule]})
    assert not rule(broken)


def test_a_file_with_a_secret_that_is_not_marked_is_refused() -> None:
    holder = next(c for c in containers() if c.secrets)
    assert not marks_files_with_secrets(dataclasses.replace(holder, secrets=()))


def test_a_container_that_would_exist_beside_its_successor_is_refused() -> None:
    assert not is_deleted_before_it_is_made_again(dataclasses.replace(containers()[0], delete_before_replace=False))


def _before(urn: str, waits_for: dict[str, set[str]]) -> set[str]:
    """Return everything that `urn` waits for, directly or through others."""
    found: set[str] = set()
    ahead = set(waits_for[urn])
    while ahead:
        found |= ahead
        ahead = {further for each in ahead for further in waits_for.get(each, ())} - found
    return found


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_replicas_of_a_service_wait_for_one_another(stage: str) -> None:
    # Without a chain the engine deletes all replicas and then makes them again: an outage.
    by_service: dict[str, list[Registered]] = {}
    for container in record(stage):
        if container.type == CONTAINER and container.inputs["mustRun"]:
            labels = {label["label"]: label["value"] for label in container.inputs["labels"]}
            by_service.setdefault(labels["service"], []).append(container)
    groups = [group for group in by_service.values() if len(group) > 1]
    assert groups, "no service has replicas: the rule was not tried"
    waits_for = {resource.urn: set(resource.dependencies) for resource in record(stage)}
    for group in groups:
        urns = {container.urn for container in group}
        first = [c for c in group if not urns & _before(c.urn, waits_for)]
        assert len(first) == 1, f"{[c.name for c in first]} do not wait for one another"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_connector_is_sent_requests_only_after_all_that_it_leads_to_is_healthy(stage: str) -> None:
    # Seen from D to E: a new server's connectors stood before its routers, and chats failed.
    containers = [resource for resource in record(stage) if resource.type == CONTAINER]
    behind = {one.urn for one in containers if one.component in ("vllm", "postgres", "redis", "kafka")}
    assert any("router" in urn for urn in behind)
    connectors = [one for one in containers if one.component == "tunnel"]
    assert connectors
    for connector in connectors:
        assert behind <= set(connector.dependencies), connector.name


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_nothing_runs_before_every_server_has_its_filter(stage: str) -> None:
    running = [resource for resource in record(stage) if resource.type == CONTAINER]
    filters = {one.urn for one in running if one.component == "packet-filter"}
    assert len(filters) == (2 if stage == "stage-e" else 1)
    assert all(filters <= set(one.dependencies) for one in running if one.urn not in filters)


def test_nothing_runs_before_both_ends_of_the_link_but_the_filters_and_its_own_network_only() -> None:
    running = [resource for resource in record("stage-e") if resource.type == CONTAINER]
    ends = {one.urn for one in running if one.component == "wireguard"}
    assert len(ends) == 2
    waiting = [one for one in running if one.component not in ADMINISTERS]
    assert all(ends <= set(one.dependencies) for one in waiting)
    assert not [one for stage in STAGE_NAMES[:-1] for one in record(stage) if one.component == "wireguard"]


def test_the_witness_is_touched_only_after_its_machine_stands() -> None:
    networks = [r for r in record("stage-e") if r.name.startswith("witness-") and r.type.endswith(":Network")]
    assert networks
    for network in networks:
        assert any("compute/instance:Instance" in urn for urn in network.dependencies), network.urn


@pulumi.runtime.test  # type: ignore[untyped-decorator]  # the SDK gives this decorator no types
def test_a_file_gets_its_secrets_and_becomes_one() -> pulumi.Output[None]:
    file = File(path="/etc/x", text=f"password={secret('redis')} again={secret('redis')}")
    filled = pulumi.Output.from_input(fill(file, {"redis": pulumi.Output.secret("s3cret")}))

    def check(values: list[Any]) -> None:
        text, is_secret = values
        assert text == "password=s3cret again=s3cret"
        assert is_secret

    return pulumi.Output.all(filled, filled.is_secret()).apply(check)
