"""The program: read the stage, make the plan, declare the components, export what others need."""

from __future__ import annotations

import gc

import pulumi

# The SDKs define thousands of classes on import, and the collector would look at all of them again and again; a run
# lasts seconds and makes little garbage.
gc.disable()

from components.topology import declare  # noqa: E402 - see above
from dreamseed.config import parse_stage  # noqa: E402 - see above
from dreamseed.planning.planner import plan_stage  # noqa: E402 - see above
from dreamseed.planning.secrets import CONFIGURED_SECRETS  # noqa: E402 - see above

settings = pulumi.Config("dreamseed")
stack = pulumi.get_stack()
stage = parse_stage(settings.require_object("shared"), settings.require_object("stage"), where=stack)
configured = {str(name): settings.require_secret(name) for name in CONFIGURED_SECRETS}

for name, value in declare(plan_stage(stage, stack), configured).items():
    pulumi.export(name, value)
