"""Two weeks of a stage's metrics, made up, in a real Prometheus: what a review is tried on.

It is no recording of users: there are none yet. The file is what promtool reads to make blocks.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from localtier.images import ensure_binary
from tests.ports import free_port

STEP_SECONDS = 300
DAY = 86_400
Values = Callable[[float], float]
"""A series' value so many days after the first moment."""


def open_metrics(first: datetime, days: int, series: dict[str, Values]) -> str:
    """Return the series in OpenMetrics' text format, a sample every five minutes, the last moment included."""
    begin = int(first.timestamp())
    lines = []
    for name, value in series.items():
        lines += [
            f"{name} {value(passed / DAY):.6f} {begin + passed}" for passed in range(0, days * DAY + 1, STEP_SECONDS)
        ]
    return "\n".join([*lines, "# EOF", ""])


@contextmanager
def serving(folder: Path, text: str) -> Iterator[str]:
    """Run a Prometheus over the series of `text`; yield its URL."""
    source, data = folder / "history.txt", folder / "data"
    source.write_text(text, encoding="utf-8")
    command = [str(ensure_binary("promtool")), "tsdb", "create-blocks-from", "openmetrics", str(source), str(data)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    port = free_port()
    server = [
        str(ensure_binary("prometheus")),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url)
            yield url
        finally:
            process.terminate()


@retry(stop=stop_after_delay(300), wait=wait_fixed(0.2), retry=retry_if_exception_type(httpx.HTTPError))
def _wait_until_ready(url: str) -> None:
    httpx.get(f"{url}/-/ready", trust_env=False).raise_for_status()
