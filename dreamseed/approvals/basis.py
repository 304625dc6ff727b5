"""What an approval is bound to, read from the project as it is."""

from __future__ import annotations

import subprocess
from dataclasses import asdict
from pathlib import Path

from dreamseed.approvals.ledger import ApprovalError
from dreamseed.approvals.record import Basis, Cost
from dreamseed.catalog.prices import BOOK
from dreamseed.config import Stage, StageConfig
from dreamseed.cost import estimate
from dreamseed.cost.diff import cost_diff
from dreamseed.cost.report.machine import diff_as_json
from dreamseed.gates.model import Gate
from dreamseed.gates.situation import Situation
from dreamseed.planning.planner import plan_stage
from dreamseed.signing import digest

WRITTEN = ("approvals/*.json", "approvals/*.sig", "facts", "promotions")
"""What promotions themselves write: they change after an approval, and are no part of the program."""


def basis(project: Path, situation: Situation, gate: Gate, plan: str) -> Basis:
    """Return what an approval of `gate` and of the engine's preview with the digest `plan` is bound to.

    Raises `ApprovalError` when the program is not as git has it.
    """
    return Basis(gate=gate.digest, cost=_cost(situation, gate), plan=plan, prices=_prices(), commit=_commit(project))


def _cost(situation: Situation, gate: Gate) -> Cost:
    day = situation.day
    before, after = (
        estimate(plan_stage(situation.stages[stage], _name(situation.stages[stage])), today=day)
        for stage in (gate.from_stage, gate.to_stage)
    )
    return Cost(
        before_usd=round(before.total.expected, 2),
        after_usd=round(after.total.expected, 2),
        digest=digest(diff_as_json(cost_diff(before, after, day))),
    )


def _name(config: StageConfig) -> str:
    stage: Stage = config.service.stage
    return f"stage-{stage.lower()}"


def _prices() -> str:
    return digest([repr(asdict(price)) for price in BOOK])


def _commit(project: Path) -> str:
    """Return the newest commit that changed more than what promotions write; nothing else may differ from it."""
    outside = [".", *(f":(exclude){folder}" for folder in WRITTEN)]
    changed = _git(project, "status", "--porcelain", "--untracked-files=all", "--", *outside).splitlines()
    if changed:
        raise ApprovalError(
            str(project),
            f"{len(changed)} files differ from git's, such as {changed[0][3:]}",
            "what is approved is a commit, and what is promoted is that commit",
            "git commit, or git stash",
        )
    return _git(project, "log", "-1", "--format=%H", "--", *outside)


def _git(project: Path, *arguments: str) -> str:
    run = subprocess.run(
        ["git", "-C", str(project), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0 or (arguments[0] == "log" and not run.stdout.strip()):
        raise ApprovalError(
            str(project),
            f"git does not answer ({run.stderr.strip() or 'no commit'})",
            "an approval names the program by its commit",
            "a clone of the project with git installed",
        )
    return run.stdout.rstrip("\n")
