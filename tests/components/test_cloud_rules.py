from __future__ import annotations

import pytest

from dreamseed.catalog.stateful import is_stateful
from tests.components.builders import everything
from tests.components.declaring import Declared
from tests.components.rules import (
    broad_grants,
    plain_secrets,
    public_grants,
    unguarded,
    unprotected_at_the_provider,
)

COMPONENTS = everything()
each_component = pytest.mark.parametrize(
    "declared", [declared for _, declared in COMPONENTS], ids=[name for name, _ in COMPONENTS]
)
SECRET_VALUES = ("value-of-", "generated-", "secret-of-", "token-secret", "connector-token")


@each_component
def test_nothing_is_open_to_everybody_but_the_api_itself(declared: Declared) -> None:
    assert not public_grants(declared.resources)


@each_component
def test_no_account_gets_a_basic_role_or_a_role_over_the_whole_project(declared: Declared) -> None:
    assert not broad_grants(declared.resources)


@each_component
def test_exactly_what_is_stateful_is_protected(declared: Declared) -> None:
    assert not unguarded(declared.resources)


@each_component
def test_stateful_resources_of_google_cloud_are_protected_by_the_provider_too(declared: Declared) -> None:
    assert not unprotected_at_the_provider(declared.resources)


@each_component
def test_no_secret_stands_in_plain_text(declared: Declared) -> None:
    assert not plain_secrets(declared.resources, SECRET_VALUES)


def test_the_rules_were_tried_on_grants_on_stateful_resources_and_on_secrets() -> None:
    resources = [resource for _, declared in COMPONENTS for resource in declared.resources]
    assert sum("member" in resource.inputs for resource in resources) > 20
    assert sum(is_stateful(resource.type, resource.inputs) for resource in resources) > 30
    assert sum(bool(resource.secret_paths) for resource in resources) > 15


def test_every_label_is_the_same_in_all_stages() -> None:
    labelled = [
        resource.inputs["labels"]
        for _, declared in COMPONENTS
        for resource in declared.resources
        if "managed-by" in resource.inputs.get("labels", ())
    ]
    assert len(labelled) > 20
    assert all(labels == {"managed-by": "pulumi", "service": "dreamseed"} for labels in labelled)


def test_physical_names_are_the_logical_ones() -> None:
    # Cloud SQL's name is blocked for a week after a delete, so it alone has a random part.
    different = {
        resource.name
        for _, declared in COMPONENTS
        for resource in declared.resources
        if resource.type.startswith("gcp:compute/") and resource.inputs.get("name", resource.name) != resource.name
    }
    assert different == set()
