"""Both ways: what is declared goes into Docker and comes back as it was, and a difference shows as exactly that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.providers.docker.container_table import PROPERTIES, STEERING, refuse_unknown
from rehearsal.providers.docker.container_values import mebibytes_of, without_image
from rehearsal.providers.docker.durations import from_nanoseconds, to_nanoseconds
from rehearsal.providers.docker.properties import body_of, filled, observed, patched, without_secrets
from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import UNKNOWN, Secret, Values
from tests.rehearsal.providers.docker.fake_docker import IMAGE_CONFIG, IMAGE_ID, World, inspect_of
from tests.rehearsal.providers.given import CONTAINER

NAMES = st.text("abcdefghij", min_size=1, max_size=6)
WORDS = st.text("abc =:-/$", min_size=1, max_size=8)
POSITIVE = st.integers(1, 4096)


def lists(element: st.SearchStrategy[Any], key: Callable[[Any], Any] | None = None) -> st.SearchStrategy[list[Any]]:
    return st.lists(element, min_size=1, max_size=3, unique_by=key or repr)


def objects(required: Values, optional: Values | None = None) -> st.SearchStrategy[Values]:
    return st.fixed_dictionaries(required, optional=optional or {})


LABELS = lists(objects({"label": NAMES, "value": NAMES}), lambda item: item["label"])
HEALTHCHECK = objects(
    {"tests": st.lists(WORDS, min_size=1, max_size=3).map(lambda words: ["CMD", *words])},
    {
        "interval": st.sampled_from(["10s", "1m30s", "90s"]),
        "timeout": st.sampled_from(["5s", "500ms"]),
        "retries": POSITIVE,
        "startPeriod": st.sampled_from(["60s", "1h"]),
    },
)
PORT = objects(
    {"internal": st.integers(1, 65535), "external": st.integers(1, 65535)},
    {"ip": st.sampled_from(["10.20.0.11", "0.0.0.0"]), "protocol": st.sampled_from(["tcp", "udp"])},
)
VOLUME = objects({"volumeName": NAMES, "containerPath": NAMES.map("/{}".format)}, {"readOnly": st.booleans()})
BOUND = objects({"hostPath": NAMES.map("/{}".format), "containerPath": NAMES.map("/{}".format)})
CONTAINERS = objects(
    {"name": NAMES, "image": st.just(IMAGE_ID)},
    {
        "command": st.lists(WORDS, min_size=1, max_size=3),
        "entrypoints": st.lists(WORDS, min_size=1, max_size=3),
        "envs": lists(st.tuples(NAMES, NAMES).map("=".join), lambda env: env.partition("=")[0]),
        "user": NAMES,
        "hostname": NAMES,
        "workingDir": NAMES,
        "labels": LABELS,
        "healthcheck": HEALTHCHECK,
        "ports": lists(PORT, lambda port: (port["internal"], port["external"], port.get("protocol"))),
        "volumes": lists(VOLUME | BOUND),
        "ulimits": lists(objects({"name": NAMES, "soft": POSITIVE, "hard": POSITIVE}), lambda item: item["name"]),
        "capabilities": objects({"adds": lists(NAMES)}, {"drops": lists(NAMES)}) | st.just({"drops": ["ALL"]}),
        "readOnly": st.booleans(),
        "securityOpts": st.just(["no-new-privileges:true"]),
        "logDriver": st.just("json-file"),
        "logOpts": st.dictionaries(NAMES, NAMES, min_size=1),
        "memory": POSITIVE,
        "memorySwap": POSITIVE | st.just(-1),
        "cpuShares": POSITIVE,
        "cpus": st.sampled_from(["1.5", "2"]),
        "shmSize": POSITIVE,
        "init": st.booleans(),
        "restart": st.sampled_from(["no", "always", "unless-stopped"]),
        "tmpfs": st.dictionaries(NAMES, NAMES, min_size=1),
        "gpus": st.sampled_from(["all", "device=0,2", "2"]),
        "stopTimeout": POSITIVE,
        "devices": lists(objects({"hostPath": NAMES.map("/dev/{}".format)}), lambda item: item["hostPath"]),
        "hosts": st.just([{"host": "db", "ip": "fd00::1"}]),
        "mustRun": st.booleans(),
        "destroyGraceSeconds": POSITIVE,
    },
)


def made(inputs: Values) -> tuple[Values, Values]:
    """The checked inputs, and what Docker shows of the container made from them."""
    subject, judge = World.subject(CONTAINER), TableJudge()
    checked = judge.check(subject, inputs, {}, b"seed")
    planned = judge.plan_create(subject, checked.inputs)
    declared = {key: value for key, value in without_secrets(planned).items() if value is not UNKNOWN}
    return checked.inputs, inspect_of(body_of(PROPERTIES, declared), inputs["name"])


@settings(deadline=None)
@given(CONTAINERS)
def test_an_untouched_container_reads_back_exactly_as_declared_and_needs_nothing(declared: Values) -> None:
    inputs, inspect = made(declared)
    own = without_image(inspect, IMAGE_CONFIG, inputs, frozenset())
    judge, subject = TableJudge(), World.subject(CONTAINER)
    outputs = filled(judge.plan_create(subject, inputs), observed(PROPERTIES, own))
    new_inputs, new_outputs = patched(PROPERTIES, own, inputs, outputs)
    assert (new_inputs, new_outputs) == (inputs, outputs)
    assert judge.diff(subject, inputs, new_outputs, inputs, []).changes == []


FULL: Values = {
    "name": "box",
    "image": IMAGE_ID,
    "command": ["run", "--fast"],
    "envs": ["B=2", "A=1"],
    "labels": [{"label": "service", "value": "x"}, {"label": "managed-by", "value": "us"}],
    "memory": 64,
    "memorySwap": 64,
    "ports": [{"internal": 80, "external": 8080, "ip": "10.20.0.11"}, {"internal": 81, "external": 8081}],
    "ulimits": [{"name": "nofile", "soft": 1, "hard": 2}],
    "healthcheck": {"tests": ["CMD", "true"], "interval": "10s", "timeout": "5s", "retries": 6, "startPeriod": "90s"},
    "volumes": [{"volumeName": "data", "containerPath": "/data", "readOnly": False}],
    "restart": "unless-stopped",
}
DRIFTS: list[tuple[str, Callable[[Values], object], Any]] = [
    ("memory", lambda i: i["HostConfig"].update(Memory=32 * 2**20), 32),
    ("memorySwap", lambda i: i["HostConfig"].update(MemorySwap=-1), -1),
    ("restart", lambda i: i["HostConfig"]["RestartPolicy"].update(Name="no"), "no"),
    ("name", lambda i: i.update(Name="/other"), "other"),
    ("image", lambda i: i.update(Image="sha256:2"), "sha256:2"),
    ("command", lambda i: i["Config"].update(Cmd=["run"]), ["run"]),
    ("envs", lambda i: i["Config"]["Env"].remove("A=1"), ["B=2"]),
    ("envs", lambda i: i["Config"]["Env"].insert(0, "C=3"), ["B=2", "A=1", "C=3"]),
    ("labels", lambda i: i["Config"]["Labels"].pop("service"), [{"label": "managed-by", "value": "us"}]),
    ("ulimits", lambda i: i["HostConfig"].update(Ulimits=None), None),
    ("ports", lambda i: i["HostConfig"]["PortBindings"].pop("81/tcp"), [FULL["ports"][0]]),
    ("healthcheck", lambda i: i["Config"]["Healthcheck"].update(Retries=1), FULL["healthcheck"] | {"retries": 1}),
    ("volumes", lambda i: i["HostConfig"].update(Binds=["data:/data:ro"]), [FULL["volumes"][0] | {"readOnly": True}]),
    ("capabilities", lambda i: i["HostConfig"].update(CapAdd=["CAP_SYS_ADMIN"]), {"adds": ["CAP_SYS_ADMIN"]}),
]


@pytest.mark.parametrize(("name", "change", "seen"), DRIFTS)
def test_a_change_by_hand_shows_as_exactly_its_property(
    name: str, change: Callable[[Values], object], seen: Any
) -> None:
    inputs, inspect = made(FULL)
    change(inspect)
    own = without_image(inspect, IMAGE_CONFIG, inputs, frozenset())
    _, outputs = patched(PROPERTIES, own, inputs, copy.deepcopy(inputs))
    if name == "healthcheck":
        seen = seen | {"startPeriod": "1m30s"}
    changed = {key for key in outputs | inputs if outputs.get(key) != inputs.get(key)} - {
        # What an undeclared value is filled with when the container is made; not part of these outputs.
        *("hostname", "ipcMode", "logDriver", "networkMode", "runtime", "shmSize")
    }
    assert changed == {name}
    assert outputs.get(name) == seen


def test_a_secret_value_that_differs_stays_secret() -> None:
    declared = FULL | {"envs": ["B=2", Secret("A=1")]}
    inputs, inspect = made(declared)
    inspect["Config"]["Env"][1] = "A=other"
    own = without_image(inspect, IMAGE_CONFIG, without_secrets(inputs), frozenset())
    new_inputs, _ = patched(PROPERTIES, own, inputs, inputs)
    assert new_inputs["envs"] == Secret(["B=2", "A=other"])
    assert "other" not in repr(new_inputs)


def test_values_of_the_image_are_no_drift_but_a_declared_one_that_equals_them_stays() -> None:
    inputs, inspect = made({"name": "box", "image": IMAGE_ID, "envs": ["LANG=C"]})
    own = without_image(inspect, IMAGE_CONFIG, inputs, frozenset())
    assert own["Config"]["Env"] == ["LANG=C"]
    assert own["Config"]["Labels"] == {}


def test_nothing_is_taken_for_drift_when_the_image_is_gone() -> None:
    inputs, inspect = made(FULL)
    own = without_image(inspect, None, inputs, frozenset())
    new_inputs, _ = patched(PROPERTIES, own, inputs, inputs)
    assert new_inputs == inputs


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"deviceRequests": [{"count": 1}]}, "deviceRequests"),
        ({"platform": "linux/amd64"}, "platform"),
        ({"networksAdvanced": [{"name": "a", "macAddress": "02::"}]}, r"networksAdvanced\[\]\.macAddress"),
        ({"volumes": [{"containerPath": "/data"}]}, "one of volumeName or hostPath"),
        ({"volumes": [{"fromContainer": "other"}]}, r"volumes\[\]\.fromContainer"),
        ({"ports": [{"internal": 80}]}, r"ports\[\] without external"),
        ({"healthcheck": {"tests": ["NONE"], "startInterval": "1s"}}, "healthcheck.startInterval"),
    ],
)
def test_what_would_be_ignored_is_refused_by_name(wrong: Values, named: str) -> None:
    with pytest.raises(RefusedError, match=named):
        refuse_unknown(FULL | wrong)


def test_every_property_is_declared_once_and_none_is_both_made_and_steering() -> None:
    names = [prop.name for prop in PROPERTIES]
    assert len(names) == len(set(names))
    assert not set(names) & STEERING
    refuse_unknown(FULL | {"__defaults": ["name"], "mustRun": True})


@given(st.integers(0, 10**6).map(lambda milliseconds: milliseconds * 10**6))
def test_a_duration_survives_both_ways(nanoseconds: int) -> None:
    assert to_nanoseconds(from_nanoseconds(nanoseconds)) == nanoseconds


def test_durations_are_written_as_go_writes_them() -> None:
    assert [from_nanoseconds(n * 10**9) for n in (0, 5, 90, 3600)] == ["0s", "5s", "1m30s", "1h0m0s"]
    assert from_nanoseconds(1_500_000_000) == "1.5s"
    assert from_nanoseconds(250_000_000) == "250ms"


def test_sizes_are_whole_mebibytes() -> None:
    assert [mebibytes_of(size) for size in (-1, 0, 2**20, 2**21 - 1)] == [-1, 0, 1, 1]
