"""A project of its own in a folder: the shipped stages in a git repository, facts that pass, keys of two people."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dreamseed.approvals.ledger import APPROVALS_FOLDER
from dreamseed.config import STAGE_NAMES, Stage
from dreamseed.facts.days import days_until, last_full_day, month_ends
from dreamseed.facts.drill import DRILL_NAMESPACE, DRILLS_FOLDER, write_drill
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import STORE_FILE, Fact, Store
from tests.gates.situations import drill, met
from tests.signers import Keyring, keyring

PROJECT = Path(__file__).parents[2]
MONTHLY = (Measure.REVENUE_USD, Measure.COST_USD)
NAMESPACES = 'namespaces="stage-promotion,gate-waiver"'


@dataclass(frozen=True)
class MadeProject:
    """A project in `root`, whose keys are in `ring`: kim is the CTO, lee the CFO, robot signs drills."""

    root: Path
    ring: Keyring

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=test", "-c", "user.email=test@dreamseed.example"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def commit(self, message: str = "change") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def record_met(self, stage: Stage, now: datetime) -> None:
        """Record facts and a drill with which the gate from `stage` passes now, and also once the day is over."""
        last = last_full_day(now, ZoneInfo("Asia/Seoul")) + timedelta(days=1)
        booked = {month_ends(last - timedelta(days=back), 1)[0] for back in (0, 1)}
        days = {measure: value for (measure, day), value in met(stage).items()}
        facts = [
            Fact(measure=measure, day=day, value=value, source="made up")
            for measure, value in days.items()
            for day in (booked if measure in MONTHLY else days_until(last, 40))
        ]
        Store(self.root / STORE_FILE).record(facts, now)
        taken = drill(stage, taken_at=now - timedelta(days=1), digest="")
        write_drill(self.root / DRILLS_FOLDER, taken, self.ring.key("robot"))


def make_project(root: Path) -> MadeProject:
    """Return a project in the empty folder `root`, committed, in which nothing is recorded or approved yet."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py", *(f"Pulumi.{stage}.yaml" for stage in STAGE_NAMES)):
        shutil.copyfile(PROJECT / name, root / name)
    (root / ".venv").symlink_to(PROJECT / ".venv")
    (root / ".gitignore").write_text(".venv\nbuild/\n__pycache__/\n")
    ring = keyring(root.parent / f"{root.name}-keys")
    ring.allow("cto", "kim", NAMESPACES)
    ring.allow("cfo", "lee", NAMESPACES)
    ring.allow("drill", "robot", f'namespaces="{DRILL_NAMESPACE}"')
    approvals = root / APPROVALS_FOLDER
    approvals.mkdir()
    for file in (ring.trust.allowed_signers, ring.trust.revoked):
        assert file
        shutil.copyfile(file, approvals / file.name)
    made = MadeProject(root, ring)
    made.git("init", "-q")
    made.commit("begin")
    return made


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
