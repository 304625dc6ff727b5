"""The command line of `vllm serve`, as far as this product uses it: the catalogue's flags, and argparse's words.

A flag that the catalogue does not list is refused, whether the pinned vLLM knows it or not. vLLM's own defaults: source
of 0.31.0, engine/arg_utils.py and config/, read 2026-11-24.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from dreamseed.catalog.vllm_flags import DEFAULT_MAX_NUM_SEQS, FLAGS, Arity, Flag, ValueType

PROGRAM = "vllm"
DEFAULTS: dict[str, Any] = {
    "dtype": "auto",
    "gpu_memory_utilization": 0.92,
    "kv_cache_dtype": "auto",
    "max_num_batched_tokens": 2048,
    "max_num_seqs": DEFAULT_MAX_NUM_SEQS,
    "port": 8000,
    "scheduling_policy": "fcfs",
    "shutdown_timeout": 0,
    "tensor_parallel_size": 1,
}
# vLLM's parser checks the values of these; those of --quantization only its engine configuration does.
CHOSEN_BY_THE_PARSER = frozenset({"--dtype", "--kv-cache-dtype", "--scheduling-policy"})
_TYPES = {ValueType.INTEGER: int, ValueType.POSITIVE_INTEGER: int, ValueType.FRACTION: float}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the values of `vllm` + `arguments`, named as the flags with underscores; `model` is the first one.

    Raises SystemExit with status 2, after argparse's message on standard error, for what the parser refuses.
    """
    parser = argparse.ArgumentParser(prog=PROGRAM, description="vLLM CLI (simulated: no model is loaded)")
    commands = parser.add_subparsers(dest="subparser", required=True)
    serve = commands.add_parser("serve", description="Answer as an OpenAI-compatible server would, without a model.")
    serve.add_argument("model", help="a model of the catalogue")
    for flag in FLAGS.values():
        _add(serve, flag)
    return parser.parse_args(arguments)


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    if flag.arity is Arity.NONE:
        parser.add_argument(flag.name, action="store_true")
        return
    options: dict[str, Any] = {"default": DEFAULTS.get(flag.name.removeprefix("--").replace("-", "_"))}
    if flag.arity is Arity.ONE_OR_MORE:
        options["nargs"] = "+"
    if flag.value_type in _TYPES:
        options["type"] = _TYPES[flag.value_type]
    if flag.name in CHOSEN_BY_THE_PARSER:
        options["choices"] = flag.choices
    parser.add_argument(flag.name, **options)
