"""The maintenance silence of a promotion in the stage's own Alertmanager, known also to a run that follows a kill."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.silences import close_silence, open_silence, touched_alerts
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.signing import canonical, write_whole
from localtier.maintenance import AUTHOR, MINUTES, alertmanager_url
from localtier.network import ask_outside
from localtier.tier import Tier


@dataclass(frozen=True)
class AlertmanagerSilence:
    """A silence over what going from `before` to `after` makes fire; the file `kept` names the one that is open.

    An Alertmanager that does not answer keeps no promotion back: what could not be done is told.
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

        def ask() -> str:
            reason = f"{self.before.name} → {self.after.name}"
            return open_silence(self._url, alerts, author=AUTHOR, reason=reason, minutes=MINUTES)

        try:
            identifier = ask_outside(self.tier.world(self.before), ask)
        except (DreamSeedError, OSError) as error:
            return f"none: {error}"
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.kept, canonical({"id": identifier}))
        return f"{len(alerts)} alerts for {MINUTES} minutes: {identifier}"

    def close(self) -> None:
        """Close the silence that is open; one that cannot be closed ends by itself."""
        if not self.kept.exists():
            return
        identifier = json.loads(self.kept.read_text(encoding="utf-8"))["id"]
        with suppress(DreamSeedError, OSError):
            ask_outside(self.tier.world(self.before), lambda: close_silence(self._url, identifier))
        self.kept.unlink()

    @property
    def _url(self) -> str:
        return alertmanager_url(self.before)
