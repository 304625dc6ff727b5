"""Whether the event stream is whole: the planned voters, and every partition where it belongs and in sync."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamseed.planning.services.kafka import INTERNAL_TOPICS, Node, assignments, topic_settings
from localtier.checks.finding import Finding, compared, none_of
from localtier.checks.site import Site

_SMALL = {"KAFKA_HEAP_OPTS": "-Xmx128m"}
"""The tools run beside a broker: they must not take its heap again."""


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Where a partition stands: brokers in order, and those in sync."""

    topic: str
    number: int
    replicas: tuple[int, ...]
    in_sync: frozenset[int]


def kafka(site: Site) -> Iterator[Finding]:
    """Ask the quorum and the topics, and compare them with the plan; nothing without an event stream."""
    nodes = site.plan.topology.kafka
    if not nodes:
        return
    brokers = [node for node in nodes if node.broker]
    at = ("--bootstrap-server", ",".join(f"{node.address}:{node.port}" for node in brokers))

    def ask(tool: str, *arguments: str) -> str:
        argv = [f"/opt/kafka/bin/kafka-{tool}.sh", *at, *arguments]
        return site.exec_text(brokers[0].name, argv, _SMALL)

    yield from quorum_findings(nodes, ask("metadata-quorum", "describe", "--status"))
    settings, partitions = parse_topics(ask("topics", "--describe"))
    config = site.plan.config
    for topic in config.kafka.topics:
        planned = {f"{key}={value}" for key, value in topic_settings(config, topic).items()}
        missing = sorted(planned - settings.get(topic.name, frozenset()))
        yield none_of(f"events: settings of {topic.name}", [f"{one} is not set" for one in missing])
    yield from topic_findings(assignments(config, brokers), brokers, partitions)


def quorum_findings(nodes: Sequence[Node], text: str) -> Iterator[Finding]:
    """Return whether exactly the planned controllers vote and every broker follows.

    `text` is what kafka-metadata-quorum prints: a line a field, voters and observers as JSON.
    """
    fields = {key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())}
    voters = {one["id"] for one in json.loads(fields["CurrentVoters"])}
    observers = {one["id"] for one in json.loads(fields["CurrentObservers"])}
    yield compared("events: voters", sorted(voters), sorted(node.number for node in nodes if node.controller))
    others = sorted(node.number for node in nodes if not node.controller)
    yield compared("events: brokers that follow the quorum", sorted(observers), others)
    yield Finding(what="events: the quorum has a leader", ok=int(fields["LeaderId"]) in voters, detail="")


def parse_topics(text: str) -> tuple[dict[str, frozenset[str]], tuple[Partition, ...]]:
    """Return each topic's settings, and the partitions, from what kafka-topics --describe prints."""
    settings: dict[str, frozenset[str]] = {}
    partitions = []
    for line in text.splitlines():
        fields = dict(part.strip().partition(": ")[::2] for part in line.split("\t") if ": " in part)
        if "Partition" in fields:
            partitions.append(
                Partition(
                    topic=fields["Topic"],
                    number=int(fields["Partition"]),
                    replicas=_numbers(fields["Replicas"]),
                    in_sync=frozenset(_numbers(fields.get("Isr", ""))),
                )
            )
        elif "Topic" in fields:
            settings[fields["Topic"]] = frozenset(fields.get("Configs", "").split(","))
    return settings, tuple(partitions)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def topic_findings(
    planned: Mapping[str, Sequence[Mapping[str, Any]]], brokers: Sequence[Node], partitions: Sequence[Partition]
) -> Iterator[Finding]:
    """Return for each planned topic whether its partitions are all there, placed as planned and in sync.

    Kafka makes its own topics when they are first used: until then there is nothing to find, and until the next
    change of the plan they stand where Kafka put them, spread over the servers as the plan's copies are.
    """
    host_of = {node.number: node.host.name for node in brokers}

    def spread(replicas: Sequence[int]) -> list[int]:
        return sorted(Counter(host_of.get(number, "?") for number in replicas).values())

    for topic, rows in planned.items():
        seen = {one.number: one for one in partitions if one.topic == topic}
        internal = topic in INTERNAL_TOPICS
        if internal and not seen:
            continue
        yield compared(f"events: partitions of {topic}", len(seen), len(rows))
        wanted = {row["partition"]: tuple(row["replicas"]) for row in rows}
        misplaced = [
            f"{number} stands on {one.replicas}, planned {wanted[number]}"
            for number, one in seen.items()
            if number in wanted
            and one.replicas != wanted[number]
            and not (internal and spread(one.replicas) == spread(wanted[number]))
        ]
        yield none_of(f"events: placement of {topic}", misplaced)
        lagging = [f"{one.number} lacks {set(one.replicas) - one.in_sync}" for one in seen.values()]
        yield none_of(f"events: copies of {topic} in sync", [text for text in lagging if not text.endswith("set()")])
