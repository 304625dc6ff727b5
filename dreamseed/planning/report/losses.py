"""What a plan survives, in tables: one overview, and the consequences of what matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from dreamseed.planning.report.style import NO, YES, mark, table
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import Claim, Loss, grouped, matters, survivability


def loss_tables(plan: StagePlan, *, every_loss: bool) -> Iterator[Table]:
    """Return the overview and the consequences: of every loss, or only where something ends or is lost for good."""
    claims = survivability(plan)
    yield _overview(claims)
    shown = [claim for claim in claims if every_loss or matters(claim)]
    title = "What each loss does" if every_loss else "What is not survived, or loses something for good"
    drawn = table(title, "component", "lost", "", "data lost", "what happens")
    for group in grouped(shown):
        lost = f"{group.loss} {', '.join(group.targets)}"
        drawn.add_row(group.component, lost, mark(group.survives), group.data_lost.value, group.consequence)
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
