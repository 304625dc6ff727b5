"""What drills found, for people, and whether it is what the stage promises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from dreamseed.config import StageConfig
from dreamseed.planning.objectives import objectives
from dreamseed.planning.report.style import mark, table

LEAST_JUDGED_BYTES = 100_000_000
"""The speed of restoring less is that of starting the programs: it is shown, and not judged."""


def judged(config: StageConfig, found: dict[str, Any]) -> list[str]:
    """Return what a drill of a lost server found that is not as promised; nothing when it passed."""
    recovery = config.disaster_recovery
    projected = objectives(config, found["restore_mb_per_second"]).rto_seconds
    rules = [
        (found["missing_rows"] == 0, f"{found['missing_rows']} confirmed and archived rows are missing"),
        (found["changed_rows"] == 0, f"{found['changed_rows']} rows were changed"),
        (found["amcheck"] == "clean", f"the restored database is damaged: {found['amcheck']}"),
        (
            found["rpo_seconds"] <= recovery.rpo_minutes * 60,
            f"{found['rpo_seconds']:.0f} s were lost, promised are {recovery.rpo_minutes} min",
        ),
        (
            found["data_bytes"] < LEAST_JUDGED_BYTES or projected <= recovery.rto_minutes * 60,
            f"at {found['restore_mb_per_second']:.0f} MB/s the stage's database would take {projected:,} s, "
            f"promised are {recovery.rto_minutes} min",
        ),
    ]
    return [words for holds, words in rules if not holds]


def loss_table(stage: str, config: StageConfig, found: dict[str, Any], problems: Sequence[str]) -> Table:
    """Return what was measured beside what the settings promise."""
    promised = objectives(config)
    at_this_speed = objectives(config, found["restore_mb_per_second"])
    drawn = table(f"{stage}: a server lost, restored from {found['source']}", "", "measured", "promised")
    bound = promised.rpo_seconds
    drawn.add_row(
        "RPO", f"{found['rpo_seconds']:.1f} s", f"at most {bound} s by its settings, {_rpo(config)} by objective"
    )
    drawn.add_row(
        "RTO, this database",
        f"{found['rto_seconds']:.1f} s: files {found['restore_seconds']:.1f} s, log {found['replay_seconds']:.1f} s",
        "",
    )
    drawn.add_row(
        "RTO, the stage's database at this speed",
        f"{at_this_speed.rto_seconds:,} s for {at_this_speed.restored_gb + at_this_speed.replayed_gb:,.0f} GB",
        f"{config.disaster_recovery.rto_minutes * 60:,} s",
    )
    drawn.add_row(
        "speed of the restore",
        f"{found['restore_mb_per_second']:.1f} MB/s of {found['data_bytes'] / 1e6:,.0f} MB; "
        f"the disk copies {found['copy_mb_per_second']:.1f} MB/s",
        f"{config.disaster_recovery.restore_mb_per_second} MB/s in the stage file",
    )
    drawn.add_row("rows confirmed", f"{found['acknowledged_rows']:,} until {found['seconds_until_loss']:.1f} s", "")
    drawn.add_row("rows lost with what was not archived", f"{found['lost_rows']:,}", "")
    drawn.add_row("rows confirmed and archived, yet missing", f"{found['missing_rows']:,}", "0")
    drawn.add_row("amcheck and page checksums", found["amcheck"], "clean")
    drawn.add_row("as promised", mark(not problems), "")
    return drawn


def points_table(stage: str, points: Sequence[dict[str, Any]]) -> Table:
    """Return one row a point in time."""
    drawn = table(f"{stage}: back to a point in time", "point", "rows", "wanted", "from backup", "seconds", "")
    for point in points:
        drawn.add_row(
            point["what"],
            f"{point['restored_rows']:,}",
            f"{point['wanted_rows']:,}",
            point["backup"],
            f"{point['seconds']:.1f}",
            mark(point["passed"]),
        )
    return drawn


def faults_table(stage: str, faults: Sequence[dict[str, Any]]) -> Table:
    """Return one row a fault."""
    drawn = table(f"{stage}: what may go wrong", "fault", "outcome", "told by", "seconds")
    for fault in faults:
        drawn.add_row(fault["name"], fault["outcome"], fault["told_by"], f"{fault['seconds']:.1f}")
    return drawn


def loads_table(stage: str, loads: Sequence[dict[str, Any]]) -> Table:
    """Return one row a load of Cloud SQL."""
    drawn = table(f"{stage}: the load of Cloud SQL", "load", "copy", "rows in the copy", "told by", "seconds", "")
    for load in loads:
        drawn.add_row(
            load["what"],
            "taken" if load["taken"] else "refused",
            f"{load['rows']:,}",
            load["told_by"],
            f"{load['seconds']:.1f}",
            mark(load["passed"]),
        )
    return drawn


def crossed(crossings: Sequence[dict[str, Any]], rpo_seconds: float) -> list[str]:
    """Return what ways to the cloud and back found that is not as promised."""
    problems = []
    for one in crossings:
        if one["lost_rows"] and not one["what"].startswith("unplanned"):
            problems.append(f"{one['what']}: {one['lost_rows']} confirmed rows were lost")
        if one["rpo_seconds"] > rpo_seconds:
            problems.append(f"{one['what']}: {one['rpo_seconds']:.0f} s were lost, promised are {rpo_seconds:.0f}")
        if one["damaged_rows"]:
            problems.append(f"{one['what']}: {one['damaged_rows']} rows are missing or changed on the new primary")
        if not one["rows_after"]:
            problems.append(f"{one['what']}: no client's row was confirmed by the new primary")
        if not one["old_refuses_after_restart"]:
            problems.append(f"{one['what']}: the old primary takes writes again after a restart")
    return problems


def crossings_table(stage: str, crossings: Sequence[dict[str, Any]]) -> Table:
    """Return one row a way."""
    drawn = table(
        f"{stage}: to the cloud and back",
        "way",
        "rows confirmed",
        "lost",
        "RPO, s",
        "clients' gap, s",
        "rows after",
        "old refuses after, s",
    )
    for one in crossings:
        seconds = one["old_refuses_after_seconds"]
        refused = "before" if seconds is None else f"{seconds:.1f}"
        drawn.add_row(
            one["what"],
            f"{one['confirmed_rows']:,}",
            f"{one['lost_rows']:,}",
            f"{one['rpo_seconds']:.1f}",
            f"{one['gap_seconds']:.1f}",
            f"{one['rows_after']:,}",
            refused,
        )
    return drawn


def _rpo(config: StageConfig) -> str:
    return f"{config.disaster_recovery.rpo_minutes * 60} s"
