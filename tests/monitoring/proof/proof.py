"""The proof: every case and every mutant, asked of promtool in a few calls."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dreamseed.config import STAGE_NAMES, load_stage, stage_file
from dreamseed.monitoring.contract import Job
from dreamseed.monitoring.model import Alert, Fleet, Group, Recording
from dreamseed.monitoring.rules import rule_groups
from dreamseed.planning.planner import plan_stage
from tests.monitoring.proof import cases_access, cases_data, cases_llm, cases_operations, cases_slo
from tests.monitoring.proof.mutants import Mutant, mutants, recording_mutants
from tests.monitoring.proof.promtool import checked, failures, write_cases, write_expectation
from tests.monitoring.proof.series import Book, Case, Expectation

PROJECT = Path(__file__).parents[3]
SECRET = re.compile("⟦[^⟧]+⟧")
LEAST_SHARE = 0.95
"""Of the mutants, how many must be caught."""
FLEET = Fleet(gpus=5, engines=3)
"""Stage E's, which most cases are written for."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """How many mutants there were, and which ones no case noticed."""

    total: int
    survivors: tuple[str, ...]

    @property
    def share(self) -> float:
        """Return the share of mutants that were noticed."""
        return 1 - len(self.survivors) / self.total


@cache
def groups(stage: str) -> tuple[Group, ...]:
    """Return the groups of a stage with every job."""
    return rule_groups(load_stage(stage_file(PROJECT, stage)), frozenset(Job), FLEET)


@cache
def alerts(stage: str) -> Mapping[str, Alert]:
    """Return the alerts of a stage by name."""
    return {alert.name: alert for group in groups(stage) for alert in group.alerts}


def recording(expected: Expectation) -> Recording:
    """Return the recording that an expectation is about."""
    found = [
        one
        for group in groups(expected.stage)
        for one in group.recordings
        if (one.name, dict(one.labels)) == (expected.record, dict(expected.labels))
    ]
    assert len(found) == 1, f"{expected.record} {expected.labels}"
    return found[0]


@cache
def book() -> tuple[Case, ...]:
    """Return every case."""
    kept = Book()
    for chapter in (
        *(cases_llm.cards, cases_llm.waiting, cases_llm.engines, cases_llm.answers, cases_llm.api),
        *(cases_data.servers, cases_data.patroni, cases_data.votes, cases_data.archive),
        *(cases_data.cache, cases_data.events),
        *(cases_access.proxies, cases_access.poolers, cases_access.tunnel),
        *(
            cases_operations.hosts,
            cases_operations.cost,
            cases_operations.autoscaler,
            cases_operations.growth,
            cases_operations.monitoring,
        ),
        cases_slo.burns,
    ):
        chapter(kept)
    return tuple(kept.cases)


@cache
def by_alert() -> Mapping[tuple[str, str], tuple[Case, ...]]:
    """Return the cases by stage and alert."""
    found: dict[tuple[str, str], list[Case]] = {}
    for case in book():
        found.setdefault((case.stage, case.alert), []).append(case)
    return {key: tuple(cases) for key, cases in found.items()}


def unproved() -> list[str]:
    """Return what is missing: alerts of any stage without a case that fires or without one that is silent."""
    names = {name for stage in STAGE_NAMES for name in alerts(stage)}
    loud = {case.alert for case in book() if case.labels}
    quiet = {case.alert for case in book() if not case.labels}
    return [
        *(f"{name} never fires" for name in sorted(names - loud)),
        *(f"{name} is never silent" for name in sorted(names - quiet)),
        *(f"{name} is no alert" for name in sorted((loud | quiet) - names)),
    ]


def wrong_files() -> list[str]:
    """Return what promtool finds wrong with the configuration and rules that the stages' containers are given."""
    found = []
    for stage in STAGE_NAMES:
        plan = plan_stage(load_stage(stage_file(PROJECT, stage)), stage).monitoring
        prometheus = next(one for one in plan.containers if one.name == "prometheus")
        with tempfile.TemporaryDirectory() as folder:
            for file in prometheus.files:
                text = SECRET.sub("https://example.invalid", file.text).replace("/etc/prometheus/", "")
                (Path(folder) / Path(file.path).name).write_text(text.replace("/run/secrets/", ""), encoding="utf-8")
            said = checked(Path(folder))
        found += [f"{stage}: {said}"] if said else []
    return found


def failed_cases() -> list[str]:
    """Return what promtool says against the planned rules."""
    with tempfile.TemporaryDirectory() as folder:
        written: dict[Path, str] = {}
        for number, ((stage, name), cases) in enumerate(by_alert().items()):
            written[write_cases(Path(folder), str(number), alerts(stage)[name], cases)] = f"{stage} {name}"
        for number, expected in enumerate(cases_slo.expectations()):
            path = write_expectation(Path(folder), f"r{number}", recording(expected).expression, expected)
            written[path] = f"{expected.record} {expected.labels}"
        return [f"{written[path]}: {text}" for path, text in failures(list(written)).items()]


def all_mutants() -> Iterator[tuple[Mutant, tuple[Case, ...]]]:
    """Return every mutant of every alert with the cases that must notice it."""
    for (stage, name), cases in by_alert().items():
        for mutant in mutants(alerts(stage)[name]):
            yield mutant, cases


def score() -> Score:
    """Ask promtool about every mutant."""
    with tempfile.TemporaryDirectory() as folder:
        written: dict[Path, str] = {}
        for number, (mutant, cases) in enumerate(all_mutants()):
            written[write_cases(Path(folder), f"m{number}", mutant.alert, cases)] = mutant.what
        for number, expected in enumerate(cases_slo.expectations()):
            for other, (what, expression) in enumerate(recording_mutants(recording(expected))):
                path = write_expectation(Path(folder), f"r{number}-{other}", expression, expected)
                written[path] = f"{expected.labels['slo']} {what}"
        noticed = failures(list(written))
        return Score(total=len(written), survivors=tuple(what for path, what in written.items() if path not in noticed))
