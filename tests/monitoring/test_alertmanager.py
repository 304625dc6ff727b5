"""The planned configuration in a real Alertmanager: who is told what, and what is silent while its cause fires."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.inhibitions import EVERYTHING_ELSE, INHIBITIONS
from dreamseed.monitoring.model import Fleet
from dreamseed.monitoring.rules import rule_groups
from dreamseed.planning.services.monitoring_alertmanager import settings
from dreamseed.planning.services.monitoring_files import yaml_text
from localtier.images import ensure_binary
from tests.ports import free_port

PROJECT = Path(__file__).parents[2]
patiently = partial(retry, stop=stop_after_delay(300), wait=wait_fixed(0.2))
"""Until it is so; a busy machine may take its time."""


class Alertmanager:
    """One that runs, by its API."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def tell(self, *alerts: Mapping[str, str]) -> None:
        self._client.post("/api/v2/alerts", json=[{"labels": dict(one)} for one in alerts]).raise_for_status()

    def alerts(self) -> dict[str, dict[str, Any]]:
        answer = self._client.get("/api/v2/alerts").raise_for_status().json()
        return {one["labels"]["alertname"]: one for one in answer}

    @patiently(retry=retry_if_exception_type(AssertionError), reraise=True)
    def wait_for(self, silent: set[str], told: set[str]) -> dict[str, dict[str, Any]]:
        found = self.alerts()
        states = {name: one["status"]["state"] for name, one in found.items()}
        assert {name for name, state in states.items() if state == "suppressed"} == silent
        assert {name for name, state in states.items() if state == "active"} == told
        return found

    @patiently(retry=retry_if_exception_type(httpx.HTTPError))
    def wait_until_ready(self) -> None:
        self._client.get("/-/ready").raise_for_status()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    text = yaml_text(settings(load_stage(stage_file(PROJECT, "stage-e"))))
    for secret in re.findall(r"/run/secrets/(\S+)", text):
        (tmp_path / secret).write_text("http://127.0.0.1:9/", encoding="utf-8")
    (tmp_path / "alertmanager.yml").write_text(text.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    port = free_port()
    command = [
        str(ensure_binary("alertmanager")),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            running = Alertmanager(f"http://127.0.0.1:{port}")
            running.wait_until_ready()
            yield running
        finally:
            process.terminate()


def alert(name: str, severity: str = "warning", **labels: str) -> dict[str, str]:
    return {"alertname": name, "severity": severity, **labels}


def test_critical_alerts_page_and_tickets_do_not(alertmanager: Alertmanager) -> None:
    alertmanager.tell(alert("PgDown", "critical", instance="pg-1-1"), alert("KafkaConsumerLag"))
    found = alertmanager.wait_for(silent=set(), told={"PgDown", "KafkaConsumerLag"})
    assert [one["name"] for one in found["PgDown"]["receivers"]] == ["page"]
    assert [one["name"] for one in found["KafkaConsumerLag"]["receivers"]] == ["ticket"]


def test_a_host_that_is_gone_silences_its_own_alerts_and_no_other_hosts(alertmanager: Alertmanager) -> None:
    alertmanager.tell(
        alert("HostDown", "critical", host="server-2"),
        alert("LlmReplicaDown", "critical", host="server-2"),
        alert("RedisDown", "critical", host="server-1"),
        alert("KafkaUnderReplicated"),
    )
    alertmanager.wait_for(silent={"LlmReplicaDown"}, told={"HostDown", "RedisDown", "KafkaUnderReplicated"})


def test_a_fast_burn_silences_the_slower_ones_of_its_own_objective(alertmanager: Alertmanager) -> None:
    alertmanager.tell(
        alert("ApiAvailabilityBurn1h", "critical", slo="api-availability"),
        alert("ApiAvailabilityBurn6h", "critical", slo="api-availability"),
        alert("ApiAvailabilityBurn3d", slo="api-availability"),
        alert("ApiLatencyP95Burn6h", "critical", slo="api-latency-p95"),
    )
    alertmanager.wait_for(
        silent={"ApiAvailabilityBurn6h", "ApiAvailabilityBurn3d"},
        told={"ApiAvailabilityBurn1h", "ApiLatencyP95Burn6h"},
    )


def test_every_inhibition_is_of_alerts_that_a_stage_has_and_none_silences_its_own_source() -> None:
    names = {
        one.name
        for stage in STAGE_NAMES
        for group in rule_groups(load_stage(stage_file(PROJECT, stage)), frozenset(Job), Fleet(gpus=5, engines=3))
        for one in group.alerts
    }
    for inhibition in INHIBITIONS:
        assert {inhibition.source, *inhibition.targets} <= names | {EVERYTHING_ELSE}
        assert inhibition.source not in inhibition.targets
