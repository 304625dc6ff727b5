"""The tier as a whole: images, hosts, services outside, and the engine that brings a stage up on them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import docker
from rich.console import Console

from dreamseed.catalog.images import reference_of
from dreamseed.errors import ConfigError
from dreamseed.planning.stage_plan import StagePlan
from localtier import reach
from localtier.checks import CHECKS, Finding, check_stage, visit, wait_healthy
from localtier.credentials import read_credentials
from localtier.images import ensure_images, load_into
from localtier.images.engine import local_cache
from localtier.keeping import kept_in_step
from localtier.outside import Outside
from localtier.places import lans, specs
from localtier.stages import LocalWorkspace, simulated_plan
from rehearsal.hosts import HostsError, World, faults
from rehearsal.programs.choice import HOST
from rehearsal.providers.host import ProviderHost
from rehearsal.runner import Project
from rehearsal.runner.engine import Engine, Interruption, Reached, Run
from rehearsal.toolchain import ensure_engine

STACK = "local"
TIERS = {"tier": "ds", "test": "dt", "alerts": "da", "promotion": "dp", "surge": "du", "keys": "dk"}
"""The tiers that this machine may have beside each other: each one's folder, and how its namespaces' names begin."""
HEALTHY_SECONDS = 300.0
"""So long may a stage take until every check passes: a cold start on two cores, with the first full backup."""
# The engine writes its state after each step, so that it can be killed at any time; its language host runs the program.
REHEARSAL_ONLY = ("PULUMI_SKIP_CHECKPOINTS", HOST)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Which stage stands, and which one an unfinished `up` was to bring (else the same)."""

    stage: str
    target: str


