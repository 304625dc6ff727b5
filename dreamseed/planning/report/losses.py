"""What a plan survives, in tables: one overview, and the consequences of what matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from dreamseed.planning.report.style import NO, YES, mark, table
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Claim, DataLoss, Loss, survivability


def loss_tables(plan: StagePlan, *, every_loss: bool) -> Iterator[Table]:
    """Return the overview and the consequences: of every loss, or only where something ends or is lost for good."""
    claims = survivability(plan)
    yield _overview(claims)
    shown = [claim for claim in claims if every_loss or not claim.survives or claim.data_lost is not DataLoss.NONE]
    title = "What each loss does" if every_loss else "What is not survived, or loses something for good"
    drawn = table(title, "component", "lost", "", "data lost", "what happens")
    groups: dict[tuple[str, Loss, bool, DataLoss, str], list[str]] = {}
    for claim in shown:
        key = (claim.component, claim.loss, claim.survives, claim.data_lost, claim.consequence)
        groups.setdefault(key, []).append(claim.target)
    for (component, loss, survives, data_lost, consequence), targets in groups.items():
        drawn.add_row(component, f"{loss} {', '.join(targets)}", mark(survives), data_lost.value, consequence)
    yield drawn


def _overview(claims: Sequence[Claim]) -> Table:
    """Return one row a component and one column a kind of loss."""
    drawn = table("Which single loss each part survives", "component", *(loss.value for loss in Loss))
    for component in dict.fromkeys(claim.component for claim in claims):
        drawn.add_row(
            component, *(_cell([c for c in claims if (c.component, c.loss) == (component, loss)]) for loss in Loss)
        )
    return drawn


def _cell(claims: Sequence[Claim]) -> Text:
    """Return a mark for all, or the targets whose loss is not survived."""
    lost = [claim.target for claim in claims if not claim.survives]
    if not claims:
        return Text("–", style="dim")
    if not lost:
        return Text(YES, style="green")
    return Text(NO if len(lost) == len(claims) else f"{NO} {', '.join(lost)}", style="bold red")
