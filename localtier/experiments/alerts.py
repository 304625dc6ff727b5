"""Alerts on a stage that runs: faults are made, and exactly the alerts that are expected must be told in time.

Prometheus scrapes and evaluates faster than planned meanwhile, and the expected alerts wait shorter: an hour's wait is
no other code than a minute's. Every other alert waits as long as planned, so "nothing else" is of the time tried.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import yaml

from dreamseed.monitoring.metrics import BUILT_IN, metrics_of
from dreamseed.planning import ports
from dreamseed.planning.hosts import servers
from dreamseed.planning.services.monitoring import plan_rules
from dreamseed.planning.services.monitoring_exporters import BACKUP_POLL_SECONDS
from dreamseed.planning.services.monitoring_files import yaml_text
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.review.prometheus import Prometheus
from localtier.experiments.alert_faults import FAULTS, Bench, Fault, import_bill
from localtier.experiments.api_metrics import pushing
from localtier.experiments.panels import Query, panel_queries
from localtier.experiments.users import Users
from localtier.load.runner import Rates
from localtier.load.targets import targets_of
from localtier.maintenance import alertmanager_url
from localtier.network import ask_outside
from localtier.tier import Tier

CHATS_PER_SECOND = 0.2
"""So few that an engine saturated on purpose never has to refuse one."""
INTERVAL_SECONDS = 5
LONGEST_WAIT_SECONDS = 30
MARGIN_SECONDS = 20
"""For two cores that run a whole stage; beside the intervals and the alert's own wait."""
QUIET_SECONDS = 240
POLL_SECONDS = 2
SEEN_SECONDS = BACKUP_POLL_SECONDS + 60
"""The exporter of backups asks that seldom, and may have asked before the first backup."""
TIER_ALONE: Mapping[str, str] = {
    "AlertDeliveryFailing": "no pager and no chat are part of the tier",
    "RemoteWriteBehind": "no Grafana Cloud is part of the tier",
    "RestoreDrillOld": "nobody tells a tier's Prometheus of drills",
    "AutoscalerCapReached": "an autoscaler's first month counts as spent",
    "HostCpuHigh": "hosts of one small machine share its processors",
    "HostMemoryLow": "hosts of one small machine share its memory",
    "DiskFullSoon": "hosts of one small machine share its disk, and images fill it for a while",
}
"""What may be told in a tier beside what was caused, and why."""
SELDOM: Mapping[str, str] = {
    "vllm:admission_rejections_total": "an engine that never refused has no such series",
    "restore_drill_passed_timestamp_seconds": "nobody tells a tier's Prometheus of drills",
}
"""Series that a stage may lack, and why."""
EMPTY_PANELS: Mapping[str, str] = {"Restore drills": "nobody tells a tier's Prometheus of drills"}
"""Panels that may show nothing, and why."""
SETTINGS_FILE, RULES_FILE = "/etc/prometheus/prometheus.yml", "/etc/prometheus/rules.yml"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What Alertmanager holds at a moment: alerts that it tells, and those that it does not while others explain them.

    Source: Alertmanager API v2, status.state: active, suppressed, unprocessed.
    """

    active: frozenset[str]
    suppressed: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a fault brought: seconds until each expected alert was told, and every other alert that was told."""

    fault: str
    how: str
    expected: frozenset[str]
    limit_seconds: float
    told_seconds: Mapping[str, float]
    others: frozenset[str]
    suppressed: frozenset[str] = frozenset()


@dataclass
class Findings:
    """Everything that was found."""

    seen: list[Seen] = field(default_factory=list)
    empty: list[Query] = field(default_factory=list)
    queries: int = 0
    metrics: int = 0
    problems: list[str] = field(default_factory=list)


def told(answer: Iterable[Mapping[str, Any]]) -> Told:
    """Return what Alertmanager's list of alerts says."""
    by_state: dict[str, set[str]] = {}
    for one in answer:
        by_state.setdefault(one["status"]["state"], set()).add(one["labels"]["alertname"])
    active = frozenset(by_state.get("active", ()))
    return Told(active=active, suppressed=frozenset(by_state.get("suppressed", set())) - active)


def hurried_rules(text: str, alerts: Iterable[str], longest_seconds: int) -> str:
    """Return a rules file in which `alerts` wait at most so long; nothing else is changed."""
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    for group in content["groups"]:
        for rule in group["rules"]:
            if rule.get("alert") in set(alerts) and "for" in rule:
                rule["for"] = f"{min(longest_seconds, int(str(rule['for']).removesuffix('s')))}s"
    return yaml_text(content)


def hurried_settings(text: str, interval_seconds: int) -> str:
    """Return a configuration that scrapes and evaluates so often; nothing else is changed."""
    content = yaml.load(text, Loader=yaml.CSafeLoader)
    wanted = f"{interval_seconds}s"
    content["global"] |= {"scrape_interval": wanted, "evaluation_interval": wanted, "scrape_timeout": wanted}
    return yaml_text(content)


