"""The tunnel: how Cloud Run reaches the servers without a port open to the internet.

Connectors on the servers call out to Cloudflare; each private service is a route with a hostname of its own, guarded
by Access. HTTP goes straight through; TCP services are reached by a sidecar of the API that listens on loopback.
Source: Cloudflare Tunnel documentation, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dreamseed.config import StageConfig
from dreamseed.config.cloud import RecoveryKind
from dreamseed.planning import ports
from dreamseed.planning.container import Container, File, Health, NetworkName, Port, ServicePlan, secret
from dreamseed.planning.hosts import Host, on_each_server, servers
from dreamseed.planning.secrets import ProvidedSecret
from dreamseed.planning.services import kafka, redis
from dreamseed.planning.services.postgres_access import POOLER_ALIAS, primary_alias
from dreamseed.planning.services.vllm import ROUTER_ALIAS

COMPONENT = "tunnel"
METRICS_INTAKE = "/api/v1/otlp/v1/metrics"
"""Where Prometheus takes metrics that are pushed. Source: Prometheus documentation, OTLP receiver, 2026-11-23."""
PRIMARY_ROUTE = "postgres-primary"
"""The route past the pooler, for the load of a standby: the API has no use for it."""
CONNECT_TIMEOUT_SECONDS = 2
"""How long a connector tries to reach a service; cloudflared's default is 30 s.

A stream goes to either server's connector. While the link between the servers is cut, half of those to a broker or a
cache node lead to the wrong one: a client must hear so at once, and ask again.
"""
NONROOT_UID = 65_532
"""User of the distroless image that cloudflared ships in. Source: cloudflare/cloudflared Dockerfile."""


@dataclass(frozen=True, kw_only=True)
class TunnelRoute:
    """One private service behind the tunnel: `service` as the connectors reach it.

    `local_port` is where the API's sidecar listens for it; None for HTTP, which needs no sidecar. `path` is the one
    path that passes, None for every path.
    """

    name: str
    hostname: str
    service: str
    local_port: int | None
    path: str | None = None


def plan_routes(config: StageConfig, hosts: Sequence[Host]) -> tuple[TunnelRoute, ...]:
    """Return the routes: the model, the metrics' intake, the database, each cache node and broker.

    Where a standby is loaded, one more leads to the primary itself.
    """
    tcp = [("postgres", f"{POOLER_ALIAS}:{ports.PGBOUNCER}", ports.PGBOUNCER)]
    tcp += [(node.name, f"{node.host.address}:{node.port}", node.port) for node in redis.plan_nodes(config, hosts)]
    tcp += [
        (broker.name, f"{broker.host.address}:{broker.tunnel_port}", broker.tunnel_port)
        for broker in kafka.plan_brokers(config, hosts)
    ]
    if config.disaster_recovery.kind is not RecoveryKind.NONE:
        tcp.append((PRIMARY_ROUTE, f"{primary_alias(1)}:{ports.POSTGRES_PRIMARY}", ports.POSTGRES_PRIMARY))
    model = TunnelRoute(
        name="llm",
        hostname=f"llm-private.{config.service.domain}",
        service=f"http://{ROUTER_ALIAS}:{ports.ROUTER}",
        local_port=None,
    )
    metrics = TunnelRoute(
        name="metrics",
        hostname=f"metrics-private.{config.service.domain}",
        service=f"http://{servers(hosts)[0].address}:{ports.PROMETHEUS}",
        local_port=None,
        path=METRICS_INTAKE,
    )
    return (
        model,
        metrics,
        *(
            TunnelRoute(
                name=name, hostname=f"{name}-private.{config.service.domain}", service=f"tcp://{to}", local_port=port
            )
            for name, to, port in tcp
        ),
    )


def plan_tunnel(config: StageConfig, hosts: Sequence[Host]) -> ServicePlan:
    """Return the connectors, in order of replacement."""
    # Cloudflare tells the connectors where each route leads.
    hears = tuple(route.service for route in plan_routes(config, hosts))
    connectors: list[Container] = []
    for number, host in enumerate(on_each_server(hosts, config.edge.tunnel_connectors), start=1):
        connectors.append(
            Container(
                name=f"tunnel-{number}",
                component=COMPONENT,
                service="tunnel",
                host=host.name,
                image="cloudflared",
                networks=(NetworkName.INFERENCE, NetworkName.DATA),
                memory_mib=256,
                cpu_cores=0.2,
                user=str(NONROOT_UID),
                command=(
                    "tunnel",
                    "--no-autoupdate",
                    "--metrics",
                    # Published on the host's private address alone: the same pages show the routes and profiles.
                    f"0.0.0.0:{ports.TUNNEL_METRICS}",
                    "run",
                    "--token-file",
                    "/run/secrets/tunnel-token",
                ),
                files=(
                    File(
                        path="/run/secrets/tunnel-token",
                        text=secret(ProvidedSecret.TUNNEL_TOKEN),
                        owner=NONROOT_UID,
                        mode="0400",
                    ),
                ),
                ports=(
                    Port(
                        container=ports.TUNNEL_METRICS, published=ports.tunnel_metrics(number), purpose="tunnel metrics"
                    ),
                ),
                hears=hears,
                health=Health(
                    test=("CMD", "cloudflared", "tunnel", "--metrics", f"127.0.0.1:{ports.TUNNEL_METRICS}", "ready"),
                    start_period_seconds=30,
                ),
                stop_grace_seconds=45,
                after=(connectors[-1].name,) if connectors else (),
            )
        )
    return ServicePlan(component=COMPONENT, containers=tuple(connectors))
