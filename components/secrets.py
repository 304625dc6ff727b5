"""The passwords that the program makes for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_random import RandomPassword

from components.base import Component

PASSWORD_LENGTH = 40
"""Letters and digits only (238 bits), since passwords stand in URLs and configuration files."""


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """What `Secrets` needs: the names of the passwords, each once."""

    names: Sequence[str]


class Secrets(Component):
    """Random passwords, one a name, kept encrypted in the state.

    Does not take secrets from elsewhere (tokens of Hugging Face or Grafana are stack configuration) and
    does not put them anywhere: other components do. ``pulumi up --target-replace URN`` makes a password
    anew.
    """

    token = "dreamseed:security:Secrets"  # noqa: S105 - a resource's type token, not a secret

    values: dict[str, pulumi.Output[str]]
    """The passwords by name, secret outputs."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if len(set(args.names)) != len(args.names):
            raise ValueError(f"{name}: each name stands for one password, but some of {list(args.names)} repeat")
        self.publish(
            values={
                secret: RandomPassword(secret, length=PASSWORD_LENGTH, special=False, opts=self.stateful()).result
                for secret in args.names
            }
        )
