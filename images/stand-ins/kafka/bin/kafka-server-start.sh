#!/bin/bash
# Runs a node. Heap as in Kafka's own script: one GiB unless KAFKA_HEAP_OPTS says otherwise.
base=$(dirname "$(dirname "$(readlink -f "$0")")")
export KAFKA_LOG4J_OPTS="${KAFKA_LOG4J_OPTS--Dlog4j2.configurationFile=$base/config/log4j2.yaml}"
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}"
exec "$base/bin/kafka-run-class.sh" kafka.Kafka "$@"
