"""How many secrets a stage stores at Google; a test compares with what the program declares."""

from __future__ import annotations

from dreamseed.planning.api import SIDECAR_SECRETS, ApiSecret
from dreamseed.planning.burst import BurstSecret
from dreamseed.planning.stage_plan import StagePlan

REFRESH_PASSWORDS = 2
"""The load reads from the servers' database and writes to Cloud SQL."""


def stored_secrets(plan: StagePlan) -> int:
    """Return the number of secrets in Secret Manager, each of one version."""
    burst = len(BurstSecret) if plan.burst is not None else 0
    recovery = 0
    if plan.recovery is not None:
        recovery = len(plan.recovery.restore_secrets) + REFRESH_PASSWORDS + len(SIDECAR_SECRETS)
    return len(ApiSecret) + burst + recovery
