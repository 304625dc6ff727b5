"""Sections `servers` and `vllm`: the owners' machines and what serves the model on them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator

from dreamseed.catalog.model_shapes import KvCacheDtype, Precision
from dreamseed.config.types import (
    Count,
    CountOrZero,
    DockerHost,
    Gib,
    Hours,
    ImageReference,
    PrivateAddress,
    Ratio,
    ResourceName,
    Section,
    Zone,
    immutable,
    refuse,
)


class Gpus(Section):
    """The graphics cards of one server, all of one model."""

    model: ResourceName = Field(description="a GPU model of the catalogue, such as rtx-5090")
    count: Count = Field(description="cards in this server")
    memory_gib: Gib = Field(description="marketing memory of one card, in GiB")


class Server(Section):
    """One of the owners' servers; its name, fault domain and Kafka rack is its key in `servers`."""

    docker_host: DockerHost = Field(description="the server's Docker Engine, by SSH")
    private_address: PrivateAddress = immutable("address that services are published on")
    gpus: Gpus
    cpu_cores: Count = Field(description="CPU cores")
    memory_gib: Gib = Field(description="RAM in GiB")
    disk_gib: Gib = Field(description="NVMe in GiB")


class Accelerator(StrEnum):
    """What computes: real cards, or the labelled stand-in for machines without one."""

    NVIDIA = "nvidia"
    SIMULATED = "simulated"


class Burst(Section):
    """Spot workers that bridge peaks; declared as a template, started by the autoscaler only."""

    max_workers: CountOrZero = Field(le=2, description="spot workers at most (0: no template; plan section 4: 2)")
    machine_type: str = Field(description="a machine of the catalogue with a GPU that holds the model")
    zones: tuple[Zone, ...] = Field(min_length=1, description="zones to try, in order")
    max_run_hours: Hours = Field(le=24, description="the VM deletes itself after this many hours")
    autoscaler_image: ImageReference = Field(description="the owners' autoscaler, by digest")

    @field_validator("zones")
    @classmethod
    def _each_once(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        again = next((zone for index, zone in enumerate(zones) if zone in zones[:index]), None)
        if again is not None:
            raise refuse(
                f"names {again} twice",
                "the autoscaler tries one zone after the other: a zone without stock would be tried again",
                "each zone once",
            )
        return zones


class Vllm(Section):
    """What the fleet should serve; the planner computes the layout from it."""

    model: str = immutable("model repository, such as meta-llama/Llama-2-13b-chat-hf")
    served_name: ResourceName = immutable("the name that clients ask for")
    precision: Precision = Field(description="one precision everywhere, so that every replica answers alike")
    kv_cache_dtype: KvCacheDtype = Field(description="number format of the KV cache")
    max_tensor_parallel: Count = Field(description="largest tensor-parallel size of one engine")
    gpu_memory_utilization: Ratio = Field(description="share of a card's memory that vLLM may take")
    max_model_len: int = Field(ge=256, le=131_072, description="longest prompt plus answer, in tokens")
    max_queued_requests: Count = Field(
        description="requests that an engine holds, running and queued, before it refuses"
    )
    accelerator: Accelerator = Field(description="nvidia, or simulated where there is no card")
    burst: Burst
