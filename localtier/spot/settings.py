"""What the stand-in for Compute Engine is told: where machines may stand, and what a worker's script would do there."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dreamseed.catalog.model_shapes import Precision
from dreamseed.errors import PlanError
from dreamseed.planning import ports
from dreamseed.planning.burst import DRAIN_SECONDS, MODEL_FOLDER, BurstPlan
from dreamseed.planning.stage_plan import StagePlan
from localtier.load.targets import write_private

SERVE = "vllm-serve "
"""What stands before the engine's arguments in the worker's script."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A host on which a machine may stand, by its name, and the socket of its Docker Engine."""

    host: str
    socket: str


@dataclass(frozen=True, kw_only=True)
class SpotSettings:
    """`engine_image` and `connector_image` are tags that every place has; `edge` is ADDRESS:PORT of the workers' edge.

    `arguments` are the engine's, `card` and `cards` what its machine pretends to have.
    """

    places: tuple[Place, ...]
    engine_image: str
    connector_image: str
    arguments: tuple[str, ...]
    card: str
    cards: int
    api_key: str
    tunnel_token: str
    edge: str
    log: str
    port: int = ports.VLLM
    drain_seconds: int = DRAIN_SECONDS


def spot_plan(plan: StagePlan) -> BurstPlan:
    """Return what a stage's workers are made from. Raises `PlanError` for a stage without any."""
    if plan.burst is None:
        raise PlanError(
            f"{plan.name} › vllm › burst",
            "the stage has no spot workers",
            "without one the autoscaler is not there either",
            "a stage with vllm › burst › max_workers, such as stage-c",
        )
    return plan.burst


def engine_arguments(plan: StagePlan) -> tuple[str, ...]:
    """Return what a worker's script gives its engine, as the simulated engine takes it.

    There are no weights: their folder becomes the model's name, and their precision, which they say themselves, a flag.
    Raises `PlanError` for a stage without workers.
    """
    script = spot_plan(plan).script
    line = next(one for one in script.splitlines() if one.strip().startswith(SERVE))
    model, *rest = shlex.split(line.strip().removeprefix(SERVE))
    if model != MODEL_FOLDER:
        raise ValueError(f"the worker's script serves {model}, not {MODEL_FOLDER}")
    vllm = plan.config.vllm
    precision = () if vllm.precision is Precision.FP16 else ("--quantization", vllm.precision.value)
    return (vllm.model, *rest, *precision)


def write_spot_settings(path: Path, settings: SpotSettings) -> None:
    """Replace the file; it holds secrets, so only its owner reads it."""
    write_private(path, asdict(settings))


def read_spot_settings(path: Path) -> SpotSettings:
    """Return the settings in a file. Raises OSError, ValueError, KeyError, TypeError for one that is none."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    places = tuple(Place(**one) for one in content.pop("places"))
    return SpotSettings(places=places, arguments=tuple(content.pop("arguments")), **content)
