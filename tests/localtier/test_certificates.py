from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from localtier.certificates import ensure_ca, issue

NAMES = ("s3.example.com", "other.example.com")


def verifies(ca: Path, certificate: Path, *options: str) -> bool:
    command = ["openssl", "verify", "-CAfile", str(ca), *options, str(certificate)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_certificate_verifies_for_its_names_and_addresses_only(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path / "ca")
    files = issue(ca, NAMES, ("192.0.2.1",), tmp_path / "server")
    for name in NAMES:
        assert verifies(ca.certificate, files.certificate, "-verify_hostname", name)
    assert verifies(ca.certificate, files.certificate, "-verify_ip", "192.0.2.1")
    assert not verifies(ca.certificate, files.certificate, "-verify_hostname", "wrong.example.com")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)


def test_another_authority_does_not_vouch_for_it(tmp_path: Path) -> None:
    files = issue(ensure_ca(tmp_path / "ca"), NAMES, (), tmp_path / "server")
    assert not verifies(ensure_ca(tmp_path / "other").certificate, files.certificate)


def test_authority_and_certificate_are_kept_until_names_or_authority_change(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path / "ca")
    first = issue(ca, NAMES, (), tmp_path / "server").certificate.read_bytes()
    assert ensure_ca(tmp_path / "ca") == ca
    assert issue(ca, NAMES, (), tmp_path / "server").certificate.read_bytes() == first
    assert issue(ca, NAMES[:1], (), tmp_path / "server").certificate.read_bytes() != first
    other = ensure_ca(tmp_path / "other")
    again = issue(other, NAMES[:1], (), tmp_path / "server")
    assert verifies(other.certificate, again.certificate)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    ca = ensure_ca(tmp_path / "ca")
    files = issue(ca, NAMES, (), tmp_path / "server")
    assert {path.stat().st_mode & 0o777 for path in (ca.key, files.key)} == {0o600}


def test_a_certificate_for_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a name or an address"):
        issue(ensure_ca(tmp_path / "ca"), (), (), tmp_path / "server")
