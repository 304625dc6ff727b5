"""Records that people and machines sign: one canonical form, its digest, and SSH signatures over it.

A signature is OpenSSH's (`ssh-keygen -Y sign`), so that a signer needs no key but the SSH key that they have, on a
token or in an agent as well. Who may sign as what stands in an `allowed_signers` file, whose principals are roles:

    cto namespaces="stage-promotion",valid-before="20280101Z" ssh-ed25519 AAAA… kim@dreamseed.example

Source: OpenBSD's ssh-keygen(1), sections -Y and ALLOWED SIGNERS, and OpenSSH 9.2 as executed on 2026-11-26. A signature
proves no time: put it into the record, and judge by it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dreamseed.errors import DreamSeedError

PROGRAM = "ssh-keygen"
SIGNATURE_SUFFIX = ".sig"
DIGEST_PREFIX = "sha256:"
TIME_LIMIT_SECONDS = 120
"""Time for a person to type a passphrase or to touch a token."""

_FINGERPRINT = re.compile(r"\bkey (SHA256:\S+)")
_KEY = re.compile(r"\s(?:sk-)?(?:ssh|ecdsa)-\S+ (AAAA[A-Za-z0-9+/=]+)(.*)")


class SignatureError(DreamSeedError):
    """Something is not signed as it must be; `what` names the reason."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose signatures count: an `allowed_signers` file, and a file of revoked public keys (or a KRL)."""

    allowed_signers: Path
    revoked: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed: the role that the key may sign as, and the key's fingerprint (``SHA256:…``)."""

    principal: str
    fingerprint: str


def canonical(record: Any) -> bytes:
    """Return the one form of a JSON value that is signed and hashed: sorted keys, no spaces, UTF-8.

    Raises `ValueError` for NaN and infinities, which JSON has not.
    """
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(record: Any) -> str:
    """Return the digest of a JSON value in its canonical form: ``sha256:`` and 64 hexadecimal digits."""
    return digest_of_bytes(canonical(record))


def digest_of_bytes(content: bytes) -> str:
    """Return the digest of bytes: ``sha256:`` and 64 hexadecimal digits."""
    return DIGEST_PREFIX + hashlib.sha256(content).hexdigest()


def sign(content: bytes, key: Path, namespace: str) -> str:
    """Return an armoured signature over `content` by the private key, or by the agent's key of a public key file.

    Raises `SignatureError` when the key cannot be read or used.
    """
    if not key.is_file():
        raise SignatureError(str(key), "is no file", "a record is signed with an SSH key", "the path of your SSH key")
    signed = _run(["-Y", "sign", "-q", "-f", str(key), "-n", namespace], content)
    if signed.returncode != 0:
        raise SignatureError(
            str(key),
            f"cannot sign: {_words(signed)}",
            "the private key must be readable, or an agent must hold it",
            "the path of a private SSH key, and its passphrase when asked",
        )
    return signed.stdout


def verify(
    content: bytes, signature: str, *, principal: str, namespace: str, trust: Trust, at: datetime, where: str
) -> Signer:
    """Return who signed `content` as `principal` within `namespace`, with a key that is good at the moment `at`.

    Raises `SignatureError` at `where` with the reason: malformed, other content, other namespace, unknown key, expired
    or not yet valid key, another's key, revoked key, key not allowed to sign in this namespace.
    """
    _check_files(trust)
    with tempfile.TemporaryDirectory(prefix="dreamseed-signature.") as folder:
        file = Path(folder, "signature")
        file.write_text(signature, encoding="utf-8")
        fingerprint = _intact(content, file, namespace, where)
        asked = [
            *("-Y", "verify", "-f", str(trust.allowed_signers), "-I", principal, "-n", namespace),
            *("-s", str(file), "-O", _verify_time(at)),
        ]
        if _run(asked, content).returncode != 0:
            _check_holder(file, fingerprint, principal, trust, at, where)
            raise SignatureError(
                where,
                f"key {fingerprint} may not sign in the namespace {namespace!r}",
                f'a line of {trust.allowed_signers} lists its key\'s namespaces="…"',
                f"a signature by a key of {principal} for this purpose",
            )
        if trust.revoked and _run([*asked, "-r", str(trust.revoked)], content).returncode != 0:
            raise SignatureError(
                where,
                f"key {fingerprint} of {principal} is revoked",
                f"it is listed in {trust.revoked}",
                f"a signature by a key of {principal} that is not",
            )
    return Signer(principal=principal, fingerprint=fingerprint)


def write_signed(path: Path, record: Any, key: Path, namespace: str) -> None:
    """Write `record` to `path` in its canonical form, and the signature over the file's bytes beside it (`.sig`).

    The record comes last and appears whole, so that a reader never sees one without its signature.
    """
    content = canonical(record) + b"\n"
    signature = sign(content, key, namespace)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(signature_of(path), signature.encode())
    write_whole(path, content)


