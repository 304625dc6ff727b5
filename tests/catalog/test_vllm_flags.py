from __future__ import annotations

from dreamseed.catalog.images import image
from dreamseed.catalog.vllm_flags import FLAGS, REFUSED_FLAGS, VLLM_FLAGS_VERSIONS, Arity, ValueType


def test_no_flag_is_both_allowed_and_refused() -> None:
    assert not FLAGS.keys() & REFUSED_FLAGS.keys()


def test_allowed_flags_have_their_long_spelling_only() -> None:
    assert all(name.startswith("--") and name == name.lower() for name in FLAGS)


def test_a_flag_takes_values_exactly_when_it_has_a_type() -> None:
    for flag in FLAGS.values():
        assert (flag.arity is Arity.NONE) == (flag.value_type is ValueType.NOTHING), flag.name


def test_flags_that_would_show_a_secret_are_refused() -> None:
    assert {"--api-key", "--hf-token"} <= REFUSED_FLAGS.keys()


def test_every_refusal_says_why_and_what_to_write() -> None:
    assert all(refused.why and refused.remedy for refused in REFUSED_FLAGS.values())


def test_a_remedy_never_sends_to_another_flag_that_is_refused() -> None:
    for refused in REFUSED_FLAGS.values():
        words = refused.remedy.split()
        assert not set(words) & REFUSED_FLAGS.keys(), refused.name


def test_the_table_holds_for_the_version_that_the_pinned_image_runs() -> None:
    assert image("vllm").tag.removeprefix("v") in VLLM_FLAGS_VERSIONS
