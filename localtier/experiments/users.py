"""The users of a tier while its stages change: one load, told of each stage's services once they are there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamseed.planning.stage_plan import StagePlan
from localtier.credentials import read_credentials
from localtier.load.run import LoadRun
from localtier.load.targets import USED_SECRETS, targets_of
from localtier.tier import HEALTHY_SECONDS, Tier


@dataclass(frozen=True, kw_only=True)
class Users:
    """The load on `tier`, from outside of the servers as the API is. What a load wrote, only that one looks for."""

    tier: Tier
    number: int = 1

    def begin(self, stage: str) -> list[str]:
        """Forget everything, bring the tier to `stage` from nothing, and return what is wrong with it, if anything is.

        Nobody uses it yet.
        """
        self.forget()
        self.tier.down(forget=True)
        run = self.tier.up(stage, lambda _: None)
        if not run.succeeded:
            return [f"{stage}: the engine: {error}" for error in run.errors]
        findings = self.tier.check(self.tier.plan(stage), HEALTHY_SECONDS)
        return [f"{stage}: {one.what}: {one.detail}" for one in findings if not one.ok]

    def load(self, plan: StagePlan) -> LoadRun:
        """Return the load; it is the same one at every stage."""
        return LoadRun(folder=self.tier.root / f"load-{self.number}", prefix=self.tier.world(plan).outside([]))

    def others(self) -> Users:
        """Return other users, who know nothing of what these wrote."""
        return Users(tier=self.tier, number=self.number + 1)

    def welcome(self, plan: StagePlan) -> LoadRun:
        """Let the clients of every service of a stage that stands run; those that do go on."""
        load = self.load(plan)
        load.start(targets_of(plan), self.secrets(plan))
        return load

    def secrets(self, plan: StagePlan) -> Mapping[str, str]:
        """Return what the clients need, as the stage's containers hold it."""
        with self.tier.engines(plan) as engines:
            return read_credentials(plan, engines, only=USED_SECRETS)

    def stop(self) -> None:
        """Stop every load of the tier, also one that was left behind; what it wrote down stays."""
        for folder in self._folders():
            LoadRun(folder=folder).stop()

    def forget(self) -> None:
        """Stop every load of the tier, and remove what it wrote down."""
        self.stop()
        for folder in self._folders():
            shutil.rmtree(folder)

    def _folders(self) -> list[Path]:
        return sorted(self.tier.root.glob("load-*"))

    def leave(self, plan: StagePlan) -> None:
        """Stop the clients; nothing to do when none run."""
        self.load(plan).stop()
