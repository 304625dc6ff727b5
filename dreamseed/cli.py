"""The `dreamseed` command. Only the module of the sub-command asked for is imported, so that each starts fast."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Any

import typer

from dreamseed.errors import ConfigErrors, DreamSeedError

COMMANDS = {
    "plan": "dreamseed.commands.plan:plan",
    "cost": "dreamseed.commands.cost:cost",
    "image": "dreamseed.commands.image:image",
    "pull-request": "dreamseed.commands.pull_request:pull_request",
    "rehearse": "dreamseed.commands.rehearse:rehearse",
    "chaos": "dreamseed.commands.chaos:chaos",
    "recover": "dreamseed.commands.recover:recover",
    "state": "dreamseed.commands.state:app",
    "keys": "dreamseed.commands.keys:app",
    "providers": "dreamseed.commands.providers:app",
    "local": "dreamseed.commands.local:app",
    "picture": "dreamseed.commands.picture:picture",
    "grow": "dreamseed.commands.grow:grow",
    "report": "dreamseed.commands.report:report",
    "slo": "dreamseed.commands.review:slo",
    "review": "dreamseed.commands.review:review",
    "dashboards": "dreamseed.commands.dashboards:dashboards",
    "silence": "dreamseed.commands.silence:app",
    "facts": "dreamseed.commands.facts:app",
    "gate": "dreamseed.commands.gate:gate",
    "approve": "dreamseed.commands.approve:app",
    "promote": "dreamseed.commands.promote:promote",
    "drill": "dreamseed.commands.drill:app",
    "failover": "dreamseed.commands.failover:app",
    "autoscaler": "dreamseed.commands.autoscaler:app",
    "sbom": "dreamseed.commands.sbom:sbom",
    "schema": "dreamseed.commands.schema:schema",
    "reference": "dreamseed.commands.reference:reference",
}
"""Sub-commands in the order of their use, and where each is found."""


def build(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command with the sub-commands `names`."""
    app = typer.Typer(no_args_is_help=True, add_completion=False)

    @app.callback()
    def root() -> None:
        """Plan, rehearse and document the five growth stages of DreamSeedAI's infrastructure."""

    for name in names:
        module, attribute = COMMANDS[name].split(":")
        target: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(target, typer.Typer):
            app.add_typer(target, name=name)
        else:
            app.command(name)(target)
    return app


def main() -> None:
    """Run the command; what a user can mend is printed without a traceback, exit status 1."""
    asked = [argument for argument in sys.argv[1:2] if argument in COMMANDS]
    try:
        build(asked or COMMANDS)()
    except (DreamSeedError, ConfigErrors) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
