"""A rehearsal's outcome for people: a table, the state that was touched, failures, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rehearsal.runner.outcome import Failure, Promotion, Rehearsal, StagePreview
from rehearsal.runner.resources import Action, name_of

PLAIN_WIDTH = 132
LEGEND = """\
resources: without the stack, its providers and the components around them
created … deleted: by the promotion into the stage; again: what the preview after it still finds to do
seconds: of the preview from nothing + of the promotion with the preview after it
"""


def show(rehearsal: Rehearsal, console: Console) -> None:
    """Print the whole outcome; its last line is the verdict."""
    if not console.is_terminal:
        console.width = max(console.width, PLAIN_WIDTH)
    console.print(_table(rehearsal))
    for line in (Text(LEGEND), *_state_touched(rehearsal), *_failures(rehearsal.failures), _verdict(rehearsal)):
        console.print(line, soft_wrap=True)


def _table(rehearsal: Rehearsal) -> Table:
    title = f"{len(rehearsal.stages)} stages previewed from nothing; one state brought through them"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    table.add_column("stage")
    table.add_column("resources", justify="right")
    table.add_column("by component")
    for column in ("created", "updated", "replaced", "deleted", "again", "seconds"):
        table.add_column(column, justify="right")
    previews = {preview.stage: preview for preview in rehearsal.stages}
    promotions = {promotion.to_stage: promotion for promotion in rehearsal.promotions}
    for stage in dict.fromkeys([*previews, *promotions]):
        preview, promotion = previews.get(stage), promotions.get(stage)
        table.add_row(stage, *_preview_cells(preview), *_promotion_cells(preview, promotion))
    return table


def _preview_cells(preview: StagePreview | None) -> tuple[str, str]:
    if preview is None:
        return "–", "preview failed"
    parts = ", ".join(f"{name} {count}" for name, count in preview.by_component.items())
    return str(preview.resources), f"{parts} (in {preview.components} components)"


def _promotion_cells(preview: StagePreview | None, promotion: Promotion | None) -> Iterator[str]:
    if promotion is None:
        yield from ("–",) * 5
    else:
        yield from (
            str(promotion.counts[action]) for action in (Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE)
        )
        yield str(promotion.second_preview_changes)
    yield f"{preview.seconds if preview else 0:.1f} + {promotion.seconds if promotion else 0:.1f}"


def _state_touched(rehearsal: Rehearsal) -> Iterator[Text]:
    for promotion in rehearsal.promotions:
        step = f"{promotion.from_stage or 'nothing'} → {promotion.to_stage}"
        for action in reversed(Action):
            names = [name_of(t.urn) for t in promotion.stateful_touched if t.action is action]
            if names:
                style = "red" if action in (Action.REPLACE, Action.DELETE) else ""
                yield Text(f"stateful, {action} in {step} ({len(names)}): {', '.join(names)}", style=style)


def _failures(found: tuple[Failure, ...]) -> Iterator[Text]:
    """Each failure with its place, the engine's own words, and what to do next; equal ones are told once."""
    for message in dict.fromkeys(failure.message for failure in found):
        same = [failure for failure in found if failure.message == message]
        yield Text(f"\n✗ {', '.join(f'{failure.step} {failure.stage}' for failure in same)}", style="bold red")
        yield Text(indent(message, "    "))
        yield Text(f"  what to do: {same[0].remedy}")


def _verdict(rehearsal: Rehearsal) -> Text:
    """Return the last line: pass or fail, and why in one sentence."""
    seconds = f"{rehearsal.seconds:.0f} s"
    if not rehearsal.passed:
        return Text(f"FAIL: {len(rehearsal.failures)} of the steps failed, as said above ({seconds})", style="bold red")
    promotions = sum(promotion.from_stage is not None for promotion in rehearsal.promotions)
    return Text(
        f"PASS: {len(rehearsal.stages)} previews, {promotions} promotions, every second preview empty, "
        "no stateful resource replaced or deleted, "
        f"all {rehearsal.destroyed} destroyed at the end ({seconds})",
        style="bold green",
    )
