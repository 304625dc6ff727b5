"""Keys exchanged on a stage that runs: what its users noticed, and what the new ones and the previous ones open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from dreamseed.config.keys import KeyName
from dreamseed.errors import DreamSeedError
from dreamseed.keys.bringing import Stack
from dreamseed.keys.catalogue import KEYS
from dreamseed.keys.resources import KeyResource
from dreamseed.keys.rotating import Rotation
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.stage_plan import StagePlan
from localtier.checks import visit
from localtier.checks.doors import DOORS
from localtier.credentials import read_credentials
from localtier.experiments.climb import with_verdicts
from localtier.experiments.report import NOTHING
from localtier.experiments.users import Users
from localtier.load.report import CLIENTS, ClientReport, LoadReport
from localtier.load.targets import targets_of
from localtier.tier import HEALTHY_SECONDS, STACK
from rehearsal.runner import Classify
from rehearsal.runner.engine import Engine

OUTSIDE = frozenset({KeyName.BACKUPS_KEY, KeyName.BACKUPS_SECOND_KEY, KeyName.AUTOSCALER_KEY})
"""Keys to clouds, whose stand-ins here know one at a time: their overlap cannot be shown."""
TOKENS = frozenset({ProvidedSecret.GRAFANA_CLOUD_TOKEN, ProvidedSecret.TUNNEL_CLIENT_SECRET})
NOTICING: Mapping[str, tuple[str, ...]] = {
    "postgres": ("postgres",),
    "patroni": ("postgres",),
    "redis": ("redis",),
    "vllm": ("chat",),
    "tunnel": ("postgres", "redis"),
    "wireguard": ("postgres", "redis", "kafka", "chat"),
}
"""Whose users may be refused while a key is exchanged, by the first word of both; those of no other service may.

With a connector of the tunnel end the connections that stand through it: the database's and the cache's.
"""
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Exchanged:
    """One key's exchange. `users` are the load's figures meanwhile, with the verdict on everything acknowledged.

    `asked` is how many containers were asked with the new and the previous secret, 0 where none can be.
    """

    key: str
    seconds: float
    whole_seconds: float
    asked: int
    users: LoadReport
    faults: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WatchedStack(Stack):
    """A stack whose clients `learn` the secrets of its containers after each `up`.

    The API learns them within it, from its new revision on: so these are refused longer than it is.
    """

    learn: Callable[[], None]

    def bring(self, what: str, key: KeyResource | None) -> None:
        """Bring the stack up, and let the clients know."""
        super().bring(what, key)
        self.learn()


def exchangeable(plan: StagePlan) -> tuple[KeyName, ...]:
    """Return the keys that containers of a stage hold, and whose exchange can be shown here."""
    held = {name for container in plan.containers for name in container.secrets} - TOKENS
    return tuple(key for key in KeyName if key not in OUTSIDE and held & set(KEYS[key].secrets))


def exchange(users: Users, engine: Engine, plan: StagePlan, key: KeyName, classify: Classify, tell: Tell) -> Exchanged:
    """Exchange a key as `dreamseed keys rotate` does while the users go on, wait until all is whole, and try both.

    What the command raises is a fault: the next key is tried all the same.
    """
    tier = users.tier
    before = _value(users, plan, key)
    faults = [] if all(_tried(users, plan, key, before)) else ["the one before it does not open its doors"]
    began, clock = time.time(), time.monotonic()
    stack = WatchedStack(
        engine=engine,
        name=STACK,
        stage=plan.name,
        config_file=engine.workspace.config_file(plan.name),
        classify=classify,
        say=tell,
        learn=lambda: users.load(plan).tell(targets_of(plan), users.secrets(tier.plan(plan.name))),
    )
    try:
        Rotation(stack=stack, key=key).run()
    except (RuntimeError, DreamSeedError) as error:
        faults.append(f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - clock
    now = tier.plan(plan.name)
    faults += [f"{one.what}: {one.detail}" for one in tier.check(now, HEALTHY_SECONDS) if not one.ok]
    whole_seconds = time.monotonic() - clock
    load = users.load(now)
    figures = with_verdicts(load.figures(began, time.time()), load.verify())
    after = _value(users, now, key)
    new, old = _tried(users, now, key, after), _tried(users, now, key, before)
    faults += ["it is the same as before"] if after == before else []
    faults += [f"the new one opens {sum(new)} of {len(new)} doors"] if not all(new) else []
    faults += [f"the previous one still opens {sum(old)} of {len(old)} doors"] if any(old) else []
    faults += [fault for one in figures.clients for fault in one.faults()]
    return Exchanged(
        key=key,
        seconds=round(seconds, 1),
        whole_seconds=round(whole_seconds, 1),
        asked=len(new),
        users=figures,
        faults=tuple(faults),
    )


def _value(users: Users, plan: StagePlan, key: KeyName) -> str:
    """Return what containers hold of a key: the secret of its generation in use."""
    with users.tier.engines(plan) as engines:
        return next(iter(read_credentials(plan, engines, only=frozenset(KEYS[key].secrets)).values()), "")


def _tried(users: Users, plan: StagePlan, key: KeyName, secret: str) -> tuple[bool, ...]:
    if key not in DOORS:
        return ()
    with users.tier.engines(plan) as engines:
        return DOORS[key](visit(plan, engines, {}), secret)


def problems(exchanged: Exchanged) -> Iterator[str]:
    """Return what an exchange did that it must not do: users of another service noticed it, for example."""
    yield from (f"{exchanged.key}: {fault}" for fault in exchanged.faults)
    own = NOTICING[exchanged.key.partition("-")[0]]
    for one in exchanged.users.clients:
        if one.figures.failed and one.client.partition("-")[0] not in own:
            yield f"{exchanged.key}: {one.client} failed {one.figures.failed} times ({one.figures.errors})"
        if not one.figures.succeeded:
            yield f"{exchanged.key}: {one.client}: nothing was acknowledged meanwhile, so nothing is shown"


def exchanges_table(done: Sequence[Exchanged]) -> Table:
    """Return a row for each key: what its exchange took, and what users noticed of it."""
    table = Table(title="Each key, and what users noticed of its exchange: failed, longest time without a success")
    table.add_column("key", no_wrap=True)
    for heading in ("command, s", "whole, s", "asked", *CLIENTS):
        table.add_column(heading, justify="right")
    for one in done:
        seen = {client.client: client for client in one.users.clients}
        numbers = (f"{one.seconds:.0f}", f"{one.whole_seconds:.0f}", str(one.asked))
        table.add_row(one.key, *numbers, *(_noticed(seen.get(name)) for name in CLIENTS))
    return table


def _noticed(one: ClientReport | None) -> str:
    if one is None:
        return NOTHING
    gap = one.figures.longest_gap
    return f"{one.figures.failed} of {one.figures.failed + one.figures.succeeded:,}" + (
        f", {gap.seconds:.1f} s" if gap else ""
    )
