"""What the owners pay outside the clouds: electricity by tariff, cards, domain, money set aside."""

from __future__ import annotations

from collections.abc import Iterator

from dreamseed.catalog.growth_plan import CostLine
from dreamseed.catalog.prices.model import GLOBAL, HOURS_PER_MONTH
from dreamseed.config.usage import Tariff
from dreamseed.cost.quantities.use import Month, Use
from dreamseed.planning.hosts import servers


def owned_uses(month: Month) -> Iterator[Use]:
    """Yield electricity, the cards' purchase, the domain and the reserve."""
    yield from _electricity(month)
    yield from _cards(month)
    yield Use(
        name="domain",
        sku="domain-year",
        quantity=1 / 12,
        line=CostLine.DOMAIN,
        why=f"{month.plan.config.service.domain}, a twelfth of a year",
        region=GLOBAL,
    )
    yield Use(
        name="reserve",
        sku="reserve",
        quantity=month.reserve_usd_per_month,
        line=CostLine.RESERVE,
        why="set aside, as the stage file says",
        region=GLOBAL,
    )


def card_watts(month: Month) -> float:
    """Return the average draw of one card, between idle and busy by the share of busy time."""
    return month.gpu_idle_watts + (month.gpu_busy_watts - month.gpu_idle_watts) * month.gpu_busy_ratio


def _electricity(month: Month) -> Iterator[Use]:
    tariff = month.usage.tariff
    owned = servers(month.plan.hosts)
    cards = sum(host.gpu_count for host in owned)
    sku = f"electricity-{tariff}"
    for name, count, watts in (
        ("cards", cards, card_watts(month)),
        ("servers without cards", len(owned), month.host_watts),
    ):
        yield Use(
            name=f"electricity, {name}",
            sku=sku,
            quantity=count * watts / 1_000 * HOURS_PER_MONTH,
            line=CostLine.ELECTRICITY,
            why=f"{count} × {watts:,.0f} W × {HOURS_PER_MONTH} h",
            region=GLOBAL,
        )
    if tariff is Tariff.KEPCO_INDUSTRIAL:
        peak = cards * month.interval("gpu_busy_watts").high + len(owned) * month.interval("host_watts").high
        yield Use(
            name="electricity, contracted power",
            sku=f"{sku}-contract",
            quantity=peak / 1_000,
            line=CostLine.ELECTRICITY,
            why=f"{cards} cards and {len(owned)} servers at their highest draw, whatever is used",
            region=GLOBAL,
        )


def _cards(month: Month) -> Iterator[Use]:
    counts: dict[str, int] = {}
    for server in month.plan.config.servers.values():
        counts[server.gpus.model] = counts.get(server.gpus.model, 0) + server.gpus.count
    months = month.usage.gpu_lifetime_months
    for model, count in counts.items():
        yield Use(
            name=f"{model}, spread over its life",
            sku=f"gpu-{model}",
            quantity=count / months,
            line=CostLine.NOT_PLANNED,
            why=f"{count} cards over {months} months; servers' own purchase is not known",
            region=GLOBAL,
            hardware=True,
        )
