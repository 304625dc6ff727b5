"""Alerts on the way to engines and stores: routers, database proxies, poolers and the tunnel's connectors.

Each of them stands at least twice, so that one alone that is away is a ticket; what nobody else would notice pages.
Sources: HAProxy's prometheus-exporter, pgbouncer_exporter and cloudflared as the metric contract names them; shares and
seconds are choices.
"""

from __future__ import annotations

from dataclasses import dataclass

from dreamseed.monitoring.alerts_llm import QUEUED_REQUESTS
from dreamseed.monitoring.model import Alert, Concern, Group, Owner, Severity

AWAY_SECONDS = 120
CONNECTION_SHARE = 0.8
POOLER_WAIT_SECONDS = 1
TUNNEL_CONNECTIONS = 4
"""What each connector keeps open. Source: Cloudflare Tunnel documentation, read 2026-11-22."""
TUNNEL_ERROR_RATIO = 0.05
TUNNEL_REQUESTS = 20
"""Requests in five minutes before a ratio is believed."""
ROUTER_QUEUE = 'sum(haproxy_backend_current_queue{proxy="engines"})'


@dataclass(frozen=True, kw_only=True)
class _Proxy:
    """One kind of HAProxy: `backend` leads to `behind`, which are `there` while others see them."""

    stem: str
    service: str
    backend: str
    behind: str
    there: str
    blind: str

    @property
    def instances(self) -> str:
        """Return the selector of its containers."""
        return f'instance=~"{self.service}-.+"'


_PROXIES = (
    _Proxy(
        stem="Router",
        service="vllm-router",
        backend="engines",
        behind="engine",
        there='up{job="vllm"} == 1',
        blind="Compare docker logs of the router with /health of an engine; from the router's own network.",
    ),
    _Proxy(
        stem="PgProxy",
        service="pg-proxy",
        backend="primary",
        behind="primary database",
        there="pg_replication_is_replica == 0",
        blind="Ask Patroni's REST port for /primary from the proxy's host: it decides, not PostgreSQL.",
    ),
)


def access_group() -> Group:
    """Return the alerts on everything that stands between clients and engines or stores."""
    proxies = tuple(alert for proxy in _PROXIES for alert in _proxy(proxy))
    return Group(name="access", alerts=(*proxies, _router_queue(), *_pooler(), *_tunnel(), *_tunnel_quality()))


def _proxy(proxy: _Proxy) -> tuple[Alert, ...]:
    used, most = (
        f"max by (instance) (haproxy_process_{name}_connections{{{proxy.instances}}})" for name in ("current", "max")
    )
    return (
        Alert(
            name=f"{proxy.stem}Down",
            expression=f'up{{job="haproxy",{proxy.instances}}} == 0',
            for_seconds=AWAY_SECONDS,
            severity=Severity.WARNING,
            component=proxy.service,
            concern=Concern.AVAILABILITY,
            summary="{{ $labels.instance }} on {{ $labels.host }} does not answer; its twin does the work alone",
            action="Read its container's log; a configuration that does not load says its line.",
        ),
        Alert(
            name=f"{proxy.stem}Blind",
            # Where the others see none either, their own alerts tell: this one is for a proxy that alone is wrong.
            expression=f'min by (instance) (haproxy_backend_active_servers{{proxy="{proxy.backend}"}}) == 0 '
            f"and on () ({proxy.there})",
            for_seconds=AWAY_SECONDS,
            severity=Severity.CRITICAL,
            component=proxy.service,
            concern=Concern.AVAILABILITY,
            summary=f"{{{{ $labels.instance }}}} reaches no {proxy.behind}, though Prometheus does",
            action=proxy.blind,
        ),
        Alert(
            name=f"{proxy.stem}ConnectionsHigh",
            expression=f"{used} / {most} > {CONNECTION_SHARE:g}",
            for_seconds=300,
            severity=Severity.WARNING,
            component=proxy.service,
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary="{{ $labels.instance }} has {{ $value | humanizePercentage }} of its connections in use",
            action="See whether its twin is away, then which clients keep connections open.",
        ),
    )


