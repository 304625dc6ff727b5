from __future__ import annotations

import pytest

from dreamseed.planning.gpu import Alternative, Standing, describe_layout, plan_gpu_layout
from tests.planning.gpu.fleets import intent, servers


def alternatives(*gpus: int, precision: str = "fp8", largest: int = 2) -> dict[str, Alternative]:
    layout = plan_gpu_layout(intent(precision, largest=largest), servers(*gpus))
    return {alternative.layout: alternative for alternative in layout.alternatives}


def test_one_gpu_leaves_nothing_to_choose() -> None:
    assert alternatives(1) == {}


def test_four_gpus_could_have_been_four_engines_or_one() -> None:
    found = alternatives(4)
    four = found["server-1: tp1 + tp1 + tp1 + tp1"]
    assert (four.standing, four.engines, four.kv_tokens) == (Standing.RANKED_LOWER, 4, 77_568)
    assert "write max_tensor_parallel: 1 to choose this layout" in four.reason
    one = found["server-1: tp4"]
    assert (one.standing, one.engines, one.kv_tokens) == (Standing.RANKED_LOWER, 1, 125_120)
    assert "write max_tensor_parallel: 4 to choose this layout" in one.reason
    assert four.capacities[0].tokens_per_second_high == pytest.approx(4 * 1_840, rel=0.005)


@pytest.mark.parametrize(("size", "label"), [(1, "server-1: tp1 + tp1 + tp1 + tp1"), (4, "server-1: tp4")])
def test_writing_the_size_an_alternative_names_does_choose_it(size: int, label: str) -> None:
    promised = alternatives(4)[label]
    layout = plan_gpu_layout(intent(largest=size), servers(4))
    assert (len(layout.replicas), layout.kv_tokens) == (promised.engines, promised.kv_tokens)
    assert layout.capacities == promised.capacities


def test_three_gpus_in_one_engine_are_refused_with_the_reason() -> None:
    refused = alternatives(3)["tp3 on one server"]
    assert refused.standing is Standing.REFUSED
    assert "40 attention heads are not divisible by 3" in refused.reason


def test_a_pipeline_is_ranked_lower_for_its_failure_domain() -> None:
    pipeline = alternatives(3)["server-1: pp3"]
    assert (pipeline.standing, pipeline.engines, pipeline.kv_tokens) == (Standing.RANKED_LOWER, 1, 85_520)
    assert "one failure domain" in pipeline.reason


def test_an_engine_over_two_servers_is_refused() -> None:
    spanning = alternatives(3, 2)["one engine of 5 GPUs over server-1 and server-2"]
    assert spanning.standing is Standing.REFUSED
    assert "never spans two servers" in spanning.reason
    assert "cannot divide 5 GPUs evenly over 2 servers" in spanning.reason
    even = alternatives(2, 2)["one engine of 4 GPUs over server-1 and server-2"]
    assert "divide" not in even.reason


def test_a_data_parallel_group_is_refused_because_its_engines_die_together() -> None:
    assert "the whole group exits" in alternatives(2)["data-parallel group of 2"].reason


def test_an_alternative_that_does_not_start_is_refused_with_its_arithmetic() -> None:
    refused = alternatives(2, precision="fp16")["server-1: tp1 + tp1"]
    assert refused.standing is Standing.REFUSED
    assert "2.98 GiB for the KV cache" in refused.reason
    assert refused.kv_tokens is None


def test_the_layout_is_told_in_lines_with_every_engine_and_every_alternative() -> None:
    layout = plan_gpu_layout(intent(), servers(3, 2))
    lines = describe_layout(layout)
    assert sum(" KV tokens; 0.9 × 31.36" in line for line in lines) == 3
    assert "server-2 engine 1: tp2 on GPU 0,1 (rtx-5090), 54,416 KV tokens" in lines[3]
    assert "together: 5 GPUs, 3 failure domains, 128,224 KV tokens" in lines[4]
    assert lines[-len(layout.alternatives) :] == tuple(line for line in lines if line.startswith(tuple(Standing)))
    assert any(
        line.startswith("ranked lower: server-1: tp1 + tp1 + tp1, server-2: tp1 + tp1 (5 failure domains,")
        for line in lines
    )
