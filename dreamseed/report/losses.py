"""What a stage survives, in words that a person reads in one glance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from dreamseed.planning.survivability import WHOLE, Claim, DataLoss, Loss, worst

OF_THE_WHOLE = (Loss.SERVER, Loss.LINK)
"""Losses of which a stage says what they do to the whole service; the others are about single parts."""


class Answer(StrEnum):
    """Whether what is lost is survived."""

    YES = "survived"
    PART = "in part"
    NO = "not survived"
    ABSENT = "has none"


LOST: Mapping[DataLoss, str] = MappingProxyType(
    {
        DataLoss.NONE: "nothing",
        DataLoss.CACHE: "entries of the cache",
        DataLoss.UNREPLICATED: "what no other copy held",
        DataLoss.UP_TO_RPO: "the last minutes, up to the RPO",
        DataLoss.SINCE_LAST_COPY: "all since the last off-site copy",
    }
)
"""What is lost for good, in words."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What any single loss of one kind does; `data_lost` is the worst that it loses for good."""

    loss: Loss
    answer: Answer
    text: str
    data_lost: DataLoss

    @property
    def lost(self) -> str:
        """Return what is lost for good, at worst, in words."""
        return LOST[self.data_lost]


def outcomes(claims: Sequence[Claim]) -> tuple[Outcome, ...]:
    """Return what a stage with `claims` says of each kind of loss."""
    return tuple(_outcome(claims, loss) for loss in Loss)


def _outcome(claims: Sequence[Claim], loss: Loss) -> Outcome:
    met = [claim for claim in claims if claim.loss is loss and (loss not in OF_THE_WHOLE or claim.component == WHOLE)]
    lost = [claim for claim in met if not claim.survives]
    if not met:
        return Outcome(loss=loss, answer=Answer.ABSENT, text=f"there is no {loss} to lose", data_lost=DataLoss.NONE)
    answer = Answer.YES if not lost else Answer.NO if len(lost) == len(met) else Answer.PART
    text = _whole(met, lost) if loss in OF_THE_WHOLE else _parts(met, lost)
    return Outcome(loss=loss, answer=answer, text=text, data_lost=worst(claim.data_lost for claim in met))


def _whole(met: Sequence[Claim], lost: Sequence[Claim]) -> str:
    if lost:
        return f"users are without the service while it is away: {_names(claim.target for claim in lost)}"
    return f"the service goes on without any one of: {_names(claim.target for claim in met)}"


def _parts(met: Sequence[Claim], lost: Sequence[Claim]) -> str:
    if not lost:
        return f"every part goes on, whichever of the {len(met)} is lost"
    return f"not survived are {len(lost)} of {len(met)}: {_names(claim.component for claim in lost)}"


def _names(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
