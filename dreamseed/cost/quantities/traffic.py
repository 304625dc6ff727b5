"""What goes over networks, by path, and what is watched: egress, NAT, VPN, load balancer, logs, alerts, the clock."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.model import GLOBAL, HOURS_PER_MONTH, SECONDS_PER_MONTH
from dreamseed.config.cloud import Exposure
from dreamseed.cost.quantities.load import UPTIME_CHECK_REGIONS, Load
from dreamseed.cost.quantities.stores import BYTES_PER_GIB
from dreamseed.cost.quantities.use import Month, Use
from dreamseed.monitoring.cloud_policies import cloud_policies, uptime_period
from dreamseed.planning.stage_plan import StagePlan


def traffic_uses(month: Month, load: Load) -> Iterator[Use]:
    """Yield egress by path, the links and ways out, and the load balancer."""
    for name, size, why in (
        ("egress, API answers", load.answer_bytes, f"{month.response_kb:g} kB a request"),
        ("egress, generated answers", load.streamed_bytes, f"{month.tokens_per_generation:g} tokens a generation"),
        ("egress, content", load.content_miss_bytes, f"{month.edge_miss_ratio:.0%} of content misses the edge"),
        ("egress, to the servers", load.backend_bytes, f"{month.backend_kb:g} kB a request through the tunnel"),
    ):
        yield _use(month, name, "egress-internet", size / BYTES_PER_GIB, why)
    yield from _links(month)
    if month.plan.config.api.exposure is Exposure.LOAD_BALANCER:
        both_ways = (load.answer_bytes + load.streamed_bytes + load.content_miss_bytes) / BYTES_PER_GIB
        yield _use(month, "load balancer", "balancer-rule", HOURS_PER_MONTH, "one forwarding rule, all month")
        yield _use(month, "load balancer, data", "balancer-data", both_ways, "what the API answers")


def _use(month: Month, name: str, sku: str, quantity: float, why: str, line: CostLine = CostLine.NETWORK) -> Use:
    return Use(name=name, sku=sku, quantity=quantity, line=line, why=why, region=month.region)


def _links(month: Month) -> Iterator[Use]:
    network = month.plan.cloud_network
    if network.nat:
        machines = translated_machines(month.plan)
        yield _use(
            month, "NAT gateway", "nat-gateway", machines * HOURS_PER_MONTH, f"{machines} VMs without an address"
        )
        yield _use(month, "NAT data", "nat-data", month.nat_gib, "images and updates")
        yield _use(month, "NAT address", "address-in-use", HOURS_PER_MONTH, "one static address, all month")
    if network.links:
        tunnels = len(network.links)
        yield _use(month, "VPN tunnels", "vpn-tunnel", tunnels * HOURS_PER_MONTH, f"{tunnels} tunnels, as the SLA asks")
        yield _use(month, "VPN data", "egress-vpn", month.vpn_gib, "votes and the restored database's replication")
        yield Use(
            name="static address of the owners' line",
            sku="static-address-on-premises",
            quantity=1,
            line=CostLine.NETWORK,
            why="the VPN needs one",
            region=GLOBAL,
        )


def translated_machines(plan: StagePlan) -> int:
    """Return how many machines without a public address call out."""
    restoring = plan.recovery is not None and plan.recovery.restoring
    return int(plan.config.network.witness is not None) + int(restoring)


def watching_uses(month: Month, load: Load) -> Iterator[Use]:
    """Yield logs, alert conditions, the uptime check and the clock."""
    config = month.plan.config
    monitoring = CostLine.MONITORING
    logs = load.requests_per_month * month.log_kb_per_request * 1e3 / BYTES_PER_GIB
    yield _use(
        month, "request logs", "logging-ingested", logs, f"{month.log_kb_per_request:g} kB a request", monitoring
    )
    load_job = month.plan.recovery.refresh_job if month.plan.recovery else None
    conditions = len(cloud_policies(config.api, config.slo, load_job)) + 1  # and the uptime check's own
    returned = conditions * SECONDS_PER_MONTH / config.monitoring.evaluation_interval_seconds / 1e6
    yield _use(month, "alert conditions", "alert-condition", conditions, f"{conditions} conditions", monitoring)
    yield _use(month, "alert evaluations", "alert-series", returned, "one series an evaluation", monitoring)
    period = uptime_period(config.api).total_seconds()
    checks = UPTIME_CHECK_REGIONS * SECONDS_PER_MONTH / period
    why = f"from {UPTIME_CHECK_REGIONS} places every {period:g} s"
    yield _use(month, "uptime check", "uptime-check", checks / 1_000, why, monitoring)
    if month.plan.recovery is not None:
        yield _use(month, "clock of the recovery load", "scheduler-job", 1, "one job", CostLine.NOT_PLANNED)
