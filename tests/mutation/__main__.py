"""`make mutation`: how many mutants are told, by which tier, and by Pulumi mocks alone."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from tests.mutation import rehearsed
from tests.mutation.alone import caught_alone
from tests.mutation.by_engine import compared
from tests.mutation.mutant import Mutant
from tests.mutation.report import share, show, verdict
from tests.mutation.score import ENOUGH, Judges, Tier, Tried, drawn, of_stage_file

ENGINE_STAGE = "stage-a"
ENGINE_HELP = f"So many of the mutants are also run by the real engine, over {ENGINE_STAGE}; both must agree."


def tried(of_program: Sequence[Mutant], console: Console) -> list[Tried]:
    """Ask every tier about each mutant of the program, and Pulumi mocks alone."""
    judges = Judges()
    found = [judges.of_program(one) for one in track(of_program, "the program's resources", console=console)]
    alone = caught_alone([one.mutant for one in found if isinstance(one.mutant, Mutant) and not one.equivalent])
    for one in found:
        one.alone = one.mutant in alone
    return found


def agree(found: Sequence[Tried], number: int, console: Console) -> bool:
    """Run some of the mutants by the engine, told and untold ones in turns; tell whether all verdicts are the same."""
    standing = {(each.type, each.name) for each in rehearsed.shipped(ENGINE_STAGE).resources}
    told, untold = list[Mutant](), list[Mutant]()
    for one in found:
        mutant = one.mutant
        if isinstance(mutant, Mutant) and not mutant.lost and (mutant.type, mutant.name) in standing:
            (told if Tier.REHEARSAL in one.told else untold).append(mutant)
    chosen = [one for one in chain(*zip_longest(told, untold)) if one is not None][:number]
    same = 0
    with tempfile.TemporaryDirectory(prefix="dreamseed-mutation-", ignore_cleanup_errors=True) as folder:
        for both in compared(chosen, ENGINE_STAGE, Path(folder)):
            same += both.agree
            word = "both tell" if both.here and both.engine else "both are silent on" if both.agree else "DISAGREE on"
            said = "" if both.agree else f" (here: {both.here}; the engine: {both.engine})"
            console.print(f"  {word} {both.mutant.operator}: {both.mutant}{said}", markup=False, soft_wrap=True)
    console.print(f"by the real engine: {same} of {len(chosen)} verdicts agree")
    return same == len(chosen)


def main(
    seed: Annotated[int, typer.Option(help="Draws other mutants.")] = 1,
    sample: Annotated[int, typer.Option(min=1, help="Mutants of each operator, at most.")] = 30,
    engine: Annotated[int, typer.Option(min=0, help=ENGINE_HELP)] = 4,
) -> None:
    """Print the score; exit status 1 below 95 %, or where the real engine judges otherwise."""
    console, progress = Console(width=150, highlight=False), Console(stderr=True)
    of_program, of_files = drawn(sample, seed)
    found = tried(of_program, progress)
    sound = not engine or agree(found, engine, console)
    found += [of_stage_file(one) for one in track(of_files, "stage files", console=progress)]
    show(found, console)
    console.print(f"seed {seed}, {sample} of each operator. {verdict(found)}", markup=False, soft_wrap=True)
    sys.exit(0 if sound and share(found) >= ENOUGH else 1)


if __name__ == "__main__":
    typer.run(main)
