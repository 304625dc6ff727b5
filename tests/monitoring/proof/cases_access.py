"""Cases of what stands between clients and engines or stores: routers, proxies, poolers, the tunnel."""

from __future__ import annotations

from tests.monitoring.proof.series import GONE, Book, Series, counter, gauge
from tests.monitoring.proof.shapes import change


def proxies(book: Book) -> None:
    """Write down the cases of routers and database proxies, which are the same program."""
    engine = 'up{job="vllm",host="server-1",instance="server-1-vllm-0"}'
    primary = 'pg_replication_is_replica{job="postgres",host="server-1",instance="pg-1-1",shard="1"}'
    for stem, name, other, backend, behind, there in (
        ("Router", "vllm-router-1", "pg-proxy-1-1", "engines", engine, 1.0),
        ("PgProxy", "pg-proxy-1-1", "vllm-router-1", "primary", primary, 0.0),
    ):
        _proxy(book, stem, name, other)
        series = f'haproxy_backend_active_servers{{{_labels(name)},proxy="{backend}"}}'
        elsewhere = f'haproxy_backend_active_servers{{{_labels(name)},proxy="else"}}'
        seen: dict[str, Series] = {behind: gauge((there, 420)), elsewhere: gauge((0, 420))}
        book.fires(f"{stem}Blind", 420, {**seen, series: change(1, 0, 120)}, {"instance": name})
        book.silent(f"{stem}Blind", 420, {**seen, series: gauge((1, 420))})
        # Away for everybody: that is told by whoever watches it.
        book.silent(f"{stem}Blind", 420, {behind: gauge((1 - there, 420)), series: gauge((0, 420))})
    waits = f'haproxy_backend_current_queue{{{_labels("vllm-router-1")},proxy="engines"}}'
    twin = f'haproxy_backend_current_queue{{{_labels("vllm-router-2")},proxy="engines"}}'
    base = f'haproxy_backend_current_queue{{{_labels("pg-proxy-1-1")},proxy="primary"}}'
    book.fires("RouterQueue", 480, {waits: change(0, 11, 180), twin: gauge((10, 480)), base: gauge((0, 480))}, {})
    book.silent("RouterQueue", 480, {waits: gauge((10, 480)), twin: gauge((10, 480)), base: gauge((9, 480))})


def _proxy(book: Book, stem: str, name: str, other: str) -> None:
    up, unlike = (f"up{{{_labels(one)}}}" for one in (name, other))
    away = {"job": "haproxy", "host": "server-1", "instance": name}
    book.fires(f"{stem}Down", 420, {up: change(1, 0, 120), unlike: gauge((1, 420))}, away)
    book.silent(f"{stem}Down", 420, {up: gauge((1, 420)), unlike: gauge((0, 420))})
    used, most = (f"haproxy_process_{one}_connections{{{_labels(name)}}}" for one in ("current", "max"))
    book.fires(
        f"{stem}ConnectionsHigh", 600, {used: change(10, 1_601, 300), most: gauge((2_000, 600))}, {"instance": name}
    )
    book.silent(f"{stem}ConnectionsHigh", 600, {used: gauge((1_600, 600)), most: gauge((2_000, 600))})


def _labels(name: str) -> str:
    return f'job="haproxy",host="server-1",instance="{name}"'


def poolers(book: Book) -> None:
    """Write down the poolers' cases."""
    labels = 'job="pgbouncer",host="server-1",instance="pgbouncer-1-exporter"'
    one = {"instance": "pgbouncer-1-exporter"}
    up = f"pgbouncer_up{{{labels}}}"
    book.fires("PgBouncerDown", 420, {up: change(1, 0, 120)}, {"job": "pgbouncer", "host": "server-1", **one})
    book.silent("PgBouncerDown", 420, {up: gauge((1, 420))})
    waits = [
        f'pgbouncer_pools_client_maxwait_seconds{{{labels},database="{name}",user="u"}}' for name in ("d", "pgbouncer")
    ]
    book.fires("PgBouncerClientsWait", 600, {waits[0]: change(0, 1.5, 300), waits[1]: gauge((0, 600))}, one)
    book.silent("PgBouncerClientsWait", 600, {name: gauge((1, 600)) for name in waits})
    used, most = f"pgbouncer_used_clients{{{labels}}}", f"pgbouncer_config_max_client_connections{{{labels}}}"
    book.fires("PgBouncerClientsHigh", 600, {used: change(10, 1_601, 300), most: gauge((2_000, 600))}, one)
    book.silent("PgBouncerClientsHigh", 600, {used: gauge((1_600, 600)), most: gauge((2_000, 600))})


def tunnel(book: Book) -> None:
    """Write down the connectors' cases."""
    labels = [f'job="cloudflared",host="server-1",instance="tunnel-{number}"' for number in (1, 2)]
    up = f"up{{{labels[0]}}}"
    away = {"job": "cloudflared", "host": "server-1", "instance": "tunnel-1"}
    book.fires("TunnelConnectorDown", 420, {up: change(1, 0, 120)}, away)
    book.silent("TunnelConnectorDown", 420, {up: gauge((1, 420))})
    links = [f"cloudflared_tunnel_ha_connections{{{one}}}" for one in labels]
    book.fires("TunnelDown", 360, {links[0]: change(4, 0, 60), links[1]: gauge((0, 360))}, {})
    book.fires("TunnelDown", 360, {links[0]: change(4, GONE, 60)}, {})
    book.silent("TunnelDown", 360, {links[0]: gauge((0, 360)), links[1]: gauge((1, 360))})
    book.fires("TunnelConnectionsFew", 900, {links[0]: change(4, 3, 600)}, {"instance": "tunnel-1"})
    book.silent("TunnelConnectionsFew", 900, {links[0]: gauge((4, 900))})
    _errors(
        book, f"cloudflared_tunnel_request_errors{{{labels[0]}}}", f"cloudflared_tunnel_total_requests{{{labels[0]}}}"
    )


def _errors(book: Book, errors: str, requests: str) -> None:
    """Write down the share of errors; a ratio does not say over which range each of its rates is taken, these do."""
    rises = {errors: counter((0, 900), (0.0502, 900)), requests: counter((1, 1_800))}
    falls = {errors: counter((0.05, 1_800)), requests: counter((1.1, 900), (0.996, 900))}
    for history in (rises, falls):
        book.fires("TunnelErrors", 1_800, history, {}, step=15)
    book.silent("TunnelErrors", 1_800, {errors: counter((0.048, 1_800)), requests: counter((1, 1_800))}, step=15)
    for requests_a_second, told in ((20.5 / 300, True), (19.5 / 300, False)):
        few = {name: counter((requests_a_second, 1_800)) for name in (errors, requests)}
        if told:
            book.fires("TunnelErrors", 1_800, few, {}, step=15, first=False)
        else:
            book.silent("TunnelErrors", 1_800, few, step=15)
