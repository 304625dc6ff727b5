"""Which alerts are silent while another one explains them, so that one cause tells somebody once."""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.monitoring.slo import BURN_WINDOWS


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """While `source` fires, the alerts `targets` with the same labels `equal` are not told."""

    source: str
    targets: tuple[str, ...]
    equal: tuple[str, ...]


EVERYTHING_ELSE = "*"
"""As the one target: every alert but the source."""

INHIBITIONS = (
    # A host that is gone explains everything that is missing from it.
    Inhibition(source="HostDown", targets=(EVERYTHING_ELSE,), equal=("host",)),
    Inhibition(source="DiskFullSoon", targets=("DiskLow",), equal=("host", "device")),
    Inhibition(
        source="PgDown",
        targets=("PgReplicaLag", "PgConnectionsHigh", "WalArchiveLate", "WalArchiveStale"),
        equal=("instance",),
    ),
    Inhibition(source="EtcdNoLeader", targets=("EtcdMemberDown", "PatroniWithoutVotes"), equal=()),
    Inhibition(source="WalArchiveStale", targets=("WalArchiveFailing", "WalArchiveLate"), equal=("instance",)),
    # Its first question is whether the archive is reached.
    Inhibition(source="WalArchiveStale", targets=("ArchiveLookFailing",), equal=("shard",)),
    Inhibition(source="ArchiveLookFailing", targets=("ArchiveLookOld",), equal=("shard",)),
    Inhibition(
        source="RedisDown",
        targets=("RedisClusterBroken", "RedisReplicaCut", "RedisMastersTogether", "RedisHitRatioLow"),
        equal=(),
    ),
    Inhibition(source="KafkaBelowMinimumInSync", targets=("KafkaUnderReplicated",), equal=()),
    Inhibition(source="KafkaBrokerMissing", targets=("KafkaUnderReplicated",), equal=()),
    # What the API pushes comes through the tunnel as well.
    Inhibition(
        source="TunnelDown",
        targets=("TunnelConnectorDown", "TunnelConnectionsFew", "TunnelErrors", "ApiMetricsMissing"),
        equal=(),
    ),
    Inhibition(source="PgPrimaryCount", targets=("PgBouncerClientsWait", "PgBouncerClientsHigh"), equal=()),
    Inhibition(source="APIHighLatency", targets=("ApiTailLatency",), equal=()),
    Inhibition(source="LlmRejecting", targets=("LLMQueueBacklog", "LlmQueueWaitLong"), equal=("model_name",)),
    Inhibition(source="LLMQueueBacklog", targets=("LlmQueueWaitLong", "LlmGenerationSlow"), equal=("model_name",)),
    Inhibition(source="LLMQueueBacklog", targets=("RouterQueue",), equal=()),
)


def burn_inhibitions(stem: str) -> tuple[Inhibition, ...]:
    """Return how an objective's faster burns silence its slower ones; `stem` is the alerts' name without window."""
    names = [f"{stem}{pair.long}" for pair in BURN_WINDOWS]
    return tuple(
        Inhibition(source=name, targets=tuple(names[number:]), equal=("slo",))
        for number, name in enumerate(names[:-1], start=1)
    )
