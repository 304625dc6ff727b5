"""What a stage must have as a whole, and what it must not have: no rule on a resource sees that it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dreamseed.config.cloud import CloudflarePlan, RecoveryKind
from dreamseed.config.keys import KeyName
from dreamseed.planning.keys import generations_of
from policy.model import Demand, Resource, Stage, StageRule, of_type
from policy.rules.access import EVERYONE
from policy.rules.cost import BUDGET
from policy.rules.edge import RULESET, SETTING, TLS_SETTINGS
from policy.rules.state import B2_BUCKET, BUCKET, SQL


def _with(kind: str, path: str, value: object) -> Callable[[Resource], bool]:
    return lambda resource: resource.type == kind and resource.at(path) == value


def _edge(stage: Stage) -> Iterator[Demand]:
    for setting in TLS_SETTINGS:
        yield Demand(what=f"the zone's setting {setting}", counts=_with(SETTING, "settingId", setting))
    phases = ["http_request_firewall_custom", "http_ratelimit", "http_request_dynamic_redirect"]
    if stage.config.edge.plan is not CloudflarePlan.FREE:  # on Free Cloudflare's own rules are on by themselves
        phases.append("http_request_firewall_managed")
    for phase in phases:
        yield Demand(what=f"the ruleset of {phase}", counts=_with(RULESET, "phase", phase))


def _recovery(stage: Stage) -> Iterator[Demand]:
    if stage.config.backup.wal_archive:
        yield Demand(what="the bucket of backups", counts=_backups)
    if stage.config.backup.second_site:
        yield Demand(what="the bucket of backups in a second region", counts=_backups, least=2)
    if stage.config.disaster_recovery.kind is not RecoveryKind.NONE:
        yield Demand(what="Cloud SQL to recover on", counts=of_type(SQL))
        yield Demand(what="the job that refreshes it", counts=of_type("gcp:cloudrunv2/job:Job"))
        yield Demand(what="the clock that starts the job", counts=of_type("gcp:cloudscheduler/job:Job"))
    yield Demand(what="the bucket of the program's state", counts=of_type(BUCKET))


def _backups(resource: Resource) -> bool:
    return resource.type == B2_BUCKET and "backups" in str(resource.at("name", ""))


def _watched(_: Stage) -> Iterator[Demand]:
    yield Demand(what="the cloud's budget", counts=of_type(BUDGET))
    yield Demand(what="somebody to write to", counts=of_type("gcp:monitoring/notificationChannel:NotificationChannel"))
    yield Demand(what="a check from outside", counts=of_type("gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"))


def _keyless(stage: Stage) -> Iterator[Demand]:
    # The autoscaler runs on an owner's server, which has no identity at Google.
    most = 1 if stage.config.vllm.burst.max_workers else 0
    # While its key is exchanged, two are valid.
    most += generations_of(stage.config, KeyName.AUTOSCALER_KEY).with_previous
    yield Demand(what="a key of a service account", counts=of_type("gcp:serviceaccount/key:Key"), least=0, most=most)
    provider = of_type("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider")
    yield Demand(what="the identity of the workflows", counts=provider, most=1)


def _one_door(_: Stage) -> Iterator[Demand]:
    yield Demand(what="a grant to everybody", counts=lambda r: r.at("member") in EVERYONE, least=0, most=1)


STAGE_RULES = (
    StageRule(
        name="edge-is-whole",
        description="The zone has its TLS settings, and a ruleset in each phase that protects.",
        remedy="see dreamseed/planning/edge.py",
        demands=_edge,
    ),
    StageRule(
        name="recovery-where-demanded",
        description="Backups have their buckets, and a stage that asks for recovery in the cloud has all of it.",
        remedy="declare ObjectStore and DisasterRecovery as the stage file says",
        demands=_recovery,
    ),
    StageRule(
        name="spending-is-watched",
        description="The stage has a budget, somebody who is written to, and a check from outside.",
        remedy="declare CostGuard and Observability",
        demands=_watched,
    ),
    StageRule(
        name="no-long-lived-keys",
        description="Workflows act by one workload identity; no account has a key but the autoscaler's, on our server.",
        remedy="let the workflow exchange its own token: see components/delivery.py",
        demands=_keyless,
    ),
    StageRule(
        name="one-public-door",
        description="Everybody may call one service, and nothing else.",
        remedy="grant it to a service account",
        demands=_one_door,
    ),
)
