"""What fits, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dreamseed.cost.fit.knobs import KNOBS
from dreamseed.cost.fit.option import FitResult, Option
from dreamseed.cost.fit.setting import Knob
from dreamseed.interval import Scenario

MOST_OPTIONS = 6
MOST_REFUSALS = 3
MOST_LINES = 5


def fit_text(result: FitResult, knobs: Sequence[Knob] = KNOBS) -> RenderableType:
    """Return the cheapest option and those that keep most, each with what it sets and gives up."""
    return Group(*_shown(result, knobs))


def smallest_change(result: FitResult) -> RenderableType:
    """Return in a few lines what gives up least to fit the budget, or by how much even the cheapest does not."""
    options = result.keeping_most or tuple(filter(None, [result.cheapest]))
    if not options:
        return Text("Nothing fits: none of the combinations is legal.", style="bold red")
    words = (
        "What fits and gives up least:"
        if result.front
        else f"Nothing fits: the cheapest of {result.combinations:,} combinations is {result.missing_usd:,.2f} over."
    )
    style = "bold" if result.front else "bold red"
    shown = [Text(words, style=style), *_option(options[0], result.unchanged.total.expected)]
    return Group(*shown, *([] if result.front else [Text(f"  {less_load(result)}")]), Text())


def less_load(result: FitResult) -> str:
    """Return at which load factor the cheapest would fit, where nothing does."""
    declared, fitting = result.unchanged.plan.config.usage.load_factor.expected, result.load_factor_that_fits
    if fitting is None:
        return "it would be above the budget even at a load factor of 0"
    return f"it would fit at a load factor of up to {fitting:g}; {declared:g} is declared"


def _shown(result: FitResult, knobs: Sequence[Knob]) -> Iterator[RenderableType]:
    expected = result.unchanged.total.expected
    yield Text(f"{result.name}: settings within {result.budget_usd:,.2f} USD a month, expected cost", style="bold")
    left = result.budget_usd - expected
    yield Text(f"as it is: {expected:,.2f} USD, {f'{left:,.2f} left' if left >= 0 else f'{-left:,.2f} over'}")
    most = result.keeping_most[:MOST_OPTIONS]
    if not result.front:
        yield from _nothing_fits(result)
    else:
        yield Text("\nNothing more can be kept within the budget than by one of these:", style="bold")
        for option in most:
            yield from _option(option, expected)
        if len(most) < len(result.keeping_most):
            yield Text(f"and {len(result.keeping_most) - len(most)} more: --json lists them all")
        if result.cheapest and result.cheapest not in most:
            yield Text("\nThe cheapest of all saves more than the budget asks for:", style="bold")
            yield from _option(result.cheapest, expected)
    yield Text(
        f"\n{result.combinations:,} combinations were priced, {len(result.front):,} are on the front of cost and "
        "losses within the budget: --json lists those."
    )
    for refusal in result.refused[:MOST_REFUSALS]:
        yield Text(f"refused, {refusal.count} times: {refusal.reason}")
    yield from _sources((*most, *filter(None, [result.cheapest])), knobs)


def _sources(options: Sequence[Option], knobs: Sequence[Knob]) -> Iterator[Text]:
    """Yield where the losses of `options` come from."""
    for number, knob in enumerate(knobs):
        if any(option.settings[number].gives_up for option in options):
            yield Text(f"{knob.name}: {knob.provenance.source} ({knob.provenance.evidence.value})", style="dim")


def _nothing_fits(result: FitResult) -> Iterator[RenderableType]:
    cheapest = result.cheapest
    if cheapest is None:
        yield Text("None of the combinations is legal.", style="bold red")
        return
    yield Text(f"Nothing fits: the cheapest is {result.missing_usd:,.2f} USD above the budget.", style="bold red")
    yield from _option(cheapest, result.unchanged.total.expected)
    yield Text(f"  {less_load(result)}")
    yield Text(f"Its {MOST_LINES} largest lines, beyond what the knobs can save:")
    lines = sorted(cheapest.parts[0].estimate.lines, key=lambda line: -line.usd.expected)
    for line in lines[:MOST_LINES]:
        yield Text(f"  {line.usd.expected:>10,.2f}  {line.name}")


def _option(option: Option, before_usd: float) -> Iterator[Text]:
    usd = option.total
    change = usd.expected - before_usd
    yield Text(f"{usd.expected:,.2f} USD ({change:+,.2f}; low {usd.low:,.2f}, high {usd.high:,.2f})", style="cyan")
    yield Text(f"  sets: {', '.join(option.written) or 'nothing'}")
    for lost in option.gives_up or ("nothing",):
        yield Text(f"  gives up: {lost}")


def fit_json(result: FitResult, knobs: Sequence[Knob] = KNOBS) -> dict[str, Any]:
    """Return everything. USD a month, rounded to cents; options cheapest first."""
    most = {id(option) for option in result.keeping_most}
    return {
        "name": result.name,
        "budget": result.budget_usd,
        "usd_unchanged": round(result.unchanged.total.expected, 2),
        "fits": bool(result.front),
        "usd_missing": round(result.missing_usd, 2),
        "load_factor_that_fits": None if result.front else result.load_factor_that_fits,
        "combinations": result.combinations,
        "options": [_as_json(option) | {"keeps_most": id(option) in most} for option in result.front],
        "cheapest": None if result.cheapest is None else _as_json(result.cheapest),
        "refused": [{"reason": refusal.reason, "count": refusal.count} for refusal in result.refused],
        "knobs": [
            {"name": knob.name, "source": knob.provenance.source, "evidence": knob.provenance.evidence.value}
            for knob in knobs
        ],
    }


def _as_json(option: Option) -> dict[str, Any]:
    totals = {f"usd_{scenario}": round(option.total.at(scenario), 2) for scenario in Scenario}
    return totals | {"sets": list(option.written), "gives_up": list(option.gives_up)}
