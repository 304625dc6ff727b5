"""Rehearse any Pulumi program in its own tests, by the real engine, with no credential: `Stack` and its outcomes.

With pytest the fixture `rehearse` (`rehearsal.pytest_plugin`) makes the stacks and removes what they leave.
"""

from __future__ import annotations

from rehearsal.providers.values import UNKNOWN
from rehearsal.runner.events import Change, Diagnostic
from rehearsal.runner.resources import Action, Resource
from rehearsal.tables.own import TablesError
from rehearsal.testing.program import Program, ProgramError
from rehearsal.testing.stack import Outcome, RehearsalFailedError, Rehearse, Stack

__all__ = [
    "UNKNOWN",
    "Action",
    "Change",
    "Diagnostic",
    "Outcome",
    "Program",
    "ProgramError",
    "RehearsalFailedError",
    "Rehearse",
    "Resource",
    "Stack",
    "TablesError",
]
