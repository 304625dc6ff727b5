"""The stand-in for Compute Engine as the container meets it: over HTTPS, by a certificate, with an account's key."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.oauth2.service_account import Credentials
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from autoscaler.cloud import CloudError
from autoscaler.google import GoogleCloud, clients
from autoscaler.records import Inventory
from localtier.certificates import ensure_ca, issue
from rehearsal.providers.cloud.generators import ACCOUNT_KEY, random_outputs
from tests.autoscaler.policies import NOW
from tests.autoscaler.test_google import OWNER, TEMPLATE, launch
from tests.ports import free_port


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleCloud]:
    ca, port = ensure_ca(tmp_path / "ca"), free_port()
    files = issue(ca, ["localhost"], [], tmp_path / "server")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca.certificate))
    monkeypatch.setenv("NO_PROXY", "localhost")
    key = random_outputs(ACCOUNT_KEY, {"serviceAccountId": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com"})
    info = json.loads(base64.b64decode(str(key["privateKey"])))
    credentials = Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
    command = [sys.executable, "-m", "simulator.compute", "--listen=127.0.0.1", f"--port={port}"]
    command += [f"--certificate={files.certificate}", f"--key={files.key}"]
    with subprocess.Popen(command) as process:
        instances, operations = clients(f"localhost:{port}", "https", credentials)
        yield GoogleCloud("p", OWNER, TEMPLATE, instances=instances, operations=operations)
        process.terminate()
        assert process.wait(timeout=60) == 0


@retry(retry=retry_if_exception_type(CloudError), wait=wait_fixed(0.2), stop=stop_after_delay(60), reraise=True)
def listed(cloud: GoogleCloud) -> Inventory:
    return cloud.inventory(NOW)


def test_the_real_client_signs_by_itself_and_its_machine_is_listed(cloud: GoogleCloud) -> None:
    assert not listed(cloud).instances
    cloud.launch(launch())
    assert [one.name for one in cloud.inventory(NOW).instances] == [launch().name]
