"""Sections `backup`, `monitoring`, `slo`, `budget` and `next_stage`: how the stage is run."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from dreamseed.config.types import (
    Count,
    Day,
    Days,
    Email,
    ImageReference,
    MailServer,
    Milliseconds,
    Minutes,
    PositiveUsd,
    Ratio,
    Seconds,
    Section,
    Usd,
    refuse,
)


class Backup(Section):
    """How the database is kept. Continuous means WAL with a short archive timeout."""

    wal_archive: bool = Field(description="ship WAL to the object store as it is written")
    archive_timeout_seconds: Seconds = Field(description="a WAL segment is shipped at least this often")
    full_every_days: Days = Field(description="days between full backups")
    incremental_every_hours: int | None = Field(ge=1, le=168, description="hours between incrementals, or null")
    keep_full: Count = Field(le=400, description="full backups kept")
    wal_retention_days: Days = Field(description="days that any second can be restored to")
    second_site: bool = Field(description="copy backups to the object store's second region")
    drill_every_days: Days = Field(description="days between restore drills")


class GrafanaCloud(StrEnum):
    """The hosted Grafana. Source: grafana.com/pricing as transcribed 2026-05-25."""

    NONE = "none"
    FREE = "free"
    PRO = "pro"


class Mail(Section):
    """How alerts go by e-mail to the service's operations_email: by TLS, with a password of the stack's secrets."""

    server: MailServer = Field(description="the server that takes mail from us")
    sender: Email = Field(description="whom the mails are from")
    user: str = Field(min_length=1, max_length=254, description="who logs in there")


class Monitoring(Section):
    """What is measured and for how long it is kept."""

    scrape_interval_seconds: Seconds = Field(le=300, description="seconds between two scrapes")
    evaluation_interval_seconds: Seconds = Field(le=300, description="seconds between two rule evaluations")
    retention_days: Days = Field(description="days that the local metrics are kept")
    dashboards: bool = Field(description="Grafana on the first server")
    grafana_cloud: GrafanaCloud = Field(
        description="plan of the hosted Grafana that keeps alerts when the server is gone"
    )
    disk_gib: Count = Field(description="planned size of the metrics' volume")
    cost_exporter_image: ImageReference = Field(description="the owners' cost exporter, by digest")
    mail: Mail


class Slo(Section):
    """The objectives. Source: the growth plan, section 5."""

    availability: Ratio = Field(ge=0.9, le=0.99999, description="share of good requests over 30 days")
    api_p95_ms: Milliseconds = Field(description="95 % of API requests are faster")
    api_p99_ms: Milliseconds = Field(description="99 % of API requests are faster")
    generation_p95_ms: Milliseconds = Field(description="95 % of generations are faster")
    tokens_per_second_per_gpu: int = Field(ge=1, le=100_000, description="generated tokens/s a GPU")
    max_5xx_ratio: Ratio = Field(description="share of API answers that may be 5xx")
    max_generation_failure_ratio: Ratio = Field(description="share of generations that may fail")

    @model_validator(mode="after")
    def _ordered(self) -> Slo:
        if self.api_p95_ms > self.api_p99_ms:
            raise refuse(
                f"api_p95_ms {self.api_p95_ms} is above api_p99_ms {self.api_p99_ms}",
                "the 99th percentile is never below the 95th",
                "the smaller figure as api_p95_ms",
            )
        return self


class AcceptedOverrun(Section):
    """A known overrun that somebody accepted, for a time."""

    usd_per_month: PositiveUsd = Field(description="accepted above the budget")
    reason: str = Field(min_length=20, description="why, in a sentence that the CFO signed")
    until: Day = Field(description="the last day on which it is accepted")


class Guardrails(Section):
    """What a change may do to the cost before somebody has to look at it."""

    change_usd_per_month: PositiveUsd = Field(description="a change may add this much to the expected cost")
    change_percent: int = Field(ge=1, le=1_000, description="a change may add this share to the expected cost")
    worst_case_usd_per_month: PositiveUsd = Field(description="the cost with every figure high stays below this")


class Budget(Section):
    """What the stage may cost. Source: the plan's completion checklist (section 12.3)."""

    usd_per_month: PositiveUsd = Field(description="the stage's budget")
    alert_percent: tuple[int, ...] = Field(min_length=1, description="shares of the budget that are announced")
    cloud_share_usd_per_month: PositiveUsd = Field(description="the part that Google Cloud bills")
    accepted_overrun: AcceptedOverrun | None = Field(description="a known overrun, or null")
    guardrails: Guardrails

    @field_validator("alert_percent")
    @classmethod
    def _rising(cls, percents: tuple[int, ...]) -> tuple[int, ...]:
        if list(percents) != sorted(set(percents)) or percents[0] < 1 or percents[-1] > 100:
            raise refuse(
                f"is {list(percents)}, not rising percentages from 1 to 100",
                "alerts fire one after the other as the month's cost grows to the budget",
                "percentages such as [50, 80, 90, 100]",
            )
        return percents

    @model_validator(mode="after")
    def _part(self) -> Budget:
        if self.cloud_share_usd_per_month > self.usd_per_month:
            raise refuse(
                f"cloud_share_usd_per_month {self.cloud_share_usd_per_month:g} is above usd_per_month "
                f"{self.usd_per_month:g}",
                "Google Cloud bills a part of the stage's budget",
                f"cloud_share_usd_per_month of at most {self.usd_per_month:g}",
            )
        if self.guardrails.worst_case_usd_per_month < self.usd_per_month:
            raise refuse(
                f"worst_case_usd_per_month {self.guardrails.worst_case_usd_per_month:g} is below usd_per_month "
                f"{self.usd_per_month:g}",
                "the worst case is never cheaper than what the stage may cost as expected",
                f"worst_case_usd_per_month of at least {self.usd_per_month:g}",
                at="guardrails",
            )
        return self


class NextStage(Section):
    """When the next stage is due: any one trigger opens its review. Source: the plan, sections 3, 12.16."""

    sign_ups: int = Field(ge=1, description="sign-ups above this")
    concurrent_users: int = Field(ge=1, description="concurrent users at or above this, sustained")
    sustained_days: Days = Field(description="known days in a row")
    api_p95_ms: Milliseconds | None = Field(description="API p95 above this, or null")
    gpu_utilization: Ratio | None = Field(description="GPU utilisation above this, or null")
    gpu_utilization_minutes: Minutes | None = Field(description="for this long, or null")
    queue_wait_seconds: Seconds | None = Field(description="GPU queue wait above this, or null")
    cache_miss_ratio: Ratio | None = Field(description="cache misses above this, or null")
    database_tps: int | None = Field(ge=1, description="database transactions/s above this, or null")
    network_mbit_per_second: int | None = Field(ge=1, description="network above this, or null")
    extra_usd_per_month: Usd = Field(description="the next stage's budget minus this one's")
