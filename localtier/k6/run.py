"""Running k6 against a stage, and its summary as figures."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dreamseed.planning.stage_plan import StagePlan
from localtier.k6.options import (
    API,
    BEGIN_SECONDS,
    GENERATION,
    REQUESTS_PER_GENERATION,
    TOKENS_PER_GENERATION,
    Surge,
    k6_options,
    period_seconds,
    surge_options,
    users,
)

SCRIPT = Path(__file__).with_name("chat.js")
THRESHOLDS_CROSSED = 99
"""k6's exit status when it ran and an objective was missed. Source: k6 1.8 source, errext/exitcodes."""


class K6Failed(Exception):  # noqa: N818 - a run that did not take place
    """k6 did not run to its end."""


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What users saw of one kind of request; latencies in milliseconds, None when there was none."""

    count: int
    failure_ratio: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True, kw_only=True)
class K6Result:
    """A run: its users, what they saw, and the objectives that were missed, as k6 wrote them."""

    users: int
    seconds: float
    api: Requests
    generation: Requests
    wrong_answers: int
    """Completions with another status than 200 or without a text."""
    missed: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every objective was met by requests that were really made."""
        return not self.missed and not self.wrong_answers and self.api.count > 0 and self.generation.count > 0


def run_k6(
    binary: Path,
    base_url: str,
    key: str,
    plan: StagePlan,
    scale: float,
    seconds: float,
    *,
    headers: Mapping[str, str] | None = None,
    within: Callable[[Sequence[str]], list[str]] = list,
) -> K6Result:
    """Let `scale` of the stage's users use the model at `base_url` for `seconds`.

    `key` is the model's; `headers` are sent too (such as those of Access); `within` makes the command run elsewhere,
    such as in another network namespace. Raises `K6Failed` when k6 does not run to its end and `PlanError` for a wrong
    scale.
    """
    environment = {
        "CHAT_OPTIONS": json.dumps(k6_options(plan, scale, seconds)),
        "CHAT_HEADERS": json.dumps(dict(headers or {})),
        "CHAT_PERIOD_SECONDS": str(period_seconds(plan)),
        "CHAT_REQUESTS_PER_GENERATION": str(REQUESTS_PER_GENERATION),
        "CHAT_MAX_TOKENS": str(TOKENS_PER_GENERATION),
        "CHAT_MORE": "{}",
    }
    summary = _run(binary, base_url, key, plan, environment, within)
    return parse_summary(summary, users(plan, scale), seconds)


def run_surge(
    binary: Path,
    base_url: str,
    key: str,
    plan: StagePlan,
    surge: Surge,
    *,
    within: Callable[[Sequence[str]], list[str]] = list,
) -> K6Result:
    """Let a surge ask the model at `base_url`, until all that it asked for has ended; raises as `run_k6` does."""
    environment = {
        "CHAT_OPTIONS": json.dumps(surge_options(plan, surge)),
        "CHAT_HEADERS": "{}",
        "CHAT_PERIOD_SECONDS": str(BEGIN_SECONDS),
        "CHAT_REQUESTS_PER_GENERATION": "1",
        "CHAT_MAX_TOKENS": str(surge.tokens),
        "CHAT_MORE": json.dumps({"ignore_eos": True}),
    }
    return parse_summary(_run(binary, base_url, key, plan, environment, within), surge.users, surge.seconds)


def _run(
    binary: Path,
    base_url: str,
    key: str,
    plan: StagePlan,
    told: Mapping[str, str],
    within: Callable[[Sequence[str]], list[str]],
) -> dict[str, Any]:
    """Return the summary of a run of the script."""
    with tempfile.TemporaryDirectory(prefix="dreamseed-k6-") as folder:
        summary = Path(folder) / "summary.json"
        # By environment, not by arguments, which every process may read.
        environment = os.environ | {
            **told,
            "CHAT_URL": base_url.rstrip("/"),
            "CHAT_KEY": key,
            "CHAT_MODEL": plan.config.vllm.served_name,
            "CHAT_TIMEOUT_SECONDS": str(plan.config.api.request_timeout_seconds),
            "CHAT_SUMMARY": str(summary),
            "K6_NO_USAGE_REPORT": "true",
        }
        command = within([str(binary), "run", "--quiet", "--no-color", str(SCRIPT)])
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, THRESHOLDS_CROSSED) or not summary.exists():
            raise K6Failed(f"k6 ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        found: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))
        return found


def parse_summary(summary: Mapping[str, Any], virtual_users: int, seconds: float) -> K6Result:
    """Return the figures of k6's end-of-test summary. Source: k6 1.8 documentation, handleSummary."""
    metrics = summary["metrics"]
    return K6Result(
        users=virtual_users,
        seconds=seconds,
        api=_requests(metrics, API),
        generation=_requests(metrics, GENERATION),
        wrong_answers=int(metrics.get("checks", {"values": {"fails": 0}})["values"]["fails"]),
        missed=tuple(
            f"{name}: {limit}"
            for name, metric in sorted(metrics.items())
            for limit, said in metric.get("thresholds", {}).items()
            if not said["ok"]
        ),
    )


def _requests(metrics: Mapping[str, Any], kind: str) -> Requests:
    def values(name: str) -> Mapping[str, float]:
        found: Mapping[str, float] = metrics.get(f"{name}{{kind:{kind}}}", {}).get("values", {})
        return found

    count = int(values("http_reqs").get("count", 0))
    taken = values("http_req_duration") if count else {}
    return Requests(
        count=count,
        failure_ratio=values("http_req_failed").get("rate", 0.0),
        p50_ms=taken.get("p(50)"),
        p95_ms=taken.get("p(95)"),
        p99_ms=taken.get("p(99)"),
    )