@dataclass(frozen=True)
class Tier:
    """The servers' tier of `project` on this machine: one for each `folder` of the user's cache, with its own `prefix`.

    `prefix` begins the names of its namespaces.
    """

    project: Project
    console: Console
    folder: str = "tier"
    prefix: str = TIERS["tier"]

    @cached_property
    def root(self) -> Path:
        """Return the folder of everything that the tier keeps."""
        return local_cache() / self.folder

    def plan(self, stage: str) -> StagePlan:
        """Return the plan of `stage` as it runs here."""
        return simulated_plan(self.project, stage, self.root / "plans")

    def world(self, plan: StagePlan) -> World:
        """Return the hosts of `plan`: the same folder and names for every stage, so hosts are only added."""
        return World(
            root=self.root / "world",
            prefix=self.prefix,
            lans=lans(plan),
            hosts=specs(plan),
            waiting=lambda: self.console.print("Another command is changing the hosts: waiting ..."),
        )

    @property
    def standing(self) -> Standing | None:
        """Return what stands, None when nothing was brought up."""
        try:
            return Standing(**json.loads(self._standing_file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def prepare(self, plan: StagePlan) -> World:
        """Build the images, start the hosts and the services outside, and load each host's images into its engine."""
        by_host = {host: [reference_of(key) for key in keys] for host, keys in plan.images.items()}
        ensure_images(self.console, (reference for references in by_host.values() for reference in references))
        world = self.world(plan)
        world.start()
        for host, references in by_host.items():
            with closing(world.client(host)) as engine:
                load_into(engine, references, self.console)
        hosts_file = self._hosts_file
        engines = {host.docker_host: f"unix://{world.socket(host.name)}" for host in plan.hosts}
        part = hosts_file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(engines, indent=1) + "\n", encoding="utf-8")
        part.replace(hosts_file)
        Outside(world=world, plan=plan, folder=self.root).start()
        return world

    def up(
        self, stage: str, reached: Reached, *, interruption: Interruption | None = None, refresh: bool = False
    ) -> Run:
        """Bring the tier to `stage` with the real engine; an interrupted `up` is finished by the next one.

        With `refresh` the engine first looks at what really runs, so that changes made by hand are undone. Raises
        `ConfigError` for a stage below the one that stands, or more than one above it.
        """
        with self.toward(stage) as engine:
            if refresh and not (looked := engine.refresh(STACK, stage, reached)).succeeded:
                return looked
            run = engine.up(STACK, stage, reached, interruption=interruption)
        if run.succeeded:
            self.arrived(stage)
        return run

    @contextmanager
    def toward(self, stage: str) -> Iterator[Engine]:
        """Give the engine on the way to `stage`: from now on only that stage may come next. Raises as `up` does."""
        before = self.standing
        check_step(self.project.stacks, before, stage)
        with self._going(Standing(stage=before.stage if before else stage, target=stage), stage) as engine:
            yield engine

    @contextmanager
    def back_to(self, stage: str) -> Iterator[Engine]:
        """Give the engine on the way back to `stage` from a promotion that is undone, with the larger stage's hosts."""
        before = self.standing or Standing(stage=stage, target=stage)
        highest = max(before.stage, before.target, stage, key=self.project.stacks.index)
        with self._going(Standing(stage=highest, target=stage), highest) as engine:
            yield engine

    @contextmanager
    def _going(self, standing: Standing, highest: str) -> Iterator[Engine]:
        plan = self.plan(highest)
        world = self.prepare(plan)
        self._stand(standing)
        with self.engine(plan, world) as engine:
            if STACK not in engine.workspace.created:
                created = engine.create_stack(STACK, like=standing.target)
                if not created.succeeded:
                    raise HostsError("; ".join(created.errors), "see why the engine made no stack, and try again")
            yield engine

    def arrived(self, stage: str) -> None:
        """Note that `stage` stands."""
        self._stand(Standing(stage=stage, target=stage))

    @contextmanager
    def engine(self, plan: StagePlan, world: World) -> Iterator[Engine]:
        """Give the real engine with its attached providers; meanwhile the services outside learn new secrets."""
        toolchain = ensure_engine()
        workspace = LocalWorkspace(self.project, self.root / "workspace")
        workspace.prepare()
        with ExitStack() as stack:
            providers = stack.enter_context(ProviderHost(self.root / "cloud", docker_hosts=self._hosts_file))
            stack.enter_context(kept_in_step(Outside(world=world, plan=plan, folder=self.root)))
            environment = workspace.environment(toolchain, providers.environment())
            for name in REHEARSAL_ONLY:
                environment.pop(name, None)
            yield Engine(toolchain, workspace, environment)

    @contextmanager
    def engines(self, plan: StagePlan) -> Iterator[Mapping[str, docker.DockerClient]]:
        """Give a client of each running host's engine, by the host's name."""
        world = self.world(plan)
        with ExitStack() as stack:
            clients = {host.name: world.client(host.name) for host in plan.hosts if world.is_running(host.name)}
            for client in clients.values():
                stack.callback(client.close)
            yield clients

    def check(self, plan: StagePlan, timeout_seconds: float = 0.0, names: Iterable[str] = CHECKS) -> list[Finding]:
        """Return whether what the checks `names` look at is as planned, asked again until it is or the time is over."""
        listening = self.world(plan).listening
        with self.engines(plan) as engines:
            credentials = read_credentials(plan, engines)
            if timeout_seconds:
                return list(wait_healthy(plan, engines, credentials, timeout_seconds, listening, names))
            return list(check_stage(plan, engines, credentials, listening, names))

    def scan(self, plan: StagePlan) -> list[Finding]:
        """Return whether the containers of each network reach what the plan says, and nothing else."""
        with self.engines(plan) as engines:
            return reach.look(plan, visit(plan, engines, {}).inspected)

    def down(self, forget: bool) -> None:
        """Stop everything that was started; with `forget` remove containers, volumes, images and states, too."""
        before = self.standing
        plan = self.plan(before.target if before else self.project.stacks[0])
        world = self.world(plan)
        if forget:
            # Nothing is kept, so nothing needs to be put away first.
            for host in plan.hosts:
                if world.is_running(host.name):
                    faults.power_off(world, host.name)
            world.forget()
            for name in ("workspace", "cloud", "plans"):
                shutil.rmtree(self.root / name, ignore_errors=True)
            self._standing_file.unlink(missing_ok=True)
        else:
            world.stop()

    def _stand(self, standing: Standing) -> None:
        part = self._standing_file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"stage": standing.stage, "target": standing.target}), encoding="utf-8")
        part.replace(self._standing_file)

    @property
    def _standing_file(self) -> Path:
        return self.root / "standing.json"

    @property
    def _hosts_file(self) -> Path:
        return self.root / "docker-hosts.json"


def check_step(ladder: tuple[str, ...], before: Standing | None, stage: str) -> None:
    """Raise `ConfigError` unless the tier may go to `stage`: from nothing, the same again, or one stage up.

    After an interrupted `up` only its target is allowed: half a promotion is finished before anything else.
    """
    if before is None or stage == before.target:
        return
    if before.target != before.stage:
        raise ConfigError(
            f"local › {stage}",
            f"the way from {before.stage} to {before.target} is not finished",
            "a state in between belongs to neither stage",
            f"make local STAGE={before.target}, or make local-down FORGET=1 to begin anew",
        )
    if ladder.index(stage) != ladder.index(before.stage) + 1:
        raise ConfigError(
            f"local › {stage}",
            f"{before.stage} stands",
            "a promotion goes up one stage at a time; nothing goes down by itself",
            "make local-promote for the next stage, or make local-down FORGET=1 to begin anew",
        )
