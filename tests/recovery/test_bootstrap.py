from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client  # type: ignore[import-untyped]  # ships no types
from typer.testing import CliRunner, Result

from dreamseed.cli import build
from dreamseed.config import load_stage, stage_file
from dreamseed.planning.state_bucket import state_bucket
from dreamseed.recovery.bootstrap import LIFECYCLE, SETTINGS, BootstrapError, bootstrap, signed_in
from tests.program import PROJECT, record
from tests.recovery.google_storage import Storage, serving

ANONYMOUS = AnonymousCredentials()  # type: ignore[no-untyped-call]  # declares no types
PLAN = state_bucket(load_stage(stage_file(PROJECT, "stage-a")).service)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    with serving(Storage()) as served:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", served.url)
        yield served


def client(storage: Storage) -> Client:
    return Client(project=PLAN.project, credentials=ANONYMOUS, client_options={"api_endpoint": storage.url})


def invoke(*words: str) -> Result:
    file = str(stage_file(PROJECT, "stage-a"))
    return CliRunner().invoke(build(["state"]), ["state", "bootstrap", "--config-file", file, *words])


def test_the_bucket_is_made_as_the_program_declares_it(storage: Storage) -> None:
    result = invoke()
    assert result.exit_code == 0, result.output
    assert f"pulumi login gs://{PLAN.name}" in result.output
    made = storage.buckets[PLAN.name]
    declared = next(r for r in record("stage-a") if r.type == "gcp:storage/bucket:Bucket").inputs
    assert made["name"] == declared["name"]
    assert made["location"] == declared["location"]
    assert made["versioning"]["enabled"] is declared["versioning"]["enabled"] is True
    access = made["iamConfiguration"]
    assert access["uniformBucketLevelAccess"]["enabled"] is declared["uniformBucketLevelAccess"]
    assert access["publicAccessPrevention"] == declared["publicAccessPrevention"]
    kept = int(made["softDeletePolicy"]["retentionDurationSeconds"])
    assert kept == declared["softDeletePolicy"]["retentionDurationSeconds"]
    assert made["lifecycle"]["rule"] == LIFECYCLE
    rule = declared["lifecycleRules"][0]["condition"]
    assert LIFECYCLE[0]["condition"] == {
        "daysSinceNoncurrentTime": rule["daysSinceNoncurrentTime"],
        "numNewerVersions": rule["numNewerVersions"],
    }


def test_a_second_time_nothing_is_done(storage: Storage) -> None:
    assert invoke().exit_code == 0
    assert storage.calls == ["POST"]
    again = invoke()
    assert "nothing to do" in again.output
    assert storage.calls == ["POST"]


def test_a_dry_run_says_all_and_does_nothing(storage: Storage) -> None:
    result = invoke("--dry-run")
    assert result.exit_code == 0
    assert result.output.count("would be set: ") == 1 + len(SETTINGS)
    assert storage.calls == []


def test_a_bucket_that_is_there_is_mended_where_it_differs(storage: Storage) -> None:
    bootstrap(client(storage), PLAN, dry_run=False)
    storage.buckets[PLAN.name]["versioning"] = {"enabled": False}
    assert bootstrap(client(storage), PLAN, dry_run=True) == ["every version is kept"]
    assert bootstrap(client(storage), PLAN, dry_run=False) == ["every version is kept"]
    assert storage.buckets[PLAN.name]["versioning"] == {"enabled": True}
    assert bootstrap(client(storage), PLAN, dry_run=False) == []


def test_a_bucket_elsewhere_is_refused_and_left_alone(storage: Storage) -> None:
    bootstrap(client(storage), PLAN, dry_run=False)
    with pytest.raises(BootstrapError, match="never moves"):
        bootstrap(client(storage), replace(PLAN, location="EUROPE-WEST1"), dry_run=False)
    assert storage.calls == ["POST"]


def test_a_name_of_somebody_else_is_told_with_what_to_do(storage: Storage) -> None:
    storage.foreign = frozenset({PLAN.name})
    with pytest.raises(BootstrapError, match=r"Google refused.*\n.*shared by all customers.*\n.*service\.gcp_project"):
        bootstrap(client(storage), PLAN, dry_run=False)


def test_who_is_not_signed_in_is_told_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(BootstrapError, match="gcloud auth application-default login"):
        signed_in(PLAN)
