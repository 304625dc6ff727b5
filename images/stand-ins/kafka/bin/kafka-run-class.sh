#!/bin/bash
# Runs a class of Kafka with all its jars. Variables as in Kafka's own script: KAFKA_HEAP_OPTS,
# KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_LOG4J_OPTS, KAFKA_OPTS. Two cores hold a whole stage here: JVMs compile little, and
# share the classes that share-classes.sh archived.
base=$(dirname "$(dirname "$(readlink -f "$0")")")
: "${KAFKA_HEAP_OPTS=-Xmx256M}"
: "${KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=$base/config/tools-log4j2.yaml}"
: "${KAFKA_JVM_PERFORMANCE_OPTS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.awt.headless=true}"
: "${KAFKA_SHARED_CLASSES=-XX:SharedArchiveFile=$base/kafka.jsa}"
# The archive is good for the jars in this very order.
jars=$(printf '%s:' "$base"/libs/*.jar)
# The options are lists of words.
# shellcheck disable=SC2086
exec java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_SHARED_CLASSES $KAFKA_LOG4J_OPTS $KAFKA_OPTS -cp "${jars%:}" "$@"
