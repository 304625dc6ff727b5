"""What a stage uses in a month, in one scenario."""

from __future__ import annotations

from dreamseed.cost.quantities.cloud_run import api_uses, job_uses
from dreamseed.cost.quantities.load import load_of
from dreamseed.cost.quantities.machines import machine_uses
from dreamseed.cost.quantities.owned import owned_uses
from dreamseed.cost.quantities.stores import store_uses
from dreamseed.cost.quantities.traffic import traffic_uses, watching_uses
from dreamseed.cost.quantities.use import Month, Use

__all__ = ["Month", "Use", "uses"]


def uses(month: Month) -> tuple[Use, ...]:
    """Return everything that the stage uses: the same list in each scenario, with other quantities."""
    load = load_of(month)
    return (
        *owned_uses(month),
        *api_uses(month, load),
        *store_uses(month, load),
        *traffic_uses(month, load),
        *watching_uses(month, load),
        *machine_uses(month),
        *job_uses(month),
    )
