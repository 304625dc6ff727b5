"""Cases of the cards, the engines and the API."""

from __future__ import annotations

from tests.monitoring.proof.series import Book, Series, counter, gauge
from tests.monitoring.proof.shapes import change, now_and_then, quantile

ENGINE = 'job="vllm",host="server-1",instance="server-1-vllm-1",model_name="m",engine="0"'
OTHER = 'job="vllm",host="server-2",instance="server-2-vllm-1",model_name="m",engine="0"'
CARD = {"host": "server-1", "gpu": "0"}
MODEL = {"model_name": "m"}
INSTANCE = {"instance": "server-1-vllm-1"}
HOUR = 3_600


def cards(book: Book) -> None:
    """Write down the cards' cases."""
    util = 'DCGM_FI_DEV_GPU_UTIL{job="dcgm",host="server-1",gpu="0",UUID="u"}'
    book.fires("GPUHighUtilization", 900, {util: change(50, 86, 600)}, CARD)
    book.silent("GPUHighUtilization", 1_500, {util: gauge((85, 1_500))})
    xid = 'DCGM_FI_DEV_XID_ERRORS{job="dcgm",host="server-1",gpu="0",UUID="u"}'
    book.fires("GpuXid", 300, {xid: gauge((0, 300), (1, 0))}, CARD)
    book.silent("GpuXid", 300, {xid: gauge((0, 300))})


def waiting(book: Book) -> None:
    """Write down the queue's and the KV cache's cases."""
    queue = "vllm:num_requests_waiting"
    both = {f"{queue}{{{ENGINE}}}": change(5, 11, 180), f"{queue}{{{OTHER}}}": change(5, 10, 180)}
    book.fires("LLMQueueBacklog", 480, both, MODEL)
    book.silent("LLMQueueBacklog", 480, {f"{queue}{{{one}}}": gauge((10, 480)) for one in (ENGINE, OTHER)})
    bounds = ("2.5", "5.0", "10.0")
    wait, whole = "vllm:request_queue_time_seconds", "vllm:e2e_request_latency_seconds"
    book.fires("LlmQueueWaitLong", 1_500, quantile(wait, ENGINE, bounds, ((0, 900), (0.051, 600))), MODEL, step=15)
    book.silent("LlmQueueWaitLong", 1_500, quantile(wait, ENGINE, bounds, ((0.048, 1_500),)), step=15)
    book.fires(
        "LlmGenerationSlow", 2_700, quantile(whole, ENGINE, bounds, ((0, 1_200), (0.051, 1_500))), MODEL, step=15
    )
    book.silent("LlmGenerationSlow", 2_700, quantile(whole, ENGINE, bounds, ((0.048, 2_700),)), step=15)
    _kv_cache(book)


def _kv_cache(book: Book) -> None:
    usage, preempted = f"vllm:kv_cache_usage_perc{{{ENGINE}}}", f"vllm:num_preemptions_total{{{ENGINE}}}"
    often, seldom = now_and_then(60, 480, 3_000, 30), now_and_then(60, 1_080, 3_000, 30)
    book.fires("LlmKvFull", 1_500, {usage: change(0.5, 0.95, 600, since=900), preempted: often}, INSTANCE)
    book.silent("LlmKvFull", 1_500, {usage: gauge((0.88, 1_500)), preempted: often})
    book.silent("LlmKvFull", 1_500, {usage: gauge((0.95, 1_500)), preempted: counter((0, 1_500))})
    book.silent("LlmKvFull", 2_400, {usage: gauge((0.95, 2_400)), preempted: seldom})


def engines(book: Book) -> None:
    """Write down the cases of engines that are gone or hang."""
    up = f"up{{{ENGINE}}}"
    labels = {"job": "vllm", "host": "server-1", "model_name": "m", "engine": "0", **INSTANCE}
    book.fires("LlmReplicaDown", 420, {up: change(1, 0, 120)}, labels)
    book.silent("LlmReplicaDown", 420, {up: gauge((1, 420))})
    tokens = f"vllm:generation_tokens_total{{{ENGINE}}}"

    def held(running: float, written: Series) -> dict[str, Series]:
        return {
            f"vllm:num_requests_running{{{ENGINE}}}": gauge((running, 1_500)),
            f"vllm:num_requests_waiting{{{ENGINE}}}": gauge((0, 1_500)),
            tokens: written,
        }

    # At 870 s the last token, of 600 s, has left the five minutes.
    book.fires("LlmStalled", 1_170, held(1, counter((50, 600), (0, 900))), INSTANCE)
    book.silent("LlmStalled", 1_170, held(0, counter((50, 600), (0, 900))))
    book.silent("LlmStalled", 1_170, held(1, counter((0.5, 1_500))))


