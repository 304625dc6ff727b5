"""Published ports, one home: fixed numbers, so that a container that is added never moves another.

Everything is published on a host's private address only. Instances count from 1.
"""

from __future__ import annotations

VLLM = 8000
"""The engines' own port inside their containers. Source: the growth plan, section 1."""
VLLM_PUBLISHED = 8000
ROUTER = 8080
HAPROXY_STATS = 8404
ROUTER_STATS_PUBLISHED = 8410
POSTGRES_PROXY_STATS_PUBLISHED = 8500
TUNNEL_METRICS = 2000
"""Source: cloudflared's documentation, --metrics."""
POSTGRES = 5432
PATRONI = 8008
POSTGRES_PUBLISHED = 5430
PATRONI_PUBLISHED = 8430
POSTGRES_PRIMARY = 5000
POSTGRES_REPLICAS = 5001
PGBOUNCER = 6432
ETCD_CLIENT = 2379
ETCD_PEER = 2380
REDIS_PUBLISHED = 6400
REDIS_BUS_OFFSET = 10_000
"""Redis' cluster bus listens this far above the client port. Source: Redis cluster specification."""
KAFKA_PUBLISHED = 19_090
KAFKA_CONTROLLER_PUBLISHED = 19_290
KAFKA_TUNNEL_PUBLISHED = 29_090
PROMETHEUS = 9090
ALERTMANAGER = 9093
GRAFANA = 3000
NODE_EXPORTER = 9100
PGBOUNCER_EXPORTER = 9127
PGBOUNCER_EXPORTER_PUBLISHED = 9800
DCGM_EXPORTER = 9400
POSTGRES_EXPORTER = 9187
POSTGRES_EXPORTER_PUBLISHED = 9600
PGBACKREST_EXPORTER = 9854
PGBACKREST_EXPORTER_PUBLISHED = 9700
COST_EXPORTER = 9500
AUTOSCALER = 9510
AUTOSCALER_AGENT = 9511
"""Where the routers ask how many spot workers serve."""
ROUTER_WORKERS = 8081
"""Inside each router alone: its own way to the spot workers."""
REDIS_EXPORTER = 9121
KAFKA_EXPORTER = 9308
WIREGUARD = 51_820
"""UDP, on each of the owners' servers where there are several. Source: wg(8), the port of its examples."""
SHARD_STEP = 10


def vllm(index_on_fleet: int) -> int:
    """Return the published port of the fleet's engine number `index_on_fleet`."""
    return VLLM_PUBLISHED + index_on_fleet


def postgres(shard: int, instance: int) -> int:
    """Return the published port of PostgreSQL instance `instance` of shard `shard`."""
    return POSTGRES_PUBLISHED + (shard - 1) * SHARD_STEP + instance


def patroni(shard: int, instance: int) -> int:
    """Return the published port of the REST interface of that instance."""
    return PATRONI_PUBLISHED + (shard - 1) * SHARD_STEP + instance


def postgres_exporter(shard: int, instance: int) -> int:
    """Return the published port of that instance's exporter."""
    return POSTGRES_EXPORTER_PUBLISHED + (shard - 1) * SHARD_STEP + instance


def pgbackrest_exporter(shard: int, instance: int) -> int:
    """Return the published port of the exporter that reads that instance's backup repository."""
    return PGBACKREST_EXPORTER_PUBLISHED + (shard - 1) * SHARD_STEP + instance


def router_stats(number: int) -> int:
    """Return the published port of the statistics of router `number`."""
    return ROUTER_STATS_PUBLISHED + number


def postgres_proxy_stats(shard: int, number: int) -> int:
    """Return the published port of the statistics of proxy `number` of shard `shard`."""
    return POSTGRES_PROXY_STATS_PUBLISHED + (shard - 1) * SHARD_STEP + number


def pgbouncer_exporter(number: int) -> int:
    """Return the published port of the exporter of pooler `number`."""
    return PGBOUNCER_EXPORTER_PUBLISHED + number


def tunnel_metrics(number: int) -> int:
    """Return the published port of the metrics of connector `number`."""
    return TUNNEL_METRICS + number


def redis(node: int) -> int:
    """Return the port of Redis node `node`, the same inside and outside."""
    return REDIS_PUBLISHED + node


def kafka(broker: int) -> int:
    """Return the published port of broker `broker`."""
    return KAFKA_PUBLISHED + broker


def kafka_controller(node: int) -> int:
    """Return the published port of controller `node`."""
    return KAFKA_CONTROLLER_PUBLISHED + node


def kafka_tunnel(broker: int) -> int:
    """Return the port on which clients behind the tunnel reach broker `broker`."""
    return KAFKA_TUNNEL_PUBLISHED + broker
