"""Sections `api`, `edge`, `object_store`, `disaster_recovery` and `network`: what runs in clouds."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, model_validator

from dreamseed.config.types import (
    BucketPrefix,
    Count,
    CountOrZero,
    Days,
    Gib,
    HexId,
    Hours,
    ImageReference,
    Minutes,
    PrivateAddress,
    PrivateNetwork,
    PublicAddress,
    ResourceName,
    Seconds,
    Section,
    SshPublicKey,
    Usd,
    Utilization,
    WitnessMachine,
    immutable,
    refuse,
)

# Memory that Cloud Run asks for at least with a number of vCPUs, in GiB.
# Source: cloud.google.com/run/docs/configuring/services/cpu, read 2026-11-22 (docs/surprises.md, section 1).
CLOUD_RUN_MIN_MEMORY_GIB = {1: 1, 2: 1, 4: 2, 6: 4, 8: 4}
CLOUD_RUN_MAX_MEMORY_GIB = 32


class Billing(StrEnum):
    """How Cloud Run bills CPU: while a request runs, or while an instance lives."""

    REQUEST = "request"
    INSTANCE = "instance"


class Exposure(StrEnum):
    """How the edge reaches Cloud Run."""

    DOMAIN_MAPPING = "domain_mapping"
    LOAD_BALANCER = "load_balancer"


class Api(Section):
    """The Cloud Run service, within bounds."""

    name: ResourceName = immutable("name of the Cloud Run service")
    image: ImageReference = Field(description="the API's image, by digest")
    tunnel_image: ImageReference = Field(description="the tunnel sidecar's image, by digest")
    min_instances: CountOrZero = Field(le=1_000, description="instances kept warm")
    max_instances: Count = Field(description="instances at most")
    warm_cap_usd_per_month: Usd = Field(
        description="what instances kept warm above min_instances, while the API's p99 alert fires, may cost; 0: none"
    )
    cpu: Count = Field(description="vCPU of one instance")
    memory_gib: Gib = Field(description="memory of one instance, in GiB")
    concurrency: Count = Field(description="requests that one instance handles at once")
    request_timeout_seconds: Seconds = Field(le=3_600, description="longest request")
    billing: Billing = Field(description="what Cloud Run bills: requests (idle instances are cheap) or instances")
    cpu_utilization_target: Utilization = Field(description="CPU share at which Cloud Run adds instances")
    concurrency_utilization_target: Utilization = Field(description="share of `concurrency` at which it does")
    preview_scaling_targets: bool = Field(description="set the two targets (a preview feature: launch stage BETA)")
    database_pool_size: Count = Field(description="database connections of one instance")
    exposure: Exposure = Field(description="how the edge reaches the API; a load balancer has a fixed monthly fee")

    @model_validator(mode="after")
    def _consistent(self) -> Api:
        if self.min_instances > self.max_instances:
            raise refuse(
                f"min_instances {self.min_instances} is above max_instances {self.max_instances}",
                "Cloud Run keeps at least the minimum and never more than the maximum",
                f"min_instances of at most {self.max_instances}",
            )
        if self.cpu not in CLOUD_RUN_MIN_MEMORY_GIB:
            raise refuse(
                f"asks for {self.cpu} vCPU",
                "Cloud Run knows 1, 2, 4, 6 and 8 vCPU",
                f"cpu: one of {', '.join(map(str, CLOUD_RUN_MIN_MEMORY_GIB))}",
            )
        least = CLOUD_RUN_MIN_MEMORY_GIB[self.cpu]
        if not least <= self.memory_gib <= CLOUD_RUN_MAX_MEMORY_GIB:
            raise refuse(
                f"asks for {self.memory_gib} GiB with {self.cpu} vCPU",
                f"Cloud Run allows {least} to {CLOUD_RUN_MAX_MEMORY_GIB} GiB with {self.cpu} vCPU",
                f"memory_gib between {least} and {CLOUD_RUN_MAX_MEMORY_GIB}",
            )
        return self


class CloudflarePlan(StrEnum):
    """The zone's plan. Source: cloudflare.com/plans as transcribed 2026-10-07."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"


