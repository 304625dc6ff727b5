"""A project whose promotions are decided, for experiments: the shipped stages, facts that pass, keys made on the spot.

Nothing of it is true: the facts are made up, and the keys of CTO and CFO lie beside each other.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dreamseed.approvals.ledger import APPROVALS_FOLDER
from dreamseed.config import STAGE_NAMES, Stage
from dreamseed.config.operations import NextStage
from dreamseed.facts.days import days_until, last_full_day, month_ends
from dreamseed.facts.drill import DRILL_NAMESPACE, DRILLS_FOLDER, DrillFact, write_drill
from dreamseed.facts.measures import Measure
from dreamseed.facts.store import STORE_FILE, Fact, Store
from dreamseed.gates.gather import load_stages
from dreamseed.signing import Trust

PROJECT = Path(__file__).parents[1]
SOURCE = "made up"
DAYS = 40
MONTHLY: Mapping[Measure, float] = {Measure.REVENUE_USD: 100_000.0, Measure.COST_USD: 100.0}
NAMESPACES = 'namespaces="stage-promotion,gate-waiver"'


@dataclass(frozen=True)
class Keyring:
    """Throw-away SSH keys in `folder`, and who may sign as what in `allowed_signers` and `revoked_keys` beside them."""

    folder: Path

    @property
    def allowed_signers(self) -> Path:
        """Return the file that says who may sign as what."""
        return self.folder / "allowed_signers"

    @property
    def revoked(self) -> Path:
        """Return the file of the keys that may no longer sign."""
        return self.folder / "revoked_keys"

    @property
    def trust(self) -> Trust:
        """Return whose signatures count."""
        return Trust(allowed_signers=self.allowed_signers, revoked=self.revoked)

    def key(self, name: str) -> Path:
        """Return the private key `name`, made when it is first asked for."""
        path = self.folder / name
        if not path.exists():
            made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@dreamseed.example", "-f", str(path)]
            subprocess.run(made, check=True)
        return path

    def public(self, name: str) -> str:
        """Return the line of the public key `name`."""
        return Path(f"{self.key(name)}.pub").read_text(encoding="utf-8").strip()

    def allow(self, principal: str, name: str, options: str = "") -> None:
        """Add a line to the allowed signers: key `name` may sign as `principal`."""
        with self.allowed_signers.open("a", encoding="utf-8") as file:
            file.write(f"{principal} {options + ' ' if options else ''}{self.public(name)}\n")

    def revoke(self, name: str) -> None:
        """Revoke the key `name`."""
        with self.revoked.open("a", encoding="utf-8") as file:
            file.write(self.public(name) + "\n")


def keyring(folder: Path) -> Keyring:
    """Return an empty keyring in `folder`: nobody may sign, nothing is revoked."""
    folder.mkdir(parents=True, exist_ok=True)
    ring = Keyring(folder)
    for file in (ring.allowed_signers, ring.revoked):
        file.touch()
    return ring


@dataclass(frozen=True)
class MadeProject:
    """A project in `root`, whose keys are in `ring`: kim is the CTO, lee the CFO, robot signs drills."""

    root: Path
    ring: Keyring

    def git(self, *arguments: str) -> None:
        """Run git in the project."""
        identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@dreamseed.example"]
        command = ["git", "-C", str(self.root), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def commit(self, message: str = "change") -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def record_met(self, stage: Stage, now: datetime) -> None:
        """Record facts and a drill with which the gate from `stage` passes now, and also once the day is over."""
        last = last_full_day(now, ZoneInfo("Asia/Seoul")) + timedelta(days=1)
        booked = {month_ends(last - timedelta(days=back), 1)[0] for back in (0, 1)}
        following = load_stages(self.root)[stage].next_stage
        assert following, "the last stage has no gate up"  # noqa: S101 - for the types
        facts = [
            Fact(measure=measure, day=day, value=value, source=SOURCE)
            for values, days in ((passing(following), days_until(last, DAYS)), (MONTHLY, booked))
            for measure, value in values.items()
            for day in days
        ]
        Store(self.root / STORE_FILE).record(facts, now)
        drill = DrillFact(
            stage=stage,
            taken_at=now - timedelta(days=1),
            passed=True,
            rpo_seconds=41.0,
            rto_seconds=90.0,
            restore_mb_per_second=80.0,
            data_bytes=10_000_000,
            missing_rows=0,
            source=SOURCE,
        )
        write_drill(self.root / DRILLS_FOLDER, drill, self.ring.key("robot"))


def passing(following: NextStage) -> dict[Measure, float]:
    """Return a day's facts with which the lines of the gate to the next stage are met, those of a month left out."""
    return {
        Measure.SIGN_UPS: following.sign_ups + 1,
        Measure.CONCURRENT_USERS: following.concurrent_users,
        Measure.API_P95_SECONDS: 0.9,
        Measure.GPU_UTILIZATION: 0.95,
        Measure.QUEUE_WAIT_SECONDS: 12.0,
        Measure.CACHE_MISS_RATIO: 0.4,
        Measure.DATABASE_TPS: 6_000.0,
        Measure.NETWORK_MBIT_PER_SECOND: 2_000.0,
        Measure.RESERVE_USD: 100_000.0,
        Measure.GPUS_IN_STOCK: 2.0,
        Measure.SERVER_POWER_WATTS: 5_000.0,
        Measure.LINK_MBIT_PER_SECOND: 10_000.0,
    }


def make_project(root: Path) -> MadeProject:
    """Return a project in the empty folder `root`, committed, in which nothing is recorded or approved yet."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("Pulumi.yaml", "__main__.py", *(f"Pulumi.{stage}.yaml" for stage in STAGE_NAMES)):
        shutil.copyfile(PROJECT / name, root / name)
    (root / ".venv").symlink_to(PROJECT / ".venv")
    (root / ".gitignore").write_text(".venv\nbuild/\n__pycache__/\n", encoding="ascii")
    ring = keyring(root.parent / f"{root.name}-keys")
    ring.allow("cto", "kim", NAMESPACES)
    ring.allow("cfo", "lee", NAMESPACES)
    ring.allow("drill", "robot", f'namespaces="{DRILL_NAMESPACE}"')
    approvals = root / APPROVALS_FOLDER
    approvals.mkdir()
    for file in (ring.allowed_signers, ring.revoked):
        shutil.copyfile(file, approvals / file.name)
    made = MadeProject(root, ring)
    made.git("init", "-q")
    made.commit("begin")
    return made


def now() -> datetime:
    """Return the time in whole seconds, as records hold it."""
    return datetime.now(UTC).replace(microsecond=0)
