"""The passwords that the program makes for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_random import RandomPassword

from components.base import Component
from dreamseed.planning.keys import FIRST, Generations, previous_of

PASSWORD_LENGTH = 40
"""Letters and digits only (238 bits), since passwords stand in URLs and configuration files."""


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """What `Secrets` needs: the names of the passwords, each once, and their generations where not the first."""

    names: Sequence[str]
    generations: Mapping[str, Generations] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Password:
    """A password as it is in use, and the previous one while it is exchanged; both secret outputs."""

    current: pulumi.Output[str]
    previous: pulumi.Output[str] | None


def declare_password(parent: Component, base: str, generations: Generations = FIRST) -> Password:
    """Declare the password `base`. The previous generation alone is not protected: it is on its way out."""

    def made(name: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        return RandomPassword(name, length=PASSWORD_LENGTH, special=False, opts=opts).result

    previous = generations.previous_name(base)
    return Password(
        current=made(generations.current_name(base), parent.stateful()),
        previous=made(previous, parent.child()) if previous else None,
    )


class Secrets(Component):
    """Random passwords, one a name, kept encrypted in the state.

    Does not take secrets from elsewhere (tokens of Hugging Face or Grafana are stack configuration) and
    does not put them anywhere: other components do. ``dreamseed keys rotate NAME`` makes a password anew.
    """

    token = "dreamseed:security:Secrets"  # noqa: S105 - a resource's type token, not a secret

    values: dict[str, pulumi.Output[str]]
    """The passwords by name, secret outputs; NAME-previous while NAME is exchanged."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        if len(set(args.names)) != len(args.names):
            raise ValueError(f"{name}: each name stands for one password, but some of {list(args.names)} repeat")
        values: dict[str, pulumi.Output[str]] = {}
        for secret in args.names:
            password = declare_password(self, secret, args.generations.get(secret, FIRST))
            values[secret] = password.current
            if password.previous is not None:
                values[previous_of(secret)] = password.previous
        self.publish(values=values)
