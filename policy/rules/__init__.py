"""Every rule, in the order in which reports list them."""

from __future__ import annotations

from policy.model import Rule, StageRule
from policy.rules import access, cloud_run, containers, cost, edge, names, network, presence, secrets, state

RULES: tuple[Rule, ...] = (
    *secrets.RULES,
    *access.RULES,
    *network.RULES,
    *edge.RULES,
    *state.RULES,
    *containers.RULES,
    *cloud_run.RULES,
    *cost.RULES,
    *names.RULES,
)
STAGE_RULES: tuple[StageRule, ...] = presence.STAGE_RULES
