"""`dreamseed local alerts`: faults on a stage that runs, and what is told of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from dreamseed.commands.experiment import JsonFile, conclude, experiment, wide_console
from dreamseed.commands.generated import save
from dreamseed.commands.options import known_stage
from dreamseed.config.load import STAGE_NAMES
from dreamseed.review.prometheus import Prometheus
from localtier.experiments.alerts import TIER_ALONE, Findings, Trial, benched, prometheus_url, seen_content
from localtier.experiments.report import show_verdict, tell
from localtier.experiments.users import Users
from localtier.network import ask_outside
from localtier.tier import Tier

FOLDER = "alerts"
STAGE_HELP = f"The stage that is brought up and tried: {', '.join(STAGE_NAMES)}."
PICTURES_HELP = "Draw every dashboard of what was seen meanwhile to this folder."
WHOLE_HELP = "Let every alert wait as long as planned: over an hour."


def alerts(
    stage: Annotated[str, typer.Option(help=STAGE_HELP)] = "stage-b",
    whole: Annotated[bool, typer.Option("--whole", help=WHOLE_HELP)] = False,
    drawn: Annotated[Path | None, typer.Option("--pictures", help=PICTURES_HELP)] = None,
    json_file: JsonFile = None,
) -> None:
    """Make faults on purpose on a stage that runs, and require exactly the expected alerts in time; ask every panel.

    It has hosts of its own beside a stage that stands, and removes them. Exit status 1 when an alert is missing or
    late, when another one is told, or when a panel shows nothing.
    """
    known_stage(stage)
    console, findings = wide_console(), Findings()
    with experiment(FOLDER, console, findings.problems) as tier:
        _try(tier, stage, console, findings, drawn, whole=whole)
    _show(findings, console)
    conclude(findings.problems, _content(findings), json_file)


def _try(tier: Tier, stage: str, console: Console, findings: Findings, drawn: Path | None, *, whole: bool) -> None:
    users = Users(tier=tier)
    findings.problems += users.begin(stage)
    if findings.problems:
        return
    plan = tier.plan(stage)
    with benched(tier, plan, users) as bench:
        began = datetime.now(UTC)
        Trial(bench, lambda text: tell(console, text), whole=whole, findings=findings).run()
        if drawn:
            from localtier.experiments.board_pictures import pictures  # only here: matplotlib takes a second

            seen = Prometheus(prometheus_url(plan))
            made = ask_outside(tier.world(plan), lambda: pictures(plan, seen, began, datetime.now(UTC)))
            for name, text in made.items():
                save(drawn / name, text)


def _show(findings: Findings, console: Console) -> None:
    table = Table(title="Faults, and what was told of them", title_justify="left")
    for heading in ("fault", "how", "told", "after, s", "limit, s", "explained by it"):
        table.add_column(heading, justify="right" if heading.endswith(", s") else "left")
    for seen in findings.seen:
        times = [f"{seconds:.0f}" for seconds in seen.told_seconds.values()]
        row = (seen.fault, seen.how, "\n".join(seen.told_seconds), "\n".join(times), f"{seen.limit_seconds:.0f}")
        table.add_row(*row, "\n".join(sorted(seen.suppressed)))
    table.caption = "; ".join(f"{name} may be told: {why}" for name, why in TIER_ALONE.items())
    console.print(table)
    shown = findings.queries - len(findings.empty)
    words = (
        f"faults told exactly as expected: {len(findings.seen)}; "
        f"series that rules read and are there: {findings.metrics}; queries of panels that show data: {shown}"
    )
    show_verdict(findings.problems, words, console)


def _content(findings: Findings) -> dict[str, Any]:
    return {
        "faults": [seen_content(seen) for seen in findings.seen],
        "metrics": findings.metrics,
        "queries": findings.queries,
        "empty": [asdict(query) for query in findings.empty],
    }
