"""Names at Google Cloud that are built from the stage's own, held to the providers' lengths before any is asked."""

from __future__ import annotations

from dreamseed.config import StageConfig
from dreamseed.errors import PlanError

ACCOUNT_ID_LENGTHS = (6, 30)
"""Shortest and longest id of a service account. Source: gcp table, serviceaccount Account, accountId."""
LONGEST_SUFFIX = "-recovery-refresh"
"""The longest that any service account's id has after `service.name`."""


def check_names(config: StageConfig, where: str) -> None:
    """Raise `PlanError` when a service account's id would be too long or too short."""
    shortest, longest = ACCOUNT_ID_LENGTHS
    room = longest - len(LONGEST_SUFFIX)
    if len(config.service.name) > room:
        raise PlanError(
            f"{where} › service › name",
            f"'{config.service.name}' has {len(config.service.name)} characters",
            f"the service account {config.service.name}{LONGEST_SUFFIX} would have more than {longest}",
            f"a name of at most {room} characters",
        )
    if not shortest <= len(config.api.name) <= longest:
        raise PlanError(
            f"{where} › api › name",
            f"'{config.api.name}' has {len(config.api.name)} characters",
            f"it is also the id of the API's service account, which has {shortest} to {longest}",
            f"a name such as {config.service.name}-api",
        )
