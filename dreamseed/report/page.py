"""The page itself: facts turned into rows, and rows into HTML by a template that decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dreamseed.config.operations import Slo
from dreamseed.cost.fit.report import less_load
from dreamseed.cost.guardrails import Guardrail
from dreamseed.cost.plan_table import PlanRow, against_plan
from dreamseed.cost.pricing import Line
from dreamseed.cost.sensitivity import Swing, tornado
from dreamseed.growth.forecast import Entry, Forecast
from dreamseed.growth.report import words
from dreamseed.monitoring.slo import PERIOD_HOURS
from dreamseed.planning.hosts import servers
from dreamseed.planning.survivability import LossGroup, grouped, matters
from dreamseed.report.bars import Bar, cost_chart
from dreamseed.report.drawings import TOPOLOGY_CLASS, curves, topology, topology_style
from dreamseed.report.facts import Report, StageFacts
from dreamseed.report.losses import Outcome, outcomes

MOST_LINES = 7
"""Lines of a stage's cost that are shown at a glance."""
MOST_SWINGS = 5


@dataclass(frozen=True, kw_only=True)
class StageView:
    """A stage as the page shows it: its facts, its place in the forecast, and what is computed from both."""

    facts: StageFacts
    entry: Entry
    bar: Bar
    gpus: str
    servers: int
    witness: bool
    budget_rule: Guardrail
    largest: tuple[Line, ...]
    rest_usd: float
    lines: tuple[Line, ...]
    plan_rows: tuple[PlanRow, ...]
    swings: tuple[Swing, ...]
    outcomes: tuple[Outcome, ...]
    losses: tuple[LossGroup, ...]
    topology: Markup


def report_page(report: Report) -> str:
    """Return the HTML of `report`: the same report, the same text."""
    chart = cost_chart([(facts.estimate.total, facts.estimate.budget_usd) for facts in report.stages])
    entries = {entry.stage: entry for entry in report.growth.entries}
    views = [_view(facts, entries[facts.stage], bar) for facts, bar in zip(report.stages, chart.bars, strict=True)]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            growth=report.growth,
            growth_alt=_growth_alt(report.growth),
            stages=views,
            marks=chart.marks,
            objectives=tuple(_objectives([facts.plan.config.slo for facts in report.stages])),
            sources=_sources(report.stages),
            topology_class=TOPOLOGY_CLASS,
            topology_style=Markup(topology_style()),  # noqa: S704 - written by this program, from no one's input
            curves={"wide": curves(report.growth, narrow=False), "narrow": curves(report.growth, narrow=True)},
        )
    )


@cache
def environment() -> Environment:
    """Return how templates of pages are read: the same filters for all of them."""
    environment = Environment(
        loader=PackageLoader("dreamseed.report"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
    )
    environment.filters |= {
        "count": words.count,
        "usd": words.usd,
        "cents": lambda value: f"{value:,.2f}",
        "signed": lambda value: f"{value:+,.2f}",
        "whole": lambda value: f"{value:,.0f}",
        "percent": words.percent,
        "three": lambda spread: words.three((spread.p10, spread.p50, spread.p90)),
        "place": lambda value: f"{value:.2f}%",
    }
    environment.globals["less_load"] = less_load
    environment.filters["measured"] = words.measured
    return environment


def _view(facts: StageFacts, entry: Entry, bar: Bar) -> StageView:
    estimated, owned = facts.estimate, servers(facts.plan.hosts)
    lines = tuple(sorted(estimated.lines, key=lambda line: -line.usd.expected))
    models = {server.gpus.model.upper().replace("-", " ") for server in facts.plan.config.servers.values()}
    return StageView(
        facts=facts,
        entry=entry,
        bar=bar,
        gpus=f"{facts.plan.layout.gpu_count} × {', '.join(sorted(models))}",
        servers=len(owned),
        witness=len(owned) < len(facts.plan.hosts),
        budget_rule=next(rule for rule in facts.guardrails if rule.name == "budget"),
        largest=lines[:MOST_LINES],
        rest_usd=sum(line.usd.expected for line in lines[MOST_LINES:]),
        lines=lines,
        plan_rows=against_plan(estimated),
        swings=tornado(estimated)[:MOST_SWINGS],
        outcomes=outcomes(facts.claims),
        losses=grouped(claim for claim in facts.claims if matters(claim)),
        topology=Markup(topology(facts.plan)),  # noqa: S704 - an SVG whose every text is escaped by its writer
    )


def _growth_alt(growth: Forecast) -> str:
    """Return the curves in a sentence, for those who do not see them."""
    last = growth.months[-1]
    begins = (f"{entry.stage} in month {entry.month}" for entry in growth.entries[1:] if entry.month is not None)
    return (
        f"Two charts with logarithmic scales over {last.month} months. Above: sign-ups from "
        f"{words.count(growth.months[0].sign_ups)} to {words.count(last.sign_ups)}, with the band from P10 to P90 and "
        f"the stages' thresholds; stages begin: {', '.join(begins) or 'none'}. Below: revenue up to "
        f"{words.usd(last.revenue_usd)} and cost up to {words.usd(last.cost_usd)} USD a month."
    )


def _objectives(slos: Sequence[Slo]) -> Iterator[tuple[str, list[str]]]:
    """Yield each objective with its value in every stage."""
    yield "availability over 30 days", [words.percent(slo.availability) for slo in slos]
    yield "so it may be away, in 30 days", [_away(slo.availability) for slo in slos]
    yield "API, 95 % of answers within", [f"{slo.api_p95_ms:,} ms" for slo in slos]
    yield "API, 99 % of answers within", [f"{slo.api_p99_ms:,} ms" for slo in slos]
    yield "generations, 95 % within", [f"{slo.generation_p95_ms / 1_000:g} s" for slo in slos]
    yield "tokens/s of each GPU, at least", [f"{slo.tokens_per_second_per_gpu:,}" for slo in slos]
    yield "API answers 5xx, below", [words.percent(slo.max_5xx_ratio) for slo in slos]
    yield "generations that fail, below", [words.percent(slo.max_generation_failure_ratio) for slo in slos]


def _away(availability: float) -> str:
    hours = (1 - availability) * PERIOD_HOURS
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"


def _sources(stages: Sequence[StageFacts]) -> dict[str, Any]:
    """Return when the prices were read, until when the first of them is fresh, and how many are uncertain."""
    used = {
        (line.price.sku, line.price.region): line.price
        for facts in stages
        for line in (*facts.estimate.lines, *facts.estimate.hardware)
    }
    prices = used.values()
    return {
        "count": len(prices),
        "read_on": min(price.source.read_on for price in prices),
        "expires_on": min(price.source.expires_on for price in prices),
        "stale": sum(len(facts.estimate.stale) for facts in stages),
        "low_confidence": sum(price.confidence.value == "low" for price in prices),
    }
