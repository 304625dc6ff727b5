"""The judges of the alerts' experiment, by cases that must fail, and its faults against the plans and rules."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from dreamseed.monitoring.contract import EXPORTERS, Job, Kind
from dreamseed.monitoring.coverage import NEEDED
from dreamseed.planning.services.monitoring import plan_rules
from dreamseed.planning.stage_plan import StagePlan
from localtier.experiments import alerts
from localtier.experiments.alert_faults import (
    FAULTS,
    Bench,
    Fault,
)
from localtier.experiments.alerts import (
    TIER_ALONE,
    Seen,
    Told,
    Trial,
    hurried_rules,
    hurried_settings,
    limit_seconds,
    problems,
    read_by_rules,
    told,
    tried,
    waits,
)
from localtier.experiments.api_metrics import bounds, pushed
from localtier.experiments.panels import Query, panel_queries
from tests.planning.stages import STAGE_NAMES, container, file, shipped

SEEN = Seen(
    fault="a disk nearly full",
    how="really",
    expected=frozenset({"DiskLow"}),
    limit_seconds=60,
    told_seconds={"DiskLow": 31.0},
    others=frozenset(),
)
AT_B = tried(shipped("stage-b"))
RULES = file(container(shipped("stage-b"), "prometheus"), alerts.RULES_FILE).text
SETTINGS = file(container(shipped("stage-b"), "prometheus"), alerts.SETTINGS_FILE).text


def test_a_fault_that_is_told_in_time_and_alone_has_no_problem() -> None:
    assert list(problems(SEEN)) == []


def test_an_alert_that_is_not_told_and_one_that_nobody_caused_are_problems() -> None:
    assert list(problems(replace(SEEN, told_seconds={}))) == ["a disk nearly full: DiskLow was not told within 60 s"]
    assert list(problems(replace(SEEN, others=frozenset({"PgDown"})))) == [
        "a disk nearly full: PgDown was told too, and nothing of it was caused"
    ]


def test_what_is_explained_by_another_alert_is_not_told() -> None:
    answer = [
        {"labels": {"alertname": name, "host": host}, "status": {"state": state}}
        for name, host, state in (
            ("HostDown", "one", "active"),
            ("PgDown", "one", "suppressed"),
            ("RedisDown", "one", "suppressed"),
            ("RedisDown", "two", "active"),
            ("DiskLow", "two", "unprocessed"),
        )
    ]
    assert told(answer) == Told(active=frozenset({"HostDown", "RedisDown"}), suppressed=frozenset({"PgDown"}))


def test_only_the_named_alerts_wait_shorter_and_nothing_else_of_the_rules_changes() -> None:
    hurried = hurried_rules(RULES, {"BudgetExceeded", "WalArchiveFailing"}, 30)
    assert waits(RULES)["BudgetExceeded"] == 3_600
    assert {name: wait for name, wait in waits(hurried).items() if wait != waits(RULES)[name]} == {"BudgetExceeded": 30}
    assert _without_waits(hurried) == _without_waits(RULES)


def _without_waits(text: str) -> Any:
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    for group in content["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
    return content


def test_an_alert_that_waits_shorter_already_keeps_its_wait() -> None:
    assert waits(hurried_rules(RULES, {"RedisDown"}, 600))["RedisDown"] == waits(RULES)["RedisDown"] == 120


def test_prometheus_looks_more_often_and_at_the_same_things() -> None:
    before, after = (yaml.load(text, Loader=yaml.CSafeLoader) for text in (SETTINGS, hurried_settings(SETTINGS, 5)))
    assert (after["global"]["scrape_interval"], after["global"]["evaluation_interval"]) == ("5s", "5s")
    assert {**after, "global": None} == {**before, "global": None}
    assert after["global"]["external_labels"] == before["global"]["external_labels"]


def test_the_limit_holds_the_effect_the_wait_and_the_intervals() -> None:
    fault = replace(FAULTS[0], expected=frozenset({"A", "B"}), effect_seconds=10)
    assert limit_seconds(fault, {"A": 30, "B": 100}, 5) == 10 + 15 + 100 + alerts.MARGIN_SECONDS


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_alert_that_is_expected_is_a_rule_of_the_stage_that_tries_it(stage: str) -> None:
    plan = shipped(stage)
    rules = {one.name for group in plan_rules(plan.config, plan.hosts, plan.services) for one in group.alerts}
    for fault in tried(plan):
        assert fault.expected <= rules
    # Not every stage has a Grafana Cloud, ships a log, or has an autoscaler.
    assert rules >= TIER_ALONE.keys() - {"RemoteWriteBehind", "RestoreDrillOld", "AutoscalerCapReached"}


ASKED_FOR = {"LLMQueueBacklog", "LlmReplicaDown", "BudgetExceeded", "DiskLow", "WalArchiveFailing"}
"""The GPU's stand-in saturated, a replica killed, the budget burnt, a disk nearly full, the archive stopped."""
ON_THE_WAY = {"TunnelConnectorDown", "PgBouncerDown"}


