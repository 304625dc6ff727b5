from __future__ import annotations

from typing import Any

import pytest

from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import ChangeKind
from rehearsal.providers.values import UNKNOWN, Secret
from rehearsal.tables.facts import facts_for, lifecycle_for
from rehearsal.tables.shapes import Kind, resource_shape
from tests.rehearsal.providers import given
from tests.rehearsal.providers.given import CONTAINER, SQL, SUBNETWORK, difference, replaced, subject

DISK = "gcp:compute/disk:Disk"
INSTANCE = "gcp:compute/instance:Instance"
BOX = {"name": "redis", "image": "redis:7", "envs": ["A=1", "B=2"], "memory": 512}
MACHINE = {
    "name": "witness",
    "machineType": "e2-micro",
    "bootDisk": {"initializeParams": {"image": "debian-12"}},
    "networkInterfaces": [{"network": "vpc", "networkIp": "10.0.0.2"}],
}
DATABASE = {"name": "dr", "databaseVersion": "POSTGRES_17", "settings": {"tier": "db-custom-2-8192", "diskSize": 100}}


def with_settings(**settings: Any) -> dict[str, Any]:
    return DATABASE | {"settings": DATABASE["settings"] | settings}  # type: ignore[operator] # the literal above is a dict


@pytest.mark.parametrize(
    ("token", "before", "after", "changes"),
    [
        pytest.param(CONTAINER, BOX, BOX, {}, id="nothing"),
        pytest.param(CONTAINER, BOX, BOX | {"image": "redis:8"}, {"image": True}, id="image replaces"),
        pytest.param(CONTAINER, BOX, BOX | {"memory": 1024}, {"memory": False}, id="memory in place"),
        pytest.param(CONTAINER, BOX, BOX | {"envs": ["B=2", "A=1"]}, {}, id="a set in another order"),
        pytest.param(
            "gcp:projects/iAMCustomRole:IAMCustomRole",
            {"permissions": ["a.b.get", "a.b.list"]},
            {"permissions": ["a.b.list", "a.b.get"]},
            {},
            id="permissions in another order",
        ),
        pytest.param(given.STACK, {"slug": "a1"}, {"slug": "b2"}, {"slug": False, "url": False}, id="a slug in place"),
        pytest.param(CONTAINER, BOX, BOX | {"envs": ["A=1", "C=3"]}, {"envs[1]": True}, id="another element"),
        pytest.param(CONTAINER, BOX, BOX | {"privileged": False}, {}, id="zero is unset"),
        pytest.param(CONTAINER, BOX, BOX | {"restart": "no"}, {}, id="the default written out"),
        pytest.param(CONTAINER, BOX | {"restart": "always"}, BOX, {"restart": False}, id="back to the default"),
        pytest.param(CONTAINER, BOX, BOX | {"ports": [{"internal": 80}]}, {"ports": True}, id="block added"),
        pytest.param(
            CONTAINER, BOX, BOX | {"healthcheck": {"tests": ["CMD"]}}, {"healthcheck": False}, id="no-op update"
        ),
        pytest.param(CONTAINER, BOX, BOX | {"image": UNKNOWN}, {"image": True}, id="unknown is a change"),
        pytest.param(
            given.VPC, {"name": "a"}, {"name": "a", "description": "b"}, {"description": True}, id="description"
        ),
        pytest.param(
            SUBNETWORK,
            {"name": "a", "network": "vpc", "ipCidrRange": "10.0.0.0/24"},
            {"name": "a", "network": "vpc", "ipCidrRange": "10.0.0.0/20"},
            {"ipCidrRange": False},
            id="range expanded",
        ),
        pytest.param(
            SUBNETWORK,
            {"name": "a", "network": "vpc", "ipCidrRange": "10.0.0.0/20"},
            {"name": "a", "network": "vpc", "ipCidrRange": "10.0.0.0/24"},
            {"ipCidrRange": True},
            id="range shrunk",
        ),
        pytest.param(
            SUBNETWORK,
            {"name": "a", "network": "vpc", "ipCidrRange": "10.0.0.0/20"},
            {"name": "a", "network": "projects/p/global/networks/vpc", "ipCidrRange": "10.0.0.0/20"},
            {},
            id="name or link",
        ),
        pytest.param(SQL, with_settings(), with_settings(diskSize=50), {}, id="smaller disk that grows by itself"),
        pytest.param(
            SQL,
            with_settings(diskAutoresize=False),
            with_settings(diskAutoresize=False, diskSize=50),
            {"settings.diskSize": True},
            id="smaller fixed disk",
        ),
        pytest.param(
            SQL, with_settings(), with_settings(tier="db-custom-4-16384"), {"settings.tier": False}, id="tier in place"
        ),
        pytest.param(DISK, {"name": "a", "size": 10}, {"name": "a", "size": 20}, {"size": False}, id="disk grows"),
        pytest.param(DISK, {"name": "a", "size": 20}, {"name": "a", "size": 10}, {"size": True}, id="disk shrinks"),
        pytest.param(
            INSTANCE,
            MACHINE | {"metadataStartupScript": "echo hi"},
            MACHINE | {"metadata": {"startup-script": "echo hi"}},
            {"metadataStartupScript": False, "metadata": False},
            id="the script moves",
        ),
        pytest.param(
            INSTANCE,
            MACHINE | {"metadataStartupScript": "echo hi"},
            MACHINE | {"metadataStartupScript": "echo ho"},
            {"metadataStartupScript": True},
            id="the script changes",
        ),
        pytest.param(
            INSTANCE,
            MACHINE,
            MACHINE | {"networkInterfaces": [{"network": "vpc", "networkIp": "10.0.0.3"}]},
            {"networkInterfaces[0].networkIp": True},
            id="another address",
        ),
        pytest.param(
            given.RECORD,
            {"zoneId": "z", "name": "a", "type": "A", "ttl": 1, "content": "203.0.113.1"},
            {"zoneId": "z", "name": "a", "type": "AAAA", "ttl": 1, "content": "2001:db8::1"},
            {"type": True, "content": False},
            id="record type replaces, content not",
        ),
        pytest.param(
            given.SECRET_VERSION,
            {"secret": "a", "secretDataWo": "one", "secretDataWoVersion": "1"},
            {"secret": "a", "secretDataWo": "two", "secretDataWoVersion": "1"},
            {},
            id="write-only alone",
        ),
        pytest.param(
            given.PASSWORD,
            {"length": 20, "overrideSpecial": ""},
            {"length": 20},
            {"overrideSpecial": False},
            id="unset for empty",
        ),
        pytest.param(given.PASSWORD, {"length": 20}, {"length": 24}, {"length": True}, id="a longer password"),
    ],
)
def test_a_change_replaces_exactly_where_the_table_says(token: str, before: Any, after: Any, changes: Any) -> None:
    assert replaced(token, before, after) == changes


