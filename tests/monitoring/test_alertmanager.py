"""The planned configuration in a real Alertmanager: who is told what, and what is silent while its cause fires."""

from __future__ import annotations

from pathlib import Path

from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.inhibitions import EVERYTHING_ELSE, INHIBITIONS
from dreamseed.monitoring.model import Fleet
from dreamseed.monitoring.rules import rule_groups
from tests.monitoring.conftest import Alertmanager

PROJECT = Path(__file__).parents[2]


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


def test_an_archive_that_is_not_reached_explains_a_look_that_fails_in_its_own_shard(alertmanager: Alertmanager) -> None:
    alertmanager.tell(
        alert("WalArchiveStale", "critical", shard="1", instance="pg-1-1"),
        alert("ArchiveLookFailing", "critical", shard="1"),
        alert("ArchiveLookOld", shard="2"),
    )
    alertmanager.wait_for(silent={"ArchiveLookFailing"}, told={"WalArchiveStale", "ArchiveLookOld"})


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


GRAVER = {
    "WalArchiveStale": "the same late archive, when most of the RPO is gone",
    "ArchiveLookFailing": "what it explains begins to wait a day later",
    "PgDown": "an archive is late minutes after its database went, so it is told first only where it is another fault",
    "LlmRejecting": "a queue that was told of and then ran full",
    "HostDown": "what has its host's label and does not wait (archive, cards, rules) is not made by a lost host",
}
"""Sources that may wait longer than what they silence, and why."""


def test_an_alert_that_explains_others_waits_no_longer_than_they_do_or_it_would_be_told_second() -> None:
    waits = {
        one.name: one.for_seconds
        for group in rule_groups(load_stage(stage_file(PROJECT, "stage-e")), frozenset(Job), Fleet(gpus=5, engines=3))
        for one in group.alerts
    }
    late = {
        inhibition.source
        for inhibition in INHIBITIONS
        for target in (waits if EVERYTHING_ELSE in inhibition.targets else inhibition.targets)
        if waits[target] < waits[inhibition.source]
    }
    assert late == GRAVER.keys()


def test_a_tunnel_that_is_down_explains_what_comes_through_it(alertmanager: Alertmanager) -> None:
    alertmanager.tell(
        alert("TunnelDown", "critical"),
        alert("TunnelConnectorDown", host="server-1"),
        alert("ApiMetricsMissing"),
        alert("LlmReplicaDown", "critical", host="server-1"),
    )
    alertmanager.wait_for(silent={"TunnelConnectorDown", "ApiMetricsMissing"}, told={"TunnelDown", "LlmReplicaDown"})
