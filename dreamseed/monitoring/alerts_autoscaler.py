"""Alerts on the autoscaler of the spot workers: whether it works, and what it is not allowed to do.

A worker deletes itself at its end, so a dead autoscaler costs no money: it leaves peaks unbridged. Seconds and shares
are choices.
"""

from __future__ import annotations

from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity

SILENT_SECONDS = 600
"""Forty turns without sound signals, or without the cloud's list."""
CAP_SHARE = 0.9
ORPHAN_SECONDS = 600
"""It is deleted in the turn that finds it, so one that is still there is not being deleted."""
SPENT = "max(edu_autoscaler_month_usd) + max(edu_autoscaler_committed_usd)"
"""USD of the month's workers that are gone, and of those that are there, each to its own end."""
CAP = "max(edu_autoscaler_cap_usd)"


def autoscaler_group() -> Group:
    """Return the alerts on the autoscaler."""
    succeeded = "edu_autoscaler_last_success_timestamp_seconds"
    return Group(
        name="autoscaler",
        alerts=(
            Alert(
                name="AutoscalerSilent",
                expression=f"time() - max({succeeded}) > {SILENT_SECONDS} or absent({succeeded})",
                for_seconds=300,
                severity=Severity.WARNING,
                component="autoscaler",
                concern=Concern.AVAILABILITY,
                owner=Owner.INFERENCE,
                summary="the autoscaler has decided nothing for ten minutes: no peak is bridged",
                action="Its log says which signal, or which answer of Google's, is missing.",
            ),
            Alert(
                name="AutoscalerCapReached",
                expression=f"{SPENT} > {CAP_SHARE:g} * {CAP}",
                severity=Severity.WARNING,
                component="autoscaler",
                concern=Concern.SATURATION,
                owner=Owner.FINANCE,
                summary="{{ $value | humanize }} USD of the month's spot workers are spent or committed, near the cap",
                action="A month after month with this asks for a card; usage.burst_hours.high is the cap's hours.",
            ),
            Alert(
                name="AutoscalerLaunchesFail",
                expression="max(edu_autoscaler_paused) == 1",
                severity=Severity.WARNING,
                component="autoscaler",
                concern=Concern.ERRORS,
                owner=Owner.INFERENCE,
                summary="launches of spot workers failed in a row: none is tried for an hour",
                action="Its log names Google's reason: quota, permission, template, stock.",
            ),
            Alert(
                name="AutoscalerOrphan",
                expression='sum(edu_autoscaler_workers{phase="orphan"}) > 0',
                for_seconds=ORPHAN_SECONDS,
                severity=Severity.WARNING,
                component="autoscaler",
                concern=Concern.COST,
                owner=Owner.INFERENCE,
                summary="{{ $value | humanize }} spot machines that nobody asked for are not deleted",
                action="Delete them in the console; each ends by itself after its longest run.",
            ),
        ),
    )
