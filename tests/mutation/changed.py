"""The shipped program with one resource changed on its way: to a monitor of these tests, or to the real engine.

The engine runs this file by its path, and is told the mutant in its environment.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from dataclasses import asdict
from pathlib import Path as File
from typing import Any

PROJECT = File(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from google.protobuf import json_format  # noqa: E402 - the engine runs this file by its path, see above
from pulumi.runtime import settings  # noqa: E402 - the same

from rehearsal.providers.wire import SECRET, SIGNATURE  # noqa: E402 - the same
from tests.ledger import identity  # noqa: E402 - the same
from tests.mutation.mutant import GONE, Mutant, Path  # noqa: E402 - the same

VARIABLE = "DREAMSEED_MUTANT"


def told(mutant: Mutant) -> str:
    """Return the mutant as the text that goes through the environment."""
    values = asdict(mutant)
    return json.dumps({**values, "value": None, "gone": True} if mutant.value is GONE else values)


def read(text: str) -> Mutant:
    """Return the mutant of a text."""
    values = json.loads(text)
    if values.pop("gone", False):
        values["value"] = GONE
    return Mutant(**{**values, "path": tuple(values["path"])})


def change(request: Any, mutant: Mutant) -> None:
    """Change a registration as the mutant says; one whose inputs have no such place stays as it is."""
    if not mutant.is_of(request.type, request.name):
        return
    inputs = json_format.MessageToDict(request.object)
    if mutant.path:
        _put(inputs, mutant.path, mutant.value)
    if mutant.unmarked:
        inputs = _plain(inputs)
    request.object.Clear()
    json_format.ParseDict(inputs, request.object)
    request.protect = request.protect and not mutant.unprotected
    request.name = mutant.renamed or request.name
    kept = [urn for urn in request.dependencies if identity(urn) != mutant.without]
    request.ClearField("dependencies")
    request.dependencies.extend(kept)


def _put(holder: Any, path: Path, value: Any) -> None:
    *parents, last = path
    try:
        for key in parents:
            holder = _opened(holder[key])
        if value is GONE:
            del holder[last]
        else:
            holder[last] = value
    except (KeyError, IndexError, TypeError):
        return


def _opened(value: Any) -> Any:
    while isinstance(value, dict) and value.get(SIGNATURE) == SECRET:
        value = value["value"]
    return value


def _plain(value: Any) -> Any:
    value = _opened(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


class Changing:
    """A monitor that changes one of the registrations on their way."""

    def __init__(self, monitor: Any, mutant: Mutant) -> None:
        self._monitor, self._mutant = monitor, mutant

    def __getattr__(self, name: str) -> Any:
        return getattr(self._monitor, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Register the resource as the mutant would."""
        change(request, self._mutant)
        return self._monitor.RegisterResource(request)


if __name__ != "tests.mutation.changed":  # run, not imported
    if VARIABLE in os.environ:
        settings.SETTINGS.monitor = Changing(settings.SETTINGS.monitor, read(os.environ[VARIABLE]))
    runpy.run_path(str(PROJECT / "__main__.py"))
