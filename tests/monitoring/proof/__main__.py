"""``make monitoring-test``: prove that every alert fires, stays silent, and is told from each of its mutants."""

from __future__ import annotations

import sys

from rich.console import Console

from tests.monitoring.proof.cases_slo import expectations
from tests.monitoring.proof.proof import LEAST_SHARE, book, failed_cases, score, unproved, wrong_files


def main() -> int:
    """Print what was proved; return the exit status."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    faults = [*wrong_files(), *unproved(), *failed_cases()]
    console.print("\n".join(faults) or "promtool check: the configuration and the rules of five stages are right")
    loud = sum(bool(case.labels) for case in book())
    names = {case.alert for case in book()}
    console.print(f"promtool test: {len(names)} alerts, {loud} cases that fire, {len(book()) - loud} that stay silent")
    console.print(f"promtool test: {len(list(expectations()))} values of recorded ratios")
    found = score()
    console.print(f"mutants: {found.total - len(found.survivors)} of {found.total} caught, {100 * found.share:.1f} %")
    for what in found.survivors:
        console.print(f"  survives: {what}")
    return 1 if faults or found.share < LEAST_SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
