from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dreamseed.config import STAGE_NAMES
from dreamseed.config.compute import Accelerator
from dreamseed.errors import PlanError
from dreamseed.monitoring.metrics import Job
from dreamseed.planning.container import ServicePlan, VolumeKind
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.secrets import GeneratedSecret, ProvidedSecret
from dreamseed.planning.services.monitoring import plan_monitoring
from dreamseed.planning.services.monitoring_scrape import SOURCES
from tests.planning.monitored import container, planned, scraped, settings

HOSTED = {ProvidedSecret.GRAFANA_CLOUD_URL, ProvidedSecret.GRAFANA_CLOUD_USER, ProvidedSecret.GRAFANA_CLOUD_TOKEN}


ON_EACH = {
    *("node-exporter", "dcgm-exporter", "cost-exporter"),
    *("postgres-exporter", "pgbackrest-exporter", "pgbouncer-exporter"),
}
PROGRAMS = {"vllm", "etcd", "tunnel", "autoscaler", SOURCES[Job.HAPROXY][0]}
"""Who exports its own metrics."""


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("stage-a", ON_EACH),
        ("stage-b", ON_EACH | {"redis-exporter"}),
        ("stage-e", {service for service, _ in SOURCES.values()} - PROGRAMS | {"redis-exporter"}),
    ],
)
def test_each_stage_exports_what_it_has(name: str, kinds: set[str]) -> None:
    plan = planned(name).monitoring
    front = {"prometheus", "alertmanager"} | ({"grafana"} if planned(name).config.monitoring.dashboards else set())
    assert {container.service for container in plan.containers} == kinds | front
    assert ("grafana" in front) == (name != "stage-a")


def test_stage_e_watches_each_host_and_each_instance_and_the_witness_alone_by_its_node() -> None:
    plan = planned("stage-e").monitoring
    per_host = Counter(
        (container.host, container.service) for container in plan.containers if container.host != "server-1"
    )
    assert per_host == {
        ("server-2", "node-exporter"): 1,
        ("server-2", "dcgm-exporter"): 1,
        ("server-2", "postgres-exporter"): 1,
        ("server-2", "pgbouncer-exporter"): 2,
        ("witness", "node-exporter"): 1,
    }
    assert sum(container.service == "postgres-exporter" for container in plan.containers) == 4


def test_where_cards_are_simulated_nothing_asks_for_them() -> None:
    stage = planned("stage-a")
    vllm = stage.config.vllm.model_copy(update={"accelerator": Accelerator.SIMULATED})
    simulated = replace(stage, config=stage.config.model_copy(update={"vllm": vllm})).again(lambda one: one)
    assert not any(container.gpu_indices for container in simulated.containers)
    assert "dcgm" not in scraped(simulated)
    rules = settings(simulated, path="/etc/prometheus/rules.yml")
    assert "DCGM" not in json.dumps(rules)


def published(services: Sequence[ServicePlan], hosts: Sequence[Host]) -> Counter[str]:
    """How many containers publish each address and port."""
    address_of = {host.name: host.address for host in hosts}
    return Counter(
        f"{address_of[container.host]}:{port.published}"
        for plan in services
        for container in plan.containers
        for port in container.ports
    )


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_target_is_a_published_port_and_no_two_containers_share_one(name: str) -> None:
    stage = planned(name)
    ports = published([*stage.services, stage.monitoring], stage.hosts)
    targets = [address.removeprefix("redis://") for group in scraped(stage.monitoring).values() for address in group]
    assert targets
    assert [target for target in targets if target not in ports] == []
    assert len(targets) == len(set(targets))
    assert [port for port, count in ports.items() if count > 1] == []


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_everything_that_exports_is_scraped_once(name: str) -> None:
    stage = planned(name)
    running = [container for plan in (*stage.services, stage.monitoring) for container in plan.containers]
    expected = {
        job: sum(re.fullmatch(service, container.service) is not None for container in running)
        for job, (service, _) in SOURCES.items()
    }
    expected[Job.REDIS] = sum(container.service == "redis" for container in running)
    expected[Job.PATRONI] = expected[Job.POSTGRES]
    assert {Job(job): len(targets) for job, targets in scraped(stage.monitoring).items()} == {
        job: count for job, count in expected.items() if count
    }


def test_an_engine_more_is_scraped_without_being_listed() -> None:
    stage = planned("stage-c")
    engines = [one for plan in stage.services for one in plan.containers if one.service == "vllm"]
    added = replace(
        engines[0], name="server-1-vllm-9", ports=(replace(engines[0].ports[0], published=8_009),), after=()
    )
    wider = plan_monitoring(
        stage.config, stage.hosts, [*stage.services, ServicePlan(component="vllm", containers=(added,))]
    )
    assert scraped(wider)["vllm"] == [*scraped(stage.monitoring)["vllm"], "10.20.0.11:8009"]


