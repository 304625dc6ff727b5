"""Targets of the shipped stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.planning.services import kafka, redis
from localtier.load.redis_cache import to_loopback
from localtier.load.targets import TOPIC, read_targets, targets_of, write_targets
from tests.planning.stages import STAGE_NAMES, shipped


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_stage_has_the_targets_that_its_plan_has(stage: str) -> None:
    plan = shipped(stage)
    targets = targets_of(plan)
    nodes = redis.plan_nodes(plan.config, plan.hosts)
    brokers = kafka.plan_brokers(plan.config, plan.hosts)
    assert (targets.redis.ports if targets.redis else ()) == tuple(node.port for node in nodes)
    assert (targets.kafka.ports if targets.kafka else ()) == tuple(broker.tunnel_port for broker in brokers)
    if targets.kafka:
        assert TOPIC in {topic.name for topic in plan.config.kafka.topics}
    assert targets.postgres.port == 6432


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_cache_node_is_reached_on_the_port_that_it_announces(stage: str) -> None:
    plan = shipped(stage)
    local = {route.service: route.local_port for route in plan.routes}
    for node in redis.plan_nodes(plan.config, plan.hosts):
        assert to_loopback((node.address, node.port)) == ("127.0.0.1", local[f"tcp://{node.address}:{node.port}"])


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_targets_come_back_from_their_file(stage: str, tmp_path: Path) -> None:
    targets = targets_of(shipped(stage))
    write_targets(tmp_path / "targets.json", targets)
    assert read_targets(tmp_path / "targets.json") == targets
