"""Names that the Pulumi bridge fills in when a program leaves them out: logical name, dash, seven hex digits.

Source: pulumi-terraform-bridge autonaming, pulumi-gcp provider/resources.go (lengths), 2026-11-23; the length of an
account id (28) and the alphabet of a role id are from memory, unverified.
"""

from __future__ import annotations

import hashlib
import re

RANDOM_DIGITS = 7
# Longest name a property takes, by package and property; docker sets no limit of its own.
LIMITS = {("gcp", "name"): 63, ("gcp", "secretId"): 255, ("gcp", "accountId"): 28, ("gcp", "roleId"): 64}


def autoname(package: str, prop: str, logical_name: str, seed: bytes) -> str:
    """A name for a resource; the same seed gives the same name."""
    digits = hashlib.sha256(seed).hexdigest()[:RANDOM_DIGITS]
    if (package, prop) == ("gcp", "roleId"):
        return re.sub(r"\W", "", logical_name.title())[: LIMITS["gcp", "roleId"] - RANDOM_DIGITS] + digits
    limit = LIMITS.get((package, prop))
    base = re.sub(r"[^a-z0-9-]", "-", logical_name.lower()) if package == "gcp" else logical_name
    return f"{base[: limit - RANDOM_DIGITS - 1] if limit else base}-{digits}"
