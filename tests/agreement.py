"""`make fidelity JUDGE=official`: the tables against the vendors' own plugins, for all that the five stages declare.

Judged are every resource of every stage, every change of one by a promotion, and mutants of `tests/mutation`.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from dreamseed.config import STAGE_NAMES
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.agreement import Case, Disagreement, Side, Unaided, compare
from rehearsal.providers.judge.plugin_judge import PluginJudge
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.plugin.client import PluginFailedError
from rehearsal.providers.plugin.finding import Plugin, find_plugin, missing_message
from rehearsal.providers.plugin.pool import PluginPool
from tests.ledger import identity
from tests.mutation import rehearsed
from tests.mutation.score import drawn

SAMPLE, SEED = 30, 1
"""Mutants of each operator, and what they are drawn by: the defaults of `make mutation`."""
AGREE, DISAGREE, NOT_JUDGED = 0, 1, 2
"""Exit statuses."""


def stage_cases() -> Iterator[Case]:
    """Yield every resource of every stage, with the inputs of the next stage where those are others."""
    stages = [rehearsed.shipped(name) for name in STAGE_NAMES]
    for stage, later in zip(stages, (*stages[1:], None), strict=True):
        # Each stage was brought up in a stack of its own name.
        wanted = {identity(each.urn): rehearsed.wire(each) for each in later.resources} if later else {}
        for each in stage.resources:
            if each.urn in stage.made:
                inputs, changed = rehearsed.wire(each), wanted.get(identity(each.urn))
                yield Case(stage.made[each.urn].subject, inputs, None if changed == inputs else changed)


def mutant_cases(sample: int = SAMPLE, seed: int = SEED) -> Iterator[Case]:
    """Yield the mutants that change an input: the resource as the last stage that has it declares it, and changed."""
    stages = [rehearsed.shipped(name) for name in reversed(STAGE_NAMES)]
    for mutant in drawn(sample, seed)[0]:
        for stage in stages:
            before = next((each for each in stage.resources if mutant.is_of(each.type, each.name)), None)
            if before is not None and before.urn in stage.made and mutant.path:
                changed = rehearsed.wire(mutant.into(before))
                yield Case(stage.made[before.urn].subject, rehearsed.wire(before), changed)
                break


def cases() -> list[Case]:
    """Return all that is judged."""
    return [*stage_cases(), *mutant_cases()]


@contextmanager
def sides(plugin: Plugin) -> Iterator[tuple[Side, Side]]:
    """Give the tables and the plugin alone, each with a fake cloud; the plugin's processes end with the block."""
    with tempfile.TemporaryDirectory(prefix="dreamseed-fidelity-", ignore_cleanup_errors=True) as folder:
        clouds = [FakeCloud(Path(folder, name)) for name in ("tables", "plugin")]
        pool = PluginPool(plugin, Path(folder, "home"))
        try:
            yield Side(TableJudge(), clouds[0]), Side(PluginJudge(pool, Unaided()), clouds[1])
        finally:
            pool.stop()
            for cloud in clouds:
                cloud.close()


def report(
    packages: Sequence[str],
    console: Console,
    given: Callable[[], Iterable[Case]] = cases,
) -> int:
    """Compare what is installed, print each disagreement with how often it was met; return the exit status."""
    plugins = {package: find_plugin(package) for package in packages}
    missing = [package for package, plugin in plugins.items() if plugin is None]
    if missing:
        console.print(missing_message(missing), markup=False, soft_wrap=True)
    if len(missing) == len(packages):
        console.print("NOT JUDGED: no official plugin is installed, so nothing was compared")
        return NOT_JUDGED
    found: Counter[Disagreement] = Counter()
    every, sound = list(given()), True
    for package, plugin in plugins.items():
        if plugin is not None:
            mine = [case for case in every if case.subject.token.startswith(f"{package}:")]
            told, failed = _compared(plugin, mine)
            found += told
            sound = sound and not failed
            changes = sum(case.changed is not None for case in mine)
            words = f"{len(mine)} resources, {changes} changes, {told.total()} disagreements"
            console.print(f"{package}: {words}, by {plugin}", markup=False, highlight=False, soft_wrap=True)
            if failed:
                console.print(f"✗ {failed}", markup=False, highlight=False, soft_wrap=True)
    for one, times in sorted(found.items()):
        console.print(f"✗ {one} ({times} times)", markup=False, highlight=False, soft_wrap=True)
    return _verdict(console, missing, disagree=bool(found) or not sound)


def _compared(plugin: Plugin, given: Iterable[Case]) -> tuple[Counter[Disagreement], str]:
    found: Counter[Disagreement] = Counter()
    with sides(plugin) as (tables, official):
        try:
            for one in compare(given, tables, official):
                found[one] += 1
        except PluginFailedError as failed:
            return found, str(failed)
    return found, ""


def _verdict(console: Console, missing: Sequence[str], *, disagree: bool) -> int:
    if disagree:
        console.print("FAIL: the tables and the plugins disagree, as said above")
        return DISAGREE
    if missing:
        console.print(f"NOT JUDGED: {', '.join(missing)}; the others agree with the tables", soft_wrap=True)
        return NOT_JUDGED
    console.print("PASS: the tables and the plugins agree")
    return AGREE
