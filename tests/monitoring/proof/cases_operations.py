"""Cases of the hosts, the cost, the next stage's triggers and the monitoring itself."""

from __future__ import annotations

from tests.monitoring.proof.series import Book, Series, counter, gauge
from tests.monitoring.proof.shapes import any_increase, change, quantile

HOST = {"host": "server-1"}
NODE = 'job="node",host="server-1",instance="server-1-node-exporter"'
DAY = 86_400


def hosts(book: Book) -> None:
    """Write down the hosts' cases."""
    labels = {"job": "node", "instance": "server-1-node-exporter", **HOST}
    book.fires("HostDown", 420, {f"up{{{NODE}}}": change(1, 0, 120)}, labels)
    book.silent("HostDown", 420, {f"up{{{NODE}}}": gauge((1, 420))})
    idle = f'node_cpu_seconds_total{{{NODE},cpu="0",mode="idle"}}'
    book.fires("HostCpuHigh", 2_100, {idle: counter((1, 900), (0.095, 1_200))}, HOST, step=15)
    book.silent("HostCpuHigh", 2_100, {idle: counter((0.11, 2_100))}, step=15)
    left, total = f"node_memory_MemAvailable_bytes{{{NODE}}}", f"node_memory_MemTotal_bytes{{{NODE}}}"
    book.fires("HostMemoryLow", 600, {left: change(5e9, 4.8e8, 300), total: gauge((1e10, 600))}, labels)
    book.silent("HostMemoryLow", 600, {left: gauge((5e8, 600)), total: gauge((1e10, 600))})
    _disks(book)


def _disks(book: Book) -> None:
    disk, memory = (
        f'{{{NODE},device="{device}",device_error="",fstype="{kind}",mountpoint="{mount}"}}'
        for device, kind, mount in (("/dev/nvme0n1", "ext4", "/"), ("tmpfs", "tmpfs", "/run"))
    )
    one = {"device": "/dev/nvme0n1", **HOST}
    left, size = "node_filesystem_avail_bytes", "node_filesystem_size_bytes"
    full = {f"{left}{memory}": gauge((1, 1_200)), f"{size}{memory}": gauge((100, 1_200))}
    book.fires(
        "DiskLow",
        1_200,
        {**full, f"{left}{disk}": change(5e10, 9.5e9, 900), f"{size}{disk}": gauge((1e11, 1_200))},
        one,
    )
    book.silent(
        "DiskLow", 1_200, {**full, f"{left}{disk}": gauge((1e10, 1_200)), f"{size}{disk}": gauge((1e11, 1_200))}
    )
    # A megabyte a second from 3,600 s on. The line through the last hour first ends below nothing at 6,000 s.
    rest = _left_for(first_seconds=6_000, flat_seconds=3_600)
    falls = {f"{left}{disk}": counter((0, 3_600), (-1e6, 5_400), start=rest)}
    book.fires("DiskFullSoon", 6_900, falls, one)
    book.silent("DiskFullSoon", 6_900, {f"{left}{disk}": counter((-1e6, 6_900), start=6_900e6 + 14_400e6 + 5e8)})
    book.silent("DiskFullSoon", 6_900, {f"{left}{memory}": counter((-1, 6_900), start=7_000)})


def _left_for(first_seconds: int, flat_seconds: int) -> float:
    """Return the bytes at the beginning with which the prediction is 0 fifteen seconds before `first_seconds`.

    The prediction is the least-squares line through the hour's samples, 14,400 s on, as predict_linear draws it.
    """
    now = first_seconds - 15
    times = [float(at) for at in range(first_seconds - 3_600, first_seconds, 30)]
    values = [-1e6 * max(0.0, at - flat_seconds) for at in times]
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    slope = sum((at - middle) * (value - mean) for at, value in zip(times, values, strict=True))
    slope /= sum((at - middle) ** 2 for at in times)
    return -(mean + slope * (now + 14_400 - middle))


def cost(book: Book) -> None:
    """Write down the cost's cases; stage E's budget is 800 USD."""
    spent = [
        f'edu_cost_month_to_date{{job="cost",instance="i",stage="E",component="{one}"}}' for one in ("api", "edge")
    ]
    budget: dict[str, Series] = {'edu_budget_monthly{stage="E"}': gauge((800, 4_200))}
    above = {spent[0]: gauge((700, 4_200)), spent[1]: change(0, 21, 3_600, since=600)}
    at = {spent[0]: gauge((700, 4_200)), spent[1]: gauge((20, 4_200))}
    book.fires("BudgetExceeded", 4_200, {**budget, **above}, {"stage": "E"}, step=60, tick=60)
    book.silent("BudgetExceeded", 4_200, {**budget, **at}, step=60, tick=60)
    told = 'edu_cost_last_update_timestamp_seconds{job="cost",instance="i"}'
    book.fires("CostDataStale", 7_260, {told: gauge((0, 7_260))}, {}, step=60, tick=60)
    book.fires("CostDataStale", 3_600, {"up": gauge((1, 3_600))}, {}, step=60, tick=60)
    book.silent("CostDataStale", 3_600, {told: gauge((0, 3_600))}, step=60, tick=60)


