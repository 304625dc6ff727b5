"""Losing what a claim is about, and giving it back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.planning.survivability import DataLoss, Loss
from dreamseed.planning.survivability.claims import links
from dreamseed.planning.survivability.stateless import WATCHERS
from localtier.experiments.trials import Trial
from rehearsal.hosts import HostsError, World, faults

SPARED = frozenset({DataLoss.NONE, DataLoss.CACHE})
CACHE_SHAPER = "redis-cluster"
"""The job that takes wiped nodes in again and gives the planned masters their role back."""
JOB_SECONDS = 300


def reason_not_tried(plan: StagePlan, trial: Trial) -> str | None:
    """Return why a trial must not be done here, null when it may.

    A server may go whatever its disks hold: here its power is cut and given back, and the disks stay.
    """
    if trial.loss is not Loss.DISK:
        return None
    for claim in trial.claims:
        if claim.data_lost not in SPARED and claim.component not in WATCHERS:
            return f"{claim.component} loses data ({claim.data_lost}): {claim.consequence}"
    if len(plan.topology.etcd) > 1 and any(claim.component == "etcd" for claim in trial.claims):
        return "a member of several comes back on an empty disk only after it was removed and added again by hand"
    return None


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The losses of the stage `plan` that runs in `world`.

    Where one fails, `HostsError` is raised, or what docker-py raises: `DockerException` and requests' errors.
    """

    world: World
    plan: StagePlan

    def inject(self, trial: Trial) -> None:
        """Let it be lost, and stay so until `repair`; a wiped volume's containers start again at once."""
        match trial.loss:
            case Loss.CONTAINER:
                faults.kill_container(self.world, self._host_of(trial.target), trial.target, stay_down=True)
            case Loss.SERVER:
                faults.power_off(self.world, trial.target)
            case Loss.LINK:
                faults.cut_link(self.world, *self._ends(trial.target))
            case Loss.DISK if all(claim.component == "vllm" for claim in trial.claims):
                self._empty_under_running(trial.target)
            case Loss.DISK:
                faults.wipe_volume(self.world, self._volume_host(trial.target), trial.target)

    def repair(self, trial: Trial) -> None:
        """Give back what was lost, and bring the cache's roles back to the plan where they may have moved."""
        match trial.loss:
            case Loss.CONTAINER:
                with closing(self.world.client(self._host_of(trial.target))) as engine:
                    engine.containers.get(trial.target).start()
            case Loss.SERVER:
                faults.power_on(self.world, trial.target)
            case Loss.LINK:
                faults.heal_link(self.world, *self._ends(trial.target))
            case Loss.DISK:
                pass
        if any(claim.component == "redis" for claim in trial.claims):
            self.shape_cache()

    def shape_cache(self) -> None:
        """Give the planned masters their role back, as a person does after a lost server; nothing without a cache."""
        for job in (one for one in self.plan.containers if one.service == CACHE_SHAPER):
            with closing(self.world.client(job.host)) as engine:
                container = engine.containers.get(job.name)
                container.start()
                status = container.wait(timeout=JOB_SECONDS)["StatusCode"]
                if status:
                    words = container.logs(tail=5).decode(errors="replace").strip()
                    raise HostsError(f"{job.name} ended with {status}: {words}", "look at the cache's nodes")

    def _empty_under_running(self, volume: str) -> None:
        """Delete what is in a volume from inside the first container that has it, which runs on."""
        for container in self.plan.containers:
            for mount in container.mounts:
                if mount.volume == volume and not mount.read_only:
                    with closing(self.world.client(container.host)) as engine:
                        words: Sequence[str] = ("find", mount.path, "-mindepth", "1", "-delete")
                        answer = engine.containers.get(container.name).exec_run(list(words), user="0")
                    if answer.exit_code:
                        raise HostsError(f"{volume} could not be emptied: {answer.output!r}", f"see {container.name}")
                    return
        raise HostsError(f"nobody writes to volume {volume}", "try the claims of volumes that are used")

    def _host_of(self, container: str) -> str:
        return next(one.host for one in self.plan.containers if one.name == container)

    def _volume_host(self, volume: str) -> str:
        return next(one.host for one in self.plan.volumes if one.name == volume)

    def _ends(self, name: str) -> tuple[str, str]:
        link = next(link for link in links(self.plan.hosts) if link.name == name)
        return link.one.name, link.other.name
