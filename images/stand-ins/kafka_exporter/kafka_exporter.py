"""A stand-in of kafka_exporter: the metrics that the plan's rules read, by the names and labels of kafka_exporter 1.9.

It is asked for the brokers by the same flags, and like the real one it ends when no broker answers its first call.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

TIMEOUT_SECONDS = 10.0


class KafkaCollector(Collector):
    """Asks the brokers anew for each scrape."""

    def __init__(self, servers: list[str]) -> None:
        settings: dict[str, str | int | float | bool] = {
            "bootstrap.servers": ",".join(servers),
            "client.id": "kafka_exporter",
        }
        self._admin = AdminClient(settings)
        # Only to read the ends of partitions: it joins no group.
        self._reader = Consumer({**settings, "group.id": "kafka_exporter", "enable.auto.commit": False})

    def check(self) -> None:
        """Raise KafkaException when no broker answers."""
        self._admin.list_topics(timeout=TIMEOUT_SECONDS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics."""
        cluster = self._admin.list_topics(timeout=TIMEOUT_SECONDS)
        brokers = GaugeMetricFamily("kafka_brokers", "Number of Brokers in the Kafka Cluster.")
        brokers.add_metric([], len(cluster.brokers))
        names = ["topic", "partition"]
        partitions = GaugeMetricFamily(
            "kafka_topic_partitions", "Number of partitions for this Topic", labels=["topic"]
        )
        replicas = GaugeMetricFamily("kafka_topic_partition_replicas", "Number of Replicas", labels=names)
        in_sync = GaugeMetricFamily("kafka_topic_partition_in_sync_replica", "Number of In-Sync Replicas", labels=names)
        behind = GaugeMetricFamily(
            "kafka_topic_partition_under_replicated_partition", "1 if Topic/Partition is under Replicated", labels=names
        )
        for name, topic in cluster.topics.items():
            partitions.add_metric([name], len(topic.partitions))
            for number, partition in topic.partitions.items():
                labels = [name, str(number)]
                replicas.add_metric(labels, len(partition.replicas))
                in_sync.add_metric(labels, len(partition.isrs))
                behind.add_metric(labels, float(len(partition.isrs) < len(partition.replicas)))
        yield from (brokers, partitions, replicas, in_sync, behind, *self._groups())

    def _groups(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        names = ["consumergroup", "topic", "partition"]
        current = GaugeMetricFamily(
            "kafka_consumergroup_current_offset", "Current Offset of a ConsumerGroup", labels=names
        )
        lag = GaugeMetricFamily("kafka_consumergroup_lag", "Current Approximate Lag of a ConsumerGroup", labels=names)
        listed = self._admin.list_consumer_groups(request_timeout=TIMEOUT_SECONDS).result()
        for group in listed.valid:
            asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group.group_id)])
            for place in asked[group.group_id].result().topic_partitions:
                if place.offset < 0:
                    continue
                _, end = self._reader.get_watermark_offsets(
                    TopicPartition(place.topic, place.partition), timeout=TIMEOUT_SECONDS
                )
                labels = [group.group_id, place.topic, str(place.partition)]
                current.add_metric(labels, place.offset)
                lag.add_metric(labels, max(0, end - place.offset))
        return current, lag


def main() -> None:
    """Serve the metrics until the process is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    parser = argparse.ArgumentParser(prog="kafka_exporter")
    parser.add_argument("--kafka.server", dest="servers", action="append", required=True)
    parser.add_argument("--web.listen-address", dest="address", default=":9308")
    arguments = parser.parse_args()
    collector = KafkaCollector(arguments.servers)
    try:
        collector.check()
    except KafkaException as error:
        raise SystemExit(f"no broker answers: {error}") from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    host, _, port = arguments.address.rpartition(":")
    _, thread = start_http_server(int(port), host or "0.0.0.0", registry=registry)  # noqa: S104 - inside a container
    logging.info("a stand-in of kafka_exporter serves on %s", arguments.address)
    thread.join()


if __name__ == "__main__":
    main()
