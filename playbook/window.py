"""The maintenance silence of a promotion in the stage's own Alertmanager, known also to a run that follows a kill."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.silences import touched_alerts
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.signing import canonical, write_whole
from localtier.maintenance import MINUTES, close, opened
from localtier.tier import Tier


@dataclass(frozen=True)
class AlertmanagerSilence:
    """A silence over what going from `before` to `after` makes fire; the file `kept` names those that are open.

    An Alertmanager that does not answer keeps no promotion back: what could not be done is told, and closed next time.
    """

    tier: Tier
    before: StagePlan
    after: StagePlan
    kept: Path

    def open(self) -> str:
        """Open the silence, and close the one that a kill left."""
        self.close()
        alerts = touched_alerts(self.before, self.after)
        if not alerts:
            return "no alert is touched"
        try:
            identifier = opened(self.tier, self.before, self.after, alerts)
        except (DreamSeedError, OSError) as error:
            return f"none: {error}"
        self._keep([*self._open, identifier])
        return f"{len(alerts)} alerts for {MINUTES} minutes: {identifier}"

    def close(self) -> None:
        """Close every silence that is open; one that cannot be closed is left for the next time, or ends by itself."""
        left = []
        for identifier in self._open:
            try:
                close(self.tier, self.before, identifier)
            except (DreamSeedError, OSError):
                left.append(identifier)
        self._keep(left)

    @property
    def _open(self) -> list[str]:
        return list(json.loads(self.kept.read_text(encoding="utf-8"))) if self.kept.exists() else []

    def _keep(self, identifiers: list[str]) -> None:
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.kept, canonical(identifiers))