def autoscaler(book: Book) -> None:
    """Write down the autoscaler's cases; a month's cap is 40 USD."""
    own = 'job="autoscaler",instance="autoscaler"'
    told = f"edu_autoscaler_last_success_timestamp_seconds{{{own}}}"
    book.fires("AutoscalerSilent", 930, {told: gauge((0, 930))}, {})
    book.fires("AutoscalerSilent", 300, {"up": gauge((1, 300))}, {})
    book.silent("AutoscalerSilent", 600, {told: gauge((0, 600))})
    paused = f"edu_autoscaler_paused{{{own}}}"
    book.fires("AutoscalerLaunchesFail", 300, {paused: change(0, 1, 0)}, {})
    book.silent("AutoscalerLaunchesFail", 300, {paused: gauge((0, 300))})
    month, committed, cap = (f"edu_autoscaler_{one}_usd{{{own}}}" for one in ("month", "committed", "cap"))
    limit = {cap: gauge((40, 300))}
    gone = {month: gauge((31, 300))}
    book.fires("AutoscalerCapReached", 300, {**limit, **gone, committed: change(0, 5.1, 0)}, {})
    book.silent("AutoscalerCapReached", 300, {**limit, **gone, committed: gauge((5, 300))})
    orphan, serving = (f'edu_autoscaler_workers{{{own},phase="{phase}"}}' for phase in ("orphan", "serving"))
    book.fires("AutoscalerOrphan", 900, {orphan: change(0, 1, 600), serving: gauge((1, 900))}, {})
    book.silent("AutoscalerOrphan", 900, {orphan: gauge((0, 900)), serving: gauge((2, 900))})


def growth(book: Book) -> None:
    """Write down the triggers' cases, each at a stage that has it."""
    users, signed = 'edu_concurrent_users{job="api",instance="i"}', 'edu_signups{job="api",instance="i"}'
    late = {"stage": "stage-d", "step": 900, "tick": 900}
    book.fires("NextStageSignUps", 10_800, {signed: change(10, 500_001, 3_600, since=7_200)}, {}, **late)
    book.silent("NextStageSignUps", 10_800, {signed: gauge((500_000, 10_800))}, **late)
    peak = ((10.0, 7_200.0), (7_000.0, 900.0))
    book.fires("NextStageConcurrentUsers", 10_800, {users: gauge(*peak, (10, 3_600))}, {}, **late)
    book.fires("NextStageConcurrentUsers", 72_900, {users: gauge(*peak, (10, 64_800))}, {}, first=False, **late)
    book.silent("NextStageConcurrentUsers", 116_100, {users: gauge(*peak, (10, 108_000))}, **late)
    book.silent("NextStageConcurrentUsers", 10_800, {users: gauge((6_999, 10_800))}, **late)
    hourly = {"step": 60, "tick": 60}
    answer, plain = "http_request_duration_seconds", 'job="api",kind="plain"'
    slow = quantile(answer, plain, ("0.3", "0.5", "1"), ((0, 7_200), (0.0502, 7_200)))
    book.fires("NextStageApiLatency", 14_400, slow, {}, stage="stage-a", step=30, tick=60)
    fine = quantile(answer, plain, ("0.3", "0.5", "1"), ((0.048, 14_400),))
    book.silent("NextStageApiLatency", 14_400, fine, stage="stage-a", **hourly)
    util = 'DCGM_FI_DEV_GPU_UTIL{job="dcgm",host="server-1",gpu="0",UUID="u"}'
    card = {"gpu": "0", **HOST}
    book.fires("NextStageGpuBusy", 7_200, {util: gauge((50, 3_600), (81, 3_600))}, card, stage="stage-a", first=False)
    book.silent("NextStageGpuBusy", 7_200, {util: gauge((54, 5_400), (98, 1_800))}, stage="stage-a")
    _waits_and_misses(book)


