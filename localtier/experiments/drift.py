"""Changes made by hand to what runs: `pulumi refresh` must find them, and `up` mend them and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import docker

from dreamseed.planning.container import Container, VolumeKind
from dreamseed.planning.stage_plan import StagePlan
from localtier.report import MIB
from localtier.tier import STACK, Tier
from rehearsal.hosts import HostsError, World
from rehearsal.runner.engine import Reached, Run
from rehearsal.runner.resources import Action

FOREIGN_LABELS = {"managed-by": "somebody"}
REMOVED, LIMITED = "grafana", "alertmanager"
"""Services of every stage from B on whose absence no user notices."""

Changes = Mapping[str, Action]
"""What happened to each resource, by name."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change by hand: what it is, what `refresh` must say of it, and what `up` must do."""

    what: str
    found: Changes
    mended: Changes
    make: Callable[[World], None]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """All changes of a stage made at once, what `refresh` found, and what `up` did."""

    stage: str
    changes: tuple[Change, ...]
    found: Changes
    mended: Changes
    errors: tuple[str, ...]


def changes_of(plan: StagePlan) -> tuple[Change, ...]:
    """Return the changes that are made by hand at a stage. Raises `HostsError` for a stage that cannot take them."""
    removed, limited = _only(plan, REMOVED), _only(plan, LIMITED)
    volume = next(one for one in plan.vllm.volumes if one.kind is VolumeKind.CACHE)
    engines = [one for one in plan.vllm.containers if any(mount.volume == volume.name for mount in one.mounts)]

    def remove(world: World) -> None:
        with closing(world.client(removed.host)) as engine:
            engine.containers.get(removed.name).remove(force=True)

    def limit(world: World) -> None:
        halved = limited.memory_mib // 2 * MIB
        with closing(world.client(limited.host)) as engine:
            engine.containers.get(limited.name).update(mem_limit=halved, memswap_limit=halved)

    def relabel(world: World) -> None:
        with closing(world.client(volume.host)) as engine:
            _relabel(engine, volume.name, engines)

    return (
        Change(
            what=f"container {removed.name} removed",
            found={removed.name: Action.DELETE},
            mended={removed.name: Action.CREATE},
            make=remove,
        ),
        Change(
            what=f"memory of {limited.name} halved",
            found={limited.name: Action.UPDATE},
            mended={limited.name: Action.UPDATE},
            make=limit,
        ),
        Change(
            what=f"volume {volume.name} made anew with another label, for which its engines had to go",
            found={volume.name: Action.UPDATE} | {one.name: Action.DELETE for one in engines},
            mended={volume.name: Action.REPLACE} | {one.name: Action.CREATE for one in engines},
            make=relabel,
        ),
    )


def _only(plan: StagePlan, service: str) -> Container:
    found = [one for one in plan.containers if one.service == service]
    if len(found) != 1:
        raise HostsError(f"{plan.name} has {len(found)} containers of {service}", "try drift at a stage from B on")
    return found[0]


def _relabel(engine: docker.DockerClient, volume: str, users: list[Container]) -> None:
    """Make a volume anew with other labels: Docker changes none in place, and keeps a volume that is in use."""
    for user in users:
        engine.containers.get(user.name).remove(force=True)
    engine.volumes.get(volume).remove()
    engine.volumes.create(volume, labels=FOREIGN_LABELS)


def try_drift(tier: Tier, plan: StagePlan, reached: Reached) -> Drift:
    """Make the changes on the stage that stands, refresh, and bring it up again."""
    world = tier.world(plan)
    changes = changes_of(plan)
    for change in changes:
        change.make(world)
    with tier.engine(plan, world) as engine:
        refreshed = engine.refresh(STACK, plan.name, reached)
        mended = engine.up(STACK, plan.name, reached)
    return Drift(
        stage=plan.name,
        changes=changes,
        found=_changes(refreshed),
        mended=_changes(mended),
        errors=(*refreshed.errors, *mended.errors),
    )


def _changes(run: Run) -> Changes:
    """Return what a run changed; resources of one name, as a container and its volume may be, have their type too."""
    changes = run.events.changes()
    times = Counter(change.resource.name for change in changes)
    return {
        one.name if times[one.name] == 1 else f"{one.type} {one.name}": change.action
        for change in changes
        for one in (change.resource,)
    }


def problems(drift: Drift) -> Iterator[str]:
    """Return where refresh or up did not do exactly what they had to."""
    yield from (f"{drift.stage}: drift: {error}" for error in drift.errors)
    found = {name: action for change in drift.changes for name, action in change.found.items()}
    mended = {name: action for change in drift.changes for name, action in change.mended.items()}
    yield from _differences(f"{drift.stage}: refresh", drift.found, found)
    yield from _differences(f"{drift.stage}: up after refresh", drift.mended, mended)


def _differences(where: str, seen: Changes, wanted: Changes) -> Iterator[str]:
    for name in sorted({*seen, *wanted}):
        if seen.get(name) != wanted.get(name):
            yield f"{where}: {name}: {seen.get(name, 'nothing')}, where it should be {wanted.get(name, 'nothing')}"
