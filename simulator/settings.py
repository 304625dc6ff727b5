"""What the simulated server is: its arguments, the card it pretends to have, and the engine that follows from both.

The card and the pace come from variables of the environment, so that the plan's containers need no change:

    SIMULATOR_GPU            a card of the catalogue                             rtx-5090
    SIMULATOR_GPU_COUNT      cards that the container pretends to see            as many as the engine asks for
    SIMULATOR_SPEED          seconds of the engine in a second of the clock      1
    SIMULATOR_START_SECONDS  seconds of the clock before the port is open        2
    SIMULATOR_ANSWER_TOKENS  tokens of an answer on average, if not cut short    256
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from dreamseed.catalog.gpus import GpuModel, gpu_model
from dreamseed.catalog.vllm_flags import VLLM_FLAGS_VERSIONS
from dreamseed.errors import PlanError
from dreamseed.planning.gpu.intent import EngineIntent
from dreamseed.planning.gpu.memory import EngineMemory
from dreamseed.planning.gpu.roofline import step_seconds
from simulator.engine import EngineLimits, StepTime

VLLM_VERSION = VLLM_FLAGS_VERSIONS[0]
ENVIRONMENT = "environment of the simulated vLLM"


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The card that is pretended and how fast time runs; see the module for the variables."""

    gpu: GpuModel
    gpu_count: int | None = None
    speed: float = 1.0
    start_seconds: float = 2.0
    answer_tokens: int = 256


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A server that starts: what it is called, what it admits, and the engine behind it."""

    model: str
    served_names: tuple[str, ...]
    api_keys: tuple[str, ...]
    host: str | None
    port: int
    shutdown_timeout_seconds: int
    access_log: bool
    intent: EngineIntent
    tensor_parallel: int
    memory: EngineMemory
    limits: EngineLimits
    pace: Pace

    @property
    def fingerprint(self) -> str:
        """Return what answers carry as `system_fingerprint`; vLLM's would begin with its own name."""
        shared = f"-tp{self.tensor_parallel}" if self.tensor_parallel > 1 else ""
        return f"simulated-vllm-{VLLM_VERSION}{shared}"

    @property
    def step_time(self) -> StepTime:
        """Return the roofline's time of a step on the pretended cards."""

        def seconds(new_tokens: int, context_tokens: int) -> float:
            return step_seconds(
                self.intent,
                self.pace.gpu,
                self.memory,
                self.tensor_parallel,
                new_tokens=new_tokens,
                context_tokens=context_tokens,
            )

        return seconds


def read_pace(environment: Mapping[str, str]) -> Pace:
    """Return the pace that the variables ask for. Raises PlanError for a card or a number that cannot be."""
    gpu = gpu_model(environment.get("SIMULATOR_GPU", "rtx-5090"), where=f"{ENVIRONMENT} › SIMULATOR_GPU")
    count = int(_number(environment, "SIMULATOR_GPU_COUNT", 0, least=0))
    return Pace(
        gpu=gpu,
        gpu_count=count or None,
        speed=_number(environment, "SIMULATOR_SPEED", 1, least=0.01),
        start_seconds=_number(environment, "SIMULATOR_START_SECONDS", 2, least=0),
        answer_tokens=int(_number(environment, "SIMULATOR_ANSWER_TOKENS", 256, least=1)),
    )


def settings_of(
    arguments: argparse.Namespace, intent: EngineIntent, memory: EngineMemory, pace: Pace, api_key: str | None
) -> Settings:
    """Return the server of arguments that `simulator.refusals` found sound."""
    return Settings(
        model=arguments.model,
        served_names=tuple(arguments.served_model_name or (arguments.model,)),
        api_keys=(api_key,) if api_key else (),
        host=arguments.host,
        port=arguments.port,
        shutdown_timeout_seconds=arguments.shutdown_timeout,
        access_log=not arguments.disable_uvicorn_access_log,
        intent=intent,
        tensor_parallel=arguments.tensor_parallel_size,
        memory=memory,
        limits=EngineLimits(
            # vLLM keeps one block back.
            kv_blocks=memory.blocks - 1,
            max_num_seqs=arguments.max_num_seqs,
            max_num_batched_tokens=arguments.max_num_batched_tokens,
            max_num_queued_reqs=arguments.max_num_queued_reqs,
            max_num_queued_tokens=arguments.max_num_queued_tokens,
        ),
        pace=pace,
    )


def _number(environment: Mapping[str, str], name: str, default: float, *, least: float) -> float:
    text = environment.get(name, str(default))
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number < float("inf"):
        raise PlanError(
            f"{ENVIRONMENT} › {name}", f"{text!r} is no number it can use", "it sets the pace", f"{least:g} or more"
        )
    return number
