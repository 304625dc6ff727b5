"""What every component has in common: a type token, a frozen args type, children of its own, declared outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

Secrets = Mapping[str, pulumi.Output[str]]
"""The secrets by name, each a secret output."""


class Component(pulumi.ComponentResource):
    """A logical entity of the topology.

    A subclass sets `token` (``dreamseed:<domain>:<Name>``), takes one frozen dataclass of arguments, gives every child
    `self.child()` or `self.stateful()` as options and ends with `self.publish(...)`.
    """

    token: ClassVar[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(self.token, name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Return options of a child that can be made again."""
        return pulumi.ResourceOptions(parent=self, **options)

    def stateful(self, **options: Any) -> pulumi.ResourceOptions:
        """Return options of a child whose loss would lose data or an identity: the engine refuses to delete it."""
        return pulumi.ResourceOptions(parent=self, protect=True, **options)

    def publish(self, **outputs: Any) -> None:
        """Set the component's public outputs as attributes and register them with the engine."""
        for name, value in outputs.items():
            setattr(self, name, value)
        self.register_outputs(outputs)
