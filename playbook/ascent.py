"""The whole way up on the servers' tier with the playbook, under load: killed in each step, and gone on with.

What runs is the command itself, as processes of its own: `dreamseed promote --local`, with approvals that two keys
signed over facts that are made up.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dreamseed.config import STAGE_NAMES, Stage
from dreamseed.journal import Entry, Event, read_journal
from dreamseed.monitoring.silences import silences
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.signing import digest
from localtier.checks import Finding
from localtier.experiments import climb, report
from localtier.experiments.climb import Step
from localtier.experiments.noticing import services
from localtier.experiments.users import Users
from localtier.load.report import LoadReport
from localtier.load.run import LoadRun
from localtier.maintenance import alertmanager_url
from localtier.network import ask_outside
from localtier.report import memory_mib
from localtier.tier import HEALTHY_SECONDS, STACK, Tier
from playbook import state
from playbook.made_up import PROJECT, MadeProject, make_project, now

KILLS: Mapping[str, float] = {
    "back-up": 3.0,
    "gpu-install": 0.0,
    "gpu-seen": 0.0,
    "vllm": 0.0,
    "api-bounds": 0.0,
    "thresholds": 0.0,
    "load-test": 5.0,
}
"""In which step everything is killed, and how many seconds after its begin; `vllm` while the engine changes things."""
LAST_STEP = tuple(KILLS)[-1]
DRAWN_TYPE = "random:index/randomId:RandomId"
"""What draws a part of physical names, anew for each state."""
SECRET = "4dabf18193072939515e22adb298388d"  # noqa: S105 - how the engine marks a secret in its state
ROLES = (("cto", "kim"), ("cfo", "lee"))


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """One promotion by the playbook. `seconds` is what each step took when it was brought to its end, `told` its words.

    `inventory` has for each resource that the engine holds afterwards the digest of its inputs, secrets left out.
    """

    step: Step
    seconds: Mapping[str, float]
    told: Mapping[str, str]
    killed_in: tuple[str, ...]
    inventory: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Undone:
    """A promotion that was undone in its last step, back from `before` to `stage`: `told` is what the engine kept.

    `seconds` took the roll-back, `whole_seconds` until every check of the stage passed. `users` are the load's figures
    from the promotion's begin until then.
    """

    before: str
    stage: str
    seconds: float
    whole_seconds: float
    checks: int
    told: str
    users: LoadReport

    @property
    def name(self) -> str:
        """Return both ends of the way back."""
        return f"{self.before} → {self.stage}"

    @property
    def words(self) -> str:
        """Return what the way back took and what was written meanwhile."""
        written = ", ".join(
            f"{climb.WRITERS.get(one.client, one.client)} {one.figures.succeeded:,}" for one in self.users.clients
        )
        took = f"rolled back in {self.seconds:.0f} s, whole after {self.whole_seconds:.0f} s, {self.checks} checks"
        return f"{self.name}: {took}; up and back: {written}; {self.told}"


@dataclass
class PlaybookAscent:
    """A tier brought up from nothing to the last of `stages`; k6 plays `load_users` of each stage's users at most.

    `folder` takes the project with its approvals and journals. With `roll_back` each promotion is first begun, killed
    in its last step and undone; a new one is approved afterwards. `problems` are all findings against it.
    """

    tier: Tier
    stages: tuple[str, ...]
    folder: Path
    console: Console
    kills: Mapping[str, float] = field(default_factory=lambda: KILLS)
    roll_back: bool = False
    load_users: int = 20
    load_seconds: float = 20.0
    done: list[Promotion] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Begin from nothing and promote stage by stage; a promotion that fails ends it."""
        users = Users(tier=self.tier)
        users.forget()
        self.tier.down(forget=True)
        project = make_project(self.folder / "project")
        first = climb.step_up(users, None, self.stages[0], lambda _: None)
        self._found(climb.problems(first))
        numbers = count(1)
        for before, stage in pairwise(self.stages):
            for carry_out in (self._undo, self._promote) if self.roll_back else (self._promote,):
                if self.problems:
                    return
                number = next(numbers)
                self._decide(project, number, before, stage)
                if not self.problems:
                    carry_out(users, project, number, before, stage)
        users.leave(self.tier.plan(self.stages[-1]))

    def _decide(self, project: MadeProject, number: int, before: str, stage: str) -> None:
        """Record facts that pass, preview, draw the approval up, and sign it twice."""
        project.record_met(list(Stage)[STAGE_NAMES.index(before)], now())
        plan = str(self.folder / f"plan-{stage}.json")
        self._command(project, "promote", *self._where(stage), "--plan", plan)
        self._command(project, "approve", "prepare", "--to", stage, "--plan", plan)
        for role, name in ROLES:
            key = str(project.ring.key(name))
            self._command(project, "approve", "sign", str(number), "--as", role, "--key", key)

    def _promote(self, users: Users, project: MadeProject, number: int, before: str, stage: str) -> None:
        old, new = self.tier.plan(before), self.tier.plan(stage)
        journal = _journal(project, number, before, stage)
        load = users.load(old)
        arguments = self._arguments(new)
        began, clock = time.time(), time.monotonic()
        killed = []
        for step in self.kills:
            if not self._struck(project, journal, step, arguments):
                return
            killed.append(step)
        self._command(project, *arguments)
        entries = read_journal(journal)
        seen = self._step(users, old, new, entries, (began, clock), load)
        self.done.append(
            Promotion(
                step=seen,
                seconds=step_seconds(entries),
                told={one.step: str(one.detail["told"]) for one in entries if one.event is Event.VERIFIED},
                killed_in=tuple(killed),
                inventory=inventory(state.resources(self.tier.root / "workspace" / "backend", STACK)),
            )
        )
        self._found(climb.problems(seen))
        self._tell(self.done[-1])

    def _undo(self, users: Users, project: MadeProject, number: int, before: str, stage: str) -> None:
        """Promote up to the last step, kill everything there, and roll back: the stage before must be whole again."""
        old, new = self.tier.plan(before), self.tier.plan(stage)
        journal = _journal(project, number, before, stage)
        load = users.load(old)
        began = time.time()
        if not self._struck(project, journal, LAST_STEP, self._arguments(new)):
            return
        clock = time.monotonic()
        self._command(project, "promote", *self._where(stage), "--roll-back")
        seconds = time.monotonic() - clock
        entries = read_journal(journal)
        findings = self.tier.check(old, HEALTHY_SECONDS)
        whole = time.monotonic() - clock
        undone = Undone(
            before=stage,
            stage=before,
            seconds=round(seconds, 1),
            whole_seconds=round(whole, 1),
            checks=len(findings),
            told="; ".join(
                str(one.detail["told"]) for one in entries if one.event is Event.UNDONE and one.step == "vllm"
            ),
            users=climb.with_verdicts(load.figures(began, time.time()), load.verify()),
        )
        self.undone.append(undone)
        self._found(f"{undone.name}: {fault}" for fault in self._faults(old, findings, entries, Event.ROLLED_BACK))
        self._found(f"{undone.name}: {fault}" for one in undone.users.clients for fault in one.faults())
        self.console.print(undone.words, markup=False, highlight=False, soft_wrap=True)

    def _faults(
        self, plan: StagePlan, findings: Iterable[Finding], entries: Sequence[Entry], end: Event
    ) -> Iterator[str]:
        """Find what is not whole, a journal that does not end with `end`, and a silence that is left."""
        yield from (f"{one.what}: {one.detail}" for one in findings if not one.ok)
        if entries[-1].event is not end:
            yield f"the journal ends with {entries[-1].step} {entries[-1].event}"
        held = ask_outside(self.tier.world(plan), lambda: silences(alertmanager_url(plan)))
        yield from (f"a silence is still open: {', '.join(one.matchers)}" for one in held)

    def _struck(self, project: MadeProject, journal: Path, step: str, arguments: Sequence[str]) -> bool:
        """Promote until everything is killed in `step`; that it was not is a finding."""
        status = self._killed(project, step, KILLS[step], *arguments)
        last = [one for one in read_journal(journal) if one.step][-1:]
        if status == -signal.SIGKILL and last and last[0].step == step:
            return True
        where = f"{last[0].step} {last[0].event}" if last else "nowhere"
        self._found([f"{journal.stem}: not killed in {step}: it ended with {status}, {where}"])
        return False

    def _step(
        self,
        users: Users,
        old: StagePlan,
        new: StagePlan,
        entries: Sequence[Entry],
        begin: tuple[float, float],
        load: LoadRun,
    ) -> Step:
        """Return what became of the promotion, and welcome users to the new services."""
        findings = self.tier.check(new, HEALTHY_SECONDS)
        whole = time.monotonic() - begin[1]
        figures = load.figures(begin[0], time.time())
        faults = tuple(self._faults(new, findings, entries, Event.FINISHED))
        again = climb.changed(self.tier.up(new.name, lambda _: None))
        users.welcome(new)
        with self.tier.engines(new) as engines:
            memory = sum(sum(memory_mib(engine).values()) for engine in engines.values())
        return Step(
            before=old.name,
            stage=new.name,
            checks=len(findings),
            faults=faults,
            changed_again=again,
            engine_seconds=round(step_seconds(entries).get("vllm", 0.0), 1),
            whole_seconds=round(whole, 1),
            memory_mib=round(memory),
            users=climb.with_verdicts(figures, load.verify()),
            services=services(old),
            spare_engine=len(old.layout.replicas) > 1,
            engines_replaced=climb.engines_replaced(old, new),
        )

    def _arguments(self, new: StagePlan) -> tuple[str, ...]:
        share = min(1.0, self.load_users / new.config.service.capacity.concurrent_users)
        load = ("--load-share", str(share), "--load-seconds", str(self.load_seconds))
        return ("promote", *self._where(new.name), "--gpu-installed", *load)

    def _where(self, stage: str) -> tuple[str, ...]:
        return ("--to", stage, "--local", "--tier", self.tier.folder)

    def _command(self, project: MadeProject, *arguments: str) -> None:
        program = str(Path(sys.executable).with_name("dreamseed"))
        status = self._run(project, [program, *arguments])
        if status:
            self._found([f"dreamseed {' '.join(arguments[:3])} ended with {status}"])

    def _killed(self, project: MadeProject, step: str, seconds: float, *arguments: str) -> int:
        program = [sys.executable, "-m", "playbook.killed", step, str(seconds)]
        return self._run(project, [*program, *arguments])

    def _run(self, project: MadeProject, command: Sequence[str]) -> int:
        self.console.file.flush()
        # From the program's own folder, so that its packages are found.
        return subprocess.run([*command, "--project", str(project.root)], cwd=PROJECT, check=False).returncode

    def _found(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.problems.append(problem)
            self.console.print(f"✗ {problem}", style="red", markup=False, highlight=False, soft_wrap=True)

    def _tell(self, one: Promotion) -> None:
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in one.seconds.items())
        killed = f", killed in {', '.join(one.killed_in)}" if one.killed_in else ""
        words = f"{one.step.name}: whole after {one.step.whole_seconds:.0f} s{killed}: {took}"
        self.console.print(words, markup=False, highlight=False, soft_wrap=True)

    def compare(self, other: Path) -> None:
        """Find where a stage of the run that wrote `other` ended in another state than it did here."""
        inventories = json.loads(other.read_text(encoding="utf-8"))["inventories"]
        for one in self.done:
            theirs, ours = inventories.get(one.step.stage, {}), one.inventory
            names = sorted(urn.rsplit("::", 1)[-1] for urn in {*theirs, *ours} if theirs.get(urn) != ours.get(urn))
            self._found(
                [f"{one.step.name}: another end state than in {other}: {', '.join(names[:9])}"] if names else []
            )

    def show(self) -> None:
        """Print what was found as tables, and the verdict."""
        table = Table(title="Seconds of each step of the playbook")
        table.add_column("promotion", no_wrap=True)
        for name in KILLS:
            table.add_column(name, justify="right")
        for one in self.done:
            table.add_row(one.step.name, *(f"{one.seconds.get(name, 0.0):.1f}" for name in KILLS))
        self.console.print(table)
        steps = [one.step for one in self.done]
        self.console.print(report.steps_table(steps))
        for text in report.causes(steps):
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)
        for back in self.undone:
            self.console.print(back.words, markup=False, highlight=False, soft_wrap=True)
        kills = sum(len(one.killed_in) for one in self.done) + len(self.undone)
        words = f"{len(self.done)} promotions by the playbook, {kills} kills, nothing acknowledged was lost"
        report.show_verdict(self.problems, words, self.console)

    @property
    def found(self) -> dict[str, Any]:
        """Return everything that was found beside the problems, for machines."""
        return {
            "promotions": [{**asdict(one), "inventory": len(one.inventory)} for one in self.done],
            "undone": [asdict(one) for one in self.undone],
            "inventories": {one.step.stage: dict(one.inventory) for one in self.done},
        }


