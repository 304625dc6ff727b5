"""A whole stage file: sections together, and the rules that concern more than one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, model_validator

from dreamseed.config.cloud import Api, DisasterRecovery, Edge, Network, ObjectStore, RecoveryKind
from dreamseed.config.compute import Server, Vllm
from dreamseed.config.data import Kafka, Postgres, Redis
from dreamseed.config.keys import Exchange, Key, KeyName
from dreamseed.config.messages import to_config_errors
from dreamseed.config.operations import Backup, Budget, Monitoring, NextStage, Slo
from dreamseed.config.service import Service
from dreamseed.config.types import ResourceName, Section, refuse
from dreamseed.config.usage import Usage

WITNESS = "witness"
"""The name of the host that the witness VM is."""


class StageConfig(Section):
    """One growth stage: intent only; what it means is computed by the plan."""

    service: Service
    servers: Mapping[ResourceName, Server] = Field(
        min_length=1, max_length=8, description="the owners' servers by name"
    )
    vllm: Vllm
    postgres: Postgres
    redis: Redis
    kafka: Kafka
    api: Api
    edge: Edge
    object_store: ObjectStore
    backup: Backup
    disaster_recovery: DisasterRecovery
    network: Network
    monitoring: Monitoring
    slo: Slo
    usage: Usage
    budget: Budget
    next_stage: NextStage | None = Field(description="thresholds of the next stage, or null at the last")
    keys: Mapping[Key, Exchange] = Field(
        default_factory=dict, description="generations of keys that were exchanged; `dreamseed keys rotate` writes them"
    )

    @model_validator(mode="after")
    def _servers_are_distinct(self) -> StageConfig:
        for label in ("private_address", "docker_host"):
            values = [str(getattr(server, label)) for server in self.servers.values()]
            for value in values:
                if values.count(value) > 1:
                    raise refuse(
                        f"two servers have the {label} {value}",
                        "a server is one machine, one fault domain and one Docker Engine",
                        f"a {label} of its own for each server",
                        at="servers",
                    )
        return self

    @model_validator(mode="after")
    def _witness_is_no_server(self) -> StageConfig:
        if WITNESS in self.servers:
            raise refuse(
                f"a server is called {WITNESS}",
                "that is the name of the VM that votes from the cloud",
                "another name, such as server-3",
                at="servers",
            )
        return self

    @model_validator(mode="after")
    def _placements_name_servers(self) -> StageConfig:
        for label in ("postgres", "redis", "kafka"):
            section: Postgres | Redis | Kafka = getattr(self, label)
            for name in section.placement or {}:
                if name not in self.servers:
                    raise refuse(
                        f"there is no server '{name}'",
                        "a placement counts instances per server of this stage",
                        f"one of {', '.join(self.servers)}",
                        at=f"{label} › placement",
                    )
        return self

    @model_validator(mode="after")
    def _second_site_has_a_region(self) -> StageConfig:
        if self.backup.second_site and self.object_store.second_region is None:
            raise refuse(
                "is true, but object_store › second_region is null",
                "a second site is a bucket in another region, in an account of its own",
                "object_store.second_region: eu-central-003, or backup.second_site: false",
                at="backup › second_site",
            )
        if self.object_store.second_region == self.object_store.region:
            raise refuse(
                f"is {self.object_store.region}, the same as region",
                "one event can take a whole region",
                "another region, such as eu-central-003",
                at="object_store › second_region",
            )
        return self

    @model_validator(mode="after")
    def _service_token_says_until_when(self) -> StageConfig:
        for name, exchange in self.keys.items():
            if (exchange.previous_until is not None) is not (name is KeyName.SERVICE_TOKEN):
                raise refuse(
                    "is missing" if name is KeyName.SERVICE_TOKEN else "is there",
                    "Cloudflare alone is told until when the previous secret is valid, and always",
                    f"previous_until for {KeyName.SERVICE_TOKEN}, and for no other key",
                    at=f"keys › {name} › previous_until",
                )
        return self

    @model_validator(mode="after")
    def _recovery_has_an_archive(self) -> StageConfig:
        if self.disaster_recovery.kind is not RecoveryKind.NONE and not self.backup.wal_archive:
            raise refuse(
                f"is {self.disaster_recovery.kind}, but backup › wal_archive is false",
                "the RPO is borne by the WAL archive; a Cloud SQL instance alone bears none",
                "backup.wal_archive: true",
                at="disaster_recovery › kind",
            )
        return self


def merge(shared: Mapping[str, Any], stage: Mapping[str, Any]) -> dict[str, Any]:
    """Return `shared` overlaid by `stage`: mappings key by key, anything else (lists too) as a whole."""
    merged = dict(shared)
    for key, value in stage.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def parse_stage(shared: Mapping[str, Any], stage: Mapping[str, Any], where: str) -> StageConfig:
    """Return the stage that `stage` describes over what all stages share.

    `where` names the stage in errors, such as ``stage-c``. Raises `ConfigErrors` with one entry for each
    fault. Values are taken as they are written: a quoted "3" is a text, not a number, and "no" is no false.
    """
    document = json.dumps(merge(shared, stage), default=str)
    try:
        return StageConfig.model_validate_json(document, strict=True)
    except ValidationError as error:
        raise to_config_errors(error, StageConfig, where) from error
