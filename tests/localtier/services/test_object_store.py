from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dreamseed.planning.object_store import DELETE, READ, WRITE, BucketPlan, BucketRole
from localtier.certificates import CertificateFiles
from localtier.services import KeyPair, names
from localtier.services.object_store import (
    POLICY_ATTRIBUTE,
    Site,
    actions,
    command,
    environment,
    policy,
    prepare,
    sites,
    sync_keys,
)


def bucket(role: BucketRole, region: str = "us-west-004", capabilities: tuple[str, ...] = DELETE) -> BucketPlan:
    return BucketPlan(
        role=role,
        name=f"example-{role}",
        region=region,
        second_account=region != "us-west-004",
        lock_days=None,
        hidden_days=1,
        expire_days=None,
        consumer="postgres",
        capabilities=capabilities,
        key_name=f"example-{role}-postgres",
    )


FIRST = (bucket(BucketRole.MODELS, capabilities=READ), bucket(BucketRole.BACKUPS))
SECOND = bucket(BucketRole.BACKUPS_SECOND, "eu-central-003", WRITE)
MODELS, BACKUPS = (plan.name for plan in FIRST)


def first_site(folder: Path) -> Site:
    return sites(FIRST, folder)[0]


def accounts(site: Site) -> dict[str, dict[str, str]]:
    content: dict[str, dict[str, dict[str, str]]] = json.loads((site.accounts / "users.json").read_text())
    return content["accessAccounts"]


def kept_policy(site: Site, name: str) -> str:
    return os.getxattr(site.data / name, POLICY_ATTRIBUTE).decode()


def test_each_region_is_a_site_and_a_later_region_moves_none(tmp_path: Path) -> None:
    before, after = sites(FIRST, tmp_path), sites((*FIRST, SECOND), tmp_path)
    assert after[: len(before)] == before
    assert [site.endpoint for site in after] == ["s3.us-west-004.backblazeb2.com", "s3.eu-central-003.backblazeb2.com"]
    assert len({site.address for site in after}) == 2


def test_a_prepared_site_has_its_buckets_and_no_account(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    prepare(site)
    assert {path.name for path in site.data.iterdir()} == {MODELS, BACKUPS}
    assert accounts(site) == {}


def test_every_planned_bucket_stands_at_exactly_one_site(tmp_path: Path) -> None:
    planned = (*FIRST, SECOND)
    found = [plan for site in sites(planned, tmp_path) for plan in site.buckets]
    assert sorted(plan.name for plan in found) == sorted(plan.name for plan in planned)


def test_preparing_again_keeps_files_and_keys(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    prepare(site)
    sync_keys(site, [KeyPair("id", "secret", BACKUPS)])
    (site.data / BACKUPS / "file").write_text("kept")
    prepare(site)
    assert (site.data / BACKUPS / "file").read_text() == "kept"
    assert set(accounts(site)) == {"id"}


def test_exactly_the_given_keys_are_taken(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    prepare(site)
    sync_keys(site, [KeyPair("old", "1", BACKUPS), KeyPair("kept", "2", BACKUPS)])
    sync_keys(site, [KeyPair("kept", "2", BACKUPS), KeyPair("elsewhere", "3", SECOND.name)])
    assert accounts(site) == {"kept": {"access": "kept", "secret": "2", "role": "user"}}
    assert "old" not in kept_policy(site, BACKUPS)


def test_a_bucket_whose_last_key_is_gone_has_no_policy(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    prepare(site)
    sync_keys(site, [KeyPair("id", "secret", BACKUPS)])
    sync_keys(site, [])
    assert POLICY_ATTRIBUTE not in os.listxattr(site.data / BACKUPS)


def test_accounts_are_for_their_owners_eyes_and_left_alone_when_nothing_changes(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    prepare(site)
    sync_keys(site, [KeyPair("id", "secret", BACKUPS)])
    path = site.accounts / "users.json"
    before = path.stat()
    sync_keys(site, [KeyPair("id", "secret", BACKUPS)])
    assert path.stat().st_ino == before.st_ino
    assert before.st_mode & 0o777 == 0o600


def test_a_key_may_do_in_its_bucket_what_the_plan_says_and_nothing_elsewhere() -> None:
    key = KeyPair("id", "secret", MODELS)
    found = policy(FIRST[0], [key])
    assert found is not None
    (statement,) = found["Statement"]
    assert "s3:GetObject" in statement["Action"]
    assert not {"s3:PutObject", "s3:DeleteObject", "s3:*"} & set(statement["Action"])
    assert policy(FIRST[1], [key]) is None


def test_only_keys_that_may_delete_delete() -> None:
    assert "s3:DeleteObject" in actions(DELETE)
    assert "s3:DeleteObject" not in actions(WRITE)
    assert "s3:PutObject" not in actions(READ)


def test_an_unknown_capability_is_no_silent_refusal() -> None:
    with pytest.raises(KeyError):
        actions(["shareFiles"])


def test_the_server_reads_its_accounts_at_every_request_and_keeps_its_own_account(tmp_path: Path) -> None:
    site = first_site(tmp_path)
    certificate = CertificateFiles(certificate=tmp_path / "cert.pem", key=tmp_path / "key.pem")
    words = command(Path("/bin/versitygw"), site, certificate)
    assert "--iam-cache-disable" in words
    assert words.index("posix") == len(words) - 2
    assert environment(site) == environment(site)
    assert not set(environment(site).values()) & set(words)


def test_the_name_server_knows_its_names_and_of_no_other() -> None:
    words = names.command(["10.20.0.1"], {"s3.example.com": "198.51.100.11"})
    assert "--address=/s3.example.com/198.51.100.11" in words
    assert {"--address=/#/", "--no-resolv", "--no-hosts", "--listen-address=10.20.0.1"} <= set(words)