def step_seconds(entries: Sequence[Entry]) -> dict[str, float]:
    """Return how long each step took in the run that verified it: from its begin, or that run's, to its evidence."""
    taken: dict[str, float] = {}
    since = None
    for one in entries:
        if one.event in (Event.SILENCED, Event.BEGUN):
            since = one.at
        elif one.event is Event.VERIFIED and since is not None:
            taken[one.step] = round((one.at - since) / timedelta(seconds=1), 1)
    return taken


def inventory(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return for each resource the digest of its inputs, without what is secret, drawn or made anew in each run."""
    resources = list(resources)
    drawn = {str(one["outputs"]["hex"]): str(one["urn"]) for one in resources if one.get("type") == DRAWN_TYPE}
    return {str(one["urn"]): digest(_plain(one.get("inputs") or {}, drawn)) for one in resources}


def _plain(value: object, drawn: Mapping[str, str]) -> object:
    if isinstance(value, dict):
        return "secret" if SECRET in value else {key: _plain(one, drawn) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, drawn) for one in value]
    for text, urn in drawn.items() if isinstance(value, str) else ():
        value = str(value).replace(text, urn)
    return value


def _journal(project: MadeProject, number: int, before: str, stage: str) -> Path:
    ends = "-to-".join(one.removeprefix("stage-") for one in (before, stage))
    return project.root / "promotions" / f"{number:04}-{ends}.jsonl"
