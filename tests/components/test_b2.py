"""The dynamic providers against b2sdk's own simulator of Backblaze B2: no network, no account."""

from __future__ import annotations

import base64
import pickle
from typing import Any

import dill  # type: ignore[import-untyped]  # ships no types
import pytest
from b2sdk.v2 import (  # type: ignore[import-untyped]  # ships no types
    B2Api,
    B2HttpApiConfig,
    RawSimulator,
    StubAccountInfo,
)
from b2sdk.v2.exception import BadRequest, Unauthorized  # type: ignore[import-untyped]  # ships no types
from pulumi.runtime.rpc import UNKNOWN

from components import b2_account, b2_providers
from components.b2_account import Account, StoreError, credentials, explained
from components.b2_providers import ApplicationKeyProvider, BucketProvider

BUCKET = {
    "account": "primary",
    "region": "us-west-004",
    "name": "dreamseed-backups",
    "lock_days": 7,
    "hidden_days": 30,
    "expire_days": None,
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An authorized session of a simulated account, which every connection gets."""
    session = B2Api(StubAccountInfo(), api_config=B2HttpApiConfig(_raw_api_class=RawSimulator))
    account_id, key = session.session.raw_api.create_account()
    session.authorize_account("production", account_id, key)
    monkeypatch.setattr(b2_providers, "connect", lambda account: session)
    return session


def _key(bucket_id: str) -> dict[str, Any]:
    return {"account": "primary", "name": "backups-postgres", "bucket_id": bucket_id, "capabilities": ["listFiles"]}


def test_a_bucket_is_private_encrypted_locked_and_deletes_only_hidden_versions(api: Any) -> None:
    made = BucketProvider().create(dict(BUCKET))
    bucket = api.get_bucket_by_name("dreamseed-backups")
    assert bucket.id_ == made.id
    assert bucket.type_ == "allPrivate"
    assert bucket.default_server_side_encryption.as_dict() == {"mode": "SSE-B2", "algorithm": "AES256"}
    assert bucket.is_file_lock_enabled is True
    assert bucket.default_retention.as_dict() == {"mode": "governance", "period": {"duration": 7, "unit": "days"}}
    assert bucket.lifecycle_rules == [
        {"fileNamePrefix": "", "daysFromHidingToDeleting": 30, "daysFromUploadingToHiding": None}
    ]


def test_a_bucket_without_a_lock_has_none(api: Any) -> None:
    BucketProvider().create({**BUCKET, "lock_days": None})
    assert api.get_bucket_by_name("dreamseed-backups").is_file_lock_enabled is False


def test_what_was_made_is_what_is_read_so_that_a_second_preview_finds_nothing(api: Any) -> None:
    provider = BucketProvider()
    made = provider.create(dict(BUCKET))
    read = provider.read(made.id, dict(BUCKET))
    assert (read.id, read.outs, read.inputs) == (made.id, BUCKET, BUCKET)
    assert provider.diff(made.id, read.outs or {}, dict(BUCKET)).changes is False


def test_null_values_that_the_engine_drops_make_no_difference(api: Any) -> None:
    without_null = {key: value for key, value in BUCKET.items() if value is not None}
    provider = BucketProvider()
    made = provider.create(dict(without_null))
    assert provider.diff(made.id, made.outs or {}, without_null).changes is False


@pytest.mark.parametrize(("field", "value"), [("lock_days", 14), ("hidden_days", 60), ("expire_days", 90)])
def test_days_change_in_place(api: Any, field: str, value: int) -> None:
    provider, wanted = BucketProvider(), {**BUCKET, field: value}
    made = provider.create(dict(BUCKET))
    found = provider.diff(made.id, dict(BUCKET), wanted)
    assert (found.changes, found.replaces) == (True, [])
    assert provider.update(made.id, dict(BUCKET), wanted).outs == wanted
    assert provider.read(made.id, wanted).outs == wanted


@pytest.mark.parametrize("field", ["account", "region", "name"])
def test_where_and_what_a_bucket_is_cannot_change(field: str) -> None:
    found = BucketProvider().diff("id", dict(BUCKET), {**BUCKET, field: "other"})
    assert found.replaces == [field]
    assert found.delete_before_replace is False


def test_a_lock_that_ends_keeps_the_files_that_it_locked(api: Any) -> None:
    provider = BucketProvider()
    made = provider.create(dict(BUCKET))
    provider.update(made.id, dict(BUCKET), {**BUCKET, "lock_days": None})
    bucket = api.get_bucket_by_name("dreamseed-backups")
    assert bucket.default_retention.period is None
    assert bucket.is_file_lock_enabled is True


def test_drift_is_seen_by_a_refresh(api: Any) -> None:
    provider = BucketProvider()
    made = provider.create(dict(BUCKET))
    api.get_bucket_by_name("dreamseed-backups").update(bucket_type="allPrivate", lifecycle_rules=[])
    read = provider.read(made.id, dict(BUCKET))
    assert provider.diff(made.id, read.outs or {}, dict(BUCKET)).changes is True


def test_a_bucket_that_is_gone_has_no_id_and_deleting_it_again_is_no_fault(api: Any) -> None:
    provider = BucketProvider()
    made = provider.create(dict(BUCKET))
    provider.delete(made.id, dict(BUCKET))
    assert provider.read(made.id, dict(BUCKET)).id == ""
    provider.delete(made.id, dict(BUCKET))


def test_a_taken_name_says_whose_it_may_be(api: Any) -> None:
    BucketProvider().create(dict(BUCKET))
    with pytest.raises(StoreError, match="shared by all customers of Backblaze") as refused:
        BucketProvider().create(dict(BUCKET))
    assert "object_store › bucket_prefix" in refused.value.remedy
    assert "B2_ADOPT=NAME" in refused.value.remedy


def test_a_bucket_made_by_hand_is_taken_over_when_it_is_named_and_gets_what_is_declared(
    api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = api.create_bucket("dreamseed-backups", "allPublic")
    monkeypatch.setenv("B2_ADOPT", "another-bucket,dreamseed-backups")
    made = BucketProvider().create(dict(BUCKET))
    assert made.id == by_hand.id_
    assert api.get_bucket_by_name("dreamseed-backups").type_ == "allPrivate"
    assert BucketProvider().read(made.id, dict(BUCKET)).outs == BUCKET


def test_naming_a_bucket_to_take_over_that_is_not_there_makes_it(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2_ADOPT", "dreamseed-backups")
    assert BucketProvider().create(dict(BUCKET)).id == api.get_bucket_by_name("dreamseed-backups").id_


def test_a_bucket_in_a_region_that_is_not_its_accounts_is_refused(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://s3.eu-central-003.backblazeb2.com"
    monkeypatch.setattr(api.account_info, "get_s3_api_url", lambda: address)
    with pytest.raises(StoreError, match="lives in eu-central-003, not in us-west-004") as refused:
        BucketProvider().create(dict(BUCKET))
    assert "eu-central-003 in object_store › region" in refused.value.remedy
    assert api.list_buckets() == []


def test_a_full_bucket_is_not_deleted() -> None:
    with pytest.raises(StoreError, match="still holds files"), explained("deleting bucket x"):
        raise BadRequest("Cannot delete non-empty bucket", "cannot_delete_non_empty_bucket")


def test_a_missing_capability_is_named_as_such() -> None:
    with pytest.raises(StoreError, match="not allowed") as refused, explained("creating bucket x"):
        raise Unauthorized("unauthorized", "unauthorized")
    assert "list, write and delete buckets and keys" in refused.value.remedy


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "b2-mine", "not beginning with b2-"),
        ("name", "Upper-Case", "6 to 63"),
        ("name", "short", "6 to 63"),
        ("lock_days", 0, "1 to 3000 days"),
        ("lock_days", 3_001, "1 to 3000 days"),
        ("hidden_days", 0, "at least 1 day"),
        ("hidden_days", None, "at least 1 day"),
        ("expire_days", 0, "at least 1 day"),
    ],
)
def test_a_wrong_bucket_is_refused_before_anything_is_made(field: str, value: Any, reason: str) -> None:
    (failure,) = BucketProvider().check({}, {**BUCKET, field: value}).failures
    assert failure.property == field
    assert reason in failure.reason


def test_what_is_not_known_yet_is_not_judged() -> None:
    unknown = dict.fromkeys(("name", "lock_days", "hidden_days", "expire_days"), UNKNOWN)
    assert BucketProvider().check({}, {**BUCKET, **unknown}).failures == []
    key = {"account": "primary", "name": UNKNOWN, "bucket_id": UNKNOWN, "capabilities": UNKNOWN}
    assert ApplicationKeyProvider().check({}, key).failures == []


def test_a_key_opens_one_bucket_with_the_capabilities_that_were_asked_for(api: Any) -> None:
    bucket = BucketProvider().create(dict(BUCKET))
    made = ApplicationKeyProvider().create(_key(bucket.id))
    key = api.get_key(made.id)
    assert (key.bucket_id, key.capabilities) == (bucket.id, ["listFiles"])
    assert (made.outs or {})["application_key"].startswith("appKey")


def test_a_keys_secret_is_told_once_and_kept(api: Any) -> None:
    provider = ApplicationKeyProvider()
    made = provider.create(_key(BucketProvider().create(dict(BUCKET)).id))
    read = provider.read(made.id, dict(made.outs or {}))
    assert read.outs == made.outs
    assert provider.diff(made.id, made.outs or {}, _key(str((made.outs or {})["bucket_id"]))).changes is False


@pytest.mark.parametrize("field", ["account", "name", "bucket_id", "capabilities"])
def test_whatever_changes_about_a_key_makes_a_new_one_before_the_old_one_goes(field: str) -> None:
    found = ApplicationKeyProvider().diff("id", _key("b"), {**_key("b"), field: ["other"]})
    assert (found.replaces, found.delete_before_replace) == ([field], False)


def test_a_key_that_is_gone_has_no_id_and_deleting_it_again_is_no_fault(api: Any) -> None:
    provider = ApplicationKeyProvider()
    made = provider.create(_key(BucketProvider().create(dict(BUCKET)).id))
    provider.delete(made.id, _key("b"))
    assert provider.read(made.id, dict(made.outs or {})).id == ""
    provider.delete(made.id, _key("b"))


@pytest.mark.parametrize("capability", ["bypassGovernance", "deleteBuckets", "writeKeys", "writeFileRetentions"])
def test_no_consumer_gets_a_right_over_buckets_keys_or_locks(capability: str) -> None:
    news = {**_key("b"), "capabilities": ["listFiles", capability]}
    (failure,) = ApplicationKeyProvider().check({}, news).failures
    assert failure.property == "capabilities"
    assert capability in failure.reason


def test_a_key_without_capabilities_is_refused() -> None:
    (failure,) = ApplicationKeyProvider().check({}, {**_key("b"), "capabilities": []}).failures
    assert "nothing may not be handed out" in failure.reason


@pytest.mark.parametrize(
    ("account", "names"),
    [
        (Account.PRIMARY, ("B2_APPLICATION_KEY_ID", "B2_APPLICATION_KEY")),
        (Account.SECOND, ("B2_SECOND_APPLICATION_KEY_ID", "B2_SECOND_APPLICATION_KEY")),
    ],
)
def test_missing_credentials_are_named_variable_by_variable(
    monkeypatch: pytest.MonkeyPatch, account: Account, names: tuple[str, str]
) -> None:
    for name in names:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoreError) as refused:
        credentials(account)
    assert all(name in refused.value.what for name in names)


def test_the_realm_is_production_unless_the_environment_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("B2_APPLICATION_KEY_ID", "id")
    monkeypatch.setenv("B2_APPLICATION_KEY", "key")
    monkeypatch.delenv("B2_ENVIRONMENT", raising=False)
    assert credentials(Account.PRIMARY) == ("production", "id", "key")
    monkeypatch.setenv("B2_ENVIRONMENT", "http://127.0.0.1:1")
    assert credentials(Account.PRIMARY)[0] == "http://127.0.0.1:1"


@pytest.mark.parametrize("provider", [BucketProvider(), ApplicationKeyProvider()])
def test_a_provider_is_stored_by_reference_so_that_changing_its_code_changes_no_resource(provider: Any) -> None:
    stored = dill.dumps(provider, protocol=pickle.DEFAULT_PROTOCOL, recurse=True)
    assert len(base64.b64encode(stored)) < 200
    assert b"components.b2_providers" in stored
    assert type(dill.loads(stored)) is type(provider)  # noqa: S301 - what this very test stored


def test_a_region_is_read_from_the_accounts_s3_address_and_from_no_other(api: Any) -> None:
    assert b2_account.region_of(api) is None