class Frequency(StrEnum):
    """How Cloudflare bills the plan; by the month it costs a quarter more."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


class Edge(Section):
    """The zone at Cloudflare and the tunnels to the servers."""

    account_id: HexId = immutable("Cloudflare account")
    plan: CloudflarePlan = Field(description="the zone's plan, which decides price, cache rules and firewall")
    billing: Frequency = Field(description="how the plan is paid; by the month it costs a quarter more")
    tiered_cache: bool = Field(description="Smart Tiered Cache: misses ask an upper data centre first")
    tunnel_connectors: Count = Field(le=4, description="tunnel connectors on each server")
    rate_limit_requests: Count = Field(description="requests one address may make in a period")
    rate_limit_period_seconds: Seconds = Field(description="that period; the plan bounds it")


class ObjectStore(Section):
    """Backblaze B2 buckets."""

    region: ResourceName = immutable("Backblaze region of the account, such as us-west-004")
    bucket_prefix: BucketPrefix = immutable("prefix of the bucket names, which are global")
    planned_gib: Gib = Field(description="what the stage is expected to store in all buckets")
    backup_lock_days: Days = Field(description="days in which no backup can be deleted (object lock)")
    hidden_version_days: Days = Field(description="days until an overwritten or hidden version is deleted")
    second_region: ResourceName | None = Field(description="region of the second account, or null")


class RecoveryKind(StrEnum):
    """What stands by in the cloud."""

    NONE = "none"
    LANDING = "landing"
    STANDBY = "standby"


class DisasterRecovery(Section):
    """Cloud SQL beside the WAL archive, which alone bears the RPO (plan, section 12.9)."""

    kind: RecoveryKind = Field(description="none, landing (stopped Cloud SQL) or standby (Cloud SQL HA)")
    active: bool = Field(description="true while a disaster lasts: the restore VM exists and Cloud SQL runs")
    from_second_site: bool = Field(description="true where the object store's first region is lost too")
    rpo_minutes: Minutes = Field(description="data that may be lost at most, borne by the WAL archive")
    rto_minutes: Minutes = Field(description="time until a restored database takes writes, at most")
    restore_mb_per_second: int = Field(
        ge=1, le=10_000, description="speed of a restore, in 10^6 bytes of database; each drill measures it again"
    )
    refresh_hours: Hours = Field(description="age that a landing Cloud SQL's data may reach: its own RPO")
    cpu: Count = Field(le=96, description="vCPU of the Cloud SQL instance")
    memory_mib: int = Field(ge=3_840, le=638_976, description="memory of the Cloud SQL instance, a multiple of 256")
    disk_gib: Gib = Field(ge=10, description="first disk size; it grows by itself")

    @model_validator(mode="after")
    def _consistent(self) -> DisasterRecovery:
        if self.cpu != 1 and self.cpu % 2:
            raise refuse(
                f"asks for {self.cpu} vCPU",
                "a custom Cloud SQL machine has one vCPU or an even number of them",
                f"cpu: {self.cpu + 1}",
            )
        if self.memory_mib % 256 or not 922 <= self.memory_mib / self.cpu <= 6_656:
            raise refuse(
                f"asks for {self.memory_mib:,} MiB with {self.cpu} vCPU",
                "a custom Cloud SQL machine has 922 to 6,656 MiB for each vCPU, in steps of 256 MiB",
                f"memory_mib: {self.cpu * 4_096}",
            )
        return self


class Vpn(Section):
    """The HA VPN to the owners' router. Two tunnels, BGP over link-local addresses."""

    peer_address: PublicAddress = Field(description="the router's static public address")
    peer_asn: int = Field(ge=64_512, le=65_534, description="the router's private BGP number")
    cloud_asn: int = Field(ge=64_512, le=65_534, description="the cloud's private BGP number")

    @model_validator(mode="after")
    def _distinct(self) -> Vpn:
        if self.peer_asn == self.cloud_asn:
            raise refuse(
                f"peer_asn and cloud_asn are both {self.peer_asn}",
                "the two ends of a BGP session between networks have different numbers",
                f"cloud_asn: {self.peer_asn - 1 if self.peer_asn > 64_512 else self.peer_asn + 1}",
            )
        return self


class Witness(Section):
    """A small VM that votes, so that either of two servers may be lost."""

    machine_type: WitnessMachine = Field(description="an e2 machine")
    address: PrivateAddress = immutable("its address in the cloud network")
    cpu_cores: Count = Field(description="vCPU of the machine")
    memory_gib: Gib = Field(description="memory of the machine")
    disk_gib: Gib = Field(ge=10, description="its disk")
    ssh_public_key: SshPublicKey = Field(description="public key of whoever runs the program")


class Network(Section):
    """The cloud network, the servers' container networks and the links between them."""

    cloud_range: PrivateNetwork = immutable("addresses of the cloud network")
    container_range: PrivateNetwork = immutable("addresses of the container networks on the servers")
    servers_range: PrivateNetwork = immutable("the servers' own network")
    vpn: Vpn | None = Field(description="HA VPN, or null")
    witness: Witness | None = Field(description="the witness VM, or null")
    packet_filter_image: ImageReference = Field(description="the owners' packet filter of the servers, by digest")
    wireguard_image: ImageReference = Field(description="what encrypts between the owners' servers, by digest")
