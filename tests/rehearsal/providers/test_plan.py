from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import UNKNOWN, Secret, has_unknown
from tests.rehearsal.providers.given import (
    EVERY_TYPE,
    PASSWORD,
    RUN_SERVICE,
    SQL_USER,
    STACK,
    VPC,
    ZONE,
    made_up,
    over_the_wire,
    subject,
)

COUNTER = itertools.count()
SERVICE = {"name": "api", "location": "us-central1", "template": {"containers": [{"image": "a"}]}}


def test_a_preview_knows_inputs_and_defaults_and_nothing_of_what_the_cloud_computes() -> None:
    planned = TableJudge().plan_create(
        subject(RUN_SERVICE), SERVICE | {"template": {"containers": [{"image": UNKNOWN}]}}
    )
    assert planned["uri"] is UNKNOWN
    assert planned["name"] == "api"
    assert planned["deletionProtection"] is True
    assert planned["project"] == "dreamseed-prod"
    container = planned["template"]["containers"][0]
    assert container["image"] is UNKNOWN
    assert container["resources"] is UNKNOWN
    assert "livenessProbe" not in container


def test_a_zone_does_not_know_its_name_servers_before_it_exists() -> None:
    planned = TableJudge().plan_create(subject(ZONE), {"account": {"id": "a"}, "name": "example.com"})
    assert planned["nameServers"] is UNKNOWN
    assert planned["type"] == "full"


def test_defaults_are_filled_in_inside_blocks_that_the_program_writes() -> None:
    probe = {"containers": [{"image": "a", "startupProbe": {"httpGet": {"port": 8080}}}]}
    planned = TableJudge().plan_create(subject(RUN_SERVICE), SERVICE | {"template": probe})
    startup = planned["template"]["containers"][0]["startupProbe"]
    assert (startup["failureThreshold"], startup["httpGet"]["path"]) == (3, "/")


def test_secret_outputs_are_secret_while_unknown_and_after() -> None:
    judge = TableJudge()
    assert judge.plan_create(subject(PASSWORD), {"length": 8})["result"] == Secret(UNKNOWN)
    assert judge.plan_create(subject(SQL_USER), {"instance": "db", "password": "hunter2"})["password"] == Secret(
        "hunter2"
    )
    state = {"instance": "db", "password": Secret("hunter2")}
    assert judge.plan_update(subject(SQL_USER), state, {"instance": "db", "password": "new"})["password"] == Secret(
        "new"
    )


def test_labels_are_known_in_a_preview_with_the_provider_s_own_added() -> None:
    thing = subject(RUN_SERVICE, defaultLabels='{"team": "llm"}')
    planned = TableJudge().plan_create(thing, SERVICE | {"labels": {"stage": "a"}})
    assert planned["pulumiLabels"] == Secret({"team": "llm", "stage": "a"})
    assert planned["effectiveLabels"] == Secret({"team": "llm", "stage": "a", "goog-pulumi-provisioned": "true"})


def test_what_state_knows_stays_known_in_an_update() -> None:
    judge, thing = TableJudge(), subject(RUN_SERVICE)
    state = {**SERVICE, "uri": "https://api.run.app", "deletionProtection": True}
    planned = judge.plan_update(thing, state, SERVICE | {"description": "new"})
    assert planned["uri"] == "https://api.run.app"
    assert not has_unknown(planned)


def test_a_new_client_secret_is_unknown_again() -> None:
    token = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"
    state = {"name": "api", "clientSecretVersion": 1, "clientSecret": Secret("old"), "clientId": "id"}
    judge = TableJudge()
    same = judge.plan_update(subject(token), state, {"name": "api", "clientSecretVersion": 1})
    renewed = judge.plan_update(subject(token), state, {"name": "api", "clientSecretVersion": 2})
    assert same["clientSecret"] == Secret("old")
    assert renewed["clientSecret"] == Secret(UNKNOWN)
    assert renewed["clientId"] == "id"


def test_the_provider_s_deletion_policy_holds_where_the_program_says_none() -> None:
    judge = TableJudge()
    assert judge.plan_create(subject(VPC, deletionPolicy="PREVENT"), {"name": "vpc"})["deletionPolicy"] == "PREVENT"
    given_here = judge.plan_create(subject(VPC, deletionPolicy="PREVENT"), {"name": "vpc", "deletionPolicy": "DELETE"})
    assert given_here["deletionPolicy"] == "DELETE"


@pytest.mark.parametrize(
    ("token", "state"),
    [
        (RUN_SERVICE, {"deletionProtection": True}),
        (STACK, {"deleteProtection": True}),
        (VPC, {"deletionPolicy": "PREVENT"}),
    ],
)
def test_a_guard_in_state_refuses_the_delete(token: str, state: dict[str, object]) -> None:
    with pytest.raises(RefusedError, match=r"cannot destroy thing .* `pulumi up` first"):
        TableJudge().keeps_on_delete(subject(token), state)


@pytest.mark.parametrize(
    ("token", "state", "keeps"),
    [
        (RUN_SERVICE, {"deletionProtection": False}, False),
        (VPC, {"deletionPolicy": "ABANDON"}, True),
        ("cloudflare:index/zoneSubscription:ZoneSubscription", {}, True),
        ("gcp:projects/service:Service", {}, True),
        ("gcp:projects/service:Service", {"disableOnDestroy": True}, False),
        ("gcp:secretmanager/secretVersion:SecretVersion", {"deletionPolicy": "DISABLE"}, True),
        ("gcp:secretmanager/secretVersion:SecretVersion", {}, False),
    ],
)
def test_some_deletes_only_forget(token: str, state: dict[str, object], keeps: bool) -> None:
    assert TableJudge().keeps_on_delete(subject(token), state) is keeps


@pytest.mark.parametrize("token", EVERY_TYPE)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=False))
def test_whatever_was_made_needs_no_change_and_reads_as_it_was_made(
    token: str, rng: random.Random, tmp_path: Path
) -> None:
    judge, thing = TableJudge(), subject(token)
    inputs = judge.check(thing, made_up(token, rng), {}, b"seed").inputs
    cloud = FakeCloud(tmp_path / str(next(COUNTER)))
    try:
        made = cloud.create(thing, inputs, judge.plan_create(thing, inputs))
        wire_inputs, state = over_the_wire(inputs), over_the_wire(made.outputs)
        assert not has_unknown(state)
        assert judge.diff(thing, wire_inputs, state, wire_inputs, []).changes == []
        assert not has_unknown(judge.plan_update(thing, state, wire_inputs))
        found = cloud.read(thing, made.id, wire_inputs, state)
        assert found is not None
        assert over_the_wire(judge.seal(thing, found.outputs)) == state
        assert over_the_wire(judge.seal(thing, found.inputs)) == wire_inputs
    finally:
        cloud.close()