def read_signed(
    path: Path, *, principals: Sequence[str], namespace: str, trust: Trust, at: datetime
) -> tuple[dict[str, Any], tuple[Signer, ...]]:
    """Return the record at `path` with its signers, one for each of `principals`.

    With one principal the signature is `path` + ``.sig``, with several ``.PRINCIPAL.sig`` each. Raises
    `SignatureError`.
    """
    if not path.is_file():
        raise SignatureError(str(path), "is no file", "a signed record is a file", "the path of the record")
    content = path.read_bytes()
    signers = []
    for principal in principals:
        beside = signature_of(path, principal if len(principals) > 1 else "")
        if not beside.is_file():
            raise SignatureError(
                str(path),
                f"has no signature of {principal}",
                f"it counts only when {' and '.join(principals)} signed it",
                f"the signature as {beside.name} beside it",
            )
        text = beside.read_text(encoding="utf-8", errors="replace")
        signers.append(
            verify(content, text, principal=principal, namespace=namespace, trust=trust, at=at, where=str(beside))
        )
    return parsed_record(path, content), tuple(signers)


def signature_of(path: Path, principal: str = "") -> Path:
    """Return where the signature over `path` stands: beside it."""
    return path.with_name(f"{path.name}{'.' if principal else ''}{principal}{SIGNATURE_SUFFIX}")


def parsed_record(path: Path, content: bytes) -> dict[str, Any]:
    """Return the record that `content`, the file at `path`, holds in its canonical form. Raises `SignatureError`."""
    try:
        record = json.loads(content)
        if isinstance(record, dict) and canonical(record) + b"\n" == content:
            return record
    except ValueError:
        pass
    raise SignatureError(
        str(path),
        "is not a record in its canonical form",
        "a record has one form only: a JSON object, sorted keys, no spaces, one line",
        "the file as the command wrote it",
    )


def _check_files(trust: Trust) -> None:
    for file, noun in ((trust.allowed_signers, "signers"), (trust.revoked, "revoked keys")):
        if file is not None and not file.is_file():
            raise SignatureError(
                str(file),
                f"the file of {noun} is missing",
                "without it nobody knows whose signature counts",
                "the path of that file; an empty one is allowed",
            )


def _intact(content: bytes, file: Path, namespace: str, where: str) -> str:
    """Return the fingerprint of the key that made the signature over exactly `content`, whoever holds it."""
    checked = _run(["-Y", "check-novalidate", "-n", namespace, "-s", str(file)], content)
    found = _FINGERPRINT.search(checked.stdout)
    if checked.returncode == 0 and found:
        return found[1]
    words = _words(checked)
    if "namespace does not match" in words:
        what, why = f"is signed for another purpose than {namespace!r}", "a signature holds in one namespace only"
    elif "incorrect signature" in words:
        what, why = "does not fit the record", "the record was changed after it was signed, or another was signed"
    else:
        what, why = f"is no signature: {words}", "it must be as ssh-keygen -Y sign writes it"
    raise SignatureError(where, what, why, f"a new signature over the record as it is, in the namespace {namespace}")


def _check_holder(file: Path, fingerprint: str, principal: str, trust: Trust, at: datetime, where: str) -> None:
    """Refuse a key that nobody has, that is not valid at the moment, or that another role has."""
    found = _run(
        ["-Y", "find-principals", "-s", str(file), "-f", str(trust.allowed_signers), "-O", _verify_time(at)], b""
    )
    holders = [name for line in found.stdout.splitlines() for name in line.split(",")]
    if principal in holders:
        return
    words = _words(found)
    if holders:
        what, why = f"key {fingerprint} is of {', '.join(holders)}, not of {principal}", "each role has its own key"
    elif "has expired" in words:
        what, why = f"key {fingerprint} has expired", f"its valid-before in {trust.allowed_signers} has passed"
    elif "not yet valid" in words:
        what, why = f"key {fingerprint} is not yet valid", f"its valid-after in {trust.allowed_signers} is to come"
    else:
        what, why = f"key {fingerprint} is unknown", f"no line of {trust.allowed_signers} has it"
    raise SignatureError(where, what, why, f"a signature by a key that {trust.allowed_signers} lists for {principal}")


def _verify_time(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("the moment of a verification needs a time zone")
    return f"verify-time={at.astimezone(UTC):%Y%m%d%H%M%S}"


def _run(arguments: list[str], content: bytes) -> subprocess.CompletedProcess[str]:
    try:
        ran = subprocess.run(
            [PROGRAM, *arguments],
            input=content,
            capture_output=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            timeout=TIME_LIMIT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise SignatureError(
            PROGRAM, "is not installed", "OpenSSH makes and checks the signatures", "apt-get install openssh-client"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SignatureError(
            PROGRAM, f"took more than {TIME_LIMIT_SECONDS} s", "it waits for a passphrase or a token", "try again"
        ) from error
    out, err = (stream.decode(errors="replace") for stream in (ran.stdout, ran.stderr))
    return subprocess.CompletedProcess(ran.args, ran.returncode, out, err)


def _words(ran: subprocess.CompletedProcess[str]) -> str:
    return "; ".join(ran.stderr.split("\n")).strip("; \r") or f"{PROGRAM} says nothing"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, also when the machine stops."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def holder_of(trust: Trust, fingerprint: str) -> str:
    """Return the comment of the key with `fingerprint` among the allowed signers, by habit its person; else nothing."""
    for line in trust.allowed_signers.read_text(encoding="utf-8").splitlines():
        found = _KEY.search(line)
        if found is None or line.lstrip().startswith("#"):
            continue
        hashed = hashlib.sha256(base64.b64decode(found[1])).digest()
        if f"SHA256:{base64.b64encode(hashed).decode().rstrip('=')}" == fingerprint:
            return found[2].strip()
    return ""
