"""`make fidelity`: how true the rehearsal's tables are to the installed SDKs, for what the five stages use."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from dreamseed.config import STAGE_NAMES
from rehearsal.tables.facts import PACKAGES
from rehearsal.tables.fidelity import Fidelity, Used, measure, used_paths
from tests.agreement import report
from tests.program import record

COLUMNS = (
    "package",
    "types used",
    "inputs used",
    "without entry",
    "unverified",
    "inputs of all types",
    "say replace",
    "name values",
    "explained",
    "unexplained",
)
FACT_COLUMNS = ("package", "facts", "with a line", "the SDK says it", "unverified")


def used(package: str) -> Used:
    """Return what the program declares of a package in any stage, run under mocks."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for stage in STAGE_NAMES:
        for resource in record(stage):
            if resource.custom and resource.type.startswith(f"{package}:"):
                found[resource.type] |= used_paths(resource.type, resource.inputs)
    return {token: frozenset(paths) for token, paths in found.items()}


def row(found: Fidelity) -> tuple[str, ...]:
    """Return the line of one package."""
    numbers = (
        found.types,
        found.paths,
        len(found.without),
        len(found.unverified),
        found.notes,
        found.replacing,
        found.valued,
    )
    return (found.package, *map(str, numbers), str(found.explained), str(len(found.disagreements) + len(found.stale)))


def _facts(packages: Sequence[Fidelity]) -> Table:
    table = Table(title="where the facts of the used types come from", title_justify="left")
    for column in FACT_COLUMNS:
        table.add_column(column)
    for found in packages:
        numbers = (found.facts, found.sourced, found.stated, len(found.guessed))
        table.add_row(found.package, *map(str, numbers))
    return table


def main(arguments: Sequence[str] = ()) -> int:
    """Print a line a package and whatever is not as it must be; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fidelity", description=__doc__)
    parser.add_argument("--judge", choices=["tables", "official"], default="tables", help="against SDKs, or plugins")
    console = Console(width=150)
    if parser.parse_args(arguments).judge == "official":
        return report(PACKAGES, console)
    table = Table(title="the tables against the installed SDKs", title_justify="left")
    for column in COLUMNS:
        table.add_column(column)
    packages = [measure(package, used(package)) for package in PACKAGES]
    for found in packages:
        table.add_row(*row(found))
    console.print(table)
    console.print(_facts(packages))
    for found in packages:
        for path in (*found.unverified, *found.guessed):
            console.print(f"unverified: {path}", markup=False, highlight=False, soft_wrap=True)
        for line in (
            *found.without,
            *found.unsourced,
            *found.disagreements,
            *(f"no longer disagrees: {one}" for one in found.stale),
        ):
            console.print(f"✗ {line}", markup=False, highlight=False, soft_wrap=True)
    passed = all(found.holds for found in packages)
    console.print(
        "PASS: all used has an entry, every fact of it a line of provenance, nothing disagrees without a reason"
        if passed
        else "FAIL"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
