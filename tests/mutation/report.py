"""The score as tables: each operator, each tier, and whatever nobody told, with the reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.mutation.score import ENOUGH, Tier, Tried
from tests.mutation.stage_operators import StageMutant

FOR_PEOPLE = re.compile(r"description|displayName|title|subject|label|content", re.IGNORECASE)
"""Names of inputs that nothing but people reads."""


def counted(found: Sequence[Tried]) -> list[Tried]:
    """Return the mutants that mean something else than the original."""
    return [one for one in found if not one.equivalent]


def share(found: Sequence[Tried]) -> float:
    """Return how many of the mutants that mean something else some tier told."""
    return sum(bool(one.told) for one in counted(found)) / len(counted(found))


def share_by_rule(found: Sequence[Tried]) -> float:
    """Return how many of them a rule told, without a review of the inventories."""
    return sum(one.by_rule for one in counted(found)) / len(counted(found))


def show(found: Sequence[Tried], console: Console) -> None:
    """Print all of it."""
    of_files = [one for one in found if isinstance(one.mutant, StageMutant)]
    of_program = [one for one in found if not isinstance(one.mutant, StageMutant)]
    console.print(_by_operator("Stage files", of_files))
    console.print(_by_operator("The program's resources", of_program))
    console.print(_by_tier(found))
    for title, survivors in (
        ("Told by nobody:", [one for one in counted(found) if not one.told]),
        (
            "Told by no rule, but a difference in the recorded inventories, which a review sees:",
            [one for one in counted(found) if one.told and not one.by_rule],
        ),
    ):
        if survivors:
            console.print(title)
        for one in survivors:
            console.print(f"  {one.mutant.operator}: {one.mutant} ({why(one)})", markup=False, soft_wrap=True)
    same = Counter(one.equivalent for one in found if one.equivalent)
    for reason, number in same.items():
        console.print(f"Not counted: {number} mutants that change nothing ({reason})")


def verdict(found: Sequence[Tried]) -> str:
    """Return the last line."""
    asked = counted(found)
    told, alone = sum(bool(one.told) for one in asked), sum(one.alone for one in asked)
    word = "PASS" if share(found) >= ENOUGH else "FAIL"
    return (
        f"{word}: {told} of {len(asked)} mutants told, {share(found):.1%} (at least {ENOUGH:.0%}), "
        f"by rules alone {share_by_rule(found):.1%}; Pulumi mocks alone tell {alone}, {alone / len(asked):.1%}"
    )


def why(one: Tried) -> str:
    """Return why no rule told a mutant."""
    mutant = one.mutant
    if isinstance(mutant, StageMutant):
        return "another stage that models, plan and policies allow: the person who writes it decides"
    if mutant.without:
        return "an order that no rule asks for"
    if mutant.path and FOR_PEOPLE.search(str(mutant.path[-1])):
        return "a text for people"
    return "no rule is about it" if mutant.path else "nothing says that it must be there"


def _by_operator(title: str, found: Sequence[Tried]) -> Table:
    table = Table(title=f"{title}: at which tier each mutant is told first", title_justify="left")
    table.add_column("operator")
    for name in ("mutants", *(tier.value for tier in Tier), "nobody", "score", "mocks alone"):
        table.add_column(name, justify="right")
    for operator in dict.fromkeys(one.mutant.operator for one in found):
        rows = [one for one in counted(found) if one.mutant.operator == operator]
        if rows:
            table.add_row(operator, *_figures(rows))
    table.add_section()
    table.add_row("all", *_figures(counted(found)))
    return table


def _figures(rows: Sequence[Tried]) -> list[str]:
    first = Counter(one.first for one in rows)
    told = len(rows) - first[None]
    alone = sum(one.alone for one in rows)
    return [
        str(len(rows)),
        *(str(first[tier] or "") for tier in Tier),
        str(first[None] or ""),
        f"{told / len(rows):.1%}" if rows else "",
        f"{alone / len(rows):.1%}" if rows else "",
    ]


def _shares(asked: int, told: int) -> tuple[str, str, str]:
    return str(asked), str(told), f"{told / asked:.1%}" if asked else ""


def _by_tier(found: Sequence[Tried]) -> Table:
    table = Table(title="Each tier by itself, of the mutants that it was asked about", title_justify="left")
    table.add_column("tier")
    for name in ("asked", "told", "score", "told by it alone"):
        table.add_column(name, justify="right")
    for tier in Tier:
        asked = [one for one in counted(found) if tier in one.asked]
        told = [one for one in asked if tier in one.told]
        alone = sum(len(one.told) == 1 for one in told)
        table.add_row(tier.value, *_shares(len(asked), len(told)), str(alone))
    table.add_section()
    table.add_row("Pulumi mocks alone", *_shares(len(counted(found)), sum(one.alone for one in counted(found))), "")
    return table