def test_an_engine_that_publishes_no_metrics_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        planned("stage-c").again(lambda one: replace(one, ports=()) if one.service == "vllm" else one)
    assert caught.value.where == "monitoring › server-1-vllm-1"
    assert "Port(container=8000" in caught.value.remedy


def test_a_database_without_its_backup_container_is_refused() -> None:
    with pytest.raises(PlanError) as caught:
        planned("stage-c").again(lambda one: None if one.name == "pg-1-1-backup" else one)
    assert "pg-1-1-backup" in caught.value.what


def test_targets_carry_host_and_name_and_databases_their_shard() -> None:
    jobs = {job["job_name"]: job for job in settings(planned("stage-d").monitoring)["scrape_configs"]}
    labels = [entry["labels"] for job in jobs.values() for entry in job["static_configs"]]
    assert all(label["host"] == "server-1" and label["instance"] for label in labels)
    databases = [entry["labels"] for entry in jobs["postgres"]["static_configs"]]
    assert [(label["instance"], label["shard"]) for label in databases] == [
        ("pg-1-1", "1"),
        ("pg-1-2", "1"),
        ("pg-1-3", "1"),
    ]


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_router_proxy_pooler_and_connector_is_scraped_on_a_port_of_its_own(name: str) -> None:
    stage = planned(name)
    running = [one for plan in stage.services for one in plan.containers]
    services = {
        Job.HAPROXY: ("vllm-router", "pg-proxy-1"),
        Job.PGBOUNCER: ("pgbouncer",),
        Job.CLOUDFLARED: ("tunnel",),
    }
    for job, kinds in services.items():
        addresses = scraped(stage.monitoring)[job]
        assert len(set(addresses)) == len(addresses) == sum(one.service in kinds for one in running) >= 2


def test_the_exporter_of_a_pooler_stands_beside_it_and_reads_its_password_from_a_file() -> None:
    stage = planned("stage-e")
    poolers = {one.name: one for plan in stage.services for one in plan.containers if one.service == "pgbouncer"}
    for name, pooler in poolers.items():
        exporter = container(stage.monitoring, f"{name}-exporter")
        assert exporter.host == pooler.host
        assert set(exporter.networks) <= set(pooler.networks)
        assert f"@{name}:6432/pgbouncer?" in exporter.command[0]
        assert exporter.files[0].text.startswith(f"{name}:6432:pgbouncer:monitor:⟦")
        assert exporter.environment == {"PGPASSFILE": exporter.files[0].path}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_the_node_exporter_sees_a_servers_network_and_listens_on_the_private_address_alone(name: str) -> None:
    stage = planned(name)
    for host in servers(stage.hosts):
        exporter = container(stage.monitoring, f"{host.name}-node-exporter")
        assert exporter.host_network
        assert not exporter.networks
        assert f"--web.listen-address={host.address}:9100" in exporter.command
        assert "--collector.netdev" in exporter.command
        assert exporter.health is not None
        assert f"http://{host.address}:9100/" in exporter.health.test


def test_the_witness_whose_system_lets_nothing_in_beside_docker_keeps_a_network_of_its_own() -> None:
    exporter = container(planned("stage-e").monitoring, "witness-node-exporter")
    assert not exporter.host_network
    assert exporter.networks
    assert "--collector.netdev" not in exporter.command


def test_redis_is_asked_through_its_one_exporter_which_knows_each_nodes_password() -> None:
    stage = planned("stage-e")
    job = next(job for job in settings(stage.monitoring)["scrape_configs"] if job["job_name"] == "redis")
    assert job["metrics_path"] == "/scrape"
    assert job["relabel_configs"][1]["replacement"] == "10.20.0.11:9121"
    passwords = json.loads(container(stage.monitoring, "redis-exporter").files[0].text)
    assert list(passwords) == scraped(stage.monitoring)["redis"]
    assert set(passwords.values()) == {"⟦redis⟧"}


