"""Every bound of every number holds: the value just beyond the tightest one is refused, by models and schema alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, get_args

import pytest
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from dreamseed.config.stage import StageConfig
from dreamseed.config.types import Between, Count


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """`model` and every section within it."""
    yield model
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from sections(part)


def limits(field: FieldInfo) -> tuple[float, float]:
    """The tightest bounds that any part of the field's annotation states."""
    parts = [*field.metadata]
    for part in get_args(field.annotation):
        parts += getattr(part, "__metadata__", ())
    least = [bound for part in parts for bound in (getattr(part, "least", None), getattr(part, "ge", None))]
    least += [bound for part in parts for bound in (getattr(part, "above", None), getattr(part, "gt", None))]
    most = [bound for part in parts for bound in (getattr(part, "most", None), getattr(part, "le", None))]
    return max((b for b in least if b is not None), default=-math.inf), min(
        (b for b in most if b is not None), default=math.inf
    )


NUMBERS = [
    pytest.param(field, id=f"{model.__name__}.{name}")
    for model in dict.fromkeys(sections(StageConfig))
    for name, field in model.model_fields.items()
    if any(isinstance(part, Between | Ge | Gt | Le) for part in field.metadata)
]


@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_just_beyond_its_tightest_bound_is_refused(field: FieldInfo) -> None:
    assert field.annotation is not None
    alone = create_model("Alone", value=(field.annotation, field))
    whole = int in (field.annotation, *get_args(field.annotation))
    step = 1 if whole else 1e-9
    least, most = limits(field)
    for bound, beyond in ((least, least - step), (most, most * (1 + step) if not whole else most + step)):
        if math.isinf(bound):
            continue
        with pytest.raises(ValidationError):
            alone(value=int(beyond) if whole else beyond)


def test_there_are_as_many_bounded_numbers_as_there_were() -> None:
    assert len(NUMBERS) >= 55


def test_a_field_s_own_bound_narrows_its_type_and_field_alone_would_not() -> None:
    """The mutant states both bounds by `Field`, and only the wider one holds."""

    class Narrow(BaseModel):
        ours: Count = Field(le=9)
        mutant: Annotated[int, Field(ge=1, le=1_000)] = Field(le=9)

    assert Narrow.model_validate({"ours": 9, "mutant": 10}).mutant == 10
    with pytest.raises(ValidationError):
        Narrow.model_validate({"ours": 10, "mutant": 9})
    schema = Narrow.model_json_schema()["properties"]["ours"]
    assert (schema["minimum"], schema["maximum"]) == (1, 9)
