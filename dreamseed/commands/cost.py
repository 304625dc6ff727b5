"""`dreamseed cost`: what a stage costs in a month, what a change of it costs, what fits a budget, what was billed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType

from dreamseed.commands.generated import save
from dreamseed.commands.posting import posted, pull_request_named
from dreamseed.config import STAGE_NAMES, find_project
from dreamseed.cost import exporting
from dreamseed.cost.actuals import compare, read_bill
from dreamseed.cost.actuals.report import actuals_json, actuals_tables
from dreamseed.cost.diff import cost_diff
from dreamseed.cost.estimate import Estimate, estimate
from dreamseed.cost.fit import FitResult, fit_overrun
from dreamseed.cost.fit import fit as fit_budget
from dreamseed.cost.fit.report import fit_json, fit_text
from dreamseed.cost.guardrails import guardrails, passes
from dreamseed.cost.report import all_tables, as_json, comment, diff_as_json, diff_tables, stage_tables
from dreamseed.cost.report.comment import MARKER
from dreamseed.cost.stages import named_stage
from dreamseed.cost.what_if import NAMED
from dreamseed.github.pull_request import FORM
from dreamseed.interval import Scenario

NARROWEST = 150
"""Columns of a table that goes to a file or a pipe."""
DIFF = "diff"
ACTUALS = "actuals"
NOT_POSTED = 3
"""Exit status of a change that passes its guardrails, but whose comment could not be posted."""
WHAT_IF = "Change a key of the stage file, such as api.min_instances=0, or: " + "; ".join(
    f"{name}: {meaning}" for name, (_, meaning) in NAMED.items()
)


def cost(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STAGE | diff BASE HEAD | actuals STAGE FILE]",
            help="A stage's name, a stage file, or git:REVISION:STAGE; FILE is a month's bill as FOCUS CSV.",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="The five stages against the growth plan and budgets.")] = False,
    profile: Annotated[Scenario, typer.Option(help="The column that is shown and judged.")] = Scenario.EXPECTED,
    what_if: Annotated[list[str] | None, typer.Option(help=WHAT_IF)] = None,
    fit: Annotated[
        float | None,
        typer.Option(min=0, metavar="BUDGET", help="Settings within so many expected USD a month, and what they lose."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Each line's formula, price and source.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="diff: as a comment on a pull request.")] = False,
    post: Annotated[
        str | None, typer.Option(metavar=FORM, help="diff: also make it the comment on a pull request of GitHub.")
    ] = None,
    for_exporter: Annotated[
        Path | None,
        typer.Option("--for-exporter", help="actuals: also write the bill to this file, for the cost exporter."),
    ] = None,
    machine: Annotated[bool, typer.Option("--json", help="Everything for machines.")] = False,
    project: Annotated[Path | None, typer.Option(help="The folder with Pulumi.yaml (default: found upwards).")] = None,
) -> None:
    """Print what a stage costs in a month: lines, total, cost a user, budget, and what moves the total most.

    Exit status 1 when a guardrail fails: something has no price, the expected cost is above the budget without an
    accepted overrun, the worst case is above its limit, or, of a diff, the change is too large or crosses the budget;
    with --fit, when nothing fits. Status 3 when nothing of that failed, but the comment of --post could not be posted.
    Nothing is asked over a network except for --post, which reads GITHUB_TOKEN and GITHUB_API_URL.
    """
    folder, today = find_project(project or Path.cwd()), datetime.now(UTC).date()
    changes = tuple(what_if or ())
    named = list(words or ())
    plain = fit is None and named[:1] not in ([DIFF], [ACTUALS])
    _refuse_unread(
        {
            "--markdown": (as_markdown, named[:1] == [DIFF] and fit is None, f"{DIFF} BASE HEAD"),
            "--post": (post is not None, named[:1] == [DIFF] and fit is None, f"{DIFF} BASE HEAD"),
            "--for-exporter": (for_exporter is not None, named[:1] == [ACTUALS], f"{ACTUALS} STAGE FILE"),
            "--explain": (explain, plain and not every, "one stage"),
            "--profile": (profile is not Scenario.EXPECTED, plain, "a stage, or --all"),
        }
    )
    if fit is not None:
        sound = _fit(named, folder, today, changes, fit, machine=machine)
    elif named[:1] == [ACTUALS]:
        sound = _actuals(named[1:], folder, today, changes, machine=machine, target=for_exporter)
    elif named[:1] == [DIFF]:
        sound = _diff(named[1:], folder, today, changes, machine=machine, as_markdown=as_markdown, post=post)
    elif len(named) + every != 1:
        raise typer.BadParameter(
            f"name a stage ({', '.join(STAGE_NAMES)}), or --all, {DIFF} BASE HEAD, {ACTUALS} STAGE FILE"
        )
    else:
        stages = STAGE_NAMES if every else named
        sound = _stages(stages, folder, today, changes, profile, explain=explain, machine=machine, every=every)
    if not sound:
        raise typer.Exit(1)


def _refuse_unread(options: Mapping[str, tuple[bool, bool, str]]) -> None:
    """Refuse an option that is given where nothing reads it: it would look as if it worked."""
    for option, (given, read, of) in options.items():
        if given and not read:
            raise typer.BadParameter(f"{option} goes with {of} only")


def _stages(
    names: tuple[str, ...] | list[str],
    folder: Path,
    today: date,
    changes: tuple[str, ...],
    profile: Scenario,
    *,
    explain: bool,
    machine: bool,
    every: bool,
) -> bool:
    """Show the stages; tell whether they pass their guardrails."""
    estimates = [estimate(named_stage(name, folder).plan(changes), today=today) for name in names]
    found = ((each.plan.name, fit_overrun(each, today)) for each in estimates if every)
    fits = {name: fits for name, fits in found if fits is not None}
    shown: dict[str, Any] | RenderableType
    if machine and every:
        shown = {"stages": [as_json(each, today, profile) | {"fit": _fit_of(each, fits)} for each in estimates]}
    elif machine:
        shown = as_json(estimates[0], today, profile)
    elif every:
        shown = all_tables(estimates, today, profile, fits)
    else:
        shown = stage_tables(estimates[0], today, profile, explain=explain)
    _show(shown)
    return all(passes(guardrails(each, today)) for each in estimates)


def _fit_of(estimated: Estimate, fits: Mapping[str, FitResult]) -> dict[str, Any] | None:
    """Return what would bring the stage within its budget, null where it is."""
    found = fits.get(estimated.plan.name)
    return None if found is None else fit_json(found)


def _diff(
    names: list[str],
    folder: Path,
    today: date,
    changes: tuple[str, ...],
    *,
    machine: bool,
    as_markdown: bool,
    post: str | None,
) -> bool:
    """Show a change, with what-if changes laid over HEAD, and post it; tell whether it passes its guardrails."""
    pull_request = pull_request_named(post)
    if len(names) != 2:
        raise typer.BadParameter(f"{DIFF} compares two stages: BASE and HEAD")
    before = estimate(named_stage(names[0], folder).plan(), today=today)
    after = estimate(named_stage(names[1], folder).plan(changes), today=today)
    found = cost_diff(before, after, today)
    if as_markdown:
        typer.echo(comment(found), nl=False)
    else:
        _show(diff_as_json(found) if machine else diff_tables(found))
    sound = passes(found.guardrails)
    if pull_request is not None and not posted(comment(found), MARKER, pull_request, os.environ) and sound:
        raise typer.Exit(NOT_POSTED)
    return sound


def _fit(
    names: list[str], folder: Path, today: date, changes: tuple[str, ...], budget_usd: float, *, machine: bool
) -> bool:
    """Show which settings of a stage, with what-if changes laid over it, fit the budget; tell whether any do."""
    if len(names) != 1:
        raise typer.BadParameter("--fit takes one stage")
    plan = named_stage(names[0], folder).plan(changes)
    found = fit_budget(plan.config, plan.name, budget_usd, today=today)
    _show(fit_json(found) if machine else fit_text(found))
    return bool(found.front)


def _actuals(
    names: list[str], folder: Path, today: date, changes: tuple[str, ...], *, machine: bool, target: Path | None
) -> bool:
    """Show a month's bill against the estimate of a stage with what-if changes; nothing of it is a guardrail."""
    if len(names) != 2:
        raise typer.BadParameter(f"{ACTUALS} compares a stage with a bill: STAGE FILE")
    estimated = estimate(named_stage(names[0], folder).plan(changes), today=today)
    found = compare(estimated, read_bill(Path(names[1])))
    if target:
        save(target, json.dumps(exporting.for_exporter(found), indent=1, ensure_ascii=False) + "\n")
    _show(actuals_json(found) if machine else actuals_tables(found))
    return True


def _show(shown: dict[str, Any] | RenderableType) -> None:
    if isinstance(shown, dict):
        typer.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, NARROWEST))
    console.print(shown, highlight=False)
