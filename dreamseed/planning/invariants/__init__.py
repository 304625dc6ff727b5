"""Rules across components: what each part of a plan promises the others.

Each is a small function over the whole plan that says what it compares, so that a plan can be printed with its
reasons and refused with its remedy.
"""

from __future__ import annotations

from dreamseed.planning.invariants import connections, containers, operation, quorums, reach, recovery
from dreamseed.planning.invariants.rule import Invariant, Rule
from dreamseed.planning.stage_plan import StagePlan

__all__ = ["RULES", "Invariant", "Rule", "check_invariants", "require_invariants"]

RULES: tuple[Rule, ...] = (
    connections.api_fits_a_pooler,
    connections.pooled_fit_postgres,
    connections.pooled_fit_a_proxy,
    connections.replicas_have_senders,
    connections.api_fits_a_router,
    connections.routes_have_their_own_ports,
    recovery.archive_meets_rpo,
    recovery.restore_meets_rto,
    recovery.retention_covers_rpo,
    recovery.backups_reach_back,
    recovery.retention_spans_a_full_backup,
    recovery.incrementals_lie_between,
    recovery.a_disaster_has_a_restore,
    quorums.votes_are_odd,
    quorums.etcd_survives_a_host,
    quorums.standbys_cover_another_server,
    quorums.redis_survives_a_host,
    quorums.kafka_copies_are_distinct,
    quorums.kafka_votes_survive_a_host,
    quorums.kafka_copies_survive_a_host,
    containers.hosts_hold_their_containers,
    containers.gpus_are_there,
    containers.parts_fit_their_container,
    containers.containers_are_bounded_and_watched,
    containers.users_have_few_rights,
    containers.processes_fit_their_limit,
    containers.ports_are_private,
    containers.services_roll,
    reach.filters_pass_what_is_told,
    reach.filters_pass_what_members_say,
    operation.thresholds_lie_beyond_the_stage,
    operation.metrics_outlive_the_slo,
    operation.rate_limit_is_allowed,
    operation.cloud_is_part_of_the_budget,
)


def check_invariants(plan: StagePlan) -> tuple[Invariant, ...]:
    """Return every invariant of `plan`, whether it holds or not, in the order of the rules."""
    return tuple(invariant for rule in RULES for invariant in rule(plan))


def require_invariants(plan: StagePlan) -> None:
    """Raise the `PlanError` of the first invariant that `plan` breaks."""
    for invariant in check_invariants(plan):
        if not invariant.holds:
            raise invariant.refusal(plan.name)
