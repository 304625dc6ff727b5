"""A promotion whose engine is killed while it makes something: the same command finds it, or says who must."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dreamseed.promotion.saga import StepError
from playbook.applying import Applying
from rehearsal.chaos.verdict import KEPT_AS, existing
from rehearsal.providers import faults
from rehearsal.providers.faults import Fault, FaultKind, Operation
from tests.recovery.site import STACK, Site, standing
from tests.recovery.test_recovery import PROJECT

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("recovery")]
URN = f"urn:pulumi:{STACK}::lost-sample::"
BUCKET = "pulumi-python:dynamic/b2:Bucket"
ACCOUNT, RECORD = "gcp:serviceaccount/account:Account", "cloudflare:index/dnsRecord:DnsRecord"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack with nothing in it."""
    folder = tmp_path_factory.mktemp("killed") / "empty"
    with standing(PROJECT, folder, "one") as site:
        assert site.engine.create_stack(STACK, like="one").succeeded
    return folder


@pytest.fixture(scope="module")
def stood(empty: Path) -> Path:
    """A stack that stands at one."""
    folder = Path(shutil.copytree(empty, empty.with_name("stood")))
    with standing(PROJECT, folder, "one") as site:
        site.up("one")
    return folder


@contextmanager
def killed(start: Path, folder: Path, stage: str, token: str, name: str) -> Iterator[tuple[Site, Applying, str]]:
    """Give a promotion to `stage` and its digest after its engine was killed just when `name` had been made."""
    shutil.copytree(start, folder)
    faults.write_plan(folder / "cloud", [Fault(Operation.CREATE, f"{URN}{token}::{name}", FaultKind.ENGINE_DIES_AFTER)])
    with standing(PROJECT, folder, stage) as site:
        engine = replace(site.engine, pid_file=folder / "cloud" / faults.ENGINE)
        applying = Applying(
            engine=engine, stack=STACK, before="one", after=stage, reached=lambda _: None, kept_in=folder
        )
        approved = applying.preview().digest
        with pytest.raises(StepError):
            applying.up(approved)
        pending = site.engine.read_state(STACK)["deployment"]["pending_operations"]
        assert f"{URN}{token}::{name}" in {one["resource"]["urn"] for one in pending}
        assert objects(site, token) == 1
        yield site, applying, approved


def objects(site: Site, token: str) -> int:
    """Return how many objects of a type there are."""
    with site.cloud() as cloud:
        return Counter(kind for kind, _ in existing(cloud))[KEPT_AS.get(token, token)]


def test_what_has_a_known_id_is_recorded_and_the_promotion_goes_on(stood: Path, tmp_path: Path) -> None:
    with killed(stood, tmp_path / "stack", "two", ACCOUNT, "api") as (site, applying, approved):
        applying.up(approved)
        assert objects(site, ACCOUNT) == 1
        assert site.engine.preview(STACK, "two", lambda _: None).events.all_changes() == []


def test_without_the_search_the_next_run_is_refused(
    stood: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed(stood, tmp_path / "stack", "two", ACCOUNT, "api") as (_, applying, approved):
        monkeypatch.setattr(Applying, "_find_lost", lambda _: None)
        with pytest.raises(StepError, match="exist"):
            applying.up(approved)


@pytest.mark.parametrize(
    ("stage", "token", "name"), [("one", BUCKET, "sample-backups"), ("two", RECORD, "api")], ids=["bucket", "record"]
)
def test_what_its_cloud_numbers_is_not_made_a_second_time(
    empty: Path, stood: Path, tmp_path: Path, stage: str, token: str, name: str
) -> None:
    start = empty if stage == "one" else stood
    with killed(start, tmp_path / "stack", stage, token, name) as (site, applying, approved):
        for _ in range(2):
            with pytest.raises(StepError, match=f"was killed while it made {name}: whether that is there, nobody"):
                applying.up(approved)
        assert objects(site, token) == 1


def test_what_a_person_looked_up_is_recorded_by_its_id(stood: Path, tmp_path: Path) -> None:
    with killed(stood, tmp_path / "stack", "two", RECORD, "api") as (site, applying, approved):
        with site.cloud() as cloud:
            (found,) = cloud.list(RECORD)
        replace(applying, identified={"api": found.id}).up(approved)
        assert objects(site, RECORD) == 1
        assert site.engine.preview(STACK, "two", lambda _: None).events.all_changes() == []
