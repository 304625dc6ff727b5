"""An Alertmanager that runs with the planned configuration."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from dreamseed.config import load_stage, stage_file
from dreamseed.planning.services.monitoring_alertmanager import settings
from dreamseed.planning.services.monitoring_files import yaml_text
from localtier.images import ensure_binary
from tests.ports import free_port

PROJECT = Path(__file__).parents[2]
patiently = partial(retry, stop=stop_after_delay(300), wait=wait_fixed(0.2))
"""Until it is so; a busy machine may take its time."""


class Alertmanager:
    """One that runs at `url`, by its API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=60)

    def tell(self, *alerts: Mapping[str, str]) -> None:
        self._client.post("/api/v2/alerts", json=[{"labels": dict(one)} for one in alerts]).raise_for_status()

    def alerts(self) -> dict[str, dict[str, Any]]:
        answer = self._client.get("/api/v2/alerts").raise_for_status().json()
        return {one["labels"]["alertname"]: one for one in answer}

    @patiently(retry=retry_if_exception_type(AssertionError), reraise=True)
    def wait_for(self, silent: set[str], told: set[str]) -> dict[str, dict[str, Any]]:
        found = self.alerts()
        states = {name: one["status"]["state"] for name, one in found.items()}
        assert {name for name, state in states.items() if state == "suppressed"} == silent
        assert {name for name, state in states.items() if state == "active"} == told
        return found

    @patiently(retry=retry_if_exception_type(httpx.HTTPError))
    def wait_until_ready(self) -> None:
        self._client.get("/-/ready").raise_for_status()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    text = yaml_text(settings(load_stage(stage_file(PROJECT, "stage-e"))))
    for secret in re.findall(r"/run/secrets/(\S+)", text):
        (tmp_path / secret).write_text("http://127.0.0.1:9/", encoding="utf-8")
    (tmp_path / "alertmanager.yml").write_text(text.replace("/run/secrets", str(tmp_path)), encoding="utf-8")
    port = free_port()
    command = [
        str(ensure_binary("alertmanager")),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            running = Alertmanager(f"http://127.0.0.1:{port}")
            running.wait_until_ready()
            yield running
        finally:
            process.terminate()
