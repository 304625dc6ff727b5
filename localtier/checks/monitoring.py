"""Whether Prometheus reaches everything that it is to scrape and evaluates its rules, and Alertmanager is ready."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from dreamseed.planning import ports
from dreamseed.planning.container import Container
from localtier.checks.finding import Finding, none_of
from localtier.checks.site import Site


def prometheus(site: Site) -> Iterator[Finding]:
    """Compare the active targets and the loaded rules with those of the planned configuration."""
    for one in site.services("prometheus"):
        yield from target_findings(planned_targets(one), json.loads(_page(site, one, ports.PROMETHEUS, _TARGETS)))
        yield from rule_findings(planned_rules(one), json.loads(_page(site, one, ports.PROMETHEUS, _RULES)))


_TARGETS = "/api/v1/targets?state=active"
_RULES = "/api/v1/rules"


def _page(site: Site, of: Container, port: int, path: str) -> str:
    return site.exec_text(of.name, ["wget", "-q", "-T", "5", "-O", "-", f"http://127.0.0.1:{port}{path}"])


def planned_targets(prometheus_container: Container) -> frozenset[tuple[str, str]]:
    """Return the (job, instance) pairs of the configuration that the container is given."""
    text = next(file.text for file in prometheus_container.files if file.path.endswith("/prometheus.yml"))
    return frozenset(
        (job["job_name"], group["labels"]["instance"])
        for job in yaml.safe_load(text)["scrape_configs"]
        for group in job["static_configs"]
    )


def target_findings(planned: frozenset[tuple[str, str]], answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Return whether every planned target is active and up. Source: Prometheus HTTP API, targets."""
    active = {
        (one["labels"]["job"], one["labels"]["instance"]): (one["health"], one.get("lastError", ""))
        for one in answer["data"]["activeTargets"]
    }
    faults = [f"{job} {instance} is missing" for job, instance in sorted(planned - active.keys())]
    faults += [f"{job} {instance} is not planned" for job, instance in sorted(active.keys() - planned)]
    faults += [
        f"{job} {instance} is {health}: {error}".rstrip(": ")
        for (job, instance), (health, error) in sorted(active.items())
        if health != "up"
    ]
    yield none_of(f"monitoring: {len(planned)} targets are up", faults)


def planned_rules(prometheus_container: Container) -> Counter[str]:
    """Return the names of the recordings and alerts that the container is given, and how often each stands there."""
    text = next(file.text for file in prometheus_container.files if file.path.endswith("/rules.yml"))
    groups = yaml.load(text, Loader=yaml.CSafeLoader)["groups"]
    return Counter(rule.get("alert") or rule["record"] for group in groups for rule in group["rules"])


def rule_findings(planned: Counter[str], answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Return whether every planned rule is loaded and none fails. Source: Prometheus HTTP API, rules."""
    loaded = [rule for group in answer["data"]["groups"] for rule in group["rules"]]
    names = Counter(rule["name"] for rule in loaded)
    faults = [f"{name} is not loaded" for name in sorted(planned - names)]
    faults += [f"{name} is not planned" for name in sorted(names - planned)]
    faults += [f"{rule['name']} fails: {rule.get('lastError', '')}" for rule in loaded if rule["health"] == "err"]
    yield none_of(f"monitoring: {planned.total()} rules are evaluated", faults)


def alertmanager(site: Site) -> Iterator[Finding]:
    """Ask each Alertmanager whether it is ready."""
    for one in site.services("alertmanager"):
        _page(site, one, ports.ALERTMANAGER, "/-/ready")
        yield Finding(what=f"{one.name} is ready", ok=True)
