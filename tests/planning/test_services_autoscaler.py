from __future__ import annotations

import json
import re

import pytest

from autoscaler.settings import Settings
from dreamseed.planning import ports
from dreamseed.planning.container import VolumeKind
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services.autoscaler import CREDENTIAL_FILE, KILL_SWITCH, SETTINGS_FILE, STATE_FOLDER, UID
from dreamseed.planning.services.vllm import ROUTERS_PER_SERVER
from tests.planning.stages import STAGE_NAMES, container, file, planned, shipped
from tests.planning.test_services_vllm import router

WITH_WORKERS = ("stage-c", "stage-d", "stage-e")


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_it_stands_on_the_first_server_where_there_are_spot_workers_and_nowhere_else(name: str) -> None:
    plan = shipped(name)
    found = [one.host for one in plan.containers if one.service == "autoscaler"]
    assert found == (["server-1"] if name in WITH_WORKERS else [])
    assert bool(plan.autoscaler.volumes) == (name in WITH_WORKERS)


def test_a_stage_that_gives_up_its_workers_gives_up_the_autoscaler_and_the_routers_way_to_them() -> None:
    plan = planned("stage-c", {"vllm": {"burst": {"max_workers": 0}}})
    assert not plan.autoscaler.containers
    assert "spot-workers" not in router(plan)
    assert "edu_autoscaler" not in file(container(plan, "prometheus"), "/etc/prometheus/rules.yml").text


@pytest.mark.parametrize("name", WITH_WORKERS)
def test_the_daemon_takes_the_settings_that_it_is_given(name: str) -> None:
    plan = shipped(name)
    settings = Settings.model_validate_json(file(container(plan, "autoscaler"), SETTINGS_FILE).text)
    assert settings.policy.max_workers == plan.config.vllm.burst.max_workers
    assert settings.policy.spending.cap_usd_per_month == pytest.approx(34.96, abs=0.01)
    assert settings.template == f"⟦{ProvidedSecret.WORKER_TEMPLATE}⟧"


def test_its_key_is_a_file_that_its_user_alone_reads_and_nothing_else_of_it_is_secret() -> None:
    one = container(shipped("stage-c"), "autoscaler")
    key = file(one, CREDENTIAL_FILE)
    assert (key.owner, key.mode) == (UID, "0400")
    assert one.environment == {"GOOGLE_APPLICATION_CREDENTIALS": CREDENTIAL_FILE}
    assert set(one.secrets) == {ProvidedSecret.AUTOSCALER_KEY, ProvidedSecret.WORKER_TEMPLATE}


def test_what_the_month_cost_and_the_kill_switch_outlive_the_container() -> None:
    plan = shipped("stage-c")
    one = container(plan, "autoscaler")
    assert [mount.path for mount in one.mounts] == [STATE_FOLDER]
    assert KILL_SWITCH.startswith(f"{STATE_FOLDER}/")
    assert f"--kill-switch={KILL_SWITCH}" in one.command
    assert [volume.kind for volume in plan.autoscaler.volumes] == [VolumeKind.DATA]
    assert "--begin-spent" in one.command
    assert "--dry-run" not in one.command


def test_prometheus_scrapes_it() -> None:
    plan = shipped("stage-c")
    text = file(container(plan, "prometheus"), "/etc/prometheus/prometheus.yml").text
    assert f"10.20.0.11:{ports.AUTOSCALER}" in text


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_router_knows_one_way_to_the_workers_by_their_private_name(name: str) -> None:
    plan = shipped(name)
    for number in range(1, ROUTERS_PER_SERVER * len(plan.config.servers) + 1):
        text = router(plan, f"vllm-router-{number}")
        names = re.findall(r"^  server tunnel (\S+):443 .* ssl verify required ca-file @system-ca ", text, re.MULTILINE)
        assert names == ([plan.burst.route.hostname] if plan.burst else [])


def test_the_workers_weight_is_that_of_all_of_them_and_the_agent_on_the_first_server_lowers_it() -> None:
    plan = shipped("stage-e")
    assert plan.burst is not None
    (line,) = re.findall(r"^  server spot-workers .*$", router(plan), re.MULTILINE)
    assert f" weight {2 * plan.burst.engine.kv_tokens // 1_000} " in line
    assert f" agent-check agent-addr 10.20.0.11 agent-port {ports.AUTOSCALER_AGENT} " in line
    published = {port.published for port in container(plan, "autoscaler").ports}
    assert published == {ports.AUTOSCALER, ports.AUTOSCALER_AGENT}


def test_the_token_for_access_stands_in_a_file_of_the_routers_user_and_goes_to_the_tunnel_alone() -> None:
    one = container(shipped("stage-c"), "vllm-router-1")
    (config,) = one.files
    assert config.mode == "0400"
    engines, _, workers = config.text.partition("\nlisten spot-workers\n")
    assert "⟦" not in engines
    assert ProvidedSecret.TUNNEL_CLIENT_SECRET in workers
    assert "  bind 127.0.0.1:" in workers
    (without,) = container(shipped("stage-a"), "vllm-router-1").files
    assert not without.secrets


def test_settings_are_json_with_one_thing_to_be_filled_in() -> None:
    text = file(container(shipped("stage-c"), "autoscaler"), SETTINGS_FILE).text
    assert text.count("⟦") == 1
    assert json.loads(text.replace(f"⟦{ProvidedSecret.WORKER_TEMPLATE}⟧", "https://x/y"))["template"] == "https://x/y"
