from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from dreamseed.recovery.copies import CopyError, read_copy
from dreamseed.recovery.worksheet import Worksheet, WorksheetError
from rehearsal.providers.wire import UNKNOWN_TEXT
from rehearsal.runner.recovery import Creation, Identity

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
TOKEN = "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken"
PASSWORD = "random:index/randomPassword:RandomPassword"
RANDOM_ID = "random:index/randomId:RandomId"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
KEY = "gcp:serviceaccount/key:Key"
IN_ZONE = {"zoneId": "f00", "name": "api.example.com", "type": "CNAME"}


def creation(token: str, **inputs: str) -> Creation:
    return Creation(f"urn:pulumi:production::sample::{token}::it", token, inputs, None, "")


def sheet(made: Creation, id_: str | None = "", **values: str | None) -> Worksheet:
    """A worksheet with the row of a creation, filled in."""
    worksheet = Worksheet({})
    worksheet.add([made])
    row = worksheet.rows[made.urn]
    row.id = id_ if id_ != "" else row.id
    row.values |= values
    return worksheet


@pytest.mark.parametrize("given", ["0123", "f00/0123"])
def test_an_id_becomes_what_an_import_takes(given: str) -> None:
    record = creation(RECORD, **IN_ZONE)
    assert sheet(record, given).identify(record) == Identity("f00/0123")


def test_a_line_to_look_it_up_names_the_thing() -> None:
    row = next(iter(sheet(creation(RECORD, **IN_ZONE)).rows.values()))
    assert "zones/f00/dns_records?name=api.example.com&type=CNAME" in row.look_up
    assert row.open


def test_what_waits_for_another_id_comes_later() -> None:
    worksheet = Worksheet({})
    worksheet.add([creation(RECORD, **{**IN_ZONE, "zoneId": UNKNOWN_TEXT})])
    assert worksheet.rows == {}


@pytest.mark.parametrize(("values", "identified"), [({}, False), ({"result": None}, False), ({"result": "x"}, True)])
def test_a_password_is_known_by_its_value_alone(values: dict[str, str | None], identified: bool) -> None:
    password = creation(PASSWORD)
    found = sheet(password, "", **values).identify(password)
    assert found == (Identity("none", secrets={"result": "x"}) if identified else None)


def test_a_password_s_value_is_never_its_id() -> None:
    password = creation(PASSWORD)
    found = sheet(password, "", result="hunter2hunter2").identify(password)
    assert found is not None
    assert "hunter2" not in found.id


def test_a_token_without_its_secret_is_not_taken_over() -> None:
    token = creation(TOKEN, accountId="acc", name="api")
    assert sheet(token, "0123").identify(token) is None
    assert sheet(token, "0123", clientSecret="s").identify(token) == Identity(
        "accounts/acc/0123", secrets={"clientSecret": "s"}
    )


def test_all_forms_of_a_random_id_follow_from_one() -> None:
    suffix = creation(RANDOM_ID)
    found = sheet(suffix, "", hex="a7d8").identify(suffix)
    assert found == Identity("p9g", public={"hex": "a7d8", "b64Url": "p9g", "b64Std": "p9g=", "dec": "42968"})


def test_what_google_tells_again_need_not_be_given() -> None:
    version = creation(VERSION, secret="projects/p/secrets/s")
    worksheet = sheet(version, "projects/1/secrets/s/versions/2")
    assert not worksheet.rows[version.urn].open
    assert worksheet.identify(version) == Identity("projects/1/secrets/s/versions/2")


def test_what_cannot_be_imported_is_said_and_left_alone() -> None:
    key = creation(KEY, serviceAccountId="a")
    row = sheet(key).rows[key.urn]
    assert "delete it by hand" in row.look_up
    assert not row.open


def test_ids_of_a_copy_are_taken_and_what_it_cannot_tell_is_asked_for() -> None:
    record, token = creation(RECORD, **IN_ZONE), creation(TOKEN, accountId="acc", name="api")
    worksheet = Worksheet({}, {record.urn: "0123", token.urn: "4567"})
    assert worksheet.identify(record) == Identity("f00/0123")
    assert worksheet.identify(token) is None
    worksheet.add([token])
    assert worksheet.rows[token.urn].id == "4567"
    assert worksheet.rows[token.urn].open


def test_a_worksheet_is_for_its_owner_alone_and_comes_back_as_it_was(tmp_path: Path) -> None:
    record, file = creation(RECORD, **IN_ZONE), tmp_path / "recovery.json"
    worksheet = sheet(record, "0123")
    worksheet.write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Worksheet.read(file, {}) == worksheet


@pytest.mark.parametrize("wrong", ["[", '[{"urn": 1, "look_up": "", "id": ""}]', '[{"urn": "u", "id": "x"}]'])
def test_a_worksheet_that_is_none_is_refused_with_its_place(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "recovery.json"
    file.write_text(wrong, encoding="utf-8")
    with pytest.raises(WorksheetError, match=r"recovery\.json.*\n  why: .*\n  write instead: "):
        Worksheet.read(file, {})


DEPLOYMENT = {
    "manifest": {"time": "2026-11-01T00:00:00Z"},
    "resources": [{"urn": "urn:pulumi:production::sample::a:b:C::it", "id": "7", "type": "a:b:C"}],
}


@pytest.mark.parametrize(
    "document", [{"version": 3, "deployment": DEPLOYMENT}, {"version": 3, "checkpoint": {"latest": DEPLOYMENT}}]
)
def test_an_export_and_a_file_of_the_backend_are_copies(tmp_path: Path, document: object) -> None:
    file = tmp_path / "copy.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    copy = read_copy(file, "production")
    assert copy.ids == {"urn:pulumi:production::sample::a:b:C::it": "7"}
    assert copy.written == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"version": 3, "checkpoint": {"lat', "no whole JSON"),
        ("", "no whole JSON"),
        ("[]", "is no state"),
        ('{"version": 2, "deployment": {}}', "is no state"),
        ('{"version": 3, "deployment": {"resources": []}}', "holds no resource"),
        (json.dumps({"version": 3, "deployment": DEPLOYMENT}).replace("production", "other"), "of another stack"),
    ],
)
def test_what_is_no_copy_of_the_stack_is_refused(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "copy.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CopyError, match=why) as refused:
        read_copy(file, "production")
    assert "earlier version" in refused.value.remedy
