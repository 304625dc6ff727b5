"""The field's usual practice: the program runs through under Pulumi mocks that return inputs as outputs.

What the program raises, and what the SDKs themselves refuse in a constructor (a required argument that is missing),
counts as caught; nothing else looks. One run tries many mutants, each of another resource: when it fails, its halves
are tried.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from dreamseed.config import STAGE_NAMES
from rehearsal.providers.judge.structure import check_fields
from rehearsal.tables.facts import PACKAGES
from rehearsal.tables.shapes import resource_shape
from tests.mutation.changed import change
from tests.mutation.mutant import Mutant
from tests.program import Cloud, Recorder, Registered, configuration, record, run

AT_ONCE = 40
MISSING = "is required and missing"


class Changing(Recorder):
    """A monitor that changes some of the registrations on their way, and answers with what it was told."""

    def __init__(self, mutants: Iterable[Mutant]) -> None:
        super().__init__(Cloud())
        self._mutants = tuple(mutants)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Register the resource as its mutant would."""
        for mutant in self._mutants:
            change(request, mutant)
        return super().RegisterResource(request)


def caught_alone(mutants: Sequence[Mutant]) -> set[Mutant]:
    """Return the mutants that the program run under mocks alone would tell."""
    found = {mutant for mutant in mutants if _refused_by_sdk(mutant)}
    waiting: dict[str, list[list[Mutant]]] = {}
    for mutant in mutants:
        stage = _first_stage(mutant)
        if mutant in found or not mutant.path or stage is None:
            continue  # options change no output: the program runs as before
        groups = waiting.setdefault(stage, [])
        for group in groups:
            if len(group) < AT_ONCE and not any(each.is_of(mutant.type, mutant.name) for each in group):
                group.append(mutant)
                break
        else:
            groups.append([mutant])
    for stage, groups in waiting.items():
        for group in groups:
            found |= _failing(stage, group)
    return found


def _failing(stage: str, group: list[Mutant]) -> set[Mutant]:
    if _runs_through(stage, group):
        return set()
    if len(group) == 1:
        return set(group)
    half = len(group) // 2
    return _failing(stage, group[:half]) | _failing(stage, group[half:])


def _runs_through(stage: str, group: list[Mutant]) -> bool:
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            run(Changing(group), stage, configuration(stage))
    except Exception:  # noqa: BLE001 - whatever a program raises is how it fails
        return False
    finally:
        logging.disable(logging.NOTSET)
    return True


def _original(stage: str, mutant: Mutant) -> Registered | None:
    return next((each for each in record(stage) if mutant.is_of(each.type, each.name)), None)


def _first_stage(mutant: Mutant) -> str | None:
    """Return the first stage in which the mutant differs: the cheapest one to run."""
    for stage in STAGE_NAMES:
        original = _original(stage, mutant)
        if original is not None and mutant.inputs(original.inputs) is not None:
            return stage
    return None


def _refused_by_sdk(mutant: Mutant) -> bool:
    stage = _first_stage(mutant)
    if stage is None or mutant.type.partition(":")[0] not in PACKAGES:
        return False
    original = _original(stage, mutant)
    assert original is not None
    fields = resource_shape(mutant.type).inputs
    before = {failure.path for failure in check_fields(dict(original.inputs), fields)}
    changed = mutant.inputs(original.inputs) or {}
    return any(MISSING in failure.reason and failure.path not in before for failure in check_fields(changed, fields))
