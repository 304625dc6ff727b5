from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from b2sdk import v2, v3  # type: ignore[import-untyped] # ships no types
from b2sdk.v3 import exception  # type: ignore[import-untyped] # ships no types

from rehearsal.providers.b2.account import BUCKET
from rehearsal.providers.b2.server import B2Server, serve_b2
from rehearsal.providers.cloud.fake_cloud import FakeCloud

NAME = "dreamseed-backups"
KEEP_30_DAYS = v3.BucketRetentionSetting(v3.RetentionMode.COMPLIANCE, v3.RetentionPeriod(days=30))
HIDDEN_3_DAYS = {"fileNamePrefix": "", "daysFromHidingToDeleting": 3, "daysFromUploadingToHiding": None}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[B2Server]:
    with serve_b2(tmp_path) as running:
        yield running


def signed_in(server: B2Server, prefix: str = "B2_", key: tuple[str, str] | None = None) -> Any:
    env = server.environment()
    api = v3.B2Api(v3.InMemoryAccountInfo())
    key_id, secret = key or (env[f"{prefix}APPLICATION_KEY_ID"], env[f"{prefix}APPLICATION_KEY"])
    api.authorize_account(key_id, secret, realm=env[f"{prefix}ENVIRONMENT"])
    return api


def test_a_bucket_is_made_read_changed_and_deleted_by_b2sdk(server: B2Server) -> None:
    api = signed_in(server)
    made = api.create_bucket(
        NAME,
        "allPrivate",
        lifecycle_rules=[HIDDEN_3_DAYS],
        default_server_side_encryption=v3.SSE_B2_AES,
        is_file_lock_enabled=True,
    )
    made.update(default_retention=KEEP_30_DAYS)
    (read,) = api.list_buckets(bucket_id=made.id_)
    assert (read.name, read.type_, read.is_file_lock_enabled, read.revision) == (NAME, "allPrivate", True, 2)
    assert read.lifecycle_rules == [HIDDEN_3_DAYS]
    assert read.default_retention == KEEP_30_DAYS
    assert read.default_server_side_encryption == v3.SSE_B2_AES
    api.delete_bucket(made)
    assert api.list_buckets() == []
    with pytest.raises(exception.BucketIdNotFound):
        api.delete_bucket(made)


def test_the_older_interface_of_b2sdk_works_too(server: B2Server) -> None:
    env = server.environment()
    api = v2.B2Api(v2.InMemoryAccountInfo())
    api.authorize_account(server.url, env["B2_APPLICATION_KEY_ID"], env["B2_APPLICATION_KEY"])
    bucket = api.create_bucket(NAME, "allPrivate")
    key = api.create_key(["readFiles"], "reader", bucket_id=bucket.id_)
    assert api.get_key(key.id_).bucket_id == bucket.id_


def test_a_bucket_name_is_taken_for_every_account(server: B2Server) -> None:
    signed_in(server).create_bucket(NAME, "allPrivate")
    second = signed_in(server, "B2_SECOND_")
    with pytest.raises(exception.DuplicateBucketName):
        second.create_bucket(NAME.upper(), "allPrivate")
    assert second.list_buckets() == []


def test_a_bucket_with_files_is_not_deleted(server: B2Server, tmp_path: Path) -> None:
    api = signed_in(server)
    bucket = api.create_bucket(NAME, "allPrivate")
    cloud = FakeCloud(tmp_path)
    cloud.edit(BUCKET, bucket.id_, {"files": 3})
    cloud.close()
    with (
        pytest.warns(UserWarning, match="cannot_delete_non_empty_bucket"),
        pytest.raises(exception.BadRequest) as refused,
    ):
        api.delete_bucket(bucket)
    assert refused.value.code == "cannot_delete_non_empty_bucket"


def test_a_key_may_do_what_it_was_given_and_no_more(server: B2Server) -> None:
    api = signed_in(server)
    bucket = api.create_bucket(NAME, "allPrivate")
    api.create_bucket(f"{NAME}-2", "allPrivate")
    made = api.create_key(["listBuckets", "readFiles"], "reader", bucket_ids=[bucket.id_])
    reader = signed_in(server, key=(made.id_, made.application_key))
    assert [found.name for found in reader.list_buckets(bucket_name=NAME)] == [NAME]
    assert reader.account_info.get_allowed()["buckets"] == [{"id": bucket.id_, "name": NAME}]
    with pytest.raises(exception.Unauthorized, match="writeBuckets"):
        reader.create_bucket("another-bucket", "allPrivate")
    with pytest.raises(exception.Unauthorized):
        signed_in(server, key=(made.id_, "K000wrong"))
    api.delete_key_by_id(made.id_)
    assert list(api.list_keys()) == []
    with pytest.raises(exception.Unauthorized):
        reader.list_buckets(bucket_name=NAME, use_cache=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "short"}, "Invalid bucketName: short"),
        ({"name": "b2-reserved-name"}, "Invalid bucketName: b2-reserved-name"),
        ({"name": NAME, "bucket_type": "public"}, "Invalid bucketType: public"),
    ],
)
def test_what_the_api_finds_wrong_is_refused(server: B2Server, arguments: dict[str, str], message: str) -> None:
    with pytest.raises(exception.BadRequest, match=message):
        signed_in(server).create_bucket(**{"bucket_type": "allPrivate"} | arguments)


def test_a_lock_cannot_be_taken_off_nor_a_retention_set_without_one(server: B2Server) -> None:
    api = signed_in(server)
    locked = api.create_bucket(NAME, "allPrivate", is_file_lock_enabled=True)
    with pytest.raises(exception.DisablingFileLockNotSupported):
        locked.update(is_file_lock_enabled=False)
    with pytest.raises(exception.BadRequest, match="no default retention"):
        api.create_bucket(f"{NAME}-2", "allPrivate").update(default_retention=KEEP_30_DAYS)
    with pytest.raises(exception.Conflict):
        locked.update(bucket_type="allPublic", if_revision_is=7)


def test_keys_are_listed_a_page_at_a_time(server: B2Server) -> None:
    api = signed_in(server)
    names = {f"key-{number}" for number in range(5)}
    for name in names:
        api.create_key(["readFiles"], name)
    assert {key.key_name for key in api.list_keys()} == names
    page = api.session.list_keys(api.account_info.get_account_id(), 2)
    assert len(page["keys"]) == 2
    assert page["nextApplicationKeyId"] > page["keys"][1]["applicationKeyId"]


def test_a_key_s_secret_is_told_once_and_kept_nowhere(server: B2Server, tmp_path: Path) -> None:
    made = signed_in(server).create_key(["readFiles"], "reader")
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert made.id_.encode() in written
    assert made.application_key.encode() not in written


def test_buckets_outlive_the_process(tmp_path: Path) -> None:
    with serve_b2(tmp_path) as first:
        signed_in(first).create_bucket(NAME, "allPrivate")
    with serve_b2(tmp_path) as second:
        assert [bucket.name for bucket in signed_in(second).list_buckets()] == [NAME]


def test_an_endpoint_that_is_not_there_says_where_to_add_it(server: B2Server) -> None:
    token = signed_in(server).account_info.get_account_auth_token()
    request = urllib.request.Request(f"{server.url}/b2api/v4/b2_copy_file", b"{}", {"Authorization": token})  # noqa: S310 - a loopback address
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - a loopback address
    assert (
        json.loads(refused.value.read())["message"] == "the rehearsal's B2 has no b2_copy_file: add it to b2/account.py"
    )
    assert refused.value.code == 501
