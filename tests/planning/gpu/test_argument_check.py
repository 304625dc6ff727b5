from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamseed.catalog.vllm_flags import FLAGS, REFUSED_FLAGS, RefusedFlag
from dreamseed.planning.gpu import argument_check, check_arguments

MODEL = "meta-llama/Llama-2-13b-chat-hf"


def only_fault(*arguments: str) -> tuple[str, str, str]:
    """Place, fault and remedy of the single fault of a list."""
    faults = check_arguments([MODEL, *arguments])
    assert len(faults) == 1, faults
    return faults[0].where, faults[0].what, faults[0].remedy


def test_a_sound_list_has_no_faults() -> None:
    assert check_arguments([MODEL, "--port=8000", "--served-model-name", "a", "b", "--enforce-eager"]) == []


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (["--tensor-para", "2"], "--tensor-para is an abbreviation", "--tensor-parallel-size"),
        (["--max-num", "2"], "is an abbreviation", "--max-num-seqs or --max-num-batched-tokens or"),
        (["-tp", "2"], "-tp is refused", "--tensor-parallel-size"),
        (["--swap-space", "4"], "--swap-space is refused", "leave it out"),
        (["--api-key", "x"], "--api-key is refused", "VLLM_API_KEY"),
        (["--hf-token=x"], "--hf-token is refused", "HF_TOKEN"),
        (["--nnodes", "2"], "--nnodes is refused", "one replica or more on each server"),
        (["--model", MODEL], "--model is refused", "the model as first argument"),
        (["--no-enable-prefix-caching"], "is refused", "leave prefix caching on"),
        (["--tensor-paralel-size", "2"], "is not a flag this product uses", "--tensor-parallel-size"),
        (["--frobnicate"], "is not a flag this product uses", "add this one there with its source"),
        (["--max-model-len", "auto"], "'auto' is not a whole number", "written out"),
        (["--max-model-len", "4k"], "'4k' is not a whole number", "written out"),
        (["--tensor-parallel-size", "0"], "'0' is not", "at least 1"),
        (["--gpu-memory-utilization", "1.5"], "'1.5' is not a number above 0", "at most 1"),
        (["--gpu-memory-utilization", "90%"], "'90%' is not", "at most 1"),
        (["--quantization", "bogus"], "'bogus' is not fp8 or awq", "fp8 or awq"),
        (["--shutdown-timeout", "-1"], "'-1' is not", "a whole number"),
        (["--port"], "its value is missing", "--port a whole number"),
        (["--revision="], "'' is not text", "text"),
        (["--revision", "abc", "def"], "followed by 2 values", "--revision abc"),
        (["--enforce-eager", "true"], "given 'true'", "--enforce-eager alone"),
        (["--port", "8000", "--port", "8001"], "given twice", "once"),
        (["another/model"], "second positional argument", "one model"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_to_write(arguments: list[str], what: str, remedy: str) -> None:
    where, found_what, found_remedy = only_fault(*arguments)
    assert where.startswith("vllm › arguments › ")
    assert what in found_what
    assert remedy in found_remedy


def test_the_model_stands_first_without_the_word_serve() -> None:
    assert check_arguments([])[0].remedy == "the model as first argument"
    assert check_arguments(["--port", "8000"])[0].remedy == "the model as first argument"
    assert check_arguments(["serve", "--port", "8000"])[0].remedy.endswith("without `serve`")


@given(st.sampled_from(sorted(FLAGS)), st.data())
def test_no_shortened_flag_is_let_through(flag: str, data: st.DataObject) -> None:
    shortened = flag[: data.draw(st.integers(min_value=3, max_value=len(flag) - 1))]
    assert check_arguments([MODEL, f"{shortened}=1"])


def refuse_every_refused_flag() -> None:
    for name, refused in REFUSED_FLAGS.items():
        faults = check_arguments([MODEL, name, "1"])
        assert [(fault.why, fault.remedy) for fault in faults] == [(refused.why, refused.remedy)], name


def test_every_refused_flag_is_refused_with_its_own_reason() -> None:
    refuse_every_refused_flag()


def test_a_check_that_lost_its_refusals_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    no_refusals: dict[str, RefusedFlag] = {}
    monkeypatch.setattr(argument_check, "REFUSED_FLAGS", no_refusals)
    with pytest.raises(AssertionError):
        refuse_every_refused_flag()


def test_every_fault_of_a_list_is_reported() -> None:
    faults = check_arguments(["--api-key", "x", "--port", "zero"])
    assert len(faults) == 3
