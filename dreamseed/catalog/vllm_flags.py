"""The flags of the pinned vLLM server that this product may use, and those it refuses with a reason.

The table is frozen for certain versions: vLLM's parser accepts abbreviations and drops flags between
versions, and a container then loops over its start instead of saying so. Every allowed flag was found in the
source of the 0.31.0 wheel (read on 2026-11-23) and in the dump of the 0.33.0 parser (485 spellings,
2026-11-22); every flag called removed is in neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Versions for which the table holds; the image in the catalogue runs one of them.
VLLM_FLAGS_VERSIONS = ("0.31.0", "0.33.0")


class ValueType(StrEnum):
    """What a flag's value must look like."""

    INTEGER = "a whole number, written out"
    POSITIVE_INTEGER = "a whole number of at least 1, written out"
    FRACTION = "a number above 0 and at most 1"
    STRING = "text"
    NOTHING = "no value"


class Arity(StrEnum):
    """How many values follow a flag, in argparse's terms."""

    NONE = "0"
    ONE = "1"
    ONE_OR_MORE = "+"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag this product may use: its only spelling, its value's type, how many values, and which."""

    name: str
    value_type: ValueType
    arity: Arity = Arity.ONE
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefusedFlag:
    """A flag that must not be used: why, and what to write instead."""

    name: str
    why: str
    remedy: str


def _switch(name: str) -> Flag:
    return Flag(name, ValueType.NOTHING, Arity.NONE)


_FLAGS = (
    Flag("--revision", ValueType.STRING),
    Flag("--served-model-name", ValueType.STRING, Arity.ONE_OR_MORE),
    Flag("--quantization", ValueType.STRING, choices=("fp8", "awq")),
    Flag("--kv-cache-dtype", ValueType.STRING, choices=("auto", "fp8")),
    Flag("--dtype", ValueType.STRING, choices=("auto", "bfloat16", "float16", "half", "float", "float32")),
    Flag("--tensor-parallel-size", ValueType.POSITIVE_INTEGER),
    Flag("--gpu-memory-utilization", ValueType.FRACTION),
    Flag("--kv-cache-memory-bytes", ValueType.POSITIVE_INTEGER),
    Flag("--max-model-len", ValueType.POSITIVE_INTEGER),
    Flag("--max-num-seqs", ValueType.POSITIVE_INTEGER),
    Flag("--max-num-batched-tokens", ValueType.POSITIVE_INTEGER),
    Flag("--max-num-queued-reqs", ValueType.POSITIVE_INTEGER),
    Flag("--max-num-queued-tokens", ValueType.POSITIVE_INTEGER),
    Flag("--scheduling-policy", ValueType.STRING, choices=("fcfs", "priority")),
    Flag("--shutdown-timeout", ValueType.INTEGER),
    Flag("--host", ValueType.STRING),
    Flag("--port", ValueType.POSITIVE_INTEGER),
    Flag("--download-dir", ValueType.STRING),
    Flag("--load-format", ValueType.STRING),
    Flag("--disable-access-log-for-endpoints", ValueType.STRING),
    _switch("--disable-uvicorn-access-log"),
    _switch("--disable-custom-all-reduce"),
    _switch("--enable-prefix-caching"),
    _switch("--enforce-eager"),
    _switch("--fail-on-environ-validation"),
)

_REMOVED = "the flag was removed: the server would not start"
_ONE_SERVER = "one engine never spans two servers: it would share the fate of both and of the link"
_INDEPENDENT = "dense models refuse external data parallelism, and engines of one group die together"
_VISIBLE_IN_ARGV = "the value would be readable in the container's argument list"
_PIPELINE = "the layout is tensor parallel only; a pipeline is one failure domain for all of its GPUs"

_REFUSED = (
    RefusedFlag("--model", "vLLM warns that it will be removed", "the model as first argument, without a flag"),
    RefusedFlag("-tp", "one spelling for each flag", "--tensor-parallel-size"),
    RefusedFlag("-q", "one spelling for each flag", "--quantization"),
    RefusedFlag("-pp", _PIPELINE, "--tensor-parallel-size with a legal size"),
    RefusedFlag("--pipeline-parallel-size", _PIPELINE, "--tensor-parallel-size with a legal size"),
    RefusedFlag("-dp", _INDEPENDENT, "one container a replica, without it"),
    RefusedFlag("--data-parallel-size", _INDEPENDENT, "one container a replica, without it"),
    RefusedFlag("--data-parallel-rank", _INDEPENDENT, "one container a replica, without it"),
    RefusedFlag("--data-parallel-external-lb", _INDEPENDENT, "one container a replica behind the router"),
    RefusedFlag("--nnodes", _ONE_SERVER, "one replica or more on each server"),
    RefusedFlag("--node-rank", _ONE_SERVER, "one replica or more on each server"),
    RefusedFlag("--master-addr", _ONE_SERVER, "one replica or more on each server"),
    RefusedFlag("--api-key", _VISIBLE_IN_ARGV, "the secret environment variable VLLM_API_KEY"),
    RefusedFlag("--hf-token", _VISIBLE_IN_ARGV, "the secret environment variable HF_TOKEN"),
    RefusedFlag("--swap-space", _REMOVED, "leave it out: its successor --kv-offloading-size is not planned for"),
    RefusedFlag("--task", _REMOVED, "leave it out: a chat model is served for generation"),
    RefusedFlag("--device", _REMOVED, "leave it out: the container's GPUs decide"),
    RefusedFlag("--guided-decoding-backend", _REMOVED, "leave it out"),
    RefusedFlag("--use-v2-block-manager", _REMOVED, "leave it out: there is only one block manager"),
    RefusedFlag("--num-scheduler-steps", _REMOVED, "leave it out"),
    RefusedFlag("--worker-use-ray", _REMOVED, "leave it out: Ray is not part of the image"),
    RefusedFlag("--calculate-kv-scales", _REMOVED, "leave it out"),
    RefusedFlag("--disable-log-requests", "requests are not logged by default, and 0.32.0 rejects it", "leave it out"),
    RefusedFlag("--disable-prefix-caching", "0.31.0 does not know this spelling", "leave prefix caching on"),
    RefusedFlag("--no-enable-prefix-caching", "0.33.0 hides this spelling", "leave prefix caching on"),
)

FLAGS: dict[str, Flag] = {flag.name: flag for flag in _FLAGS}
REFUSED_FLAGS: dict[str, RefusedFlag] = {flag.name: flag for flag in _REFUSED}

# Requests one engine runs at once unless --max-num-seqs says otherwise, on a card under 70 GiB.
DEFAULT_MAX_NUM_SEQS = 256
