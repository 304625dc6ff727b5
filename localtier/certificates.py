"""A certificate authority of this machine's own: it vouches for stand-ins that answer to public names.

Made with openssl: the containers trust it as they trust the public authorities in production, so every client keeps its
verification on.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VALID_DAYS = 3650
AUTHORITY_NAME = "/CN=DreamSeed local test authority"


class CertificateError(Exception):
    """openssl is missing or refused: what, and what to do."""


@dataclass(frozen=True, kw_only=True)
class CaFiles:
    """The authority: its certificate, which clients trust, and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    """A server's certificate and its key."""

    certificate: Path
    key: Path


def ensure_ca(folder: Path) -> CaFiles:
    """Return the authority of `folder` (`ca.pem`, `ca.key`), made when it is not there. Raises `CertificateError`."""
    ca = CaFiles(certificate=folder / "ca.pem", key=folder / "ca.key")
    if not (ca.certificate.exists() and ca.key.exists()):
        folder.mkdir(parents=True, exist_ok=True)
        key, certificate = folder / "ca.key.part", folder / "ca.pem.part"
        extensions = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
        _self_signed(key, certificate, AUTHORITY_NAME, extensions)
        key.rename(ca.key)
        certificate.rename(ca.certificate)
    return ca


def issue(ca: CaFiles, names: Sequence[str], addresses: Sequence[str], folder: Path) -> CertificateFiles:
    """Return a certificate (`cert.pem`, `key.pem` of `folder`) for host names and IPv4 addresses, signed by `ca`.

    One that is there is kept while it is for the same names and of the same authority. Raises `CertificateError`.
    """
    if not names and not addresses:
        raise ValueError("a certificate needs a name or an address")
    folder.mkdir(parents=True, exist_ok=True)
    files = CertificateFiles(certificate=folder / "cert.pem", key=folder / "key.pem")
    alternatives = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in addresses)])
    wanted = f"{alternatives}\n{ca.certificate.read_text(encoding='ascii')}"
    made_for = folder / "made-for.txt"
    if made_for.exists() and made_for.read_text(encoding="ascii") == wanted:
        return files
    request, extensions = folder / "request.pem", folder / "extensions.txt"
    subject = f"/CN={(*names, *addresses)[0]}"
    _openssl("req", "-new", *_NEW_KEY, "-keyout", files.key, "-out", request, "-subj", subject)
    files.key.chmod(0o600)
    extensions.write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth\n", encoding="ascii")
    signing = ("-CA", ca.certificate, "-CAkey", ca.key, "-CAcreateserial", "-days", str(VALID_DAYS))
    _openssl("x509", "-req", "-in", request, *signing, "-extfile", extensions, "-out", files.certificate)
    made_for.write_text(wanted, encoding="ascii")
    return files


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _self_signed(key: Path, certificate: Path, subject: str, extensions: Sequence[str]) -> None:
    options = [part for extension in extensions for part in ("-addext", extension)]
    days = ("-days", str(VALID_DAYS))
    _openssl("req", "-x509", *_NEW_KEY, "-keyout", key, "-out", certificate, *days, "-subj", subject, *options)
    key.chmod(0o600)


def _openssl(*arguments: str | Path) -> None:
    binary = shutil.which("openssl")
    if binary is None:
        raise CertificateError("openssl is not on PATH\n  what to do: install the package openssl")
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CertificateError(f"openssl {arguments[0]} failed: {done.stderr.strip()[-400:]}")