def _waits_and_misses(book: Book) -> None:
    wait, engine = (
        "vllm:request_queue_time_seconds",
        'job="vllm",host="server-1",instance="v",model_name="m",engine="0"',
    )
    bounds = ("2.5", "5.0", "10.0")
    slow = quantile(wait, engine, bounds, ((0, 2_700), (0.0502, 1_800)))
    book.fires("NextStageQueueWait", 4_500, slow, {}, stage="stage-c", step=15)
    book.silent(
        "NextStageQueueWait", 4_500, quantile(wait, engine, bounds, ((0.048, 4_500),)), stage="stage-c", step=15
    )
    hits, misses = (
        f'redis_keyspace_{kind}_total{{job="redis",host="server-1",instance="r"}}' for kind in ("hits", "misses")
    )
    hourly = {"stage": "stage-c", "step": 60, "tick": 60}
    falls = {hits: counter((10, 7_200), (6.985, 7_200)), misses: counter((0, 7_200), (3.015, 7_200))}
    book.fires("NextStageCacheMisses", 14_400, falls, {}, **hourly)
    # A ratio does not say over which range each of its rates is taken; this history does.
    rises = {hits: counter((5, 12_600), (14, 1_800)), misses: counter((3.1, 12_600), (6, 1_800))}
    book.fires("NextStageCacheMisses", 14_400, rises, {}, first=False, **hourly)
    book.silent(
        "NextStageCacheMisses", 14_400, {hits: counter((7.1, 14_400)), misses: counter((2.9, 14_400))}, **hourly
    )
    base = 'job="postgres",host="server-1",instance="pg-1-1",shard="1",datid="1"'
    commits, rollbacks, other = (
        f'pg_stat_database_xact_{kind}{{{base},datname="{name}"}}'
        for kind, name in (("commit", "dreamseed"), ("rollback", "dreamseed"), ("commit", "postgres"))
    )
    for more, same in ((commits, rollbacks), (rollbacks, commits)):
        busy = {more: counter((0, 900), (3_010, 1_200)), same: counter((2_000, 2_100))}
        book.fires("NextStageDatabaseTransactions", 2_100, busy, {}, stage="stage-d", step=15)
    below = {commits: counter((2_900, 2_100)), rollbacks: counter((2_000, 2_100)), other: counter((900, 2_100))}
    book.silent("NextStageDatabaseTransactions", 2_100, below, stage="stage-d", step=15)
    _network(book)


def _network(book: Book) -> None:
    """Write down the network's cases: 125 MB/s one way is the whole of a gigabit, and each way has its own."""
    received, sent = (f'node_network_{way}_bytes_total{{{NODE},device="eth0"}}' for way in ("receive", "transmit"))
    for more, other in ((received, sent), (sent, received)):
        busy = {more: counter((0, 900), (125.4e6, 1_200)), other: counter((1e6, 2_100))}
        book.fires("NextStageNetwork", 2_100, busy, {}, stage="stage-d", step=15)
    both = {name: counter((120e6, 2_100)) for name in (received, sent)}
    book.silent("NextStageNetwork", 2_100, both, stage="stage-d", step=15)


def monitoring(book: Book) -> None:
    """Write down the cases of Prometheus, its targets and its receivers."""
    target = {"job": "redis", "host": "server-1", "instance": "redis-1"}
    up = 'up{job="redis",host="server-1",instance="redis-1"}'
    book.fires("TargetDown", 600, {up: change(1, 0, 300)}, target)
    book.silent("TargetDown", 600, {up: gauge((1, 600)), f"up{{{NODE}}}": gauge((0, 600))})
    own = {"job": "prometheus", "host": "server-1", "instance": "prometheus"}
    labels = 'job="prometheus",host="server-1",instance="prometheus"'
    group = {**own, "rule_group": "g"}
    any_increase(
        book, "RuleFailures", f'prometheus_rule_evaluation_failures_total{{{labels},rule_group="g"}}', 900, group
    )
    sent, taken = (
        'prometheus_notifications_errors_total{job="prometheus",host="server-1",instance="prometheus",alertmanager="a"}',
        'alertmanager_notifications_failed_total{job="alertmanager",host="server-1",instance="a",integration="webhook"}',
    )
    quiet = counter((0, 3_600))
    any_increase(book, "AlertDeliveryFailing", sent, 900, {**own, "alertmanager": "a"}, {taken: quiet})
    receiver = {"job": "alertmanager", "host": "server-1", "instance": "a", "integration": "webhook"}
    any_increase(book, "AlertDeliveryFailing", taken, 900, receiver, {sent: quiet})
    series = f"prometheus_tsdb_head_series{{{labels}}}"
    book.fires("PrometheusSeriesHigh", 2_100, {series: change(5e4, 200_001, 1_800)}, {})
    book.silent("PrometheusSeriesHigh", 2_100, {series: gauge((200_000, 2_100))})
    any_increase(book, "MetricsCutShort", f"prometheus_tsdb_size_retentions_total{{{labels}}}", DAY, own)
    highest = f"prometheus_remote_storage_highest_timestamp_in_seconds{{{labels}}}"
    written = f'prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{labels},remote_name="r",url="u"}}'
    book.fires("RemoteWriteBehind", 1_200, {highest: change(1_000, 1_301, 900), written: gauge((1_000, 1_200))}, {})
    book.silent("RemoteWriteBehind", 1_200, {highest: gauge((1_300, 1_200)), written: gauge((1_000, 1_200))})
