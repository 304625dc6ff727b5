from __future__ import annotations

from pathlib import Path

import pytest

from dreamseed.catalog.images import image
from dreamseed.catalog.vllm_flags import FLAGS, REFUSED_FLAGS, VLLM_FLAGS_VERSIONS, ValueType
from dreamseed.config.load import stage_file
from dreamseed.planning.planner import plan_stage_file
from simulator.arguments import DEFAULTS, parse
from simulator.refusals import engine_of
from simulator.settings import VLLM_VERSION, read_pace, settings_of
from tests.simulator.made import MODEL

ROOT = Path(__file__).parents[2]
STAGES = ("stage-a", "stage-b", "stage-c", "stage-d", "stage-e")


@pytest.mark.parametrize("stage", STAGES)
def test_every_engine_that_a_stage_plans_starts_with_the_cache_that_the_plan_gives_it(stage: str) -> None:
    plan = plan_stage_file(stage_file(ROOT, stage), ROOT)
    engines = [container for container in plan.containers if container.service == "vllm"]
    assert len(engines) == len(plan.layout.replicas)
    for container, replica in zip(engines, plan.layout.replicas, strict=True):
        arguments, pace = parse(("serve", *container.command)), read_pace({})
        made = settings_of(arguments, *engine_of(arguments, pace), pace, "key")
        assert made.memory == replica.memory
        # vLLM keeps one block back.
        assert made.limits.kv_blocks == replica.memory.blocks - 1
        assert made.tensor_parallel == replica.tensor_parallel
        assert made.served_names == (plan.config.vllm.served_name,)
        assert made.limits.max_num_queued_reqs == plan.config.vllm.max_queued_requests
        assert not made.access_log


def test_every_flag_of_the_catalogue_is_taken_and_those_left_out_have_vllms_defaults() -> None:
    samples = {ValueType.INTEGER: "1", ValueType.POSITIVE_INTEGER: "1", ValueType.FRACTION: "0.5"}
    for flag in FLAGS.values():
        value = flag.choices[0] if flag.choices else samples.get(flag.value_type, "text")
        given = [flag.name] if flag.value_type is ValueType.NOTHING else [flag.name, value]
        assert getattr(parse(("serve", MODEL, *given)), flag.name.removeprefix("--").replace("-", "_"))
    found = vars(parse(("serve", MODEL)))
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--swap-space", "4"), "vllm: error: unrecognized arguments: --swap-space 4"),
        (("--bogus",), "vllm: error: unrecognized arguments: --bogus"),
        (("--dtype", "int3"), "vllm serve: error: argument --dtype: invalid choice: 'int3'"),
        (("--kv-cache-dtype", "int3"), "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'int3'"),
        (("--port", "many"), "vllm serve: error: argument --port: invalid int value: 'many'"),
        (("--max-num-seqs",), "vllm serve: error: argument --max-num-seqs: expected one argument"),
    ],
)
def test_what_the_parser_refuses_ends_with_status_2_and_argparses_words(
    given: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        parse(("serve", MODEL, *given))
    assert refusal.value.code == 2
    assert message in capsys.readouterr().err


def test_a_second_serve_is_an_unrecognized_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(("serve", "serve", MODEL))
    assert f"vllm: error: unrecognized arguments: {MODEL}" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(n for n, flag in REFUSED_FLAGS.items() if "was removed" in flag.why))
def test_a_flag_that_vllm_removed_is_unknown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(("serve", MODEL, name))
    assert "unrecognized arguments" in capsys.readouterr().err


def test_the_version_that_is_played_is_the_one_that_the_plan_pins() -> None:
    assert image("vllm").tag == f"v{VLLM_VERSION}"
    assert VLLM_VERSION in VLLM_FLAGS_VERSIONS
