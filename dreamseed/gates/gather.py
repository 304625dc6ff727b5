"""Reading everything that gates rest on from the project's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from dreamseed.config import STAGE_NAMES, Stage, StageConfig, load_stage, stage_file
from dreamseed.errors import DreamSeedError
from dreamseed.facts.drill import DRILLS_FOLDER, DrillFact, drill_files, read_drill
from dreamseed.facts.store import STORE_FILE, Store
from dreamseed.gates.situation import Situation
from dreamseed.gates.waiver import WAIVERS_FOLDER, read_waiver
from dreamseed.growth.costs import estimated
from dreamseed.signing import Trust

ALLOWED_SIGNERS = Path("approvals", "allowed_signers")
REVOKED_KEYS = Path("approvals", "revoked_keys")
Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a project keeps what promotions are decided on."""

    store: Path
    drills: Path
    waivers: Path
    trust: Trust

    @staticmethod
    def of(project: Path, store: Path | None = None, drills: Path | None = None) -> Places:
        """Return the usual places in the folder `project`, with those that are given instead."""
        return Places(
            store=store or project / STORE_FILE,
            drills=drills or project / DRILLS_FOLDER,
            waivers=project / WAIVERS_FOLDER,
            trust=Trust(allowed_signers=project / ALLOWED_SIGNERS, revoked=project / REVOKED_KEYS),
        )


def gather(project: Path, places: Places, now: datetime, *, known_at: datetime | None = None) -> Situation:
    """Return the situation at the moment `now`, as it is known at the moment `known_at` (default: the same).

    A record that is not what it claims is refused, and told in `refused`: signatures are judged at `known_at`.

    Raises `DreamSeedError` when a stage file or the store of facts is not sound.
    """
    known = known_at or now
    stages = load_stages(project)
    store = Store(places.store)
    store.check()
    drills, no_drills = verified_drills(places, known)
    waivers, no_waivers = _each(
        sorted(places.waivers.glob("*.json")), lambda path: read_waiver(path, places.trust, known)
    )
    costs = estimated(stages.values())
    return Situation(
        stages=stages,
        costs={stage: costs(stage) for stage in stages},
        facts=store.current(known),
        now=now,
        drills=drills,
        waivers=waivers,
        refused=(*no_drills, *no_waivers),
    )


def verified_drills(places: Places, at: datetime) -> tuple[tuple[DrillFact, ...], tuple[str, ...]]:
    """Return the drills that are what they claim at the moment `at`, and why the other files are refused."""
    return _each(drill_files(places.drills), lambda path: read_drill(path, places.trust, at)[0])


def load_stages(project: Path) -> dict[Stage, StageConfig]:
    """Return the project's stage files, in order."""
    configs = (load_stage(stage_file(project, name), project) for name in STAGE_NAMES)
    return {config.service.stage: config for config in configs}


def _each(paths: Iterable[Path], read: Callable[[Path], Read]) -> tuple[tuple[Read, ...], tuple[str, ...]]:
    """Return what could be read, and why the rest could not."""
    found: list[Read] = []
    refused: list[str] = []
    for path in paths:
        try:
            found.append(read(path))
        except DreamSeedError as error:
            refused.append(f"{path.name} {error.what}")
    return tuple(found), tuple(refused)
