"""The recorded promotions: what each step of the ladder does, by the real engine, to be read as a diff in a review.

`make goldens` writes them anew. Additions are counted by component; whatever is updated, replaced or deleted is named
with the inputs that differ.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from dreamseed.commands.rehearse import rehearsed_project, traits
from rehearsal import guards
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project, Rehearsal, Setting, rehearse
from rehearsal.runner.outcome import Promotion
from rehearsal.runner.resources import Action
from rehearsal.toolchain import ensure_engine
from tests.goldens import FOLDER


@cache
def climb() -> Rehearsal:
    """Rehearse the shipped stages once; every test of this process shares the outcome."""
    with tempfile.TemporaryDirectory(prefix="dreamseed-test-", ignore_cleanup_errors=True) as folder:
        return rehearsed(rehearsed_project(), Path(folder))


def rehearsed(project: Project, root: Path) -> Rehearsal:
    """Rehearse the stacks of `project` in the folder `root`."""
    with ProviderHost(root / "cloud") as host:
        setting = Setting(
            project=project,
            toolchain=ensure_engine(),
            workspace=root / "workspace",
            providers=host.environment(),
            classify=traits,
            before_destroy=lambda: _lift(root / "cloud"),
        )
        return rehearse(setting, lambda _: None, lambda _: None)


def _lift(state: Path) -> None:
    guards.lift(state)


def path_of(promotion: Promotion) -> Path:
    """Return the file that records `promotion`."""
    return FOLDER / f"{promotion.from_stage or 'nothing'}-to-{promotion.to_stage}.txt"


def text_of(promotion: Promotion) -> str:
    """Return what `promotion` does."""
    counts = ", ".join(f"{promotion.counts[action]} {action.value}d" for action in Action)
    lines = [f"{promotion.from_stage or 'nothing'} -> {promotion.to_stage}: {counts}"]
    created = Counter(traits(c.resource).component for c in promotion.changes if c.action is Action.CREATE)
    lines += ["", "## created"] + [f"{component} {number}" for component, number in sorted(created.items())]
    for action in (Action.UPDATE, Action.REPLACE, Action.DELETE):
        changes = sorted((c for c in promotion.changes if c.action is action), key=lambda c: c.resource.urn)
        if changes:
            lines += ["", f"## {action.value}d"]
            lines += [f"{c.resource.type} {c.resource.name}: {', '.join(_paths(c.properties))}" for c in changes]
    return "\n".join(lines) + "\n"


def _paths(properties: Iterable[str]) -> list[str]:
    """Return the inputs without the places in lists: an entry that is put in moves all after it."""
    return sorted({re.sub(r"\[\d+\]", "[]", path) for path in properties})


def main() -> None:
    """Write every promotion anew."""
    outcome = climb()
    if not outcome.passed:
        raise SystemExit("\n".join(failure.message for failure in outcome.failures))
    for promotion in outcome.promotions:
        path_of(promotion).write_text(text_of(promotion), encoding="utf-8")
