from __future__ import annotations

import pytest

from dreamseed.planning import ports
from dreamseed.planning.reach import listens_on, plan_reach, published_ports
from tests.planning.stages import STAGE_NAMES, container, shipped

each_stage = pytest.mark.parametrize("name", STAGE_NAMES)


@each_stage
def test_what_reads_the_models_input_shares_no_network_with_what_leads_to_the_database(name: str) -> None:
    reach = next(one for one in plan_reach(shipped(name)) if one.network == "inference")
    services = {container(shipped(name), neighbour).service for neighbour, _ in reach.neighbours}
    assert services == {"vllm", "vllm-router", "tunnel"}


@each_stage
def test_pooler_proxies_and_router_are_reached_by_their_neighbours_alone(name: str) -> None:
    plan = shipped(name)
    inner = {ports.PGBOUNCER, ports.POSTGRES_PRIMARY, ports.POSTGRES_REPLICAS, ports.ROUTER}
    assert {port for one in plan.containers for port in one.inner_ports} == inner
    assert not inner & {port for _, port in published_ports(plan)}


def test_a_job_and_who_shares_its_hosts_network_have_no_door_on_a_container_network() -> None:
    plan = shipped("stage-e")
    assert listens_on(container(plan, "redis-cluster")) == frozenset()
    assert listens_on(container(plan, "server-1-node-exporter")) == frozenset()
    assert ("10.20.0.11", ports.NODE_EXPORTER) in published_ports(plan)


def test_each_host_has_a_reach_for_each_network_that_somebody_joined() -> None:
    found = [(one.host, str(one.network)) for one in plan_reach(shipped("stage-e"))]
    servers = [(host, name) for host in ("server-1", "server-2") for name in ("inference", "data", "monitoring")]
    assert found == [*servers, ("witness", "data"), ("witness", "monitoring")]
