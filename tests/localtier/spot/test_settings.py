from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.catalog.gpus import gpu_model
from dreamseed.errors import PlanError
from localtier.spot.life import SERVE, connector_words
from localtier.spot.settings import (
    Place,
    SpotSettings,
    engine_arguments,
    read_spot_settings,
    spot_plan,
    write_spot_settings,
)
from localtier.tunnel.arguments import RunArguments, parse
from simulator.arguments import parse as parse_vllm
from simulator.refusals import engine_of
from simulator.settings import Pace
from tests.planning.stages import shipped

SETTINGS = SpotSettings(
    places=(Place(host="spot-1", socket="/run/one.sock"),),
    engine_image="engine:1",
    connector_image="connector:1",
    arguments=("model", "--port", "8000"),
    card="l4",
    cards=1,
    api_key="a-key",
    tunnel_token="a-token",
    edge="198.51.100.32:7845",
    log="/tmp/machines.jsonl",
)


@pytest.mark.parametrize("name", ["stage-c", "stage-d", "stage-e"])
def test_the_simulated_engine_takes_a_workers_arguments_and_holds_what_the_plan_says(name: str) -> None:
    plan = shipped(name)
    burst = spot_plan(plan)
    pace = Pace(gpu=gpu_model(burst.machine.gpu.name, where="test"), gpu_count=burst.machine.gpu_count)
    _, memory = engine_of(parse_vllm(["serve", *engine_arguments(plan)]), pace)
    assert memory.kv_tokens == burst.engine.kv_tokens


def test_engine_and_connector_are_started_as_the_script_starts_them() -> None:
    script = spot_plan(shipped("stage-c")).script
    assert f"'{SERVE}'" in script
    assert " ".join(connector_words(SETTINGS)) in script
    parsed = parse(connector_words(SETTINGS))
    assert isinstance(parsed, RunArguments)
    assert parsed.grace_seconds == SETTINGS.drain_seconds


def test_a_stage_without_workers_is_refused_with_a_remedy() -> None:
    with pytest.raises(PlanError, match=r"such as stage-c"):
        engine_arguments(shipped("stage-b"))


def test_settings_are_read_as_they_were_written_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "spot.json"
    write_spot_settings(path, SETTINGS)
    assert read_spot_settings(path) == SETTINGS
    assert path.stat().st_mode & 0o077 == 0
