"""The faults that alerts must tell of, without a stage: what each does to what it is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from dreamseed.monitoring.alerts_stores import CONSUMER_LAG_EVENTS
from dreamseed.planning.services.monitoring_cost import RATES_FILE
from localtier.experiments.alert_faults import ASKED_AT_ONCE, UNREAD_EVENTS, append, bill, commit
from localtier.experiments.alerts import CHATS_PER_SECOND
from localtier.load.targets import PATIENCE_SECONDS
from rehearsal.hosts import HostsError
from tests.planning.stages import container, file, shipped


def test_more_is_asked_of_an_engine_than_it_runs_and_less_than_it_refuses_with_the_users_chats() -> None:
    waiting_chats = CHATS_PER_SECOND * PATIENCE_SECONDS
    assert 256 + 20 < ASKED_AT_ONCE < shipped("stage-b").config.vllm.max_queued_requests - waiting_chats


class Topic:
    """A topic of two partitions as confluent_kafka's producer and consumer show it; its oldest events are deleted."""

    def __init__(self, takes: int = 10**6) -> None:
        self.takes, self.held, self.committed = takes, 0, dict[int, int]()
        self.topics = {"events": SimpleNamespace(partitions=(0, 1))}

    def produce(self, topic: str, value: bytes) -> None:
        assert (topic, bool(value)) == ("events", True)
        self.held += 1

    def poll(self, seconds: float) -> None:
        assert seconds == 0

    def flush(self, _seconds: float) -> int:
        return max(0, self.held - self.takes)

    def list_topics(self, _name: str, timeout: float) -> Topic:
        assert timeout > 0
        return self

    def get_watermark_offsets(self, at: TopicPartition, timeout: float) -> tuple[int, int]:
        assert timeout > 0
        return 10 + at.partition, 10 + self.held // 2

    def commit(self, offsets: Sequence[TopicPartition], *, asynchronous: bool) -> None:
        assert not asynchronous
        self.committed = {at.partition: at.offset for at in offsets}

    def close(self) -> None:
        self.closed = True


def test_a_group_that_fell_behind_has_more_unread_events_than_the_alert_allows_and_none_afterwards() -> None:
    topic: Any = Topic()
    append(topic, "events")
    commit(topic, "events", read=False)
    end = 10 + topic.held // 2
    assert sum(end - offset for offset in topic.committed.values()) > CONSUMER_LAG_EVENTS
    commit(topic, "events", read=True)
    assert topic.committed == {0: end, 1: end}
    assert topic.closed


def test_events_that_brokers_do_not_take_are_a_fault_of_the_trial() -> None:
    topic: Any = Topic(takes=UNREAD_EVENTS - 1)
    with pytest.raises(HostsError, match="1 events for events were not taken"):
        append(topic, "events")


def test_a_bill_made_on_purpose_spends_on_one_service_and_nothing_on_the_others() -> None:
    rates = json.loads(file(container(shipped("stage-b"), "cost-exporter"), RATES_FILE).text)
    content = json.loads(bill(rates, 180.0, datetime(2026, 11, 26, 12, tzinfo=UTC)))
    assert content["month"] == "2026-11"
    assert content["usd"].keys() == rates["usd_per_hour"].keys()
    assert sorted(content["usd"].values())[-2:] == [0.0, 180.0]
