"""The world of the servers' tier: real containers on real Docker Engines, a rehearsed cloud, stand-ins for cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from dreamseed.cost.quantities import Month
from dreamseed.interval import Scenario
from dreamseed.planning.services.vllm import engine_name
from dreamseed.planning.stage_plan import StagePlan
from dreamseed.promotion.playbook import gpus_of
from dreamseed.promotion.saga import StepError
from dreamseed.signing import canonical, write_whole
from localtier.checks import Finding
from localtier.credentials import read_file
from localtier.k6 import K6Result, Requests, play, summary, tokens_per_second
from localtier.tier import HEALTHY_SECONDS, STACK, Tier
from playbook import state
from playbook.applying import Applying
from playbook.archive import archive_models, verify_archive
from playbook.engine_plan import EnginePlan
from playbook.restore import Backup, Shard, shards
from playbook.stand_ins import StandIns
from playbook.window import AlertmanagerSilence
from rehearsal.runner.engine import Engine, Reached


@dataclass(frozen=True, kw_only=True)
class RunningWorld:
    """A promotion from `before` to `after` of the stage that runs in `tier`.

    k6 plays `share` of the new stage's users for `seconds`. `approved` is the digest of the plan that may be carried
    out.
    """

    tier: Tier
    before: StagePlan
    after: StagePlan
    reached: Reached
    clock: Callable[[], datetime]
    share: float = 1.0
    seconds: float = 60.0
    approved: str = ""
    identified: Mapping[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Return the folder of what a promotion keeps between two commands."""
        return self.tier.root / "promotion"

    @property
    def silence(self) -> AlertmanagerSilence:
        """Return a silence in the stage's own Alertmanager over the alerts that the promotion makes fire."""
        return AlertmanagerSilence(self.tier, self.before, self.after, self.root / "silence.json")

    @property
    def standing(self) -> str | None:
        """Return the stage that stands, such as ``stage-a``; None when nothing does."""
        return self.tier.standing.stage if self.tier.standing else None

    def begin(self) -> None:
        """See that something stands, and which cards it has. Raises `StepError`."""
        if self.standing is None:
            raise StepError(
                "promote", "nothing stands on the servers' tier", "it is where to begin", "make local STAGE=stage-a"
            )
        self.root.mkdir(parents=True, exist_ok=True)
        if self.standing == self.before.name:
            self._cards.begin(gpus_of(self.before))

    def install(self) -> None:
        """Put in the cards that a person says are in: stand-ins, for no server here has one."""
        self._cards.install(gpus_of(self.after))

    def preview(self) -> EnginePlan:
        """Return what the engine would change; the new stage's hosts are started for it."""
        with self.tier.engine(self.after, self.tier.prepare(self.after)) as engine:
            return self._applying(engine).preview()

    def back_up(self) -> None:
        """Back every shard up, and archive what the engines keep of their model."""
        point = f"promotion-{self.after.name}-{self.clock():%Y%m%d%H%M%S}"
        with self.tier.engines(self.before) as engines:
            taken = [Shard(plan=self.before, engines=engines, number=one).back_up(point) for one in self._shards]
            archived = archive_models(self.before, engines, self.root / f"models-{self.after.name}.tar")
        record = {"backups": [one.record() for one in taken], "models": archived}
        write_whole(self.root / self._backup, canonical(record))

    def verify_backup(self) -> str:
        """Restore every shard into an empty place beside it and compare every row; read the models' archive again."""
        record = json.loads((self.root / self._backup).read_text(encoding="utf-8"))
        with self.tier.engines(self.before) as engines:
            told = [
                Shard(plan=self.before, engines=engines, number=number).verify(Backup.of(one))
                for number, one in zip(self._shards, record["backups"], strict=True)
            ]
        models = verify_archive(self.root / f"models-{self.after.name}.tar", record["models"])
        return "; ".join([*told, f"{self.before.config.vllm.model}: {models}"])

    def gpus_seen(self) -> Mapping[str, int]:
        """Return the cards that each server shows: those that a person said are in."""
        return self._cards.gpus

    def is_applied(self) -> str | None:
        """Return that the stage stands, if it does."""
        standing = self.tier.standing
        stands = standing is not None and standing.stage == standing.target == self.after.name
        return f"{self.after.name} stands" if stands else None

    def apply(self) -> None:
        """Bring the stage up by the approved plan."""
        with self.tier.toward(self.after.name) as engine:
            self._applying(engine).up(self.approved)
        self.tier.arrived(self.after.name)

    def verify_engines(self) -> str:
        """See that everything runs as planned and answers, and each engine with the planned parallelism."""
        findings = self.tier.check(self.after, HEALTHY_SECONDS)
        _refuse_faults("vllm", findings)
        told = []
        with self.tier.engines(self.after) as engines:
            for replica in self.after.layout.replicas:
                name = engine_name(replica)
                command = engines[replica.server].containers.get(name).attrs["Config"]["Cmd"]
                size = int(command[command.index(state.PARALLEL) + 1]) if state.PARALLEL in command else 1
                if size != replica.tensor_parallel:
                    raise _differs("vllm", f"{name} runs with {size} cards, planned are {replica.tensor_parallel}")
                told.append(f"{name} tp{size}")
        return f"{', '.join(told)}; {len(findings)} of {len(findings)} checks passed"

    def verify_api_bounds(self) -> str:
        """See that the API in the rehearsed cloud has the planned bounds."""
        return state.api_bounds(self.after, self._resources())

    def reload_thresholds(self) -> None:
        """Do nothing: the rules are files of a container that was replaced."""

    def verify_thresholds(self) -> str:
        """See that each running Prometheus holds the new stage's rules, and evaluates every one."""
        with self.tier.engines(self.after) as engines:
            for container in self.after.monitoring.containers:
                for file in container.files:
                    held = file.path == state.RULES and read_file(engines[container.host], container.name, file.path)
                    if held not in (False, file.text):
                        raise _differs("thresholds", f"the rules of {container.name} are not those of the plan")
        monitoring = self.tier.check(self.after, HEALTHY_SECONDS, ["prometheus"])
        _refuse_faults("thresholds", monitoring)
        return f"{state.thresholds(self.after, self._resources())}; {', '.join(one.what for one in monitoring)}"

    def play_load(self) -> None:
        """Let k6 play the users, and keep what they saw."""
        result = play(self.tier, self.after, self.share, self.seconds)
        write_whole(self.root / self._load, canonical(asdict(result)))

    def verify_load(self) -> str:
        """See that the users who were played met every objective, and say what all of them would ask."""
        told = json.loads((self.root / self._load).read_text(encoding="utf-8"))
        parts = {kind: Requests(**told.pop(kind)) for kind in ("api", "generation")}
        result = K6Result(**{**told, **parts, "missed": tuple(told["missed"])})
        words = f"{summary(self.after, result)}; {whole_load(self.after, self.share)}"
        if not result.passed:
            raise StepError(
                "promote › load-test",
                words,
                "the objectives are thresholds",
                "a share that the machine and the cards carry (--load-share), or more cards; then the same command",
            )
        return words

    def roll_back(self) -> str:
        """Bring the stage before up again."""
        with self.tier.back_to(self.before.name) as engine:
            told = self._applying(engine).roll_back()
        self.tier.arrived(self.before.name)
        return told

    @property
    def _cards(self) -> StandIns:
        return StandIns(self.root / "stand-ins")

    @property
    def _shards(self) -> range:
        return shards(self.before.config)

    @property
    def _backup(self) -> str:
        return f"backup-{self.after.name}.json"

    @property
    def _load(self) -> str:
        return f"load-{self.after.name}.json"

    def _applying(self, engine: Engine) -> Applying:
        return Applying(
            engine=engine,
            stack=STACK,
            before=self.before.name,
            after=self.after.name,
            reached=self.reached,
            kept_in=self.root,
            identified=self.identified,
        )

    def _resources(self) -> list[Mapping[str, object]]:
        return list(state.resources(self.tier.root / "workspace" / "backend", STACK))


def whole_load(plan: StagePlan, share: float) -> str:
    """Return which share of the users was played, and what all of them would ask of the cards."""
    tokens = Month(plan=plan, usage=plan.config.usage, scenario=Scenario.EXPECTED).tokens_per_generation
    bound = plan.layout.capacities[0].tokens_per_second_low
    return (
        f"played was {share:.2%} of the users; all of them would ask {tokens_per_second(plan, 1):,.0f} tokens/s as k6 "
        f"asks, {tokens_per_second(plan, 1, tokens):,.0f} with the {tokens:,.0f} of an expected generation, and the "
        f"cards' bound is {bound:,.0f}"
    )


def _refuse_faults(step: str, findings: list[Finding]) -> None:
    wrong = [f"{one.what}: {one.detail}" for one in findings if not one.ok]
    if wrong or not findings:
        raise _differs(step, "; ".join(wrong) or "nothing was found to look at")


def _differs(step: str, what: str) -> StepError:
    return StepError(
        f"promote › {step}",
        what,
        "what was declared must be what stands",
        "make local-check says what does not; then the same command again",
    )
