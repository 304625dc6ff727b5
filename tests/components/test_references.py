"""What refers to another resource refers to its own: a swapped reference is told here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from dreamseed.config import STAGE_NAMES
from tests.program import Registered, record

SECRET_READER = "gcp:secretmanager/secretIamMember:SecretIamMember"
SERVICE, JOB = "gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/job:Job"
ACCOUNT = "gcp:serviceaccount/account:Account"
OWN: Mapping[tuple[str, str], str] = {
    (SECRET_READER, "secretId"): "{name}",
    ("gcp:secretmanager/secretVersion:SecretVersion", "secret"): "{name}-id",
    ("gcp:serviceaccount/key:Key", "serviceAccountId"): "{name}",
    ("gcp:compute/routerInterface:RouterInterface", "vpnTunnel"): "{name}",
    ("gcp:compute/routerPeer:RouterPeer", "interface"): "{name}",
}
"""Type and input → what it refers to: the resource that bears the name of the one that refers."""
GRANTS = (
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
    "gcp:projects/iAMMember:IAMMember",
    SECRET_READER,
)
IDENTITIES = ("name", "secretId", "repositoryId", "workloadIdentityPoolId")
NAMED_OTHERWISE = re.compile(r"^docker:|Member$|:DatabaseInstance$|:SecretIamMember$")
"""Types whose `name` is another thing's, is the same on every server, or may not be used again for a week."""
WAITS_FOR: Mapping[str, str] = {
    "gcp:cloudscheduler/job:Job": "gcp:cloudrunv2/jobIamMember:JobIamMember",
    "gcp:sql/databaseInstance:DatabaseInstance": "gcp:servicenetworking/connection:Connection",
}
"""Type → a type that no input of it names, and without which it would fail."""


def strangers(resources: Sequence[Registered]) -> list[str]:
    """Return references that lead to another resource than the namesake, and grants to another account."""
    accounts = {each.name for each in resources if each.type == ACCOUNT}
    found = []
    for each in resources:
        found += [
            f"{each.name}: {key}"
            for (kind, key), own in OWN.items()
            if each.type == kind and each.inputs.get(key) != own.format(name=each.name)
        ]
        owner = max((name for name in accounts if each.name.startswith(name)), key=len, default=None)
        if each.type in GRANTS and owner and not str(each.inputs.get("member")).startswith(f"serviceAccount:{owner}@"):
            found.append(f"{each.name}: member")
    return found


def misread(resources: Sequence[Registered]) -> list[str]:
    """Return secrets that a Cloud Run container names twice, or that its account may not read."""
    readers = {
        (f"{each.inputs['secretId']}-id", str(each.inputs.get("member")).removeprefix("serviceAccount:"))
        for each in resources
        if each.type == SECRET_READER
    }
    found = []
    for each in resources:
        for task in _tasks(each):
            for container in task["containers"]:
                named = Counter(_secrets(container))
                found += [f"{each.name}: {secret} twice" for secret, times in named.items() if times > 1]
                account = task.get("serviceAccount")
                found += [f"{each.name}: {one} unreadable" for one in named if (one, account) not in readers]
    return found


def _tasks(resource: Registered) -> Iterator[Mapping[str, Any]]:
    if resource.type == SERVICE:
        yield resource.inputs["template"]
    elif resource.type == JOB:
        yield resource.inputs["template"]["template"]


def _secrets(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in container.get("envs", ()):
        reference = variable.get("valueSource", {}).get("secretKeyRef")
        if reference:
            yield reference.get("secret")


def misnamed(resources: Sequence[Registered]) -> list[str]:
    """Return what is called otherwise where it stands than in the program."""
    return [
        f"{each.name}: {key}"
        for each in resources
        for key in IDENTITIES
        if isinstance(each.inputs.get(key), str) and not NAMED_OTHERWISE.search(each.type)
        if each.inputs[key] != each.name
    ]


def hasty(resources: Sequence[Registered]) -> list[str]:
    """Return what does not wait for that without which it would fail."""
    return [
        each.name
        for each in resources
        if each.type in WAITS_FOR and not any(WAITS_FOR[each.type] in urn for urn in each.dependencies)
    ]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_things_are_called_as_in_the_program(stage: str) -> None:
    assert misnamed(record(stage)) == []


@pytest.mark.parametrize("stage", ["stage-d", "stage-e"])
def test_nothing_is_made_before_that_without_which_it_would_fail(stage: str) -> None:
    assert {each.type for each in record(stage)} >= WAITS_FOR.keys()
    assert hasty(record(stage)) == []


def test_another_name_and_a_lost_order_are_told() -> None:
    zone, clock = (
        next(each for each in record("stage-d") if each.type.endswith(kind))
        for kind in (":Zone", "cloudscheduler/job:Job")
    )
    assert misnamed([replace(zone, inputs={"name": "another.example"})]) == ["dreamseed.example: name"]
    assert hasty([replace(clock, dependencies=())]) == [clock.name]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_what_bears_one_name_belongs_together(stage: str) -> None:
    assert sum((each.type, key) in OWN for each in record(stage) for key in each.inputs) > 10
    assert strangers(record(stage)) == []


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_container_in_the_cloud_reads_each_of_its_secrets_once_and_may(stage: str) -> None:
    assert any(list(_secrets(c)) for each in record(stage) for task in _tasks(each) for c in task["containers"])
    assert misread(record(stage)) == []


def test_a_swapped_reference_is_told() -> None:
    swapped = [
        replace(each, inputs={**each.inputs, "secretId": "dreamseed-content-key", "member": "serviceAccount:other@p"})
        if each.type == SECRET_READER
        else each
        for each in record("stage-e")
    ]
    assert "dreamseed-redis-password: secretId" in strangers(swapped)
    assert "dreamseed-burst-vllm-api-key: member" in strangers(swapped)
    assert "dreamseed-api: dreamseed-redis-password-id unreadable" in misread(swapped)
