from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.paths import find
from rehearsal.providers.values import UNKNOWN, Secret, Value, revealed
from tests.rehearsal.providers import given
from tests.rehearsal.providers.given import CONTAINER, RECORD, RULESET, RUN_SERVICE, ZONE_ID, reasons, subject

SERVICE = {"location": "us-central1", "template": {"containers": [{"image": "registry.example/api:1"}]}}
DNS = {"zoneId": ZONE_ID, "name": "api.example.com", "type": "A", "content": "203.0.113.10", "ttl": 1}
FIREWALL = "gcp:compute/firewall:Firewall"
ACCOUNT = "gcp:serviceaccount/account:Account"


def ruleset(*rules: dict[str, Any]) -> dict[str, Any]:
    return {
        "zoneId": ZONE_ID,
        "kind": "zone",
        "name": "cache",
        "phase": "http_request_cache_settings",
        "rules": [*rules],
    }


@pytest.mark.parametrize(
    ("token", "inputs", "path", "reason"),
    [
        pytest.param(
            RUN_SERVICE,
            {"location": "us-central1"},
            "template",
            "is required and missing: add it, an object",
            id="required",
        ),
        pytest.param(
            RUN_SERVICE,
            SERVICE | {"template": {"containers": [{}]}},
            "template.containers[0].image",
            "is required and missing: add it, a text",
            id="required in a block",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "imge": "b"},
            "imge",
            "there is no property 'imge' here: did you mean 'image'?",
            id="unknown",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "ports": [{"internal": 80, "publish": 1}]},
            "ports[0].publish",
            "there is no property 'publish' here: it takes external, internal, ip, protocol",
            id="unknown in a block",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "memory": "512"},
            "memory",
            "must be a whole number, not the text '512': write it without quotes",
            id="text for a number",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "memory": 1.5},
            "memory",
            "must be a whole number, not the number 1.5",
            id="fraction",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "envs": "A=1"},
            "envs",
            "must be a list, not the text 'A=1': put it in a list",
            id="no list",
        ),
        pytest.param(
            CONTAINER,
            {"image": 7},
            "image",
            "must be a text, not the number 7: write it in quotes",
            id="number for a text",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "restart": "unles-stopped"},
            "restart",
            "'unles-stopped' is not an accepted value: did you mean 'unless-stopped'? It takes 'no', 'on-failure', "
            "'always', 'unless-stopped'",
            id="enum",
        ),
        pytest.param(
            RUN_SERVICE,
            SERVICE | {"deletionPolicy": "KEEP"},
            "deletionPolicy",
            "'KEEP' is not an accepted value (the API checks it, at apply time): it takes 'DELETE', 'ABANDON', ",
            id="enum of the API",
        ),
        pytest.param(
            ACCOUNT, {"accountId": "Api"}, "accountId", "'Api' does not match the pattern ^(?=.{6,30}$)", id="pattern"
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "memorySwap": -2},
            "memorySwap",
            "-2 is out of range: write a number at least -1",
            id="range",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "healthcheck": {"tests": ["CMD"], "interval": "10 sec"}},
            "healthcheck.interval",
            "'10 sec' is not in the format go duration >= 0: write for example 1m30s",
            id="format",
        ),
        pytest.param(
            "gcp:cloudrun/domainMapping:DomainMapping",
            {"location": "us-central1", "spec": {"routeName": "api"}},
            "metadata",
            "none of metadata is set: add at least one",
            id="a block that its schema calls optional and a plan needs",
        ),
        pytest.param(
            "grafana:cloud/accessPolicyToken:AccessPolicyToken",
            {"accessPolicyId": "a", "region": "us", "expiresAt": "2027-01-31"},
            "expiresAt",
            "'2027-01-31' is not in the format time (RFC 3339): write for example 2027-01-31T00:00:00Z",
            id="a day for a time",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "gpus": "all", "deviceRequests": [{"count": 1}]},
            "deviceRequests",
            "'deviceRequests' and 'gpus' cannot be set together: keep one of them",
            id="conflict",
        ),
        pytest.param(
            given.GCP_SECRET,
            {"secretId": "token", "replication": {}},
            "replication",
            "needs exactly one of replication.auto, replication.userManaged, and none is set: add one",
            id="exactly one, none given",
        ),
        pytest.param(
            given.SECRET_VERSION,
            {"secret": "token", "secretData": "a", "secretDataWo": "b", "secretDataWoVersion": "1"},
            "secretData",
            "needs exactly one of secretData, secretDataWo, and secretData and secretDataWo are set: keep one",
            id="exactly one, two given",
        ),
        pytest.param(
            given.SECRET_VERSION,
            {"secret": "token", "secretDataWo": "b"},
            "secretDataWo",
            "'secretDataWo' needs secretDataWoVersion beside it: add it too",
            id="required with",
        ),
        pytest.param(
            "gcp:billing/budget:Budget",
            {"billingAccount": "a", "amount": {"lastPeriodAmount": True}, "allUpdatesRule": {"schemaVersion": "1.0"}},
            "allUpdatesRule",
            "none of allUpdatesRule.monitoringNotificationChannels, allUpdatesRule.pubsubTopic is set: add",
            id="at least one",
        ),
        pytest.param(
            RULESET,
            ruleset({"action": "block", "expression": "true", "actionParameters": {"id": "a" * 32}}),
            "rules[0].actionParameters.id",
            "may be set only while 'rules[].action' is 'execute': leave it out, or change 'rules[].action'",
            id="only when",
        ),
        pytest.param(
            "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication",
            {"accountId": "a", "type": "saas"},
            "saasApp",
            "is required while 'type' is 'dash_sso', 'saas': add it",
            id="required when",
        ),
        pytest.param(
            FIREWALL,
            {"network": "vpc", "allows": [{"protocol": "tcp"}]},
            "sourceRanges",
            "an ingress rule needs one of sourceTags, sourceRanges, sourceServiceAccounts",
            id="prose: firewall source",
        ),
        pytest.param(
            RECORD, DNS | {"content": "example.com"}, "content", "'example.com' is no IPv4 address", id="A record"
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "ports": [{"internal": 99999}]},
            "ports[0].internal",
            "99999 is no port",
            id="port",
        ),
        pytest.param(
            CONTAINER,
            {"image": "a", "readOnly": True, "uploads": [{"file": "/etc/a", "content": "a"}]},
            "readOnly",
            "is refused by the Docker daemon beside uploads",
            id="a file for a root that is read-only",
        ),
        pytest.param(
            given.PASSWORD,
            {"length": 4, "minLower": 3, "minUpper": 3},
            "length",
            "4 is less than the minimums together (6)",
            id="password length",
        ),
    ],
)
def test_a_wrong_input_is_refused_at_its_path_with_what_to_write(
    token: str, inputs: Any, path: str, reason: str
) -> None:
    found = reasons(token, inputs)
    assert list(found) == [path]
    assert found[path].startswith(reason)


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (RUN_SERVICE, SERVICE),
        (RECORD, DNS),
        (RECORD, DNS | {"type": "a"}),
        (RULESET, ruleset({"action": "execute", "expression": "true", "actionParameters": {"id": "a" * 32}})),
        (
            CONTAINER,
            {"image": "a", "restart": "always", "healthcheck": {"tests": ["CMD"], "interval": "1m30s"}},
        ),
        (FIREWALL, {"network": "vpc", "allows": [{"protocol": "tcp"}], "sourceRanges": ["10.0.0.0/8"]}),
        (FIREWALL, {"network": "vpc", "denies": [{"protocol": "all"}], "direction": "EGRESS"}),
    ],
)
def test_right_inputs_are_accepted(token: str, inputs: Any) -> None:
    assert reasons(token, inputs) == {}