def waits(text: str) -> dict[str, int]:
    """Return how many seconds each alert of a rules file waits."""
    rules = [rule for group in yaml.load(text, Loader=yaml.CSafeLoader)["groups"] for rule in group["rules"]]
    return {rule["alert"]: int(str(rule.get("for", "0s")).removesuffix("s")) for rule in rules if "alert" in rule}


def limit_seconds(fault: Fault, waited: Mapping[str, int], interval_seconds: int) -> float:
    """Return when the last alert of a fault must be told: its effect, a scrape, the wait, two evaluations, the margin.

    The second evaluation is the one that ends the wait.
    """
    longest = max(waited[name] for name in fault.expected)
    return fault.effect_seconds + 3 * interval_seconds + longest + MARGIN_SECONDS


def read_by_rules(plan: StagePlan) -> Mapping[str, str]:
    """Return each exported series that a rule of the stage reads, with one rule that does."""
    groups = plan_rules(plan.config, plan.hosts, plan.services)
    rules = [(rule.name, rule.expression) for group in groups for rule in group.recordings]
    rules += [(rule.name, rule.expression) for group in groups for rule in group.alerts]
    made = {rule.name for group in groups for rule in group.recordings} | BUILT_IN.keys()
    return {name: rule for rule, expression in rules for name in metrics_of(expression) - made}


def seen_content(seen: Seen) -> dict[str, Any]:
    """Return what a fault brought, for JSON."""
    return asdict(seen) | {name: sorted(getattr(seen, name)) for name in ("expected", "others", "suppressed")}


def problems(seen: Seen) -> Iterator[str]:
    """Return what is wrong with what a fault brought."""
    for name in sorted(seen.expected - seen.told_seconds.keys()):
        yield f"{seen.fault}: {name} was not told within {seen.limit_seconds:.0f} s"
    for name in sorted(seen.others):
        yield f"{seen.fault}: {name} was told too, and nothing of it was caused"


def tried(plan: StagePlan, *, short: bool = False) -> tuple[Fault, ...]:
    """Return the faults that can be made at a stage: a cache node is killed where there is a cache."""
    counts = Counter(one.service for one in plan.containers)
    return tuple(one for one in FAULTS if counts[one.needs] >= one.least and (one.short or not short))


