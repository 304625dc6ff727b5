"""Rehearse a Pulumi project's stacks with the real engine: previews from nothing, a climb through one state.

Knows nothing of what the project declares: the caller names the stacks in order, says which resources hold
state, and brings the environment of the attached providers.
"""

from __future__ import annotations

from rehearsal.runner.outcome import Failure, Promotion, Rehearsal, StagePreview, Touched
from rehearsal.runner.rehearse import Setting, preview_with_diff, rehearse
from rehearsal.runner.resources import Action, Classify, Resource, Traits, by_default
from rehearsal.runner.steps import Progress, Watch
from rehearsal.runner.workspace import Project, Workspace

__all__ = [
    "Action",
    "Classify",
    "Failure",
    "Progress",
    "Project",
    "Promotion",
    "Rehearsal",
    "Resource",
    "Setting",
    "StagePreview",
    "Touched",
    "Traits",
    "Watch",
    "Workspace",
    "by_default",
    "preview_with_diff",
    "rehearse",
]
