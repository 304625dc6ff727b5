"""Section `usage`: how much of what is billed by use the stage is expected to use, as low, expected and high.

Nothing here changes a resource: only estimates of cost read it. More is always dearer, so that all low figures together
are the cheapest month and all high ones the dearest. Sources stand at the figures in Pulumi.yaml.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from dreamseed.config.types import Between, Section, refuse
from dreamseed.interval import Interval

Amount = Annotated[float, Between(0.0, 1_000_000_000.0)]
Share = Annotated[float, Between(0.0, 1.0)]


class Range(Section):
    """A quantity that is not known exactly."""

    low: Amount = Field(description="the cheapest month's figure")
    expected: Amount = Field(description="the expected figure")
    high: Amount = Field(description="the dearest month's figure")

    @property
    def interval(self) -> Interval:
        """Return the three figures as an interval."""
        return Interval(self.low, self.expected, self.high)

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low <= self.expected <= self.high:
            raise refuse(
                f"low {self.low:g}, expected {self.expected:g} and high {self.high:g} do not rise",
                "the cheapest month uses least and the dearest most; a stage file may replace single shared figures",
                "three rising figures, or three equal ones where the quantity is known",
            )
        return self


class ShareRange(Range):
    """A share from 0 to 1 that is not known exactly."""

    low: Share = Field(description="the cheapest month's share")
    expected: Share = Field(description="the expected share")
    high: Share = Field(description="the dearest month's share")


class Tariff(StrEnum):
    """By what the owners' electricity is billed: one price, or the steps of the Korean provider's tariffs."""

    FLAT = "flat"
    KEPCO_RESIDENTIAL = "kepco_residential"
    KEPCO_INDUSTRIAL = "kepco_industrial"


class Commitment(StrEnum):
    """For how long spending at Google Cloud is promised, for a discount."""

    NONE = "none"
    ONE_YEAR = "one_year"
    THREE_YEARS = "three_years"


class BurstPricing(StrEnum):
    """How the workers that bridge a peak are bought."""

    SPOT = "spot"
    ON_DEMAND = "on_demand"


class Usage(Section):
    """What the stage is expected to use in a month; only estimates of cost read it, and more is always dearer."""

    load_factor: ShareRange = Field(description="average requests/s over requests_per_second_low, which is a peak")
    request_milliseconds: Range = Field(description="time that an API request is open, generations apart")
    request_cpu_milliseconds: Range = Field(description="vCPU time of an API request")
    warm_spread_ratio: ShareRange = Field(
        description="how Cloud Run spreads requests over warm instances: 0 fills one first, 1 spreads evenly"
    )
    generations_per_active_user_day: Range = Field(description="answers generated a daily active user and day")
    tokens_per_generation: Range = Field(description="tokens of an answer")
    generation_seconds: Range = Field(description="time that a generation keeps its API request open")
    response_kb: Range = Field(description="kB that an API response sends to its user, compressed")
    streamed_bytes_per_token: Range = Field(description="bytes that a streamed token takes on its way to the user")
    backend_kb: Range = Field(description="kB that the API sends to the servers for a request, through the tunnel")
    content_mb_per_active_user_day: Range = Field(description="MB of learning content a daily active user and day")
    edge_miss_ratio: ShareRange = Field(description="share of content that Cloudflare's edge does not hold")
    log_kb_per_request: Range = Field(description="kB that Cloud Logging keeps of a request")
    stored_ratio: ShareRange = Field(description="share of object_store.planned_gib that is stored")
    overwritten_ratio: ShareRange = Field(description="share of what is stored that is overwritten in 30 days")
    backup_ratio: ShareRange = Field(description="share of what is stored that is backups, copied to a second site")
    database_gib: Range = Field(description="size of the database, as a disaster's landing place holds it")
    refresh_minutes: Range = Field(description="time that a load of the landing place runs")
    burst_hours: Range = Field(description="hours of one worker that bridges peaks; nothing where there is none")
    vpn_gib: Range = Field(description="GiB through the VPN to the servers")
    nat_gib: Range = Field(description="GiB through address translation")
    registry_gib: Range = Field(description="GiB of images kept in the registry")
    grafana_series: Range = Field(description="active series written to the hosted Grafana")
    gpu_idle_watts: Range = Field(description="draw of an idle card")
    gpu_busy_watts: Range = Field(description="draw of a busy card")
    gpu_busy_ratio: ShareRange = Field(description="share of the time that cards are busy")
    host_watts: Range = Field(description="draw of a server without its cards")
    reserve_usd_per_month: Range = Field(description="money that the growth plan sets aside")
    gpu_lifetime_months: int = Field(ge=1, le=120, description="months over which a card's purchase is spread")
    tariff: Tariff = Field(description="by what electricity is billed")
    commitment: Commitment = Field(description="for how long spending at Google Cloud is promised")
    burst_pricing: BurstPricing = Field(description="how workers that bridge peaks are bought")
