from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dreamseed.signing import (
    SignatureError,
    Signer,
    Trust,
    canonical,
    digest,
    read_signed,
    sign,
    signature_of,
    verify,
    write_signed,
)
from playbook.made_up import Keyring, keyring

NAMESPACE = "stage-promotion"
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
CONTENT = b'{"from":"A","to":"B"}'


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    made = keyring(tmp_path / "keys")
    made.allow("cto", "kim", f'namespaces="{NAMESPACE}",valid-before="20270101"')
    made.allow("cfo", "lee")
    return made


def check(
    ring: Keyring, signature: str, *, principal: str = "cto", at: datetime = NOW, content: bytes = CONTENT
) -> Signer:
    return verify(
        content, signature, principal=principal, namespace=NAMESPACE, trust=ring.trust, at=at, where="approval"
    )


def test_a_record_has_one_form_whatever_the_order_of_its_keys() -> None:
    assert canonical({"b": [1, 2.5], "a": "가"}) == '{"a":"가","b":[1,2.5]}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": 2})


def test_no_number_is_no_record() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_a_good_signature_names_its_signer(ring: Keyring) -> None:
    found = check(ring, sign(CONTENT, ring.key("kim"), NAMESPACE))
    assert found.principal == "cto"
    assert found.fingerprint.startswith("SHA256:")
    assert found.fingerprint != check(ring, sign(CONTENT, ring.key("lee"), NAMESPACE), principal="cfo").fingerprint


REFUSALS: dict[str, tuple[Callable[[Keyring], Signer], str]] = {
    "changed content": (
        lambda ring: check(ring, sign(CONTENT, ring.key("kim"), NAMESPACE), content=CONTENT + b" "),
        "does not fit the record",
    ),
    "another purpose": (
        lambda ring: check(ring, sign(CONTENT, ring.key("kim"), "restore-drill")),
        "is signed for another purpose than 'stage-promotion'",
    ),
    "no signature": (lambda ring: check(ring, "trust me"), "is no signature"),
    "unknown key": (lambda ring: check(ring, sign(CONTENT, ring.key("eve"), NAMESPACE)), "is unknown"),
    "another role's key": (
        lambda ring: check(ring, sign(CONTENT, ring.key("lee"), NAMESPACE)),
        "is of cfo, not of cto",
    ),
    "expired key": (
        lambda ring: check(ring, sign(CONTENT, ring.key("kim"), NAMESPACE), at=datetime(2027, 1, 1, 0, 1, tzinfo=UTC)),
        "has expired",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_wrong_with_a_signature_is_told(ring: Keyring, name: str) -> None:
    attempt, words = REFUSALS[name]
    with pytest.raises(SignatureError) as refused:
        attempt(ring)
    assert refused.value.where == "approval"
    assert words in refused.value.what


def test_a_revoked_key_is_refused_and_no_other(ring: Keyring) -> None:
    signatures = {role: sign(CONTENT, ring.key(name), NAMESPACE) for role, name in (("cto", "kim"), ("cfo", "lee"))}
    ring.revoke("lee")
    assert check(ring, signatures["cto"]).principal == "cto"
    with pytest.raises(SignatureError, match="of cfo is revoked"):
        check(ring, signatures["cfo"], principal="cfo")


def test_a_key_signs_only_in_the_namespaces_of_its_line(ring: Keyring) -> None:
    ring.allow("drill", "robot", 'namespaces="restore-drill"')
    with pytest.raises(SignatureError, match="may not sign in the namespace"):
        check(ring, sign(CONTENT, ring.key("robot"), NAMESPACE), principal="drill")


def test_a_key_that_is_valid_later_is_refused_until_then(ring: Keyring) -> None:
    ring.allow("cto", "new", 'valid-after="20270101"')
    signature = sign(CONTENT, ring.key("new"), NAMESPACE)
    with pytest.raises(SignatureError, match="is not yet valid"):
        check(ring, signature)
    assert check(ring, signature, at=datetime(2027, 1, 1, 0, 1, tzinfo=UTC)).principal == "cto"


def test_a_missing_file_of_signers_or_revocations_is_an_error_and_not_trust(ring: Keyring, tmp_path: Path) -> None:
    signature = sign(CONTENT, ring.key("kim"), NAMESPACE)
    for trust in (
        Trust(allowed_signers=tmp_path / "none"),
        Trust(allowed_signers=ring.trust.allowed_signers, revoked=tmp_path / "none"),
    ):
        with pytest.raises(SignatureError, match="is missing"):
            verify(CONTENT, signature, principal="cto", namespace=NAMESPACE, trust=trust, at=NOW, where="x")


def test_a_key_that_cannot_sign_is_told(ring: Keyring, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="is no file"):
        sign(CONTENT, tmp_path / "none", NAMESPACE)
    broken = tmp_path / "broken"
    broken.write_text("no key")
    with pytest.raises(SignatureError, match="cannot sign"):
        sign(CONTENT, broken, NAMESPACE)


def test_without_openssh_it_says_what_to_install(
    ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ring.key("kim")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignatureError, match="apt-get install openssh-client"):
        sign(CONTENT, key, NAMESPACE)


def test_a_moment_needs_a_time_zone(ring: Keyring) -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        check(ring, sign(CONTENT, ring.key("kim"), NAMESPACE), at=datetime(2026, 11, 26))  # noqa: DTZ001


def test_a_written_record_is_read_back_with_its_signer(ring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "records" / "one.json"
    write_signed(path, {"b": 1, "a": 2}, ring.key("kim"), NAMESPACE)
    record, (signer,) = read_signed(path, principals=["cto"], namespace=NAMESPACE, trust=ring.trust, at=NOW)
    assert record == {"a": 2, "b": 1}
    assert signer.principal == "cto"
    assert sorted(each.name for each in path.parent.iterdir()) == ["one.json", "one.json.sig"]


def test_an_edited_or_unsigned_record_is_refused(ring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    write_signed(path, {"a": 2}, ring.key("kim"), NAMESPACE)
    path.write_bytes(canonical({"a": 3}) + b"\n")
    with pytest.raises(SignatureError, match="does not fit the record"):
        read_signed(path, principals=["cto"], namespace=NAMESPACE, trust=ring.trust, at=NOW)
    signature_of(path).unlink()
    with pytest.raises(SignatureError, match="has no signature of cto"):
        read_signed(path, principals=["cto"], namespace=NAMESPACE, trust=ring.trust, at=NOW)


@pytest.mark.parametrize("written", [b'{"a": 2}\n', b'{"a":2}', b"[1]\n", b'{"a":2,"a":2}\n', b"nothing\n"])
def test_a_signed_record_in_another_form_is_refused(ring: Keyring, tmp_path: Path, written: bytes) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(written)
    signature_of(path).write_text(sign(written, ring.key("kim"), NAMESPACE))
    with pytest.raises(SignatureError, match="canonical form"):
        read_signed(path, principals=["cto"], namespace=NAMESPACE, trust=ring.trust, at=NOW)


def test_several_signers_each_have_a_file_of_their_own(ring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(canonical({"a": 2}) + b"\n")
    for role, name in (("cto", "kim"), ("cfo", "lee")):
        signature_of(path, role).write_text(sign(path.read_bytes(), ring.key(name), NAMESPACE))
    _, signers = read_signed(path, principals=["cto", "cfo"], namespace=NAMESPACE, trust=ring.trust, at=NOW)
    assert [signer.principal for signer in signers] == ["cto", "cfo"]
