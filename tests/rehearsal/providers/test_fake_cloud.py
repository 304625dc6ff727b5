from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from google.oauth2.service_account import Credentials

from rehearsal.providers.cloud.fake_cloud import RULES, FakeCloud
from rehearsal.providers.cloud.store import Store
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import Found, RefusedError, Subject
from rehearsal.providers.values import Secret, Values
from rehearsal.tables.facts import UnknownTypeError
from tests.rehearsal.providers import given
from tests.rehearsal.providers.given import (
    CONTAINER,
    IMAGE,
    NETWORK,
    PASSWORD,
    RUN_SERVICE,
    SQL_USER,
    TUNNEL,
    VPC,
    subject,
)

SERVICE = {"name": "api", "location": "us-central1", "template": {"containers": [{"image": "a"}]}}
ACCOUNT_ID = "f" * 32


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    made = FakeCloud(tmp_path)
    yield made
    made.close()


def make(cloud: FakeCloud, thing: Subject, inputs: Values) -> Found:
    judge = TableJudge()
    checked = judge.check(thing, inputs, {}, b"seed").inputs
    return cloud.create(thing, checked, judge.plan_create(thing, checked))


@pytest.mark.parametrize(
    ("token", "inputs", "outputs"),
    [
        (RUN_SERVICE, SERVICE, {"uri": r"https://api-\d{12}\.us-central1\.run\.app"}),
        (
            VPC,
            {"name": "vpc"},
            {"selfLink": r"https://.*/projects/dreamseed-prod/global/networks/vpc", "numericId": r"\d{19}"},
        ),
        (
            IMAGE,
            {"name": "redis:7@sha256:" + "a" * 64},
            {"repoDigest": "redis@sha256:a{64}", "imageId": "sha256:[0-9a-f]{64}"},
        ),
        (
            "gcp:serviceaccount/account:Account",
            {"accountId": "dreamseed-api"},
            {
                "email": r"dreamseed-api@dreamseed-prod\.iam\.gserviceaccount\.com",
                "member": "serviceAccount:dreamseed-api@.*",
            },
        ),
        (
            given.SQL,
            {"name": "dr", "databaseVersion": "POSTGRES_17", "settings": {"tier": "db-f1-micro"}},
            {"connectionName": "dreamseed-prod:us-central1:dr", "publicIpAddress": r"34\.\d+\.\d+\.\d+"},
        ),
        (TUNNEL, {"accountId": ACCOUNT_ID, "name": "a"}, {"accountTag": ACCOUNT_ID}),
        (given.STACK, {"slug": "dreamseed"}, {"url": "https://dreamseed.grafana.net", "prometheusUserId": r"\d{7}"}),
        (given.BUCKET, {"name": "state", "location": "US"}, {"url": "gs://state", "projectNumber": r"\d{12}"}),
    ],
)
def test_computed_outputs_are_plausible(cloud: FakeCloud, token: str, inputs: Values, outputs: dict[str, str]) -> None:
    made = make(cloud, subject(token), inputs)
    for key, pattern in outputs.items():
        assert re.fullmatch(pattern, str(made.outputs[key])), (key, made.outputs[key])


def test_computed_outputs_have_the_type_of_their_property(cloud: FakeCloud) -> None:
    zone = make(cloud, subject(given.ZONE), {"account": {"id": ACCOUNT_ID}, "name": "example.com"})
    assert isinstance(zone.outputs["nameServers"], list)
    assert re.fullmatch("[0-9a-f]{32}", zone.id)
    assert make(cloud, subject(RUN_SERVICE), SERVICE).outputs["generation"] == "1"
    box = make(cloud, subject(CONTAINER), {"image": "a", "ports": [{"internal": 80}]})
    assert isinstance(box.outputs["ports"][0]["external"], int)


def test_a_rehearsal_gives_the_same_values_again(tmp_path: Path) -> None:
    made = []
    for run in ("first", "second"):
        cloud = FakeCloud(tmp_path / run)
        made.append(
            [
                make(cloud, subject(token), inputs)
                for token, inputs in ((RUN_SERVICE, SERVICE), (NETWORK, {"name": "a"}))
            ]
        )
        cloud.close()
    assert made[0] == made[1]