@pytest.mark.parametrize("token", given.EVERY_TYPE)
def test_each_text_of_a_type_replaces_when_its_table_says_so_and_only_then(token: str) -> None:
    facts, life, judge, thing = facts_for(token), lifecycle_for(token), TableJudge(), subject(token)
    inputs = resource_shape(token).inputs
    texts = {name for name, shape in inputs.items() if shape.kind is Kind.STRING}
    told = texts - set(facts.write_only) - set(facts.replace_if) - set(facts.diff_suppress)
    for name in sorted(told):
        before, after = {name: "before"}, {name: "after"}
        state = given.known(judge.plan_create(thing, before))
        found = judge.diff(thing, before, state, after, [])
        # An input that the cloud works out anew is shown as well, and replaces nothing.
        follows = {path: False for path, triggers in life.recomputed.items() if name in triggers and path in inputs}
        changes = {change.path: change.replaces for change in found.changes}
        assert changes == follows | {name: name in facts.replace}, name


def test_the_kind_of_change_is_told_for_each_path() -> None:
    before = BOX | {"labels": [{"label": "a", "value": "1"}], "user": "redis"}
    after = BOX | {"labels": [{"label": "a", "value": "1"}, {"label": "b", "value": "2"}], "memory": 1024}
    kinds = {change.path: change.kind for change in difference(CONTAINER, before, after).changes}
    assert kinds == {"labels[1]": ChangeKind.ADD, "user": ChangeKind.DELETE, "memory": ChangeKind.UPDATE}