def answers(book: Book) -> None:
    """Write down the cases of refusals, failures and slow fleets."""
    refused = f'vllm:admission_rejections_total{{{ENGINE},reason="max_num_queued_reqs"}}'
    book.fires("LlmRejecting", 630, {refused: counter((0, 300), (0.002, 600))}, MODEL)
    book.fires("LlmRejecting", 1_200, {refused: now_and_then(60, 240, 1_500, 30)}, MODEL, first=False)
    book.silent("LlmRejecting", 1_500, {refused: now_and_then(60, 540, 1_800, 30)})
    book.silent("LlmRejecting", 1_500, {refused: counter((0, 1_500))})
    for kind in ("error", "refused"):
        _failures(book, kind)
    tokens, queue = f"vllm:generation_tokens_total{{{ENGINE}}}", f"vllm:num_requests_waiting{{{ENGINE}}}"
    slow = counter((10_000, 900), (2_490, 1_500))
    book.fires("LlmThroughputLow", 2_400, {tokens: slow, queue: gauge((1, 2_400))}, {}, step=15)
    book.silent("LlmThroughputLow", 2_400, {tokens: counter((2_600, 2_400)), queue: gauge((1, 2_400))})
    book.silent("LlmThroughputLow", 2_400, {tokens: counter((2_000, 2_400)), queue: gauge((0, 2_400))})


def _failures(book: Book, kind: str) -> None:
    """Write down failures of one kind: (in the hour before, its first half, the last half hour) and all in an hour."""
    name = {
        "error": f'vllm:request_success_total{{{ENGINE},finished_reason="error"}}',
        "refused": f'vllm:admission_rejections_total{{{ENGINE},reason="max_num_queued_reqs"}}',
    }[kind]

    def hours(before: float, early: float, late: float, served: float) -> dict[str, Series]:
        failed = counter((before / HOUR, HOUR), (early / 1_800, 1_800), (late / 1_800, 1_800))
        return {
            name: failed,
            f'vllm:request_success_total{{{ENGINE},finished_reason="stop"}}': counter((served / HOUR, 2 * HOUR)),
        }

    book.fires("LlmFailures", 2 * HOUR, hours(0, 10.6, 0, 2_000), {}, first=False)
    book.silent("LlmFailures", 2 * HOUR, hours(30, 6, 6, 2_500))
    book.silent("LlmFailures", 2 * HOUR, hours(10, 4.75, 4.75, 1_500))


def api(book: Book) -> None:
    """Write down the API's cases."""
    name, labels = "http_request_duration_seconds", 'job="api",kind="plain"'
    p95, p99 = ("0.2", "0.3", "0.5"), ("0.3", "0.5", "1")
    # 104 and 96 requests in five minutes stand on either side of the guard's 100.
    for alert, bounds, slow, less in (("APIHighLatency", p95, 0.051, 0.048), ("ApiTailLatency", p99, 0.0102, 0.0095)):
        begins = ((0.0, 900.0), (slow, 600.0))
        book.fires(alert, 1_500, quantile(name, labels, bounds, begins, 104 / 300), {}, step=15)
        book.silent(alert, 1_500, quantile(name, labels, bounds, begins, 96 / 300), step=15)
        book.silent(alert, 1_500, quantile(name, labels, bounds, ((less, 1_500.0),), 104 / 300), step=15)
    _failed_answers(book)
    other: dict[str, Series] = {"up": gauge((1, 900))}
    sent = 'http_request_duration_seconds_count{job="api",kind="plain"}'
    book.fires("ApiMetricsMissing", 900, other, {"job": "api"})
    book.silent("ApiMetricsMissing", 900, {sent: counter((1, 900))})
    asleep: dict[str, Series] = {sent: counter((1, HOUR))}
    book.fires("ApiMetricsMissing", 90_900, asleep, {"job": "api"}, stage="stage-a", step=450, tick=450)
    book.silent("ApiMetricsMissing", 86_400, asleep, stage="stage-a", step=450, tick=450)


def _failed_answers(book: Book) -> None:
    ratio = 'slo:error_ratio:rate1d{slo="api-availability"}'
    failed = 'http_requests_total{job="api",status="5xx",kind="plain"}'
    day = 86_400.0

    def days(share: float, before: float, last: float) -> dict[str, Series]:
        return {ratio: gauge((share, 2 * day)), failed: counter((before / day, day), (last / day, day))}

    slo = {"slo": "api-availability"}
    book.fires("Api5xxRatio", 172_800, days(0.00105, 0, 10.5), slo, first=False, step=600, tick=1_800)
    book.silent("Api5xxRatio", 172_800, days(0.00095, 0, 20), step=600, tick=1_800)
    book.silent("Api5xxRatio", 172_800, days(0.00105, 10, 9.5), step=600, tick=1_800)