def test_a_replacement_that_is_made_first_is_another_object(cloud: FakeCloud) -> None:
    record = {"zoneId": given.ZONE_ID, "name": "a.example.com", "type": "A", "ttl": 1, "content": "203.0.113.1"}
    old = make(cloud, subject(given.RECORD), record)
    new = make(cloud, subject(given.RECORD), record | {"content": "203.0.113.2"})
    assert old.id != new.id


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (
            RUN_SERVICE,
            SERVICE,
            "googleapi: Error 409: 'projects/dreamseed-prod/locations/us-central1/services/api' already exists",
        ),
        (CONTAINER, {"name": "redis", "image": "a"}, "Conflict: the name 'redis' is already in use"),
        (
            given.ZONE,
            {"account": {"id": "a"}, "name": "example.com"},
            "409 Conflict: an object 'a/example.com' already exists",
        ),
        (given.STACK, {"slug": "dreamseed"}, "status: 409, body: 'dreamseed' already exists"),
    ],
)
def test_a_name_that_is_taken_is_refused_as_the_api_would(
    cloud: FakeCloud, token: str, inputs: Values, message: str
) -> None:
    make(cloud, subject(token, "one"), inputs)
    with pytest.raises(RefusedError, match=re.escape(message)) as refused:
        make(cloud, subject(token, "two"), inputs)
    assert refused.value.kind is RefusedError.Kind.ALREADY_EXISTS


def test_what_a_killed_run_left_on_a_server_is_adopted_and_a_cloud_object_is_not(cloud: FakeCloud) -> None:
    left = make(cloud, subject(CONTAINER, "one"), {"name": "redis", "image": "a"})
    again = make(cloud, subject(CONTAINER, "one"), {"name": "redis", "image": "b"})
    assert left.id != again.id
    assert [found.outputs["image"] for found in cloud.list(CONTAINER)] == ["b"]
    make(cloud, subject(RUN_SERVICE, "api"), SERVICE)
    with pytest.raises(RefusedError, match="already exists"):
        make(cloud, subject(RUN_SERVICE, "api"), SERVICE)


def test_one_name_on_two_docker_hosts_is_two_objects(cloud: FakeCloud) -> None:
    hosts = [subject(NETWORK, f"net-{n}", host=f"ssh://ops@10.0.0.{n}") for n in (1, 2)]
    ids = [make(cloud, host, {"name": "dreamseed"}).id for host in hosts]
    assert ids[0] != ids[1]
    cloud.delete(hosts[0], ids[0])
    assert cloud.read(hosts[0], ids[0], {}, {"name": "dreamseed"}) is None
    assert cloud.read(hosts[1], ids[1], {}, {"name": "dreamseed"}) is not None


def test_what_an_api_sets_again_is_no_conflict(cloud: FakeCloud) -> None:
    setting = {"zoneId": given.ZONE_ID, "settingId": "ssl", "value": "strict"}
    assert make(cloud, subject(given.ZONE_SETTING), setting).id == "ssl"
    make(cloud, subject(given.ZONE_SETTING, "again"), setting | {"value": "full"})
    assert len(cloud.list(given.ZONE_SETTING)) == 1


def test_a_type_without_a_project_is_refused_as_the_provider_would(cloud: FakeCloud) -> None:
    nowhere = Subject(VPC, "urn", "vpc", {})
    with pytest.raises(RefusedError, match="project: required field is not set"):
        make(cloud, nowhere, {"name": "vpc"})


def test_versions_of_a_secret_count_up(cloud: FakeCloud) -> None:
    secret = {"secret": "projects/dreamseed-prod/secrets/token", "secretData": "a"}
    versions = [make(cloud, subject(given.SECRET_VERSION, name), secret).outputs["version"] for name in ("one", "two")]
    assert versions == ["1", "2"]


def test_state_outlives_the_process(tmp_path: Path) -> None:
    first = FakeCloud(tmp_path)
    made = make(first, subject(VPC), {"name": "vpc"})
    first.close()
    second = FakeCloud(tmp_path)
    found = second.read(subject(VPC), made.id, {"name": "vpc"}, made.outputs)
    second.close()
    assert found is not None
    assert found.outputs["selfLink"] == made.outputs["selfLink"]


def test_what_was_removed_by_hand_is_gone(cloud: FakeCloud) -> None:
    made = make(cloud, subject(VPC), {"name": "vpc"})
    cloud.remove(VPC, made.id)
    assert cloud.read(subject(VPC), made.id, {"name": "vpc"}, made.outputs) is None
    cloud.delete(subject(VPC), made.id)
    with pytest.raises(RefusedError, match="was deleted outside; run `pulumi refresh` first"):
        cloud.update(subject(VPC), made.id, {"name": "vpc"}, made.outputs)
    with pytest.raises(KeyError):
        cloud.remove(VPC, made.id)


def test_what_was_edited_by_hand_shows_in_inputs_and_outputs(cloud: FakeCloud) -> None:
    service = SERVICE | {"description": "ours"}
    made = make(cloud, subject(RUN_SERVICE), service)
    cloud.edit(RUN_SERVICE, made.id, {"description": "theirs", "ingress": "INGRESS_TRAFFIC_ALL"})
    found = cloud.read(subject(RUN_SERVICE), made.id, service, made.outputs)
    assert found is not None
    assert (found.inputs["description"], found.outputs["description"]) == ("theirs", "theirs")
    assert "ingress" not in found.inputs


