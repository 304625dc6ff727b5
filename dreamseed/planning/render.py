"""Rendering the configuration files of containers from templates."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dreamseed.planning.container import secret


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dreamseed.planning"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the templates are configuration files and scripts, not HTML
    )
    environment.globals["secret"] = secret
    return environment


def render(template: str, **values: Any) -> str:
    """Return the text of `template` (a file of the templates folder) with `values`; an unknown name is an error."""
    return _environment().get_template(template).render(**values)