@pytest.mark.parametrize("hidden", [UNKNOWN, Secret(UNKNOWN)])
def test_what_is_not_known_yet_breaks_no_rule(hidden: Any) -> None:
    assert reasons(RUN_SERVICE, {"location": hidden, "template": hidden}) == {}
    assert (
        reasons(CONTAINER, {"image": "a", "restart": hidden, "memory": hidden, "ports": [{"internal": hidden}]}) == {}
    )
    assert reasons(given.GCP_SECRET, {"replication": {"auto": {}, "userManaged": hidden}}) == {}
    assert reasons(given.SECRET_VERSION, {"secret": "token", "secretData": hidden}) == {}
    assert (
        reasons(RULESET, ruleset({"action": hidden, "expression": "true", "actionParameters": {"id": "a" * 32}})) == {}
    )


def test_a_secret_is_checked_and_never_quoted() -> None:
    wrong = {"image": "a", "memory": Secret("hunter2"), "restart": Secret("hunter2")}
    found = reasons(CONTAINER, wrong | {"envs": Secret([{"PASSWORD": "hunter2"}])})
    assert set(found) == {"memory", "restart", "envs[0]"}
    assert "hunter2" not in str(found)


def test_the_secret_would_be_quoted_by_rules_that_look_through_its_wrapper(monkeypatch: pytest.MonkeyPatch) -> None:
    def looks_through(inputs: Value, *where: Any) -> Iterator[tuple[str, Value]]:
        return find(revealed(inputs), *where)

    monkeypatch.setattr("rehearsal.providers.judge.rules.find", looks_through)
    found = reasons(CONTAINER, {"image": "a", "restart": Secret("hunter2")})
    assert "hunter2" in str(found)


