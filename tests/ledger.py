"""The ledger of stateful URNs: every identity that a state may hold, and the stage that brought it.

A URN that leaves the program is a deletion to the engine, and a renamed resource is a new one beside a deleted one.
A line is never removed: a resource that is renamed keeps its old URN as an alias. `make goldens` adds new lines only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dreamseed.catalog.stateful import is_stateful
from dreamseed.config import STAGE_NAMES
from tests.program import Registered, record

LEDGER = Path(__file__).parent / "golden" / "stateful-urns.txt"


def identity(urn: str) -> str:
    """Return the part of a URN that does not depend on the stack: types and name."""
    return urn.split("::", 2)[2]


def identities(resources: Iterable[Registered]) -> dict[str, Registered]:
    """Return the stateful resources by identity."""
    return {identity(r.urn): r for r in resources if r.custom and is_stateful(r.type, r.inputs)}


def read() -> dict[str, str]:
    """Return the recorded identities with the stage that brought each."""
    lines = LEDGER.read_text(encoding="utf-8").splitlines() if LEDGER.exists() else []
    return {line.split(" ", 1)[1]: line.split(" ", 1)[0] for line in lines if line and not line.startswith("#")}


def faults(stage: str, resources: Iterable[Registered], ledger: dict[str, str]) -> list[str]:
    """Return a sentence for each identity that `stage` should hold and does not, with the alias to add."""
    present = identities(resources)
    aliases = {identity(alias) if "::" in alias else alias for r in present.values() for alias in r.aliases}
    unknown = [key for key in present if key not in ledger]
    found = []
    for key, since in ledger.items():
        if STAGE_NAMES.index(since) > STAGE_NAMES.index(stage) or key in present or key in aliases:
            continue
        name = key.rsplit("::", 1)[1]
        if name in aliases:
            continue
        same_type = [new for new in unknown if new.rsplit("::", 1)[0] == key.rsplit("::", 1)[0]]
        successor = f" on {same_type[0].rsplit('::', 1)[1]}" if same_type else ""
        found.append(
            f"{stage} no longer declares {key}: the engine would delete it and what it holds. "
            f'If it was renamed, add{successor}: opts=…(aliases=[pulumi.Alias(name="{name}")])'
        )
    return found


def unrecorded(stage: str, resources: Iterable[Registered], ledger: dict[str, str]) -> list[str]:
    """Return the identities of `stage` that the ledger lacks."""
    return [key for key in identities(resources) if key not in ledger]


def main() -> None:
    """Add the identities that are new."""
    ledger = read()
    for stage in STAGE_NAMES:
        for key in unrecorded(stage, record(stage), ledger):
            ledger[key] = stage
    head = "# Every stateful identity and the stage that brought it. Lines are added (make goldens), never removed.\n"
    body = "".join(f"{since} {key}\n" for key, since in sorted(ledger.items(), key=lambda item: (item[1], item[0])))
    LEDGER.write_text(head + body, encoding="utf-8")
