"""`dreamseed recover`: bring what is in the clouds, and not in the stack's state, into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dreamseed.catalog.stateful import is_stateful
from dreamseed.commands.rehearse import traits
from dreamseed.commands.standing import CONFIG_FILE_HELP, STACK_HELP, standing
from dreamseed.recovery.copies import read_copy
from dreamseed.recovery.worksheet import Worksheet
from rehearsal.providers.cloud.identity import computed_id, is_made_again
from rehearsal.runner.engine import Engine
from rehearsal.runner.recovery import ASKS, Creation, Identity, Recovery
from rehearsal.runner.recovery import recover as recover_stack
from rehearsal.runner.resources import Action

PAUSE_SECONDS = 10.0
ID_HELP = "The id of something that its cloud numbers by itself, looked up by you: NAME=ID. Once for each."
WORKSHEET_HELP = "The state itself was lost or is older: ask for everything; what people look up stands here."
IDS_HELP = "A copy of the state whose secrets cannot be opened any more: its ids go into the worksheet."


def recover(
    stack: Annotated[str, typer.Option(help=STACK_HELP)],
    config_file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help=CONFIG_FILE_HELP)],
    identified: Annotated[list[str] | None, typer.Option("--id", metavar="NAME=ID", help=ID_HELP)] = None,
    worksheet: Annotated[Path | None, typer.Option(dir_okay=False, help=WORKSHEET_HELP)] = None,
    ids_from: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help=IDS_HELP)] = None,
) -> None:
    """Find what stands and is not recorded, and record it; nothing is made, changed or deleted.

    Exit status 0: `up` can be run again; with a worksheet: and would make, replace or delete nothing stateful. 1: there
    are creations whose ids only a person can look up; those are named, with what to do.
    """
    if ids_from is not None and worksheet is None:
        raise typer.BadParameter("--ids-from fills in a worksheet: give --worksheet FILE, too")
    ids = parsed_ids(identified or [])
    copied = read_copy(ids_from, stack).ids if ids_from is not None else {}
    sheet = Worksheet.read(worksheet, copied) if worksheet is not None else None
    console = Console()
    with standing(config_file) as engine:
        found = recover_stack(
            engine,
            stack,
            "",
            lambda creation: _identify(creation, ids, sheet),
            asks=ASKS if sheet is None else 1,
            pause_seconds=PAUSE_SECONDS,
            whole=sheet is not None,
        )
        _list(console, "recorded now", found.found)
        _list(console, "not there, the next up makes it", found.absent)
        if sheet is None or worksheet is None:
            done = not _unknown(found, frozenset(ids), console)
        else:
            sheet.add(found.not_identified)
            sheet.write(worksheet)
            done = not _open(found, sheet, worksheet, console) and _judged(engine, stack, console)
    raise typer.Exit(0 if done else 1)


def parsed_ids(identified: list[str]) -> dict[str, str]:
    """Return the ids that ``--id NAME=ID`` gives, by name; raises `typer.BadParameter`."""
    pairs = [text.partition("=") for text in identified]
    if wrong := [name for name, equals, id_ in pairs if not (name and equals)]:
        raise typer.BadParameter(f"--id {wrong[0]!r} is no NAME=ID: write the resource's name, = and its id")
    return {name: id_ for name, _, id_ in pairs}


def _identify(creation: Creation, ids: dict[str, str], sheet: Worksheet | None) -> Identity | None:
    if given := ids.get(creation.urn.rpartition("::")[2]):
        return Identity(given)
    if sheet is not None and (known := sheet.identify(creation)):
        return known
    # What is made again without harm is asked for only where its absence would look like a loss.
    again = sheet is not None and is_stateful(creation.type, creation.inputs)
    computed = computed_id(creation.type, creation.inputs, creation.config, again=again)
    return Identity(computed) if computed else None


def _list(console: Console, title: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    console.print(f"{title}: {len(lines)}", highlight=False)
    for line in lines:
        console.print(f"  {line}", highlight=False, markup=False, emoji=False, soft_wrap=True)


def _unknown(found: Recovery, given: frozenset[str], console: Console) -> bool:
    """Print what is left to look up; return whether anything is."""
    unknown = [c for c in found.not_identified if not is_made_again(c.type) and c.urn.rpartition("::")[2] not in given]
    if unknown:
        console.print(
            f"numbered by their clouds: {len(unknown)}. Look whether one is there, and give its id: --id NAME=ID; "
            "what tells its secret only once (a token, a key) is to be deleted instead. --id NAME= : it is not there.",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
        for creation in unknown:
            console.print(f"  {creation.urn}", highlight=False, markup=False, emoji=False, soft_wrap=True)
    return bool(unknown)


def _open(found: Recovery, sheet: Worksheet, path: Path, console: Console) -> bool:
    """Print what of the worksheet is to be filled in; return whether anything is."""
    rows = [row for creation in found.not_identified if (row := sheet.rows.get(creation.urn)) and row.open]
    if rows:
        _list(console, f"to be looked up, in {path}", (f"{row.urn}\n    {row.look_up}" for row in rows))
        console.print(
            f"Fill in id and values ({path} says how; null: it is not there), and run the same command again. "
            "More may come then: what is found leads to more.",
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )
    return bool(rows)


def _judged(engine: Engine, stack: str, console: Console) -> bool:
    """Preview the next `up`, print what it would do; return whether nothing stateful is made, replaced or deleted."""
    preview = engine.preview(stack, "", lambda _: None)
    if not preview.succeeded:
        raise RuntimeError("\n".join(preview.errors))
    changes = preview.events.changes()
    lost = [c for c in changes if c.action is not Action.UPDATE and traits(c.resource).stateful]
    counts = Counter(change.action for change in changes)
    console.print(
        "the next up: " + (", ".join(f"{counts[a]} {a}" for a in Action if counts[a]) or "nothing to do"),
        highlight=False,
    )
    _list(console, "stateful, and made, replaced or deleted by it", (f"{c.action} {c.resource.urn}" for c in lost))
    return not lost
