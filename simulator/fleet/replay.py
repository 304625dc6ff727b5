"""A trace at a stage under each autoscaler: the same requests, the same cloud, the same seed."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from autoscaler.policy import Policy, Spending, Thresholds, Window
from dreamseed.catalog.prices import BOOK
from dreamseed.errors import PlanError
from dreamseed.interval import Scenario
from dreamseed.planning.autoscaling import hour, plan_policy
from dreamseed.planning.stage_plan import StagePlan
from simulator.compute.model import Compute, Faults
from simulator.fleet.baselines import Hpa, Keda, Kpa, Nobody, SkyServe
from simulator.fleet.control import Control, Ours, Wanted
from simulator.fleet.engine import FleetEngine, Request, Speed, speed_of
from simulator.fleet.fleet import Fleet
from simulator.fleet.outcome import Outcome
from simulator.fleet.traces import Trace, arrivals

SIZED_FOR = 0.99
"""The share of ten-minute windows in which the owners' engines serve a trace that is scaled to them. A choice."""
OURS, EARLY, LETTER = "ours", "ours-early", "plans-letter"
SCALERS = (OURS, EARLY, LETTER, "HPA", "KPA", "KEDA", "SkyServe", "none")
WITHOUT_LIMITS = Spending(cap_usd_per_month=100_000, max_hours_per_episode=24, max_worker_hours_per_day=100)
CONCURRENCY_SHARE, RATE_SHARE = 0.7, 0.8
FAULTS = Faults(stock_outs=0.05, preemptions_per_hour=0.05, provisioning_seconds=90, loading_seconds=480)
"""Choices: no public figure of either share was found. A cold start takes about 5 to 9 minutes, 8 is planned."""
PROBE_SECONDS = 1_200.0


@dataclass(frozen=True)
class Setting:
    """A stage's engines and a trace scaled to them; `factor` is what its rates were multiplied by."""

    stage: str
    trace: Trace
    factor: float
    owned: tuple[Speed, ...]
    worker: Speed
    rates: tuple[float, ...]
    """Requests a second that each owned engine serves at the trace's mean lengths."""
    concurrency: float
    """Requests that an owned engine holds at the trace's mean length, on average."""
    policy: Policy
    usd_per_hour: float
    max_model_tokens: int
    most_held: int


def setting(plan: StagePlan, of: Trace) -> Setting:
    """Return the stage with the trace scaled to it. Raises `PlanError` for a stage without workers."""
    burst = plan.burst
    if burst is None:
        raise PlanError(plan.name, "the stage has no spot workers", "there is nothing to scale", "stage-c or later")
    owned = tuple(speed_of(plan.layout.intent, replica) for replica in plan.layout.replicas)
    prompt, answer = _mean_lengths(of)
    longest = plan.config.vllm.max_model_len
    rates = tuple(served_per_second(speed, of, longest) for speed in owned)
    factor = sum(rates) / of.rate_at(SIZED_FOR)
    usd, _ = hour(burst, plan.config.usage.burst_pricing, plan.config.service.region, BOOK, Scenario.EXPECTED)
    return Setting(
        stage=plan.name,
        trace=of.scaled(factor),
        factor=factor,
        owned=owned,
        worker=speed_of(plan.layout.intent, burst.engine),
        rates=rates,
        concurrency=fmean(speed.kv_tokens for speed in owned) / (prompt + answer / 2),
        policy=plan_policy(plan.config, plan.layout, burst),
        usd_per_hour=usd or 0.0,
        max_model_tokens=longest,
        most_held=plan.config.vllm.max_queued_requests,
    )


def served_per_second(speed: Speed, of: Trace, longest: int) -> float:
    """Return the rate at which an engine with more than enough to do ends requests of the trace's lengths."""
    busy = of.scaled(1_000 / (of.rate_at(0.5) or 1) / PROBE_SECONDS)
    engine = FleetEngine(speed, 0.0)
    waiting = list(_first(arrivals(busy, longest, 0), 4_000))
    for request in waiting:
        request.arrived_at = 0.0
        engine.submit(request)
    while engine.next_at <= PROBE_SECONDS:
        engine.event()
    ended = sum(one.ended_at < math.inf for one in waiting)
    return ended / min(PROBE_SECONDS, engine.at)


def controls(of: Setting) -> dict[str, Callable[[Compute], Control]]:
    """Return each autoscaler by its name; `ours-early` reacts sooner and has no limits of money."""
    target, rate = CONCURRENCY_SHARE * of.concurrency, RATE_SHARE * fmean(of.rates)
    early = {
        "spending": WITHOUT_LIMITS,
        "up": of.policy.up.model_copy(update={"kv_cache_usage": 0.65}),
        "down": of.policy.down.model_copy(update={"kv_cache_usage": 0.55}),
        "up_window": Window(agreeing=2, samples=4),
        "up_cooldown_seconds": 60.0,
        "down_cooldown_seconds": 300.0,
    }
    letter = {"down": Thresholds(kv_cache_usage=0.3, waiting=0, first_token_seconds=1), "look_ahead": None}
    policies = {
        OURS: of.policy,
        EARLY: of.policy.model_copy(update=early),
        LETTER: of.policy.model_copy(update=letter),
    }
    return {
        **{name: partial(Ours, name, policy) for name, policy in policies.items()},
        "HPA": lambda compute: Wanted(Hpa(target), compute),
        "KPA": lambda compute: Wanted(Kpa(target), compute),
        "KEDA": lambda compute: Wanted(Keda(), compute),
        "SkyServe": lambda compute: Wanted(SkyServe(rate), compute),
        "none": lambda compute: Wanted(Nobody(), compute),
    }


def replay(of: Setting, name: str, seed: int = 0) -> Outcome:
    """Return what one autoscaler did with the trace."""
    compute = Compute(FAULTS, seed)
    control = controls(of)[name](compute)
    fleet = Fleet(of.owned, of.worker, compute, of.most_held)
    logging.getLogger("autoscaler").setLevel(logging.ERROR)
    fleet.play(arrivals(of.trace, of.max_model_tokens, seed), of.trace.seconds, control)
    end = fleet.now
    hours = sum(machine.billed_seconds(end) for machine in fleet.machines.values()) / 3_600
    return Outcome(
        scaler=name,
        stage=of.stage,
        trace=of.trace.name,
        factor=of.factor,
        requests=fleet.requests,
        refused=fleet.refused,
        usd=hours * of.usd_per_hour,
        worker_hours=hours,
        launched=len(fleet.machines),
        actions=control.actions,
        minutes=fleet.ledger.minutes,
    )


def _mean_lengths(of: Trace) -> tuple[float, float]:
    requests = sum(part.rate for part in of.parts) or 1.0
    prompt = sum(part.rate * part.prompt_tokens for part in of.parts) / requests
    return prompt, sum(part.rate * part.answer_tokens for part in of.parts) / requests


def _first(requests: Iterator[Request], number: int) -> Iterator[Request]:
    for _, request in zip(range(number), requests, strict=False):
        yield request
