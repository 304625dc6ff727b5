"""Claims that say the same of several targets, told once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dreamseed.planning.survivability.claims import Claim, DataLoss, Loss


@dataclass(frozen=True, kw_only=True)
class LossGroup:
    """What the loss of any one of `targets` does to `component`."""

    component: str
    loss: Loss
    targets: tuple[str, ...]
    survives: bool
    data_lost: DataLoss
    consequence: str


def matters(claim: Claim) -> bool:
    """Tell whether something ends, or is lost for good."""
    return not claim.survives or claim.data_lost is not DataLoss.NONE


def grouped(claims: Iterable[Claim]) -> tuple[LossGroup, ...]:
    """Return `claims` with those put together that differ in their target only, in the order of their first."""
    targets: dict[tuple[str, Loss, bool, DataLoss, str], list[str]] = {}
    for claim in claims:
        key = (claim.component, claim.loss, claim.survives, claim.data_lost, claim.consequence)
        targets.setdefault(key, []).append(claim.target)
    return tuple(
        LossGroup(
            component=component,
            loss=loss,
            targets=tuple(lost),
            survives=survives,
            data_lost=data_lost,
            consequence=consequence,
        )
        for (component, loss, survives, data_lost, consequence), lost in targets.items()
    )