@pytest.mark.parametrize(
    "given_id", ["projects/dreamseed-prod/global/networks/vpc", "dreamseed-prod/global/networks/vpc", "vpc"]
)
def test_an_import_finds_an_object_by_the_forms_of_its_id(cloud: FakeCloud, given_id: str) -> None:
    made = make(cloud, subject(VPC), {"name": "vpc", "description": "x"})
    found = cloud.read(subject(VPC, "imported"), given_id, {}, {})
    assert found is not None
    assert (found.id, found.inputs["description"]) == (made.id, "x")
    assert cloud.read(subject(VPC), "elsewhere", {}, {}) is None


def test_secrets_are_never_written_to_the_state_file(cloud: FakeCloud, tmp_path: Path) -> None:
    user = {"name": "app", "instance": "db", "password": Secret("hunter2-in-state")}
    made = make(cloud, subject(SQL_USER), user)
    box = make(cloud, subject(CONTAINER), {"image": "a", "envs": ["A=1", Secret("TOKEN=hunter2-in-state")]})
    token = make(
        cloud,
        subject("cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"),
        {"accountId": ACCOUNT_ID, "name": "api"},
    )
    assert made.outputs["password"] == Secret("hunter2-in-state")
    secret = token.outputs["clientSecret"]
    assert isinstance(secret, Secret)
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"hunter2-in-state" not in written
    assert str(secret.value).encode() not in written
    assert box.id.encode() in written


def test_a_secret_that_is_part_of_an_identity_is_neither_written_nor_told(cloud: FakeCloud, tmp_path: Path) -> None:
    record = {
        "zoneId": given.ZONE_ID,
        "name": "a.example.com",
        "type": "TXT",
        "ttl": 1,
        "content": Secret("hunter2-record"),
    }
    make(cloud, subject(given.RECORD, "one"), record)
    with pytest.raises(RefusedError, match="already exists") as refused:
        make(cloud, subject(given.RECORD, "two"), record)
    assert "hunter2-record" not in str(refused.value)
    assert b"hunter2-record" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_mutant_store_that_keeps_secrets_plain_is_caught(
    cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Store,
        "sealed",
        lambda self, value: (
            value if not isinstance(value, dict) else json.loads(json.dumps(value, default=lambda secret: secret.value))
        ),
    )
    make(cloud, subject(SQL_USER), {"name": "app", "instance": "db", "password": Secret("hunter2-in-state")})
    assert b"hunter2-in-state" in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_secret_that_changed_outside_comes_back_as_changed(cloud: FakeCloud) -> None:
    made = make(cloud, subject(SQL_USER), {"name": "app", "instance": "db", "password": Secret("ours")})
    known = made.outputs | {"password": Secret("theirs")}
    found = cloud.read(subject(SQL_USER), made.id, {"password": Secret("theirs")}, known)
    assert found is not None
    assert found.outputs["password"] not in {Secret("ours"), Secret("theirs")}
    assert isinstance(found.outputs["password"], Secret)
    imported = cloud.read(subject(SQL_USER), made.id, {}, {})
    assert imported is not None
    assert "password" not in imported.outputs


@pytest.mark.parametrize(
    ("token", "inputs", "guard"),
    [
        (
            given.SQL,
            {
                "name": "dr",
                "databaseVersion": "POSTGRES_17",
                "settings": {"tier": "a", "deletionProtectionEnabled": True},
            },
            "settings.deletionProtectionEnabled",
        ),
        (given.STACK, {"slug": "dreamseed"}, "deleteProtection"),
    ],
)
def test_the_api_s_own_guard_refuses_the_delete(cloud: FakeCloud, token: str, inputs: Values, guard: str) -> None:
    made = make(cloud, subject(token), inputs)
    with pytest.raises(RefusedError, match=f"{guard} is true"):
        cloud.delete(subject(token), made.id)
    assert len(cloud.list(token)) == 1