@dataclass
class Trial:
    """The faults of a stage that stands, one after the other.

    With `whole` every alert waits as long as planned. The `short` form leaves out what a stage has beside the faults of
    the growth plan's own parts, and the panels.
    """

    bench: Bench
    tell: Callable[[str], None]
    whole: bool = False
    short: bool = False
    findings: Findings = field(default_factory=Findings)

    def run(self) -> Findings:
        """Make every fault, and then ask every panel's query; Prometheus then looks as often as planned again."""
        faults = tried(self.bench.plan, short=self.short)
        # A shipped stage may be above its budget late in a month: that is another fault than those made here.
        import_bill(self.bench, 0.0)
        expected = frozenset[str]().union(*(fault.expected for fault in faults))
        self._calm(expected)
        with self._hurried(expected):
            self._quiet(frozenset())
            remembered: frozenset[str] = frozenset()
            for fault in faults:
                self._found(self._try(fault, remembered))
                remembered |= fault.consequences | (frozenset() if fault.forgotten else fault.expected)
                self._quiet(remembered)
            self._metrics()
            if not self.short:
                self._panels()
        return self.findings

    def _calm(self, expected: frozenset[str]) -> None:
        """Wait until none of the expected alerts fires or is about to: one that waits shorter would fire at once."""
        url, until = prometheus_url(self.bench.plan), time.monotonic() + QUIET_SECONDS
        query = f'ALERTS{{alertname=~"{"|".join(sorted(expected))}"}}'

        def ask() -> dict[str, float]:
            return Prometheus(url).values(query, datetime.now(UTC), "alertname")

        while loud := ask_outside(self.bench.tier.world(self.bench.plan), ask):
            if time.monotonic() > until:
                self.findings.problems.append(f"{', '.join(sorted(loud))} was due before anything was caused")
                return
            time.sleep(POLL_SECONDS)

    @contextmanager
    def _hurried(self, expected: frozenset[str]) -> Iterator[None]:
        """Let Prometheus look more often, and the expected alerts wait shorter unless the whole wait is asked for."""
        name = self.bench.first("prometheus").name
        planned = {path: self.bench.read(name, path) for path in (RULES_FILE, SETTINGS_FILE)}
        rules = planned[RULES_FILE]
        if not self.whole:
            rules = hurried_rules(rules, expected, LONGEST_WAIT_SECONDS)
        self._waits = waits(rules)
        self._load(name, {RULES_FILE: rules, SETTINGS_FILE: hurried_settings(planned[SETTINGS_FILE], INTERVAL_SECONDS)})
        try:
            yield
        finally:
            self._load(name, planned)

    def _load(self, name: str, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            self.bench.write(name, path, text)
        self.bench.running(name).kill("SIGHUP")

    def _try(self, fault: Fault, remembered: frozenset[str]) -> Seen:
        limit = limit_seconds(fault, self._waits, INTERVAL_SECONDS)
        told_seconds: dict[str, float] = {}
        others: set[str] = set()
        suppressed: set[str] = set()
        with fault.made(self.bench):
            began = time.monotonic()
            while fault.expected - told_seconds.keys() and time.monotonic() - began < limit:
                now = self._told()
                for name in fault.expected & now.active:
                    told_seconds.setdefault(name, round(time.monotonic() - began, 1))
                others |= now.active - fault.expected - fault.consequences - TIER_ALONE.keys() - remembered
                suppressed |= now.suppressed
                time.sleep(POLL_SECONDS)
        return Seen(
            fault=fault.name,
            how=fault.how,
            expected=fault.expected,
            limit_seconds=limit,
            told_seconds=told_seconds,
            others=frozenset(others),
            suppressed=frozenset(suppressed),
        )

    def _found(self, seen: Seen) -> None:
        self.findings.seen.append(seen)
        self.findings.problems += problems(seen)
        times = ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in seen.told_seconds.items())
        self.tell(f"{seen.fault} ({seen.how}): {times or 'nothing'} of at most {seen.limit_seconds:.0f} s")

    def _quiet(self, remembered: frozenset[str]) -> None:
        """Wait until nothing is told but what the tier alone explains; what stays is a finding."""
        until = time.monotonic() + QUIET_SECONDS
        while loud := self._told().active - TIER_ALONE.keys() - remembered:
            if time.monotonic() > until:
                names = ", ".join(sorted(loud))
                self.findings.problems.append(f"{names} was told for {QUIET_SECONDS} s, and nothing of it was caused")
                return
            time.sleep(POLL_SECONDS)

    def _told(self) -> Told:
        def ask() -> Told:
            with httpx.Client(trust_env=False, timeout=30) as client:
                return told(client.get(f"{alertmanager_url(self.bench.plan)}/api/v2/alerts").raise_for_status().json())

        return ask_outside(self.bench.tier.world(self.bench.plan), ask)

    def _metrics(self) -> None:
        """Require that every series that a rule reads is there: an alert on one that is not stays silent for ever."""
        read = read_by_rules(self.bench.plan)
        until = time.monotonic() + SEEN_SECONDS
        while (missing := read.keys() - self._there(read) - SELDOM.keys()) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        self.findings.metrics = len(read.keys() - SELDOM.keys())
        self.findings.problems += [
            f"there is no series of {name}, which {read[name]} reads" for name in sorted(missing)
        ]

    def _there(self, names: Iterable[str]) -> frozenset[str]:
        """Return those names of series that Prometheus has now."""
        url, query = prometheus_url(self.bench.plan), f'count by (__name__) ({{__name__=~"{"|".join(sorted(names))}"}})'

        def ask() -> dict[str, float]:
            return Prometheus(url).values(query, datetime.now(UTC), "__name__")

        return frozenset(ask_outside(self.bench.tier.world(self.bench.plan), ask))

    def _panels(self) -> None:
        """Ask every panel's query, again until each returns data or the slowest exporter must have asked once more."""
        self.findings.queries = len(self._asked())
        until = time.monotonic() + SEEN_SECONDS
        while (empty := self._empty()) and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
        self.findings.empty = empty
        self.findings.problems += [
            f"the panel '{one.panel}' of '{one.board}' shows nothing: {one.expression}" for one in empty
        ]

    def _asked(self) -> list[Query]:
        """Return the queries of panels, but for those that may show nothing."""
        return [one for one in panel_queries(self.bench.plan) if one.panel not in EMPTY_PANELS]

    def _empty(self) -> list[Query]:
        """Return the queries of panels that return nothing now."""
        queries = self._asked()
        url, now = prometheus_url(self.bench.plan), datetime.now(UTC)

        def ask() -> list[Query]:
            prometheus = Prometheus(url)
            return [one for one in queries if not prometheus.values(one.expression, now)]

        return ask_outside(self.bench.tier.world(self.bench.plan), ask)


def prometheus_url(plan: StagePlan) -> str:
    """Return where a stage's Prometheus listens."""
    return f"http://{servers(plan.hosts)[0].address}:{ports.PROMETHEUS}"


@contextmanager
def benched(tier: Tier, plan: StagePlan, users: Users) -> Iterator[Bench]:
    """Return the bench of a stage that stands, with few users of its own and the API's metrics pushed until it ends.

    Users with more chats would fill an engine that is saturated on purpose, and it would refuse some.
    """
    load = users.load(plan)
    load.start(targets_of(plan), users.secrets(plan), Rates(chats=CHATS_PER_SECOND))
    world = tier.world(plan)
    try:
        with (
            tier.engines(plan) as engines,
            pushing(plan, prometheus_url(plan), lambda push: ask_outside(world, push)),
        ):
            yield Bench(tier=tier, plan=plan, engines=engines)
    finally:
        load.stop()
