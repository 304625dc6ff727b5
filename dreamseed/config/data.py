"""Sections `postgres`, `redis` and `kafka`: what the service stores, caches and streams."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from dreamseed.config.types import (
    Count,
    CountOrZero,
    DatabaseName,
    Gib,
    Hours,
    ImageReference,
    Mib,
    ResourceName,
    Section,
    immutable,
    refuse,
)

# Instances per server, by server name; null spreads them evenly, first servers first.
Placement = Mapping[ResourceName, CountOrZero] | None


def _check_placement(placement: Placement, total: int, noun: str) -> None:
    if placement is not None and sum(placement.values()) != total:
        raise refuse(
            f"holds {sum(placement.values())} {noun}, the section asks for {total}",
            "a placement says on which server each of them stands",
            f"counts that add up to {total}, or null to spread them evenly",
            at="placement",
        )


class PgBouncer(Section):
    """The connection pooler in front of the primary."""

    max_client_connections: int = Field(ge=1, le=10_000, description="clients that may be connected")
    pool_size: Count = Field(description="server connections of one pooler")


class Postgres(Section):
    """The database: Patroni from the first stage on, so that later stages only add replicas."""

    image: ImageReference = Field(description="the owners' PostgreSQL image, by digest")
    database: DatabaseName = immutable("name of the database")
    instances: Count = Field(le=9, description="primary and replicas of one shard")
    placement: Placement = Field(default=None, description="instances per server, or null for even")
    shards: Count = Field(le=10, description="independent clusters; adding one leaves the others untouched")
    synchronous_standbys: CountOrZero = Field(le=8, description="standbys that confirm a commit")
    max_connections: int = Field(ge=1, le=10_000, description="server connections of one instance")
    memory_mib: Mib = Field(description="memory limit of one instance")
    disk_gib: Gib = Field(description="planned size of one instance's volume")
    pgbouncer: PgBouncer

    @model_validator(mode="after")
    def _consistent(self) -> Postgres:
        _check_placement(self.placement, self.instances, "instances")
        if self.synchronous_standbys >= self.instances:
            raise refuse(
                f"asks for {self.synchronous_standbys} synchronous standbys of {self.instances} instances",
                "the primary is not its own standby: a commit would wait for ever",
                f"synchronous_standbys of at most {self.instances - 1}",
            )
        return self


class EvictionPolicy(StrEnum):
    """What Redis does when it is full. Source: Redis documentation, key eviction."""

    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    VOLATILE_LRU = "volatile-lru"
    NOEVICTION = "noeviction"


class Redis(Section):
    """The cache, in cluster mode from its first node on, so that growing never restarts a node."""

    masters: CountOrZero = Field(le=32, description="nodes that hold slots; 0 for no cache")
    replicas_per_master: CountOrZero = Field(le=3, description="replicas of each master")
    placement: Placement = Field(default=None, description="nodes per server, or null for even")
    maxmemory_mib: Mib = Field(description="cache size of one node")
    eviction: EvictionPolicy = Field(description="what is dropped when the cache is full")

    @property
    def nodes(self) -> int:
        """Return masters plus replicas."""
        return self.masters * (1 + self.replicas_per_master)

    @model_validator(mode="after")
    def _consistent(self) -> Redis:
        _check_placement(self.placement, self.nodes, "nodes")
        if self.masters == 2:
            raise refuse(
                "asks for 2 masters",
                "two masters cannot form a majority, so neither can be replaced by its replica",
                "masters: 1 (no failover), or 3 and more",
            )
        return self


class Topic(Section):
    """One Kafka topic."""

    name: ResourceName = Field(description="the topic's name")
    partitions: Count = Field(description="partitions; they can grow, never shrink")
    retention_hours: Hours = Field(description="how long an event is kept")


class Kafka(Section):
    """The event stream: KRaft, brokers numbered from 1."""

    brokers: CountOrZero = Field(le=32, description="brokers; 0 for no event stream")
    placement: Placement = Field(default=None, description="brokers per server, or null for even")
    replication_factor: Count = Field(le=9, description="copies of each partition")
    min_insync_replicas: Count = Field(le=9, description="copies that must confirm a write")
    memory_mib: Mib = Field(description="memory limit of one broker")
    heap_mib: Mib = Field(description="Java heap of one broker")
    disk_gib: Gib = Field(description="planned size of one broker's volume")
    topics: tuple[Topic, ...] = Field(min_length=1, description="the topics that exist, with how long each is kept")

    @field_validator("topics")
    @classmethod
    def _distinct(cls, topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
        names = [topic.name for topic in topics]
        for name in names:
            if names.count(name) > 1:
                raise refuse(f"has two topics called {name}", "a topic is found by its name", "one entry a topic")
        return topics

    @model_validator(mode="after")
    def _consistent(self) -> Kafka:
        _check_placement(self.placement, self.brokers, "brokers")
        if self.brokers and self.replication_factor > self.brokers:
            raise refuse(
                f"replication_factor {self.replication_factor} is above the {self.brokers} brokers",
                "each copy of a partition stands on a broker of its own",
                f"replication_factor of at most {self.brokers}",
            )
        most = max(1, self.replication_factor - 1)  # a single copy confirms alone
        if self.min_insync_replicas > most:
            raise refuse(
                f"min_insync_replicas {self.min_insync_replicas} is not below replication_factor "
                f"{self.replication_factor}",
                "losing one broker would stop every write",
                f"min_insync_replicas of at most {most}",
            )
        if self.heap_mib * 2 > self.memory_mib:
            raise refuse(
                f"heap_mib {self.heap_mib:,} is above half of memory_mib {self.memory_mib:,}",
                "Kafka reads and writes through the page cache, which counts against the limit",
                f"heap_mib of at most {self.memory_mib // 2:,}",
            )
        return self