def _router_queue() -> Alert:
    return Alert(
        name="RouterQueue",
        expression=f"{ROUTER_QUEUE} > {QUEUED_REQUESTS}",
        for_seconds=180,
        severity=Severity.WARNING,
        component="vllm-router",
        concern=Concern.SATURATION,
        owner=Owner.INFERENCE,
        summary="{{ $value | humanize }} requests wait in the routers, where no engine counts them",
        action="As for LLMQueueBacklog: every engine already runs as many as a router gives it.",
    )


def _pooler() -> tuple[Alert, ...]:
    used, most = (f"max by (instance) (pgbouncer_{name})" for name in ("used_clients", "config_max_client_connections"))
    return (
        Alert(
            name="PgBouncerDown",
            expression="pgbouncer_up == 0",
            for_seconds=AWAY_SECONDS,
            severity=Severity.WARNING,
            component="pgbouncer",
            concern=Concern.AVAILABILITY,
            summary="the pooler behind {{ $labels.instance }} does not answer; its twin does the work alone",
            action="Read the pooler's log: who may log in stands in its own file.",
        ),
        Alert(
            name="PgBouncerClientsWait",
            expression=f"max by (instance) (pgbouncer_pools_client_maxwait_seconds) > {POOLER_WAIT_SECONDS}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="pgbouncer",
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary="a client of {{ $labels.instance }} waits {{ $value | humanizeDuration }} for a connection",
            action="Find the transaction that does not end (pg_stat_activity) before the pool is made larger.",
        ),
        Alert(
            name="PgBouncerClientsHigh",
            expression=f"{used} / {most} > {CONNECTION_SHARE:g}",
            for_seconds=300,
            severity=Severity.WARNING,
            component="pgbouncer",
            concern=Concern.SATURATION,
            owner=Owner.BACKEND,
            summary="{{ $labels.instance }} has {{ $value | humanizePercentage }} of its clients",
            action="See whether its twin is away; then compare the API's instances with their pool size.",
        ),
    )


def _tunnel() -> tuple[Alert, ...]:
    return (
        Alert(
            name="TunnelConnectorDown",
            expression='up{job="cloudflared"} == 0',
            for_seconds=AWAY_SECONDS,
            severity=Severity.WARNING,
            component="tunnel",
            concern=Concern.AVAILABILITY,
            summary="connector {{ $labels.instance }} on {{ $labels.host }} does not answer",
            action="Read its container's log; the other connectors carry the tunnel meanwhile.",
        ),
        Alert(
            name="TunnelDown",
            expression="(sum(cloudflared_tunnel_ha_connections) or vector(0)) == 0",
            for_seconds=60,
            severity=Severity.CRITICAL,
            component="tunnel",
            concern=Concern.AVAILABILITY,
            summary="no connector is connected: the API reaches neither engines nor stores",
            action="Check the servers' way to the internet, then the tunnel's token and Cloudflare's status.",
        ),
    )


def _tunnel_quality() -> tuple[Alert, ...]:
    errors, requests = (f"cloudflared_tunnel_{name}" for name in ("request_errors", "total_requests"))
    return (
        Alert(
            name="TunnelConnectionsFew",
            expression=f"min by (instance) (cloudflared_tunnel_ha_connections) < {TUNNEL_CONNECTIONS}",
            for_seconds=600,
            severity=Severity.WARNING,
            component="tunnel",
            concern=Concern.REPLICATION,
            summary=f"{{{{ $labels.instance }}}} keeps {{{{ $value | humanize }}}} of {TUNNEL_CONNECTIONS} connections",
            action="Its log says which of Cloudflare's places refuses; a firewall that limits sessions does this too.",
        ),
        Alert(
            name="TunnelErrors",
            expression=f"sum(rate({errors}[5m])) / sum(rate({requests}[5m])) > {TUNNEL_ERROR_RATIO:g} "
            f"and sum(increase({requests}[5m])) > {TUNNEL_REQUESTS}",
            for_seconds=600,
            severity=Severity.WARNING,
            component="tunnel",
            concern=Concern.ERRORS,
            summary="{{ $value | humanizePercentage }} of what comes through the tunnel cannot reach its service",
            action="The connectors' logs name the service; it has an alert of its own where it is away.",
        ),
    )