def test_the_backup_exporter_reads_the_repository_that_the_stage_archives_to() -> None:
    local = container(planned("stage-a").monitoring, "pg-1-1-backup-exporter")
    offsite = container(planned("stage-b").monitoring, "pg-1-1-backup-exporter")
    assert [file.path for file in local.files] == ["/etc/pgbackrest/local.conf"]
    assert [(mount.volume, mount.read_only) for mount in local.mounts] == [("pg-1-1-backup", True)]
    assert [file.path for file in offsite.files] == ["/etc/pgbackrest/offsite.conf"]
    assert offsite.mounts == ()
    assert "--backrest.config=/etc/pgbackrest/offsite.conf" in offsite.command


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_prometheus_keeps_what_the_file_says_on_a_volume_that_no_stage_moves(name: str) -> None:
    stage = planned(name)
    prometheus = container(stage.monitoring, "prometheus")
    assert "--storage.tsdb.retention.time=35d" in prometheus.command
    size = next(flag for flag in prometheus.command if "retention.size" in flag)
    assert int(re.findall(r"(\d+)GB", size)[0]) < stage.config.monitoring.disk_gib
    assert [mount.volume for mount in prometheus.mounts] == ["prometheus-data"]
    first = {volume.name: volume for volume in planned("stage-a").monitoring.volumes}
    here = {volume.name: volume for volume in stage.monitoring.volumes}
    assert set(first) <= set(here)
    assert {volume.host for volume in here.values()} == {"server-1"}
    # What the month cost is counted anew where it is lost.
    assert {volume.name for volume in here.values() if volume.kind is VolumeKind.CACHE} == {"cost-exporter-data"}


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_scraping_and_evaluation_follow_the_file_and_alerts_go_to_alertmanager(name: str) -> None:
    content = settings(planned(name).monitoring)
    assert content["global"]["scrape_interval"] == content["global"]["evaluation_interval"] == "30s"
    assert content["global"]["external_labels"] == {"service": "dreamseed"}
    assert content["rule_files"] == ["/etc/prometheus/rules.yml"]
    managers = content["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert managers == ["alertmanager:9093"]
    assert container(planned(name).monitoring, "alertmanager").ports[0].container == 9_093


def test_critical_alerts_go_to_pager_chat_and_mail_whose_secrets_stand_in_files() -> None:
    alertmanager = container(planned("stage-a").monitoring, "alertmanager")
    content = settings(planned("stage-a").monitoring, "alertmanager", "/etc/alertmanager/alertmanager.yml")
    receivers = {one["name"]: one for one in content["receivers"]}
    files = {file.path: file for file in alertmanager.files}
    webhook = files[receivers["page"]["webhook_configs"][0]["url_file"]]
    chat = files[receivers["ticket"]["slack_configs"][0]["api_url_file"]]
    assert (webhook.secrets, webhook.mode) == ((ProvidedSecret.ALERT_WEBHOOK,), "0400")
    assert (chat.secrets, chat.mode) == ((ProvidedSecret.ALERT_CHAT,), "0400")
    assert receivers["page"]["slack_configs"] == receivers["ticket"]["slack_configs"]
    password = files[content["global"]["smtp_auth_password_file"]]
    assert (password.secrets, password.mode) == ((ProvidedSecret.ALERT_MAIL_PASSWORD,), "0400")
    assert content["global"]["smtp_require_tls"] is True
    assert [one["to"] for one in receivers["page"]["email_configs"]] == ["ops@dreamseed.example"]
    assert "email_configs" not in receivers["ticket"]


def test_alertmanager_is_the_same_at_every_stage_so_that_no_promotion_replaces_it() -> None:
    first, *others = (container(planned(name).monitoring, "alertmanager") for name in STAGE_NAMES)
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_secrets_stand_in_files_that_one_user_reads_and_only_those_that_the_stage_has(name: str) -> None:
    stage = planned(name)
    for one in stage.monitoring.containers:
        outside = [*one.command, *one.entrypoint, *one.environment.values()]
        assert not any("⟦" in text for text in outside)
        secret_files = [file for file in one.files if file.path.startswith("/run/secrets/")]
        assert all(file.mode == "0400" and file.secrets and file.owner for file in secret_files)
    asked = {secret for one in stage.monitoring.containers for secret in one.secrets}
    assert asked <= {*GeneratedSecret, *ProvidedSecret}
    assert (asked & HOSTED == HOSTED) == (name in ("stage-c", "stage-d", "stage-e"))
    assert bool(asked & HOSTED) == (name in ("stage-c", "stage-d", "stage-e"))


def test_grafana_finds_its_data_source_and_the_plans_dashboard_in_files() -> None:
    plan = planned("stage-b").monitoring
    provisioning = "/etc/grafana/provisioning"
    source = settings(plan, "grafana", f"{provisioning}/datasources/prometheus.yaml")["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    folder = settings(plan, "grafana", f"{provisioning}/dashboards/dreamseed.yaml")["providers"][0]["options"]["path"]
    board = next(file for file in container(plan, "grafana").files if file.path.startswith(f"{folder}/"))
    assert json.loads(board.text)["title"] == "DreamSeedAI Elastic Scaling"
    mounts = [mount.path for mount in container(plan, "grafana").mounts]
    assert not any(board.path.startswith(f"{path}/") for path in mounts)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_monitoring_is_small_beside_what_it_watches(name: str) -> None:
    plan = planned(name).monitoring
    limits = {"prometheus": 2_048, "alertmanager": 128, "grafana": 512}
    for one in plan.containers:
        assert one.memory_mib <= limits.get(one.service, 256)
        assert 0 < one.cpu_cores <= 0.5
    assert sum(one.cpu_cores for one in plan.containers if one.host == "server-1") < 2


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_exporters_of_a_kind_are_replaced_one_after_the_other(name: str) -> None:
    plan = planned(name).monitoring
    names = [one.name for one in plan.containers]
    last: dict[str, str] = {}
    for one in plan.containers:
        assert all(names.index(before) < names.index(one.name) for before in one.after)
        if one.service in last:
            assert last[one.service] in one.after
        last[one.service] = one.name
