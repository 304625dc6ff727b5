"""A dynamic resource, stored by reference as the project's own are."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class GreetingProvider(ResourceProvider):
    """Greets."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """A text that only a create knows."""
        return CreateResult(f"greeting-{props['whom']}", {**props, "text": f"Hello, {props['whom']}"})


class Greeting(Resource):
    """Says hello to `whom`."""

    text: pulumi.Output[str]

    def __init__(self, name: str, whom: str) -> None:
        super().__init__(GreetingProvider(), name, {"whom": whom, "text": None})
