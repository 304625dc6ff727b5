"""What the experiments found, as tables, as JSON, and as a verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from localtier.experiments.climb import WRITERS, Step
from localtier.experiments.drift import Drift
from localtier.experiments.survival import Outcome, line
from localtier.load.report import ClientReport
from localtier.report import MIB_PER_GIB

NOTHING = "–"


def steps_table(steps: Sequence[Step]) -> Table:
    """Return what each step took, and what users noticed of it."""
    table = Table(title="Each step, and what users noticed of it")
    table.add_column("step", no_wrap=True)
    for heading in ("engine, s", "whole, s", "checks"):
        table.add_column(heading, justify="right")
    for writer, what in WRITERS.items():
        table.add_column(f"{what}: written / lost, longest gap ({writer})", justify="right")
    table.add_column("chats: answered / failed, longest gap", justify="right")
    table.add_column("GiB", justify="right")
    for step in steps:
        seen = {one.client: one for one in step.users.clients} if step.users else {}
        # A step whose engine failed was never checked.
        passed = max(0, step.checks - len(step.faults))
        table.add_row(
            step.name,
            f"{step.engine_seconds:.0f}",
            f"{step.whole_seconds:.0f}",
            f"{passed}/{step.checks}",
            *(_written(seen.get(writer)) for writer in WRITERS),
            _answered(seen.get("chat")),
            f"{step.memory_mib / MIB_PER_GIB:.1f}",
        )
    return table


def _written(one: ClientReport | None) -> str:
    if one is None:
        return NOTHING
    lost = "?" if one.verdict is None else str(one.verdict.missing)
    return f"{one.figures.succeeded:,} / {lost}, {_gap(one)}"


def _answered(one: ClientReport | None) -> str:
    return NOTHING if one is None else f"{one.figures.succeeded:,} / {one.figures.failed}, {_gap(one)}"


def _gap(one: ClientReport) -> str:
    gap = one.figures.longest_gap
    return NOTHING if gap is None else f"{gap.seconds:.1f} s"


def causes(steps: Sequence[Step]) -> Iterator[str]:
    """Return why chats had a gap where they had to have one, as the only engine was replaced, and what stands twice."""
    for step in steps:
        for one in step.users.clients if step.users else ():
            if one.verdict is not None and one.verdict.repeated:
                twice = f"{one.verdict.repeated} of all {one.verdict.acknowledged:,} {WRITERS[one.client]}"
                yield f"{step.name}: {twice} stand twice: sent again while no broker answered"
        chat = next((one for one in step.users.clients if one.client == "chat"), None) if step.users else None
        if chat is not None and not step.spare_engine:
            why = f"{', '.join(step.engines_replaced)} is replaced" if step.engines_replaced else "nothing is replaced"
            yield f"{step.name}: chats: {why}, and {step.before} has no second engine: longest gap {_gap(chat)}"


def drift_lines(drift: Drift) -> Iterator[str]:
    """Return what was changed by hand and what became of it."""
    yield f"{drift.stage}: changed by hand: {'; '.join(change.what for change in drift.changes)}"
    for what, changes in (("refresh found", drift.found), ("up then did", drift.mended)):
        yield f"{drift.stage}: {what}: {', '.join(f'{action} {name}' for name, action in sorted(changes.items()))}"


def losses_table(stage: str, outcomes: Sequence[Outcome]) -> Table:
    """Return each claim that was tried with what was seen."""
    table = Table(title=f"Claims tried at {stage}")
    for heading in ("lost", "component", "claimed", "seen"):
        table.add_column(heading)
    for heading in ("away, s", "whole after repair, s"):
        table.add_column(heading, justify="right")
    said = {True: "survives", False: "does not", None: "not seen"}
    for one in outcomes:
        table.add_row(
            one.trial.name,
            one.claim.component,
            said[one.claimed],
            said[one.observed] if one.agrees else f"[red]{said[one.observed]}[/]",
            f"{one.interruption_seconds:.1f}",
            f"{one.recovery_seconds:.0f}",
        )
    return table


def outcome_problems(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Return the claims that did not hold, or could not be seen."""
    return (line(one) for one in outcomes if not one.agrees)


def tell(console: Console, text: str) -> None:
    """Print what happens, with the time of day."""
    console.print(f"{time.strftime('%H:%M:%S')} {text}", markup=False, highlight=False, soft_wrap=True)


def show_verdict(problems: Sequence[str], passed: str, console: Console) -> None:
    """Print what is wrong, or that nothing is."""
    for problem in problems:
        console.print(f"✗ {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    if problems:
        console.print(f"FAIL: {len(problems)} findings", style="bold red", highlight=False)
    else:
        console.print(f"PASS: {passed}", style="bold green", markup=False, highlight=False, soft_wrap=True)


def drift_content(drift: Drift) -> dict[str, Any]:
    """Return a drift for JSON."""
    return {
        "stage": drift.stage,
        "changes": [change.what for change in drift.changes],
        "found": dict(drift.found),
        "mended": dict(drift.mended),
        "errors": list(drift.errors),
    }


def outcome_content(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome for JSON."""
    content = asdict(outcome)
    del content["trial"]
    return {"lost": outcome.trial.name, **content}