def test_a_secret_is_compared_by_what_it_holds() -> None:
    assert replaced(CONTAINER, BOX, BOX | {"envs": ["A=1", Secret("B=2")]}) == {}
    assert replaced(CONTAINER, BOX, BOX | {"envs": Secret(["A=1", "B=3"])}) == {"envs[1]": True}


def test_ignored_paths_do_not_change() -> None:
    after = BOX | {"image": "redis:8", "envs": ["A=2"]}
    assert {change.path for change in difference(CONTAINER, BOX, after, ("image",)).changes} == {"envs[0]", "envs[1]"}
    assert difference(CONTAINER, BOX, after, ("image", "envs")).changes == []


@pytest.mark.parametrize(
    ("token", "before", "after", "delete_first"),
    [
        pytest.param(CONTAINER, {"image": "a"}, {"image": "b"}, True, id="containers always"),
        pytest.param(given.VOLUME, {"name": "data"}, {"name": "data", "driver": "nfs"}, True, id="docker: name given"),
        pytest.param(given.VOLUME, {}, {"driver": "nfs"}, False, id="docker: name generated"),
        pytest.param(given.VPC, {"name": "vpc"}, {"name": "vpc", "description": "x"}, True, id="gcp: name given"),
        pytest.param(given.VPC, {}, {"description": "x"}, False, id="gcp: name generated"),
        pytest.param(
            given.ZONE,
            {"account": {"id": "a"}, "name": "a.com"},
            {"account": {"id": "a"}, "name": "b.com"},
            False,
            id="cloudflare",
        ),
        pytest.param(given.PASSWORD, {"length": 8}, {"length": 9}, False, id="random"),
        pytest.param(
            "gcp:compute/instanceTemplate:InstanceTemplate",
            {"namePrefix": "gpu-", "machineType": "g2-standard-8", "disks": []},
            {"namePrefix": "gpu2-", "machineType": "g2-standard-8", "disks": []},
            False,
            id="template under another prefix",
        ),
        pytest.param(CONTAINER, BOX, BOX | {"memory": 1024}, False, id="no replacement"),
    ],
)
def test_a_replacement_deletes_first_where_the_provider_would(
    token: str, before: Any, after: Any, delete_first: bool
) -> None:
    assert difference(token, before, after).delete_before_replace is delete_first


def test_an_optional_computed_input_that_is_removed_keeps_its_value() -> None:
    assert replaced(CONTAINER, BOX | {"hostname": "cache"}, BOX) == {}
    service = {"name": "api", "location": "us-central1", "template": {"containers": [{"image": "a"}]}}
    assert replaced(given.RUN_SERVICE, service | {"ingress": "INGRESS_TRAFFIC_ALL"}, service) == {}


def test_another_project_of_the_provider_moves_no_existing_resource() -> None:
    judge = TableJudge()
    made = judge.plan_create(subject(given.VPC), {"name": "vpc"})
    elsewhere = subject(given.VPC, project="other")
    assert made["project"] == "dreamseed-prod"
    assert judge.diff(elsewhere, {"name": "vpc"}, given.known(made), {"name": "vpc"}, []).changes == []
    assert judge.plan_update(elsewhere, given.known(made), {"name": "vpc"})["project"] == "dreamseed-prod"


def test_a_mutant_table_without_its_replacements_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    tame = facts_for(CONTAINER).model_copy(update={"replace": ()})
    monkeypatch.setattr("rehearsal.providers.judge.difference.facts_for", lambda token: tame)
    assert replaced(CONTAINER, BOX, BOX | {"image": "redis:8"}) == {"image": False}
