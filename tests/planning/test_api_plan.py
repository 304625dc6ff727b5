from __future__ import annotations

import pytest

from dreamseed.planning.api import API_SECRETS, SIDECAR_SECRETS, ApiPlan, ApiSecret, plan_api, secret_id
from dreamseed.planning.cloud_network import restore_address
from dreamseed.planning.hosts import plan_hosts
from dreamseed.planning.object_store import plan_buckets
from dreamseed.planning.services.tunnel import plan_routes
from tests.components.declaring import changed, stage


def _plan(letter: str, active: bool = False) -> ApiPlan:
    config = changed(stage(letter), "disaster_recovery", active=active)
    return plan_api(config, plan_routes(config, plan_hosts(config, "x")), plan_buckets(config, "x"))


@pytest.mark.parametrize("letter", ["a", "b", "c", "d", "e"])
def test_every_local_address_that_the_api_is_told_is_one_that_the_sidecar_listens_on(letter: str) -> None:
    plan = _plan(letter)
    listening = {route.split("=")[0] for route in plan.sidecar_environment["TUNNEL_ROUTES"].split(",")}
    told = {plan.environment["DATABASE_PORT"]}
    for variable in ("REDIS_NODES", "KAFKA_BROKERS"):
        told |= {node.rsplit(":", 1)[1] for node in plan.environment.get(variable, "").split(",") if node}
    assert told <= listening


def test_services_that_a_stage_lacks_have_no_variable() -> None:
    first = _plan("a").environment
    assert not [variable for variable in first if variable.startswith(("REDIS_", "KAFKA_"))]
    last = _plan("e").environment
    assert len(last["REDIS_NODES"].split(",")) >= 6
    assert len(last["KAFKA_BROKERS"].split(",")) >= 5
    assert 0 < int(last["KAFKA_REQUEST_TIMEOUT_MS"]) < int(last["KAFKA_SOCKET_TIMEOUT_MS"]) < 60_000


def test_every_secret_is_used_and_no_plain_variable_has_a_secrets_name() -> None:
    assert set(API_SECRETS.values()) | set(SIDECAR_SECRETS.values()) == set(ApiSecret)
    assert not set(_plan("e").environment) & (set(API_SECRETS) | set(SIDECAR_SECRETS))


def test_each_secret_has_a_name_of_its_own() -> None:
    assert len({secret_id("dreamseed", secret) for secret in ApiSecret}) == len(ApiSecret)


def test_a_disaster_sends_the_api_to_the_restored_database_and_its_end_sends_it_back() -> None:
    calm, active = _plan("d"), _plan("d", active=True)
    assert (calm.environment["DATABASE_HOST"], calm.joins_network) == ("127.0.0.1", False)
    assert active.environment["DATABASE_HOST"] == str(restore_address(stage("d"))) == "10.40.0.20"
    assert active.environment["DATABASE_PORT"] == "5432"
    assert active.joins_network
    assert _plan("e").joins_network
