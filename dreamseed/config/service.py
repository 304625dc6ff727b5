"""Section `service`: what the service is called and where it lives."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from dreamseed.config.types import (
    BillingAccount,
    DomainName,
    Email,
    GithubRepository,
    ProjectId,
    Region,
    ResourceName,
    Section,
    Stage,
    Zone,
    immutable,
    refuse,
)


class Capacity(Section):
    """The users that a stage is built for. Source: the growth plan, section 1."""

    sign_ups: int = Field(ge=1, le=100_000_000, description="users who signed up")
    concurrent_users: int = Field(ge=1, le=10_000_000, description="users at the same time, at peak")
    daily_active_users: int = Field(ge=1, le=100_000_000, description="users a day")
    requests_per_second_low: int = Field(ge=1, le=1_000_000, description="API requests/s, lower planned peak")
    requests_per_second_high: int = Field(ge=1, le=1_000_000, description="API requests/s, upper planned peak")

    @model_validator(mode="after")
    def _ordered(self) -> Capacity:
        if self.requests_per_second_low > self.requests_per_second_high:
            raise refuse(
                f"requests_per_second_low {self.requests_per_second_low} is above requests_per_second_high "
                f"{self.requests_per_second_high}",
                "the plan gives a range of peak requests per second",
                "the smaller figure as requests_per_second_low",
            )
        if self.concurrent_users > self.sign_ups:
            raise refuse(
                f"{self.concurrent_users} concurrent users of {self.sign_ups} sign-ups",
                "nobody uses the service without having signed up",
                f"concurrent_users of at most {self.sign_ups}",
            )
        return self


class Service(Section):
    """What the service is called, where it lives and for how many users this stage is built."""

    stage: Stage = Field(description="the growth stage that this file describes")
    name: ResourceName = immutable("prefix of every resource's name")
    domain: DomainName = immutable("the zone at Cloudflare")
    time_zone: str = Field(description="the service's calendar, for days in gates and reports")
    gcp_project: ProjectId = immutable("Google Cloud project id")
    billing_account: BillingAccount = Field(description="Google Cloud billing account that the budget hangs on")
    region: Region = immutable("Google Cloud region of every regional resource")
    zone: Zone = immutable("Google Cloud zone of every zonal resource")
    github_repository: GithubRepository = Field(description="the only repository whose workflows may deploy")
    operations_email: Email = Field(description="where alerts and budget notices go")
    capacity: Capacity

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise refuse(
                f"'{value}' is not a time zone",
                "days in gates and reports are calendar days of the service's time zone",
                "a name of the IANA database such as Asia/Seoul",
            ) from error
        return value

    @model_validator(mode="after")
    def _zone_in_region(self) -> Service:
        if not self.zone.startswith(f"{self.region}-"):
            raise refuse(
                f"zone {self.zone} is not in region {self.region}",
                "regional and zonal resources of one stage stand beside each other",
                f"a zone such as {self.region}-a",
            )
        return self
