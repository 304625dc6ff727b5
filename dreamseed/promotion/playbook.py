"""The seven steps of the playbook over a world: the rehearsal's, or the servers' on real Docker Engines.

Source: the growth plan, section 9. Steps 4, 5 and 6 change the infrastructure: one `up` of the approved plan,
in step 4, declares all three, replica by replica; each is verified by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.saga import Silence, Step, StepError, Waiting


class World(Protocol):
    """Where a promotion takes place. Whatever returns text returns evidence; what fails raises `StepError`."""

    @property
    def silence(self) -> Silence:
        """Return the maintenance silence over the alerts that a promotion sets off."""

    def back_up(self) -> None:
        """Back the database up, and archive the models."""

    def verify_backup(self) -> str:
        """Restore the backup into an empty place and compare; see that the models' archive is whole."""

    def gpus_seen(self) -> Mapping[str, int]:
        """Return how many cards each server really shows."""

    def is_applied(self) -> str | None:
        """Return what shows that the new stage stands, or None."""

    def apply(self) -> None:
        """Bring the stage up by the engine, by the approved plan and no other."""

    def verify_engines(self) -> str:
        """See that every engine serves with the parallelism of the plan."""

    def verify_api_bounds(self) -> str:
        """See that the API's instances have the new bounds."""

    def reload_thresholds(self) -> None:
        """Let the monitoring read its rules again."""

    def verify_thresholds(self) -> str:
        """See that the rules in force are those of the new stage."""

    def play_load(self) -> None:
        """Let the stage's concurrent users use it, and keep the result."""

    def verify_load(self) -> str:
        """See that the result meets the stage's objectives."""

    def roll_back(self) -> str:
        """Bring the stage before up again, and return what stays because it holds data."""


def playbook(world: World, before: StagePlan, after: StagePlan, *, gpu_installed: bool) -> tuple[Step, ...]:
    """Return the steps from `before` to `after`; `gpu_installed` is a person's word that the hardware is in."""
    needed = gpus_of(after)
    added = {name: count - gpus_of(before).get(name, 0) for name, count in needed.items()}
    moved = (f"{count} in {name}" if count > 0 else f"{-count} out of {name}" for name, count in added.items() if count)
    install = ", ".join(moved) or "none"
    return (
        _step("back-up", "back up, archive the models", world.back_up, world.verify_backup),
        _step(
            "gpu-install",
            f"install the GPUs: {install}",
            lambda: _installed(install, gpu_installed),
            lambda: f"a person confirmed: {install}",
            check=lambda: "no GPU is added" if install == "none" else None,
        ),
        _step("gpu-seen", "see the GPUs", _nothing, lambda: _seen(world, needed)),
        Step(
            name="vllm",
            title="bring the approved plan up: vLLM replica by replica",
            check=world.is_applied,
            do=world.apply,
            verify=world.verify_engines,
            undo=world.roll_back,
        ),
        _step("api-bounds", "raise the API's bounds", _nothing, world.verify_api_bounds),
        _step("thresholds", "raise the monitoring's thresholds", world.reload_thresholds, world.verify_thresholds),
        _step("load-test", "load test with the stage's users", world.play_load, world.verify_load),
    )


def _step(
    name: str,
    title: str,
    do: Callable[[], None],
    verify: Callable[[], str],
    check: Callable[[], str | None] = lambda: None,
) -> Step:
    """Return a step that leaves nothing to undo: a backup is kept, a check changes nothing."""
    return Step(name=name, title=title, check=check, do=do, verify=verify, undo=lambda: None)


def _nothing() -> None:
    """Do nothing: another step did it, this one only verifies."""


def _installed(install: str, confirmed: bool) -> None:
    if not confirmed:
        raise Waiting(
            "promote › gpu-install",
            f"waits for a person: {install}",
            "GPUs are put in by hand",
            "the same command with --gpu-installed once they are in; what is done stays done",
        )


def _seen(world: World, needed: Mapping[str, int]) -> str:
    seen = world.gpus_seen()
    short = {name: f"{seen.get(name, 0)} of {count}" for name, count in needed.items() if seen.get(name, 0) < count}
    if short:
        raise StepError(
            "promote › gpu-seen",
            f"not every GPU is seen: {', '.join(f'{name} {told}' for name, told in short.items())}",
            "an engine would start without its card",
            "a card that nvidia-smi lists; then the same command again",
        )
    return ", ".join(f"{name}: {count}" for name, count in seen.items())


def gpus_of(plan: StagePlan) -> dict[str, int]:
    """Return how many cards each server of `plan` has."""
    return {name: server.gpus.count for name, server in plan.config.servers.items()}