def test_without_its_guard_the_protected_object_would_be_gone(
    cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(cloud, subject(given.STACK), {"slug": "dreamseed"})
    monkeypatch.setitem(RULES, given.STACK, type(RULES[given.STACK])(RULES[given.STACK].id, guard=""))
    cloud.delete(subject(given.STACK), made.id)
    assert cloud.list(given.STACK) == []


def test_a_password_has_its_length_its_classes_and_is_never_the_same(cloud: FakeCloud) -> None:
    letters = make(cloud, subject(PASSWORD, "letters"), {"length": 40, "special": False, "number": False}).outputs[
        "result"
    ]
    assert str(letters.value).isalpha()
    inputs = {"length": 20, "special": False, "minNumeric": 15, "upper": False}
    texts = [str(make(cloud, subject(PASSWORD, name), inputs).outputs["result"].value) for name in ("one", "two")]
    assert texts[0] != texts[1]
    for text in texts:
        assert re.fullmatch(r"[a-z0-9]{20}", text)
        assert sum(letter.isdigit() for letter in text) >= 15


def test_a_random_id_says_one_number_in_four_ways(cloud: FakeCloud) -> None:
    made = make(cloud, subject("random:index/randomId:RandomId"), {"byteLength": 4, "prefix": "dr-"})
    number = int(str(made.outputs["hex"]).removeprefix("dr-"), 16)
    assert made.outputs["dec"] == f"dr-{number}"
    assert base64.b64decode(str(made.outputs["b64Std"]).removeprefix("dr-")) == number.to_bytes(4, "big")


def test_the_tunnel_s_token_names_account_and_tunnel(cloud: FakeCloud) -> None:
    tunnel = make(cloud, subject(TUNNEL), {"accountId": ACCOUNT_ID, "name": "a", "tunnelSecret": Secret("c2VjcmV0")})
    function = "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken"
    arguments = {"accountId": ACCOUNT_ID, "tunnelId": tunnel.id}
    token = cloud.invoke(function, arguments, {})["token"]
    assert isinstance(token, Secret)
    body = json.loads(base64.b64decode(str(token.value)))
    assert (body["a"], body["t"]) == (ACCOUNT_ID, tunnel.id)
    assert len(base64.b64decode(body["s"])) == 32
    with pytest.raises(RefusedError, match="no tunnel"):
        cloud.invoke(function, arguments | {"tunnelId": "other"}, {})


def test_a_project_has_a_number(cloud: FakeCloud) -> None:
    function = "gcp:organizations/getProject:getProject"
    by_config = cloud.invoke(function, {}, {"project": "dreamseed-prod"})
    assert by_config == cloud.invoke(function, {"projectId": "dreamseed-prod"}, {})
    assert re.fullmatch(r"\d{12}", by_config["number"])


def test_an_unknown_function_or_type_is_refused_with_the_file_to_add_it_to(cloud: FakeCloud) -> None:
    with pytest.raises(
        RefusedError, match=r"gcp:dns/getKeys:getKeys: add one to rehearsal/providers/cloud/functions\.py"
    ):
        cloud.invoke("gcp:dns/getKeys:getKeys", {}, {})
    with pytest.raises(UnknownTypeError, match=r"cannot make docker:index/tag:Tag: add it to .*objects_other\.py"):
        cloud.create(subject("docker:index/tag:Tag"), {}, {})


def test_many_engines_may_make_objects_at_once(cloud: FakeCloud) -> None:
    def one(number: int) -> Any:
        return make(cloud, subject(VPC, f"vpc-{number}"), {"name": f"vpc-{number}"}).id

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(one, range(64)))
    assert len(set(ids)) == len(cloud.list(VPC)) == 64


@pytest.mark.parametrize("policy", ["ALWAYS", "NEVER"])
def test_an_instance_can_be_created_running_only_and_stopped_later(cloud: FakeCloud, policy: str) -> None:
    thing = subject(given.SQL)
    inputs: Values = {
        "name": "dr",
        "databaseVersion": "POSTGRES_17",
        "settings": {"tier": "db-f1-micro", "activationPolicy": policy},
    }
    if policy == "NEVER":
        with pytest.raises(RefusedError, match=r"settings\.activationPolicy: 400 .* create it with ALWAYS"):
            make(cloud, thing, inputs)
        assert cloud.list(given.SQL) == []
    else:
        assert make(cloud, thing, inputs).id


def test_an_accounts_key_is_secret_and_one_that_a_client_can_sign_with(cloud: FakeCloud) -> None:
    account = "projects/dreamseed-prod/serviceAccounts/a@dreamseed-prod.iam.gserviceaccount.com"
    thing = subject("gcp:serviceaccount/key:Key")
    one, other = (make(cloud, thing, {"serviceAccountId": account}).outputs["privateKey"] for _ in range(2))
    assert isinstance(one, Secret)
    assert isinstance(other, Secret)
    info, another = (json.loads(base64.b64decode(str(each.value))) for each in (one, other))
    credentials = Credentials.from_service_account_info(info)  # type: ignore[no-untyped-call]
    assert credentials.service_account_email == "a@dreamseed-prod.iam.gserviceaccount.com"
    assert credentials.sign_bytes(b"text") != b""
    assert info["private_key"] != another["private_key"]
