"""The GPU layout planner: legal tensor-parallel sizes, memory arithmetic, replicas and vLLM arguments."""

from __future__ import annotations

from dreamseed.planning.gpu.argument_check import check_arguments
from dreamseed.planning.gpu.arguments import Checkpoint, ServeOptions, vllm_arguments
from dreamseed.planning.gpu.intent import EngineIntent, ServerGpus
from dreamseed.planning.gpu.layout import Alternative, GpuLayout, Replica, Standing
from dreamseed.planning.gpu.legality import legal_tensor_parallel_sizes, tensor_parallel_refusals
from dreamseed.planning.gpu.memory import EngineMemory, engine_memory
from dreamseed.planning.gpu.planner import plan_gpu_layout
from dreamseed.planning.gpu.report import describe_layout
from dreamseed.planning.gpu.requirements import EngineRequirements, engine_requirements
from dreamseed.planning.gpu.roofline import Capacity

__all__ = [
    "Alternative",
    "Capacity",
    "Checkpoint",
    "EngineIntent",
    "EngineMemory",
    "EngineRequirements",
    "GpuLayout",
    "Replica",
    "ServeOptions",
    "ServerGpus",
    "Standing",
    "check_arguments",
    "describe_layout",
    "engine_memory",
    "engine_requirements",
    "legal_tensor_parallel_sizes",
    "plan_gpu_layout",
    "tensor_parallel_refusals",
    "vllm_arguments",
]
