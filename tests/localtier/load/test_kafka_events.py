"""The event stream's client against librdkafka's own mock cluster."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer, TopicPartition

from localtier.load.content import compare, text_of
from localtier.load.kafka_events import RETRY_SECONDS, KafkaWriter, found_messages, sent_again
from localtier.load.ledger import Event, Outcome, acknowledged, read_events
from localtier.load.targets import KafkaTarget

SERIES = "abcd"
TOPIC = "user-events"


@pytest.fixture(scope="module")
def mock() -> Producer:
    """A producer that holds a mock cluster of three brokers as long as it lives."""
    return Producer({"test.mock.num.brokers": 3, "bootstrap.servers": "mock", "log_level": 0})


def target(mock: Producer, topic: str) -> KafkaTarget:
    brokers = mock.list_topics(topic, timeout=30).brokers.values()
    return KafkaTarget(ports=tuple(broker.port for broker in brokers), topic=topic)


def test_every_acknowledged_message_is_read_back_and_faults_are_seen(mock: Producer, tmp_path: Path) -> None:
    kafka = target(mock, TOPIC)
    assert len(kafka.ports) == 3
    writer = KafkaWriter(tmp_path, 1_000, SERIES, kafka)
    for _ in range(50):
        writer.step()
    writer.close()
    keys = acknowledged(tmp_path / "kafka.jsonl")
    assert len(keys) == 50
    lanes = {event.lane for event in read_events(tmp_path / "kafka.jsonl") if event.outcome is Outcome.OK}
    assert len(lanes) > 1
    assert compare(SERIES, keys, found_messages(kafka, SERIES)).sound

    mock.produce(TOPIC, key=f"{SERIES}/{keys[3]}", value=text_of(SERIES, keys[3]))
    mock.produce(TOPIC, key=f"{SERIES}/{keys[4]}", value="spoilt")
    mock.produce(TOPIC, key="another/1", value="of another series")
    mock.flush(30)
    verdict = compare(SERIES, [*keys, "never written"], found_messages(kafka, SERIES))
    assert (verdict.missing, verdict.duplicated, verdict.corrupted) == (1, 2, 1)
    assert verdict.unacknowledged == 0


def test_only_a_message_that_outlasted_the_clients_own_backoff_may_have_been_sent_again() -> None:
    def event(key: str | None, seconds: float | None, outcome: Outcome = Outcome.OK) -> Event:
        return Event(time=1.0, outcome=outcome, key=key, seconds=seconds)

    prompt, late = RETRY_SECONDS * 0.99, RETRY_SECONDS
    events = [event("1", prompt), event("2", late), event("3", 175.0), event("4", late, Outcome.IN_DOUBT)]
    assert sent_again([*events, event(None, None, Outcome.START)]) == {"2", "3"}


class Forgetful:
    """A consumer that, as after a change of leader, hands out the second of its three messages again."""

    def __init__(self) -> None:
        self._coming = [self._message(offset) for offset in (0, 1, 1, 2)]
        self._come = 0

    @staticmethod
    def _message(offset: int) -> SimpleNamespace:
        content = {"key": f"{SERIES}/{offset}".encode(), "value": text_of(SERIES, str(offset)).encode()}
        values = {"error": None, "partition": 0, "offset": offset} | content
        return SimpleNamespace(**{name: partial(lambda value: value, value) for name, value in values.items()})

    def list_topics(self, topic: str, timeout: float) -> SimpleNamespace:
        return SimpleNamespace(topics={topic: SimpleNamespace(partitions={0: None})})

    def get_watermark_offsets(self, _: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, 3

    def assign(self, begins: list[TopicPartition]) -> None:
        self._begins = begins

    def position(self, _: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(TOPIC, 0, self._come)]

    def poll(self, _: float) -> SimpleNamespace:
        message = self._coming.pop(0)
        self._come = message.offset() + 1
        return message

    def close(self) -> None:
        self._coming.clear()


def test_a_message_that_the_consumer_hands_out_again_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localtier.load.kafka_events.Consumer", lambda _: Forgetful())
    keys = ["0", "1", "2"]
    assert [key for key, _ in found_messages(KafkaTarget(ports=(1,), topic=TOPIC), SERIES)] == keys


def test_a_topic_without_messages_is_read_to_its_end(mock: Producer) -> None:
    assert list(found_messages(target(mock, "learning-events"), SERIES)) == []


def test_a_cluster_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localtier.load.kafka_events.ANSWER_SECONDS", 0.2)
    with pytest.raises(ConnectionError, match=TOPIC):
        list(found_messages(KafkaTarget(ports=(1,), topic=TOPIC), SERIES))


def test_what_is_not_delivered_is_in_doubt_and_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("localtier.load.kafka_events.FLUSH_SECONDS", 0.1)
    writer = KafkaWriter(tmp_path, 1_000, SERIES, KafkaTarget(ports=(1,), topic=TOPIC))
    writer.step()
    writer.close()
    events = list(read_events(tmp_path / "kafka.jsonl"))
    assert [event.outcome for event in events] == [Outcome.START, Outcome.IN_DOUBT]
