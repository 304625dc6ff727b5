"""Replays as a table and as data, and whether ours reached its goal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from simulator.fleet.outcome import Outcome

BASELINES = ("HPA", "KPA", "KEDA", "SkyServe")
DOLLAR_SHARE = 0.8


def table(outcomes: Sequence[Outcome]) -> Table:
    """Return a row for each autoscaler."""
    first = outcomes[0]
    title = f"{first.trace} × {first.factor:.4g} at {first.stage}: {first.requests:,} requests"
    found = Table(title=title, title_justify="left")
    found.add_column("autoscaler", no_wrap=True)
    for column in ("minutes outside", "of", "whole answers", "refused", "USD", "hours", "actions"):
        found.add_column(column, justify="right")
    for one in outcomes:
        found.add_row(
            one.scaler,
            str(one.outside),
            str(len(one.minutes)),
            str(one.outside_whole),
            f"{one.refused:,}",
            f"{one.usd:.2f}",
            f"{one.worker_hours:.1f}",
            str(one.actions),
        )
    return found


def goal(outcomes: Sequence[Outcome], name: str = "ours") -> str | None:
    """Return how ours stands against the best of the four, or null where one of them is missing.

    The best has the fewest minutes outside, then the fewest dollars. The goal is no more minutes at 80 % of its
    dollars, or fewer minutes for no more dollars.
    """
    by_name = {one.scaler: one for one in outcomes}
    if not {name, *BASELINES} <= by_name.keys():
        return None
    ours, best = by_name[name], min((by_name[one] for one in BASELINES), key=lambda run: (run.outside, run.usd))
    frugal = ours.outside <= best.outside and ours.usd <= DOLLAR_SHARE * best.usd
    better = ours.outside < best.outside and ours.usd <= best.usd
    verdict = "reached" if frugal or better else "missed"
    return (
        f"{verdict}: {ours.outside} minutes for {ours.usd:.2f} USD; the best of the four, {best.scaler}, "
        f"has {best.outside} for {best.usd:.2f} USD"
    )


def data(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return the runs for machines, without their minutes."""
    return [
        {
            "stage": one.stage,
            "trace": one.trace,
            "factor": one.factor,
            "autoscaler": one.scaler,
            "requests": one.requests,
            "refused": one.refused,
            "minutes": len(one.minutes),
            "minutes_outside": one.outside,
            "minutes_whole_answers_outside": one.outside_whole,
            "usd": round(one.usd, 4),
            "worker_hours": round(one.worker_hours, 3),
            "launched": one.launched,
            "actions": one.actions,
        }
        for one in outcomes
    ]


def markdown(runs: Sequence[dict[str, Any]]) -> str:
    """Return a row for each trace at each stage, a column for each autoscaler: minutes outside, USD, actions."""
    names = list(dict.fromkeys(str(one["autoscaler"]) for one in runs))
    cells: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for one in runs:
        cells.setdefault((one["trace"], one["stage"]), {})[one["autoscaler"]] = one
    lines = [f"| trace, stage | minutes | {' | '.join(names)} |", f"| --- | ---: |{' ---: |' * len(names)}"]
    for (of, stage), found in cells.items():
        minutes = next(iter(found.values()))["minutes"]
        shown = (
            f"{one['minutes_outside']} · {one['usd']:.2f} · {one['actions']}" for one in map(found.get, names) if one
        )
        lines.append(f"| {of}, {stage.removeprefix('stage-').upper()} | {minutes:,} | {' | '.join(shown)} |")
    return "\n".join(lines)
