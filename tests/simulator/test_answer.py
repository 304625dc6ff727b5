from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulator.answer import Answer, answer_to, prompt_tokens_of
from simulator.sequence import FinishReason


def of(prompt: str = "hello", *, max_tokens: int = 1_000, stop: tuple[str, ...] = (), **more: bool | int) -> Answer:
    return answer_to(
        prompt,
        max_tokens=max_tokens,
        average_tokens=100,
        stop=stop,
        min_tokens=int(more.get("min_tokens", 0)),
        ignore_eos=bool(more.get("ignore_eos", False)),
    )


@given(
    st.text(max_size=50), st.integers(1, 300), st.lists(st.sampled_from((" a", "e", " time", "zzz", "")), max_size=3)
)
def test_an_answer_ends_for_one_reason_and_its_pieces_make_its_text(prompt: str, limit: int, stop: list[str]) -> None:
    answer = of(prompt, max_tokens=limit, stop=tuple(stop))
    pieces = [answer.between(i, i + 1) for i in range(answer.tokens)]
    assert "".join(pieces) == answer.text == answer.between(0, answer.tokens)
    assert 1 <= answer.tokens <= limit
    assert (answer.stop_reason is not None) == any(word and word in of(prompt, max_tokens=limit).text for word in stop)
    assert not any(word and word in answer.text for word in stop)
    if answer.stop_reason is None:
        assert answer.ends_with is (FinishReason.LENGTH if answer.tokens == limit else FinishReason.STOP)


@given(st.text(max_size=50))
def test_an_answer_ends_by_itself_near_the_average_and_begins_by_saying_what_it_is(prompt: str) -> None:
    answer = of(prompt)
    assert 50 <= answer.tokens <= 150
    assert answer.ends_with is FinishReason.STOP
    assert answer.text.startswith("[simulated")


def test_a_client_can_ask_for_a_length() -> None:
    assert of(max_tokens=700, ignore_eos=True).tokens == 700
    assert of(min_tokens=400).tokens >= 400


def test_a_prompt_counts_a_token_for_each_4_bytes_one_to_begin_and_the_marks_of_its_turns() -> None:
    assert prompt_tokens_of("") == 1
    assert prompt_tokens_of("a" * 9) == 1 + 3
    assert prompt_tokens_of("한국", messages=2) == 1 + 2 + 10
