from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.chaos.lookup import Person
from rehearsal.chaos.verdict import differences, guards, leaks, secrets_of
from rehearsal.guards import lift
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.cloud.generators import ACCOUNT_KEY
from rehearsal.providers.cloud.identity import computed_id, is_drawn, is_made_again
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.wire import SIGNATURE, UNKNOWN_TEXT
from rehearsal.runner.recovery import Creation, Identity
from rehearsal.runner.scaffold import PLAINTEXT
from tests.rehearsal.providers.given import (
    CONTAINER,
    PASSWORD,
    PLACE,
    RECORD,
    RUN_SERVICE,
    SQL_USER,
    VPC,
    ZONE_ID,
    subject,
)

CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
TOKEN = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"
RECORD_INPUTS = {"zoneId": ZONE_ID, "name": "api", "type": "A", "content": "192.0.2.1", "ttl": 1}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    made = FakeCloud(tmp_path)
    yield made
    made.close()


def make(cloud: FakeCloud, token: str, inputs: dict[str, Any], name: str = "thing") -> str:
    thing = subject(token, name)
    return cloud.create(thing, inputs, TableJudge().plan_create(thing, inputs)).id


def state(*objects: tuple[str, str]) -> dict[str, Any]:
    resources = [{"urn": id_, "type": token, "id": id_, "custom": True} for token, id_ in objects]
    return {"deployment": {"resources": resources}}


def test_nothing_differs_when_state_and_cloud_hold_the_same(cloud: FakeCloud) -> None:
    id_ = make(cloud, VPC, {"name": "vpc"})
    assert differences(state((VPC, id_)), cloud, Counter({VPC: 1})) == []


def test_what_is_left_over_twice_there_or_lost_is_told(cloud: FakeCloud) -> None:
    one, two = (make(cloud, CHANNEL, {"displayName": "alerts", "type": "email"}, name) for name in ("a", "b"))
    found = differences(state((CHANNEL, one), (VPC, "gone")), cloud, Counter({CHANNEL: 1, VPC: 1}))
    assert found == [
        f"recorded, but not in the cloud: {VPC} gone",
        f"in the cloud, but not recorded: {CHANNEL} {two}",
        f"0 of {VPC}, without a fault 1",
        f"2 of {CHANNEL}, without a fault 1",
    ]


def test_what_its_cloud_guards_is_named_until_the_guard_is_lifted(cloud: FakeCloud, tmp_path: Path) -> None:
    make(cloud, VPC, {"name": "vpc"})
    service = {"name": "api", "location": "us-central1", "template": {"containers": [{"image": "a"}]}}
    id_ = make(cloud, RUN_SERVICE, service | {"deletionProtection": True})
    assert guards(cloud) == [(RUN_SERVICE, id_)]
    assert lift(tmp_path) == 1
    assert guards(cloud) == []


def test_a_secret_in_a_file_or_in_what_was_printed_is_told_by_its_place_and_not_shown(tmp_path: Path) -> None:
    sealed = {SIGNATURE: "…", PLAINTEXT: '{"password": "hunter2-hunter2", "port": "5432"}'}
    resources = [{"urn": "user", "outputs": {"a": [sealed]}}]
    secrets = secrets_of({"deployment": {"resources": resources}})
    assert list(secrets) == ["user outputs.a[0].password"]
    (tmp_path / "log").write_text("with hunter2-hunter2 in it", encoding="utf-8")
    found = leaks(secrets, [tmp_path], ["nothing", "hunter2-hunter2"])
    assert found == {"user outputs.a[0].password": [str(tmp_path / "log"), "output of run 2"]}
    (tmp_path / "log").write_text("without", encoding="utf-8")
    assert leaks(secrets, [tmp_path], ["nothing"]) == {}


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (VPC, {"name": "vpc"}),
        (RUN_SERVICE, {"name": "api", "location": "us-central1", "template": {"containers": [{"image": "a"}]}}),
        (SQL_USER, {"name": "app", "instance": "db"}),
    ],
)
def test_a_computed_id_is_the_one_that_the_cloud_gives(cloud: FakeCloud, token: str, inputs: dict[str, Any]) -> None:
    assert computed_id(token, inputs, PLACE) == make(cloud, token, inputs)


def test_an_id_is_not_computed_from_what_nobody_knows() -> None:
    assert computed_id(SQL_USER, {"name": "app", "instance": UNKNOWN_TEXT}, PLACE) is None
    assert computed_id(VPC, {"name": "vpc"}, {}) is None
    assert computed_id(PASSWORD, {"length": 20}, PLACE) is None
    assert computed_id(PASSWORD, {"length": 20}, PLACE, again=True) is None
    assert computed_id(RECORD, RECORD_INPUTS, PLACE) is None
    assert is_drawn(RECORD)
    assert is_drawn("docker:index/tag:Tag")
    assert not is_made_again(RECORD)


def creation(token: str, inputs: dict[str, Any]) -> Creation:
    return Creation(subject(token).urn, token, inputs, None, "provider::id", PLACE)


def test_a_person_finds_what_was_made_and_not_recorded_by_what_it_says(cloud: FakeCloud) -> None:
    recorded = make(cloud, RECORD, RECORD_INPUTS, "recorded")
    left = make(cloud, RECORD, RECORD_INPUTS | {"name": "www"}, "left")
    person = Person(cloud, {RECORD: frozenset({recorded})})
    assert person(creation(RECORD, RECORD_INPUTS | {"name": "www"})) == Identity(left)
    assert person(creation(RECORD, RECORD_INPUTS)) is None
    assert person(creation(VPC, {"name": "vpc"})) == Identity("projects/dreamseed-prod/global/networks/vpc")
    assert person(creation(CONTAINER, {"name": "redis"})) is None


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (TOKEN, {"accountId": "f" * 32, "name": "servers"}),
        (ACCOUNT_KEY, {"serviceAccountId": "projects/p/serviceAccounts/autoscaler@p.iam.gserviceaccount.com"}),
    ],
)
def test_a_person_revokes_what_tells_its_secret_only_once(cloud: FakeCloud, token: str, inputs: dict[str, Any]) -> None:
    make(cloud, token, inputs)
    assert Person(cloud, {})(creation(token, inputs)) is None
    assert cloud.list(token) == []
