"""What a knob is: a choice in the stage file that trades money for something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dreamseed.catalog.provenance import Provenance
from dreamseed.config import StageConfig

NIGHT_HOURS = 8
"""Hours of a day, from midnight in the service's time zone, that may have a setting of their own: a choice."""
HOURS_PER_DAY = 24

Change = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value of a knob.

    `change` is laid over the stage file, `night` over that in the night's hours (null: the same all day). `losses` are
    what it gives up, one figure for each thing that the knob trades: larger is worse, and only their order counts.
    `gives_up` says the same in words, against the stage file as it is; empty where nothing is given up.
    """

    change: Change = field(default_factory=dict)
    night: Change | None = None
    losses: tuple[float, ...]
    gives_up: str = ""

    def written(self) -> Iterator[str]:
        """Yield the change as ``key=value``, the way `--what-if` takes it, with its hours where it has any."""
        if self.night is None:
            yield from written(self.change)
            return
        yield from (f"{part} from {NIGHT_HOURS:02}:00 to {HOURS_PER_DAY}:00" for part in written(self.change))
        yield from (f"{part} from 00:00 to {NIGHT_HOURS:02}:00" for part in written(self.night))


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """A choice, its values for a stage and the source of what they give up.

    `settings` returns the values that keep or give up, never one that only adds; the file's own is among them.
    `structural` tells that the values differ in parts of the plan that prices are computed from, not in the
    configuration alone: each needs a plan of its own to be priced.
    """

    name: str
    settings: Callable[[StageConfig], tuple[Setting, ...]]
    provenance: Provenance
    structural: bool = False


def written(change: Change, above: str = "") -> Iterator[str]:
    """Yield `change` as ``key=value`` with dotted keys."""
    for key, value in change.items():
        if isinstance(value, Mapping):
            yield from written(value, f"{above}{key}.")
        else:
            shown = "[" + ",".join(map(str, value)) + "]" if isinstance(value, list | tuple) else value
            yield f"{above}{key}={shown}"
