#!/bin/bash
# Archives the classes that a node and the tools load, for every JVM of the image to map (class data sharing): a start
# then takes two fifths of the processor time. Run once, as the image is built; apache/kafka's own image has archives, too.
set -euo pipefail
bin=/opt/kafka/bin
archive=/opt/kafka/kafka.jsa
work=$(mktemp -d)
at=127.0.0.1:9092
cat >"$work/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:9093
listeners=PLAINTEXT://$at,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
log.dirs=$work/data
offsets.topic.replication.factor=1
END
# Runs a script of Kafka's, and writes down the classes that it loads. One that is asked to stop ends with 143.
listing() {
  KAFKA_SHARED_CLASSES="-XX:DumpLoadedClassList=$work/$1.list" "$bin/$1.sh" "${@:2}" >"$work/$1.said" 2>&1 ||
    [ $? -eq 143 ] || { cat "$work/$1.said" >&2; return 1; }
}
listing kafka-storage format --standalone --cluster-id AAAAAAAAAAAAAAAAAAAAAA --config "$work/server.properties"
listing kafka-server-start "$work/server.properties" &
node=$!
until (echo >"/dev/tcp/${at/:/\/}") 2>/dev/null; do kill -0 $node && sleep 1; done
listing kafka-topics --bootstrap-server $at --create --topic one --partitions 2
listing kafka-configs --bootstrap-server $at --alter --entity-type topics --entity-name one --add-config retention.ms=1000
listing kafka-metadata-quorum --bootstrap-server $at describe --status
echo '{"version":1,"partitions":[{"topic":"one","partition":0,"replicas":[1]}]}' >"$work/moves.json"
listing kafka-reassign-partitions --bootstrap-server $at --reassignment-json-file "$work/moves.json" --execute
pkill -TERM -f kafka.Kafka
wait $node
# Each list numbers its classes for itself.
sed 's/ id: [0-9]*$//' "$work"/*.list | sort -u >"$work/all.list"
KAFKA_SHARED_CLASSES="-Xshare:dump -XX:SharedClassListFile=$work/all.list -XX:SharedArchiveFile=$archive" \
  "$bin/kafka-run-class.sh" >"$work/dump.said" 2>&1 || { tail -5 "$work/dump.said" >&2; exit 1; }
KAFKA_SHARED_CLASSES="-Xshare:on -XX:SharedArchiveFile=$archive" "$bin/kafka-topics.sh" --version
rm -rf "$work"
