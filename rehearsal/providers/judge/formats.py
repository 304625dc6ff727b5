"""The formats that the tables name, each as a predicate with an example of what to write."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+|0")
# RFC 6996: the 16-bit and the 32-bit private ranges.
PRIVATE_ASNS = (range(64512, 65535), range(4200000000, 4294967295))
# RFC 5735, section 3, as far as the upstream validator refuses it.
SPECIAL_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in ("0.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4")
)


@dataclass(frozen=True)
class Format:
    """Whether a value has the format, and an example that does."""

    holds: Callable[[object], bool]
    example: str


def _is_network(value: object) -> bool:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        return False
    return "/" in str(value)


def _is_address(value: object) -> bool:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return False
    return True


def _is_json(value: object) -> bool:
    try:
        json.loads(str(value))
    except json.JSONDecodeError:
        return False
    return True


def _is_base64(value: object) -> bool:
    try:
        base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_time(value: object) -> bool:
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return "T" in str(value) and time.tzinfo is not None


def _is_private_asn(value: object) -> bool:
    return isinstance(value, int) and any(value in numbers for numbers in PRIVATE_ASNS)


def _is_ordinary_address(value: object) -> bool:
    return _is_address(value) and not any(ipaddress.ip_address(str(value)) in net for net in SPECIAL_NETWORKS)


FORMATS = {
    "cidr": Format(_is_network, "10.10.0.0/16"),
    "ip": Format(_is_address, "10.10.0.2"),
    "ip outside the special ranges of RFC 5735": Format(_is_ordinary_address, "169.254.0.1"),
    "json": Format(_is_json, '{"key": "value"}'),
    "base64": Format(_is_base64, "aGVsbG8="),
    "absolute path": Format(lambda value: str(value).startswith("/"), "/srv/data"),
    "go duration >= 0": Format(lambda value: bool(DURATION.fullmatch(str(value))), "1m30s"),
    "time (RFC 3339)": Format(_is_time, "2027-01-31T00:00:00Z"),
    "private asn (RFC 6996)": Format(_is_private_asn, "64512"),
}