@pytest.mark.parametrize(
    ("stage", "more"),
    [
        ("stage-a", set()),
        ("stage-b", {"RedisDown"}),
        ("stage-c", {"RedisDown", "KafkaBrokerMissing", "KafkaConsumerLag", "AutoscalerSilent"}),
        ("stage-d", {"RedisDown", "KafkaBrokerMissing", "KafkaConsumerLag", "PgDown", "AutoscalerSilent"}),
        ("stage-e", {"RedisDown", "KafkaBrokerMissing", "KafkaConsumerLag", "PgDown", "AutoscalerSilent"}),
    ],
)
def test_each_stage_is_tried_with_what_it_has_and_in_the_short_form_with_what_was_asked_for(
    stage: str, more: set[str]
) -> None:
    def expected(*, short: bool) -> set[str]:
        return {name for fault in tried(shipped(stage), short=short) for name in fault.expected}

    assert expected(short=False) == ASKED_FOR | ON_THE_WAY | more
    assert expected(short=True) == ASKED_FOR


def test_no_fault_expects_what_may_be_told_anyway() -> None:
    expected = {name for fault in FAULTS for name in fault.expected}
    assert not expected & TIER_ALONE.keys()
    assert not expected & {name for fault in FAULTS for name in fault.consequences}
    plan = shipped("stage-b")
    concerns = {
        one.concern
        for group in plan_rules(plan.config, plan.hosts, plan.services)
        for one in group.alerts
        if one.name in expected
    }
    assert concerns >= set(NEEDED) - {"replication"}


def test_every_query_of_every_dashboard_is_asked() -> None:
    queries = panel_queries(shipped("stage-b"))
    text = " ".join(one.expression for one in queries)
    assert len(queries) > 40
    assert "$__" not in text
    for metric in ("edu_cost_month_to_date", "pg_stat_database", "redis_keyspace_hits", "vllm:num_requests_waiting"):
        assert metric in text
    assert panel_queries(shipped("stage-a")) == ()


def test_what_is_pushed_for_the_api_is_what_the_contract_asks_for() -> None:
    content = pushed(shipped("stage-b"), 0, 60 * 10**9)
    resource = content["resourceMetrics"][0]
    assert {"key": "service.name", "value": {"stringValue": "api"}} in resource["resource"]["attributes"]
    metrics = {one["name"]: one for one in resource["scopeMetrics"][0]["metrics"]}
    contract = next(one for one in EXPORTERS if one.job is Job.API)
    assert {one.name.removesuffix("_total") for one in contract.metrics} == metrics.keys()
    for metric in contract.metrics:
        (made,) = (
            metrics[metric.name.removesuffix("_total")][kind]
            for kind in ("gauge", "sum", "histogram")
            if kind in metrics[metric.name.removesuffix("_total")]
        )
        for point in made["dataPoints"]:
            assert {one["key"] for one in point.get("attributes", ())} == metric.labels - {"le"}
        attributes = [json.dumps(point.get("attributes")) for point in made["dataPoints"]]
        assert len(set(attributes)) == len(attributes)
        for point in made["dataPoints"]:
            if metric.kind is Kind.HISTOGRAM:
                assert tuple(point["explicitBounds"]) == metric.bounds == bounds()
                assert len(point["bucketCounts"]) == len(metric.bounds) + 1
                assert sum(map(int, point["bucketCounts"])) == int(point["count"]) > 0


