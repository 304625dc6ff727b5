"""The event stream's client: messages that all in-sync replicas acknowledged, and everything read back in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from dreamseed.planning.services.kafka import ACKNOWLEDGE_TIMEOUT_MS, CLIENT_TIMEOUT_MS
from localtier.load.client import Client
from localtier.load.content import text_of
from localtier.load.ledger import Event, Outcome
from localtier.load.targets import LOOPBACK, KafkaTarget

DELIVERY_SECONDS = 900
"""Longer than any outage here. A producer that gives up on a message begins a new epoch and sends again what was under
way, so that brokers cannot tell it is there already: 958 of 8,759 messages stood twice after 190 s without brokers and
60 s of patience (Kafka 4.1.1, librdkafka 2.16, seen on 2026-11-26)."""
BATCH_MESSAGES = 1
"""Messages sent together. A producer may put several together anew when it sends them again to another leader, which
then cannot tell that it has them (librdkafka issue 4953, open): 2 of 97,917 stood twice on 2026-11-26."""
RETRY_SECONDS = 0.1
"""A producer waits so long before it sends a message again: one that is acknowledged sooner was sent once. One that is
sent again may stand twice, where the producer has to begin a new epoch or a connection broke: an idempotent producer
promises once only with transactions (librdkafka issue 4953, its maintainer on 2025-05-16). Seen on 2026-11-26: the 3 of
20,365 that stood twice were under way when the only server's Docker Engine was killed."""
FLUSH_SECONDS = 15.0
ANSWER_SECONDS = 10.0
SILENT_SECONDS = 60.0
"""The longest wait for the next message while reading everything back."""


def bootstrap(target: KafkaTarget) -> str:
    """Return the brokers' addresses as clients are given them."""
    return ",".join(f"{LOOPBACK}:{port}" for port in target.ports)


class KafkaWriter(Client):
    """Produces a message a step, idempotent and with acks=all; what happened to it is recorded when it is known."""

    name = "kafka"

    def __init__(self, folder: Path, per_second: float, series: str, target: KafkaTarget) -> None:
        super().__init__(folder, per_second)
        self._series = series
        self._target = target
        self._keys = self.ledger.new_keys()
        self._producer: Producer | None = None

    def step(self) -> None:
        """Produce the next message and take in what became of earlier ones."""
        key = str(next(self._keys))
        try:
            producer = self._producer = self._producer or self._made()
            producer.produce(
                self._target.topic,
                key=f"{self._series}/{key}",
                value=text_of(self._series, key),
                on_delivery=self._delivered(key),
            )
            producer.poll(0)
        except BufferError:
            self.ledger.write(Outcome.FAILED, key=key, error="BufferError: too many messages wait for brokers")
        except KafkaException as error:
            self.ledger.write(Outcome.FAILED, key=key, error=error.args[0].name())
            self._drop_when_fatal(error.args[0])

    def close(self) -> None:
        """Wait for what is under way; what is then unknown is in doubt and recorded so."""
        if self._producer is not None:
            self._producer.flush(FLUSH_SECONDS)
            self._producer.purge()
            self._producer.flush(1)

    def _made(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": bootstrap(self._target),
                "enable.idempotence": True,
                "acks": "all",
                "delivery.timeout.ms": DELIVERY_SECONDS * 1_000,
                "linger.ms": 0,
                "retry.backoff.ms": round(RETRY_SECONDS * 1_000),
                "batch.num.messages": BATCH_MESSAGES,
                "socket.timeout.ms": CLIENT_TIMEOUT_MS,
                "request.timeout.ms": ACKNOWLEDGE_TIMEOUT_MS,
                "reconnect.backoff.max.ms": 1_000,
                "topic.metadata.refresh.interval.ms": 10_000,
            },
            logger=None,
        )

    def _drop_when_fatal(self, error: KafkaError) -> None:
        """Let the next step make a new producer where this one can do nothing more."""
        if error.fatal():
            self._producer = None

    def _delivered(self, key: str) -> Callable[[KafkaError | None, Message], None]:
        began = time.monotonic()

        def record(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.ledger.write(Outcome.IN_DOUBT, key=key, error=error.name())
                self._drop_when_fatal(error)
                return
            seconds = round(time.monotonic() - began, 4)
            self.ledger.write(Outcome.OK, key=key, seconds=seconds, lane=str(message.partition()))

        return record


def sent_again(events: Iterable[Event]) -> frozenset[str]:
    """Return the keys of acknowledged messages that may have been sent more than once."""
    late = (event for event in events if event.outcome is Outcome.OK and (event.seconds or 0.0) >= RETRY_SECONDS)
    return frozenset(event.key for event in late if event.key is not None)


def found_messages(target: KafkaTarget, series: str) -> Iterator[tuple[str, str]]:
    """Return every message of a series as key and text, as often as it is there.

    Reads each partition from its first message to the last that stood at the call. What the consumer hands out again
    after it found another leader counts once: a message is at one offset. Raises OSError.
    """
    settings: dict[str, Any] = {
        "bootstrap.servers": bootstrap(target),
        "group.id": f"load-verify-{series}",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
    }
    consumer = Consumer(settings)
    try:
        yield from _read(consumer, target.topic, series)
    except KafkaException as error:
        raise ConnectionError(f"{target.topic}: {error}") from error
    finally:
        consumer.close()


def _read(consumer: Consumer, topic: str, series: str) -> Iterator[tuple[str, str]]:
    partitions = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic].partitions
    ends: dict[int, int] = {}
    begins: list[TopicPartition] = []
    for number in partitions:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_SECONDS)
        if first < end:
            ends[number] = end
            begins.append(TopicPartition(topic, number, first))
    consumer.assign(begins)
    heard = time.monotonic()
    following = {begin.partition: begin.offset for begin in begins}
    while ends:
        message = consumer.poll(1.0)
        # The last offset may hold no message (a control record): what counts is how far the consumer has come.
        for position in consumer.position(begins):
            if position.partition in ends and position.offset >= ends[position.partition]:
                del ends[position.partition]
        if message is None:
            if time.monotonic() - heard > SILENT_SECONDS:
                raise ConnectionError(f"{topic}: partitions {sorted(ends)} were not read to their ends")
            continue
        failure = message.error()
        if failure is not None:
            if failure.retriable():
                continue
            raise KafkaException(failure)
        heard = time.monotonic()
        partition, offset = message.partition() or 0, message.offset() or 0
        if offset < following[partition]:
            continue
        following[partition] = offset + 1
        own, _, key = (message.key() or b"").decode(errors="replace").partition("/")
        if own == series:
            yield key, (message.value() or b"").decode(errors="replace")
