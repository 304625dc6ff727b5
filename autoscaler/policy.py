"""What the autoscaler is told once: thresholds, times, workers and money. Everything is data.

The rule is the growth plan's (section 4): up when utilisation > 0.85, or more than 10 wait, or latency > 5 s; down when
utilisation < 0.30, none waits and latency < 1 s; five minutes between changes; two spot workers at most. Three of its
words are made exact (its section 12.11):

- Utilisation is the share of the fleet's KV cache in use, not the card's: a single request fills a card's
  utilisation (dcgm-exporter #301), and it fell from 94 % to 56 % as concurrency rose (vLLM #6105).
- Latency is the time to the first token: that of a whole answer depends on how long it is, and is above 1 s for most.
- The fleet is down already below 0.60: a spot worker adds a twentieth of the fleet's cache, so that 0.30 would keep
  it for hours in which the owners' cards are enough. `docs/reference/autoscaler.md` shows the plan's letter beside it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seconds = Annotated[float, Field(ge=0, le=31_536_000, allow_inf_nan=False)]
Usd = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Hours = Annotated[float, Field(ge=0, le=744, allow_inf_nan=False)]


class Exact(BaseModel):
    """A record that never changes and refuses what it does not know; times are Unix seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Thresholds(Exact):
    """A level of each signal: share of the KV cache, requests that wait in all, seconds to the first token (mean)."""

    kv_cache_usage: Share
    waiting: float = Field(ge=0, allow_inf_nan=False)
    first_token_seconds: Seconds


class Window(Exact):
    """How many of the newest samples must agree: `agreeing` of `samples`."""

    agreeing: int = Field(ge=1)
    samples: int = Field(ge=1, le=240)

    @model_validator(mode="after")
    def _possible(self) -> Window:
        if self.agreeing > self.samples:
            raise ValueError(f"{self.agreeing} of {self.samples} samples can never agree; write at most {self.samples}")
        return self


class Zone(Exact):
    """Where a worker may stand, and what its hour costs there at most, in USD; no price, no worker."""

    name: str = Field(min_length=1)
    usd_per_hour: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    price_expires_at: float = Field(allow_inf_nan=False)


class Spending(Exact):
    """What may be spent: every limit holds for the worst case, in which each worker runs to its own end."""

    cap_usd_per_month: Usd
    max_hours_per_episode: Hours = 6
    max_worker_hours_per_day: Hours = 12
    failures_to_break: int = Field(default=3, ge=1)
    break_seconds: Seconds = 3_600
    stock_out_seconds: Seconds = 900


class Life(Exact):
    """Times of a worker's life.

    `cold_start_seconds` is from the request to the first answer; `start_allowance_seconds` the longest time from a
    request to a machine that runs, by which the machine's own end comes earlier than the label says.
    """

    max_run_seconds: Seconds = 21_600
    min_serving_seconds: Seconds = 600
    cold_start_seconds: Seconds = 480
    start_allowance_seconds: Seconds = 300
    start_timeout_seconds: Seconds = 1_800
    listing_seconds: Seconds = 120
    drain_seconds: Seconds = 120

    @model_validator(mode="after")
    def _useful(self) -> Life:
        needed = self.start_allowance_seconds + self.cold_start_seconds + self.min_serving_seconds + self.drain_seconds
        if self.max_run_seconds < needed:
            raise ValueError(
                f"max_run_seconds {self.max_run_seconds:g} ends before a worker has started, served and drained "
                f"({needed:g} s); write at least {needed:g}"
            )
        return self


class Purchase(Exact):
    """What the alert about a card to buy says: what it costs and how long it takes to come."""

    card: str
    usd: Usd
    lead_days: int = Field(ge=0)
    repeat_seconds: Seconds = 604_800


class LookAhead(Exact):
    """The daily pattern: how the load of the same time on earlier days counts. `weight` is that of the newest day."""

    bin_seconds: int = Field(default=600, ge=60, le=86_400)
    weight: Share = 0.5
    resemblance: Share = 0.7


class Policy(Exact):
    """Everything `decide` needs beside state, observation and the time.

    `owner` marks the workers as this daemon's. Capacities are KV tokens of all the owners' engines and of one worker.
    """

    owner: str = Field(pattern=r"^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$")
    max_workers: int = Field(ge=0, le=2)
    owned_kv_tokens: int = Field(gt=0)
    worker_kv_tokens: int = Field(gt=0)
    up: Thresholds = Thresholds(kv_cache_usage=0.85, waiting=10, first_token_seconds=5)
    down: Thresholds = Thresholds(kv_cache_usage=0.60, waiting=0, first_token_seconds=1)
    up_window: Window = Window(agreeing=3, samples=5)
    down_window: Window = Window(agreeing=18, samples=20)
    stale_seconds: Seconds = 60
    up_cooldown_seconds: Seconds = 300
    down_cooldown_seconds: Seconds = 600
    zones: tuple[Zone, ...]
    spending: Spending
    life: Life = Life()
    purchase: Purchase
    look_ahead: LookAhead | None = None

    @model_validator(mode="after")
    def _apart(self) -> Policy:
        for signal in ("kv_cache_usage", "waiting", "first_token_seconds"):
            low, high = getattr(self.down, signal), getattr(self.up, signal)
            if low >= high:
                raise ValueError(
                    f"down.{signal} {low:g} is not below up.{signal} {high:g}, so that one sample would ask for both; "
                    f"write less than {high:g}"
                )
        return self