class Made(Trial):
    """A trial of a bench that is made up: each fault brings what `brings` says of it."""

    def __init__(self, brings: Mapping[str, Told], monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter(range(100_000))
        monkeypatch.setattr(alerts, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
        monkeypatch.setattr(alerts, "import_bill", lambda bench, usd: None)
        self.said: list[str] = []
        self.empty: Iterator[list[Query]] = itertools.repeat([])
        self.away: Iterator[set[str]] = itertools.repeat(set())
        super().__init__(bench=Bench(tier=None, plan=shipped("stage-b"), engines={}), tell=self.said.append)  # type: ignore[arg-type]
        self._brings, self._now = brings, Told(active=frozenset(), suppressed=frozenset())
        self._waits = waits(RULES)
        monkeypatch.setattr(alerts, "tried", lambda *_, **__: tuple(map(self._made_up, AT_B)))

    def _made_up(self, fault: Fault) -> Fault:
        @contextmanager
        def made(bench: Bench) -> Iterator[None]:
            nothing = self._now
            self._now = self._brings.get(fault.name, Told(active=fault.expected, suppressed=frozenset()))
            yield
            self._now = nothing if fault.forgotten else self._now

        return replace(fault, made=made)

    def _calm(self, expected: object) -> None:
        pass

    @contextmanager
    def _hurried(self, expected: object) -> Iterator[None]:
        yield

    def _told(self) -> Told:
        return self._now

    def _there(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(names) - next(self.away)

    def _empty(self) -> list[Query]:
        return next(self.empty)


def test_a_trial_in_which_every_fault_is_told_alone_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Made({}, monkeypatch)
    assert trial.run().problems == []
    assert [one.fault for one in trial.findings.seen] == [fault.name for fault in AT_B]
    assert len(trial.said) == len(AT_B)


def test_a_trial_finds_a_fault_that_is_not_told_and_one_that_is_told_with_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    silent = Told(active=frozenset({"AlertDeliveryFailing"}), suppressed=frozenset())
    loud = Told(active=frozenset({"RedisDown", "PgDown"}), suppressed=frozenset({"RedisClusterBroken"}))
    brings = {"the budget burnt": silent, "a cache node killed and kept down": loud}
    found = Made(brings, monkeypatch).run()
    assert len(found.problems) == 2
    assert found.problems[0].startswith("a cache node killed and kept down: PgDown was told too")
    assert found.problems[1].startswith("the budget burnt: BudgetExceeded was not told within")
    assert found.seen[1].suppressed == {"RedisClusterBroken"}


def test_what_the_same_cause_rightly_brings_is_no_finding_then_and_later_and_is_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    burn = "GenerationLatencyBurn1h"
    loud = Told(active=frozenset({"LLMQueueBacklog", burn}), suppressed=frozenset())
    late = Told(active=frozenset({"WalArchiveFailing", burn}), suppressed=frozenset())
    brings = {"an engine saturated by load": loud, "the WAL archive stopped": late}
    assert Made(brings, monkeypatch).run().problems == []
    early = Told(active=frozenset({"BudgetExceeded", burn}), suppressed=frozenset())
    found = Made({"the budget burnt": early}, monkeypatch).run().problems
    assert [burn in problem for problem in found] == [True]


def test_a_panel_may_show_its_data_a_little_later_and_never_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Query(board="Database", panel="Since the last backup", expression="x")
    late = Made({}, monkeypatch)
    late.empty = iter([[nothing], [nothing], []])
    assert late.run().problems == []
    never = Made({}, monkeypatch)
    never.empty = itertools.repeat([nothing])
    found = never.run()
    assert found.problems == ["the panel 'Since the last backup' of 'Database' shows nothing: x"]
    assert found.empty == [nothing]
    queries = panel_queries(shipped("stage-b"))
    left_out = [one for one in queries if one.panel in alerts.EMPTY_PANELS]
    assert {one.panel for one in left_out} == alerts.EMPTY_PANELS.keys()
    assert found.queries == len(queries) - len(left_out)


def test_a_series_that_a_rule_reads_may_come_a_little_later_and_never_is_a_finding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seldom = next(iter(alerts.SELDOM))
    late = Made({}, monkeypatch)
    late.away = itertools.chain([{"redis_up"}], itertools.repeat({seldom}))
    assert late.run().problems == []
    never = Made({}, monkeypatch)
    never.away = itertools.repeat({"redis_up"})
    assert never.run().problems == ["there is no series of redis_up, which RedisDown reads"]


def test_every_series_that_a_rule_reads_is_asked_for_and_none_that_a_rule_records() -> None:
    read = read_by_rules(shipped("stage-b"))
    assert {"pgbouncer_up", "haproxy_backend_active_servers", "node_network_transmit_bytes_total"} - read.keys() == {
        "node_network_transmit_bytes_total"  # its trigger is the last stage's
    }
    assert "node_network_transmit_bytes_total" in read_by_rules(shipped("stage-d"))
    assert read["cloudflared_tunnel_ha_connections"] == "TunnelConnectionsFew"
    assert not {"up", "ALERTS", "edu_budget_monthly"} & read.keys()
    assert alerts.SELDOM.keys() <= read.keys()


def test_the_short_form_asks_no_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Made({}, monkeypatch)
    trial.short = True
    trial.empty = itertools.repeat([Query(board="b", panel="p", expression="x")])
    found = trial.run()
    assert (found.problems, found.queries) == ([], 0)


@dataclass
class Files:
    """A bench that only keeps Prometheus' files, and how they were each time that it was told to read them again."""

    plan: StagePlan
    files: dict[str, str]
    read_again: list[dict[str, str]] = field(default_factory=list)

    def first(self, service: str) -> SimpleNamespace:
        return SimpleNamespace(name=service)

    def read(self, _: str, path: str) -> str:
        return self.files[path]

    def write(self, _: str, path: str, text: str) -> None:
        self.files[path] = text

    def running(self, name: str) -> SimpleNamespace:
        assert name == "prometheus"
        return SimpleNamespace(kill=lambda signal: self.read_again.append(dict(self.files)))


@pytest.mark.parametrize("whole", [False, True])
def test_alerts_wait_shorter_unless_the_whole_wait_is_asked_for_and_afterwards_all_is_as_planned(
    whole: bool,
) -> None:
    planned = {alerts.RULES_FILE: RULES, alerts.SETTINGS_FILE: SETTINGS}
    bench = Files(plan=shipped("stage-b"), files=dict(planned))
    trial = Trial(bench, lambda _: None, whole=whole)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError), trial._hurried(frozenset({"BudgetExceeded", "DiskLow"})):
        raise RuntimeError("a fault that cannot be made")
    during, after = bench.read_again
    assert after == planned
    assert during[alerts.SETTINGS_FILE] == hurried_settings(SETTINGS, alerts.INTERVAL_SECONDS)
    assert (during[alerts.RULES_FILE] == RULES) == whole
    waited = waits(during[alerts.RULES_FILE])
    assert {name: waited[name] for name in ("BudgetExceeded", "DiskLow")} == (
        {"BudgetExceeded": 3_600, "DiskLow": 900} if whole else {"BudgetExceeded": 30, "DiskLow": 30}
    )
    assert trial._waits == waited


def test_an_alert_that_stays_after_its_fault_was_mended_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Made({}, monkeypatch)
    trial._now = Told(active=frozenset({"PgDown"}), suppressed=frozenset())
    assert any("PgDown was told for" in problem for problem in trial.run().problems)
