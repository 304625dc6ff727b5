"""The servers' WireGuard keys: each server's own, derived from one secret that the program makes.

So one secret is made, kept and exchanged, and no server learns another's private key: HKDF gives nothing back of what
it was given. Sources: RFC 5869 (HKDF), RFC 7748 section 5 (a private key is any 32 bytes), read 2026-11-27.
"""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def private_key(secret: str, server: str) -> str:
    """Return the private key of `server` as WireGuard writes it; the same for the same `secret`."""
    return b64encode(_private_bytes(secret, server)).decode("ascii")


def public_key(secret: str, server: str) -> str:
    """Return what others know `server` by; nothing of `secret` can be told from it."""
    key = X25519PrivateKey.from_private_bytes(_private_bytes(secret, server))
    return b64encode(key.public_key().public_bytes_raw()).decode("ascii")


def _private_bytes(secret: str, server: str) -> bytes:
    """Return 32 bytes with the bits set that Curve25519 sets anyway, so that `wg` prints the key as it was given."""
    derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"dreamseed wireguard {server}".encode())
    key = bytearray(derive.derive(secret.encode()))
    key[0] &= 0b1111_1000
    key[-1] = key[-1] & 0b0111_1111 | 0b0100_0000
    return bytes(key)
