"""Checking a vLLM argument list against the frozen flag table, before a container crash-loops over it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from dreamseed.catalog.vllm_flags import FLAGS, REFUSED_FLAGS, VLLM_FLAGS_VERSIONS, Arity, Flag, ValueType
from dreamseed.errors import PlanError


def check_arguments(arguments: Sequence[str], *, where: str = "vllm › arguments") -> list[PlanError]:
    """Every fault of an argument list for the image's entrypoint `vllm serve`; empty when the list is sound.

    The list begins with the model; each flag then stands in its full spelling, once, with values of its
    type. Values that only the engine can judge (a tensor-parallel size that does not divide the model) are
    not faults here: the layout planner owns those rules.
    """
    faults = list(_model_faults(arguments, where))
    seen: set[str] = set()
    for name, values in _grouped(arguments):
        flag = FLAGS.get(name)
        place = f"{where} › {name}"
        if flag is None:
            faults.append(_refusal(name, place))
        elif name in seen:
            faults.append(PlanError(place, "the flag is given twice", "the later one silently wins", "it once"))
        else:
            faults.extend(_value_faults(flag, values, place))
        seen.add(name)
    return faults


def _model_faults(arguments: Sequence[str], where: str) -> Iterator[PlanError]:
    if not arguments or arguments[0].startswith("-"):
        yield PlanError(
            f"{where} › model",
            "the list does not begin with a model",
            "a model after a flag that takes several values would be swallowed by it",
            "the model as first argument",
        )
    elif arguments[0] == "serve":
        yield PlanError(
            f"{where} › model",
            "the list begins with `serve`",
            "the image's entrypoint is already `vllm serve`; the word would be an unrecognized argument",
            "the model as first argument, without `serve`",
        )


def _grouped(arguments: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Flags with the values that follow them; `--flag=value` counts as a flag and its value."""
    groups: list[tuple[str, list[str]]] = []
    start = 0 if arguments and arguments[0].startswith("-") else 1
    for argument in arguments[start:]:
        if re.match(r"--?[A-Za-z]", argument):
            name, equals, value = argument.partition("=")
            groups.append((name, [value] if equals else []))
        elif groups:
            groups[-1][1].append(argument)
        else:
            groups.append((argument, []))
    return groups


def _refusal(name: str, place: str) -> PlanError:
    refused = REFUSED_FLAGS.get(name)
    if refused is not None:
        return PlanError(place, f"{name} is refused", refused.why, refused.remedy)
    if not name.startswith("-"):
        return PlanError(
            place,
            f"{name!r} is a second positional argument",
            "a server serves one model",
            "one model, then flags only",
        )
    completions = [flag for flag in FLAGS if flag.startswith(name)]
    if completions:
        return PlanError(
            place,
            f"{name} is an abbreviation",
            "a later version may give it another meaning, or none",
            " or ".join(completions),
        )
    similar = difflib.get_close_matches(name, FLAGS, n=1)
    return PlanError(
        place,
        f"{name} is not a flag this product uses",
        f"the flag table of vLLM {' and '.join(VLLM_FLAGS_VERSIONS)} does not hold it, so nobody checked it",
        similar[0] if similar else "a flag of dreamseed/catalog/vllm_flags.py, or add this one there with its source",
    )


def _value_faults(flag: Flag, values: Sequence[str], place: str) -> Iterator[PlanError]:
    if flag.arity is Arity.NONE:
        if values:
            yield PlanError(place, f"it is given {values[0]!r}", "it is a switch", f"{flag.name} alone")
        return
    if not values:
        yield PlanError(place, "its value is missing", "the start would fail", f"{flag.name} {flag.value_type}")
    elif flag.arity is Arity.ONE and len(values) > 1:
        yield PlanError(
            place,
            f"it is followed by {len(values)} values",
            "it takes one, and the model stands at the front",
            f"{flag.name} {values[0]}",
        )
    for value in values:
        wanted = " or ".join(flag.choices) if flag.choices else str(flag.value_type)
        if not _value_is_sound(flag, value):
            yield PlanError(
                place,
                f"{value!r} is not {wanted}",
                "the parser or the engine would refuse it, or read it as another number",
                f"{flag.name} with {wanted}",
            )


def _value_is_sound(flag: Flag, value: str) -> bool:
    if flag.choices:
        return value in flag.choices
    if flag.value_type is ValueType.STRING:
        return bool(value)
    if flag.value_type is ValueType.FRACTION:
        return re.fullmatch(r"\d*\.?\d+", value) is not None and 0 < float(value) <= 1
    number = int(value) if re.fullmatch(r"[0-9]+", value) else -1
    return number >= (1 if flag.value_type is ValueType.POSITIVE_INTEGER else 0)
