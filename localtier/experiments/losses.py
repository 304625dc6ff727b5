"""Losing what a claim is about, and giving it back."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from dreamseed.planning import ports
from dreamseed.planning.services.postgres_instance import Instance
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
LEADS_SECONDS = 120.0
POLL_SECONDS = 1.0


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
        """Give back what was lost, and do what the runbooks say: the cache's roles, a database whose etcd was wiped."""
        match trial.loss:
            case Loss.CONTAINER:
                with closing(self.world.client(self._host_of(trial.target))) as engine:
                    engine.containers.get(trial.target).start()
            case Loss.SERVER:
                faults.power_on(self.world, trial.target)
            case Loss.LINK:
                faults.heal_link(self.world, *self._ends(trial.target))
            case Loss.DISK if any(claim.component == "etcd" for claim in trial.claims):
                self.start_database_again()
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

    def start_database_again(self) -> None:
        """Start the instances of each shard again, its primary first and until it leads: Patroni refuses a new etcd.

        A replica that came first would find nobody in etcd and lead beside the primary.
        """
        for instances in self.plan.topology.shards:
            for one in sorted(instances, key=lambda one: not self._is_primary(one)):
                with closing(self.world.client(one.host.name)) as engine:
                    engine.containers.get(one.name).restart()
                until = time.monotonic() + LEADS_SECONDS
                while not self._is_in_etcd(one):
                    if time.monotonic() > until:
                        raise HostsError(f"{one.name} is not back in etcd after {LEADS_SECONDS:g} s", "see its log")
                    time.sleep(POLL_SECONDS)

    def _is_primary(self, instance: Instance) -> bool:
        """Tell whether its PostgreSQL takes writes, whatever etcd holds."""
        return self._patroni_says(instance).get("role") in ("primary", "master")

    def _is_in_etcd(self, instance: Instance) -> bool:
        """Tell whether what Patroni sees in etcd has a leader and this instance."""
        members = self._patroni_says(instance, "/cluster").get("members", [])
        return any(one["role"] == "leader" for one in members) and instance.name in {one["name"] for one in members}

    def _patroni_says(self, instance: Instance, path: str = "/patroni") -> dict[str, Any]:
        """Return what an instance's Patroni answers, nothing where it does not. Source: Patroni 4, REST API."""
        words = ["curl", "-sS", "-m", "5", f"http://127.0.0.1:{ports.PATRONI}{path}"]
        with closing(self.world.client(instance.host.name)) as engine:
            answer = engine.containers.get(instance.name).exec_run(words)
        try:
            said: dict[str, Any] = json.loads(str(answer.output, encoding="utf-8"))  # type: ignore[arg-type]
        except ValueError:  # nothing, where nobody answered
            return {}
        return said

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
