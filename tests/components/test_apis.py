"""No resource of Google Cloud is asked for before its API is on: which came first would be chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from dreamseed.catalog.gcp import APIS
from dreamseed.config import STAGE_NAMES
from tests.program import Registered, record

API_OF: Mapping[str, str] = {
    "gcp:artifactregistry/": "artifactregistry",
    "gcp:billing/": "billingbudgets",
    "gcp:cloudrun/": "run",
    "gcp:cloudrunv2/": "run",
    "gcp:cloudscheduler/": "cloudscheduler",
    "gcp:compute/": "compute",
    "gcp:iam/": "iam",
    "gcp:monitoring/": "monitoring",
    "gcp:projects/iAMCustomRole": "iam",
    "gcp:projects/iAMMember": "cloudresourcemanager",
    "gcp:pubsub/": "pubsub",
    "gcp:secretmanager/": "secretmanager",
    "gcp:serviceaccount/": "iam",
    "gcp:servicenetworking/": "servicenetworking",
    "gcp:sql/": "sqladmin",
    "gcp:storage/": "",
}
"""Beginning of a type → the API that serves it, which the program turns on; Cloud Storage is on in every project.

Source: hashicorp/terraform-provider-google, google/transport/config.go (01198bb8), DefaultBasePaths, 2026-11-27.
"""
TURNS_ON = "gcp:projects/service:Service"


def api_of(resource: Registered) -> str | None:
    """Return the API that serves the resource; None where it is no resource of Google Cloud."""
    if not resource.type.startswith("gcp:") or resource.type == TURNS_ON:
        return None
    return next(api for begin, api in API_OF.items() if resource.type.startswith(begin))


def too_early(resources: Iterable[Registered]) -> list[str]:
    """Return each resource that does not wait for its API, directly or through others."""
    by_urn = {each.urn: each for each in resources}
    found = []
    for each in by_urn.values():
        api = api_of(each)
        names = {urn.rsplit("::", 1)[-1] for urn in _waits_for(each.urn, by_urn)}
        if api and f"{api}.googleapis.com" not in names:
            found.append(f"{each.name} ({each.type}) does not wait for {api}.googleapis.com")
    return found


def _waits_for(urn: str, by_urn: Mapping[str, Registered]) -> set[str]:
    ahead, found = list(by_urn[urn].dependencies), set[str]()
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += by_urn[one].dependencies if one in by_urn else ()
    return found


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_every_resource_of_google_cloud_waits_for_its_api(stage: str) -> None:
    assert too_early(record(stage)) == []


def test_the_apis_that_are_waited_for_are_those_that_the_program_turns_on() -> None:
    assert {f"{api}.googleapis.com" for api in API_OF.values() if api} <= set(APIS)


def test_what_waits_for_nothing_is_told() -> None:
    hasty = [replace(r, dependencies=()) if r.type.endswith(":Topic") else r for r in record("stage-a")]
    assert too_early(hasty)[0].endswith("does not wait for pubsub.googleapis.com")