def test_a_name_left_out_is_filled_in_and_kept() -> None:
    judge, thing = TableJudge(), subject(CONTAINER, "redis")
    first = judge.check(thing, {"image": "a"}, {}, b"one").inputs
    assert first["name"].startswith("redis-")
    assert len(first["name"]) == len("redis-") + 7
    assert first["__defaults"] == ["name"]
    assert judge.check(thing, {"image": "b"}, first, b"two").inputs["name"] == first["name"]
    assert judge.check(thing, {"image": "a"}, {}, b"two").inputs["name"] != first["name"]
    assert "__defaults" not in judge.check(thing, {"image": "a", "name": "mine"}, first, b"two").inputs


def test_a_generated_name_passes_the_pattern_of_its_type() -> None:
    long = "An_Unusually_Long_Name_For_The_Account_Of_A_Service"
    for token, prop, limit in ((ACCOUNT, "accountId", 28), (given.VPC, "name", 63)):
        checked = TableJudge().check(subject(token, long), {}, {}, b"seed")
        assert [failure for failure in checked.failures if failure.path == prop] == []
        assert len(checked.inputs[prop]) <= limit


def test_a_prefix_takes_the_place_of_a_generated_name() -> None:
    template = {"namePrefix": "gpu-", "machineType": "g2-standard-8", "disks": [{"sourceImage": "debian-12"}]}
    checked = TableJudge().check(subject("gcp:compute/instanceTemplate:InstanceTemplate"), template, {}, b"seed")
    assert "name" not in checked.inputs
    assert checked.failures == []


def test_inputs_that_the_provider_takes_for_secret_leave_check_as_secrets() -> None:
    inputs = TableJudge().check(subject(given.SQL_USER), {"instance": "db", "password": "hunter2"}, {}, b"").inputs
    assert inputs["password"] == Secret("hunter2")


def test_provider_configuration_takes_known_keys_only() -> None:
    judge = TableJudge()
    right = {"host": "ssh://ops@10.0.0.1", "sshOpts": '["-o", "ConnectTimeout=5"]', "version": "5.2.0"}
    assert list(judge.check_config("docker", right).failures) == []
    wrong = {failure.path: failure.reason for failure in judge.check_config("docker", {"hosts": "a"}).failures}
    assert wrong == {"hosts": "there is no property 'hosts' here: did you mean 'host'?"}
    assert [f.path for f in judge.check_config("docker", {"sshOpts": "-o x"}).failures] == ["sshOpts"]
    assert list(judge.check_config("gcp", {"project": "p", "disableGlobalProjectWarning": "true"}).failures) == []
