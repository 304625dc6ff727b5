from __future__ import annotations

from typing import Any

from tests.components.declaring import Resource
from tests.components.rules import (
    broad_grants,
    plain_secrets,
    public_grants,
    unguarded,
    unprotected_at_the_provider,
)


def resource(kind: str, protect: bool = False, secret_paths: tuple[str, ...] = (), **inputs: Any) -> Resource:
    return Resource(kind, "mutant", inputs, secret_paths, protect, (), ())


def test_a_grant_to_everybody_is_found_unless_it_invokes_a_service() -> None:
    kind = "gcp:storage/bucketIAMMember:BucketIAMMember"
    assert public_grants([resource(kind, member="allUsers", role="roles/storage.objectViewer")])
    assert public_grants([resource(kind, member="allAuthenticatedUsers", role="roles/storage.admin")])
    assert not public_grants([resource(kind, member="allUsers", role="roles/run.invoker")])


def test_a_role_over_the_whole_project_is_found_unless_it_is_a_custom_one() -> None:
    kind = "gcp:projects/iAMMember:IAMMember"
    assert broad_grants([resource(kind, role="roles/run.developer", member="m")])
    assert broad_grants([resource("gcp:storage/bucketIAMMember:BucketIAMMember", role="roles/owner", member="m")])
    assert not broad_grants([resource(kind, role="projects/p/roles/mine", member="m")])


def test_a_stateful_resource_without_protection_is_found_and_so_is_a_protected_other_one() -> None:
    assert unguarded([resource("cloudflare:index/zone:Zone")])
    assert unguarded([resource("gcp:cloudrunv2/job:Job", protect=True)])
    assert not unguarded([resource("cloudflare:index/zone:Zone", protect=True)])


def test_a_stateful_cloud_resource_that_the_provider_would_delete_is_found() -> None:
    kind = "gcp:storage/bucket:Bucket"
    assert unprotected_at_the_provider([resource(kind, protect=True)])
    assert unprotected_at_the_provider([resource(kind, protect=True, deletionPolicy="DELETE")])
    assert not unprotected_at_the_provider([resource(kind, protect=True, deletionPolicy="PREVENT")])


def test_a_secret_in_plain_text_is_found_at_its_path() -> None:
    kind = "gcp:cloudrunv2/service:Service"
    leaking = resource(kind, template={"containers": [{"envs": [{"name": "KEY", "value": "s3cret"}]}]})
    assert plain_secrets([leaking], ["s3cret"]) == ["mutant: template.containers[0].envs[0].value"]
    wrapped = resource(kind, secret_paths=("template",), template={"containers": [{"image": "s3cret"}]})
    assert not plain_secrets([wrapped], ["s3cret"])
