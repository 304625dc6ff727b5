"""What the step from one stage to the next does to the servers, before any engine is asked.

Which fields a running container can take in place, and which make the provider replace it, is the Docker provider's:
memory and CPU shares change live, everything else makes a new container. Source: kreuzwerker/terraform-provider-docker
4.x, resource_docker_container.go (ForceNew), read 2026-08-14.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from dreamseed.config.immutable import changed_immutables
from dreamseed.errors import PromotionError
from dreamseed.planning.container import Container, Volume, VolumeKind
from dreamseed.planning.stage_plan import StagePlan

IN_PLACE = frozenset({"memory_mib", "cpu_cores"})
UNTOLD = frozenset({"after", "inner_ports", "hears"})
"""What Docker is not told: the order of containers, what they listen at without publishing it, and what they learn."""


class Action(StrEnum):
    """What happens to a container."""

    ADDED = "added"
    CHANGED = "changed in place"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class ContainerChange:
    """One container and why: the fields that differ, files by their path (``files /etc/patroni/patroni.yml``)."""

    name: str
    service: str
    host: str
    action: Action
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """The step from stage `old` to stage `new`.

    `containers` in the new plan's order, then the removed ones; `unchanged` counts those that nobody touches. `rolls`
    holds each service with replaced containers, in their order: one after the other, never all at once.
    """

    old: str
    new: str
    hosts_added: tuple[str, ...]
    containers: tuple[ContainerChange, ...]
    unchanged: int
    volumes_added: tuple[str, ...]
    volumes_removed: tuple[str, ...]
    rolls: dict[str, tuple[str, ...]]

    def names(self, action: Action) -> tuple[str, ...]:
        """Return the names of the containers that `action` happens to."""
        return tuple(change.name for change in self.containers if change.action is action)


def plan_promotion(old: StagePlan, new: StagePlan) -> Promotion:
    """Return what the promotion does; raises the first `PromotionError` of `promotion_refusals`."""
    for refusal in promotion_refusals(old, new):
        raise refusal
    before = {container.name: container for container in old.containers}
    after = {container.name: container for container in new.containers}
    changes = [_change(before.get(name), container) for name, container in after.items()]
    touched = [change for change in changes if change is not None]
    removed = [
        ContainerChange(name=one.name, service=one.service, host=one.host, action=Action.REMOVED)
        for name, one in before.items()
        if name not in after
    ]
    rolls: dict[str, tuple[str, ...]] = {}
    for change in touched:
        if change.action is Action.REPLACED:
            rolls[change.service] = (*rolls.get(change.service, ()), change.name)
    volumes_before, volumes_after = ([volume.name for volume in plan.volumes] for plan in (old, new))
    return Promotion(
        old=old.name,
        new=new.name,
        hosts_added=tuple(h.name for h in new.hosts if h.name not in {host.name for host in old.hosts}),
        containers=(*touched, *removed),
        unchanged=len(after) - len(touched),
        volumes_added=tuple(name for name in volumes_after if name not in volumes_before),
        volumes_removed=tuple(name for name in volumes_before if name not in volumes_after),
        rolls=rolls,
    )


def promotion_refusals(old: StagePlan, new: StagePlan) -> tuple[PromotionError, ...]:
    """Return every reason against the step: a skipped stage, what may never change, data that would be lost."""
    return (
        *_steps(old, new),
        *changed_immutables(old.config, new.config),
        *_volumes(old, new),
        *_topics(old, new),
        *_thresholds(old, new),
    )


def _change(old: Container | None, new: Container) -> ContainerChange | None:
    if old is None:
        return ContainerChange(name=new.name, service=new.service, host=new.host, action=Action.ADDED)
    differing = tuple(_differing(old, new))
    if not differing:
        return None
    action = Action.CHANGED if set(differing) <= IN_PLACE else Action.REPLACED
    return ContainerChange(name=new.name, service=new.service, host=new.host, action=action, fields=differing)


def _differing(old: Container, new: Container) -> Iterator[str]:
    for field in fields(Container):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after or field.name in UNTOLD:
            continue
        if field.name != "files":
            yield field.name
            continue
        texts_before, texts_after = ({file.path: file for file in files} for files in (before, after))
        for path in dict.fromkeys((*texts_before, *texts_after)):
            if texts_before.get(path) != texts_after.get(path):
                yield f"files {path}"


def _steps(old: StagePlan, new: StagePlan) -> Iterator[PromotionError]:
    was, will = old.config.service.stage, new.config.service.stage
    if will.rank - was.rank not in (0, 1):
        yield PromotionError(
            f"{new.name} › service › stage",
            f"from stage {was} to stage {will}",
            "a promotion goes up one stage at a time: each is paid for, used and judged before the next",
            f"stage {type(was)(chr(ord(was.value) + 1))} after {was}" if was.rank < 4 else f"stage {was}, the last one",
        )


def _volumes(old: StagePlan, new: StagePlan) -> Iterator[PromotionError]:
    later = {volume.name: volume for volume in new.volumes}
    for volume in old.volumes:
        if volume.kind is VolumeKind.DATA:
            yield from _kept(new.name, volume, later.get(volume.name))


def _kept(stage: str, volume: Volume, later: Volume | None) -> Iterator[PromotionError]:
    where = f"{stage} › volume {volume.name}"
    if later is None:
        yield PromotionError(
            where,
            f"is gone, and {volume.host} holds data in it",
            "a promotion adds; taking data away is a migration of its own, after its copy was proved",
            "as many instances, nodes, brokers and shards as the stage before, or more",
        )
    elif later.host != volume.host:
        yield PromotionError(
            where,
            f"moves from {volume.host} to {later.host}",
            "a volume stands on one server's disk: it would be made anew there, empty",
            "a placement that leaves what exists where it is and adds the new ones on the new server",
        )
    elif later.kind is not volume.kind:
        yield PromotionError(
            where,
            f"changes from {volume.kind} to {later.kind}",
            "the kind is a label of the volume, and another label replaces the volume with what it holds",
            f"the kind {volume.kind}",
        )


def _topics(old: StagePlan, new: StagePlan) -> Iterator[PromotionError]:
    if not (old.config.kafka.brokers and new.config.kafka.brokers):
        return
    later = {topic.name: topic.partitions for topic in new.config.kafka.topics}
    for topic in old.config.kafka.topics:
        if later.get(topic.name, topic.partitions) < topic.partitions:
            yield PromotionError(
                f"{new.name} › kafka › topics › {topic.name} › partitions",
                f"shrinks from {topic.partitions} to {later[topic.name]}",
                "Kafka adds partitions and never takes them away",
                f"{topic.partitions} or more, or a new topic",
            )


def _thresholds(old: StagePlan, new: StagePlan) -> Iterator[PromotionError]:
    """Refuse a step whose stage files disagree on what the step brings and costs."""
    after = old.config.next_stage
    if after is None or new.config.service.stage.rank != old.config.service.stage.rank + 1:
        return
    capacity = new.config.service.capacity.sign_ups
    if capacity <= after.sign_ups:
        yield PromotionError(
            f"{new.name} › service › capacity › sign_ups",
            f"{capacity:,}, and the stage before is left above {after.sign_ups:,}",
            "each stage carries more than the one before, else the next is due at once",
            f"more than {after.sign_ups}",
        )
    extra = new.config.budget.usd_per_month - old.config.budget.usd_per_month
    if extra != after.extra_usd_per_month:
        yield PromotionError(
            f"{old.name} › next_stage › extra_usd_per_month",
            f"{after.extra_usd_per_month:g}, and the two budgets differ by {extra:g}",
            "the extra cost is what the CFO approves",
            f"{extra:g}",
        )
