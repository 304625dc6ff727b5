"""Servers and requests for the tests of the simulator."""

from __future__ import annotations

from simulator.arguments import parse
from simulator.refusals import engine_of
from simulator.settings import Settings, read_pace, settings_of

MODEL = "meta-llama/Llama-2-13b-chat-hf"
PLANNED = (
    *("serve", MODEL, "--served-model-name", "llama-2-13b-chat", "--quantization", "fp8"),
    *("--gpu-memory-utilization", "0.9", "--max-model-len", "4096", "--shutdown-timeout", "30"),
)


def settings(*more: str, api_key: str | None = None, **environment: str) -> Settings:
    """Return the server of the planned arguments and `more`, a thousand times as fast as a card."""
    arguments = parse((*PLANNED, *more))
    pace = read_pace({"SIMULATOR_SPEED": "1000", **environment})
    return settings_of(arguments, *engine_of(arguments, pace), pace, api_key)
