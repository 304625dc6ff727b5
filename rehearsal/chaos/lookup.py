"""What a person does after a lost answer whose object has an id that its cloud drew: look it up, or take it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.providers.b2.account import BUCKET, KEY
from rehearsal.providers.cloud.fake_cloud import FakeCloud
from rehearsal.providers.cloud.identity import computed_id, is_made_again
from rehearsal.runner.recovery import Creation, Identity
from rehearsal.runner.scaffold import HIDDEN

DOCKER = "docker:"
# These tell their secret once, when they are made: one whose answer was lost is of no use and is revoked. A secret's
# version could be read back from Google; the fake cloud keeps a digest of it alone, so here it is revoked too.
REVOKED = {
    "gcp:secretmanager/secretVersion:SecretVersion",
    "gcp:serviceaccount/key:Key",
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken",
    "grafana:cloud/accessPolicyToken:AccessPolicyToken",
    "pulumi-python:dynamic/b2:ApplicationKey",
}
DYNAMIC = {
    # The type by which the fake cloud keeps it, and where its name stands.
    "pulumi-python:dynamic/b2:Bucket": (BUCKET, "bucketName"),
    "pulumi-python:dynamic/b2:ApplicationKey": (KEY, "keyName"),
}


@dataclass(frozen=True)
class Person:
    """Looks into the fake cloud; `recorded` are the ids that the engine's state holds, by type."""

    cloud: FakeCloud
    recorded: Mapping[str, frozenset[str]]

    def __call__(self, creation: Creation) -> Identity | None:
        """Return the id of what was made for the creation and is not recorded; takes away what is of no use."""
        if is_made_again(creation.type) or creation.type.startswith(DOCKER):
            return None  # making it again finds it, and changes nothing
        computed = computed_id(creation.type, creation.inputs, creation.config)
        if computed is not None:
            return Identity(computed)
        token, name = DYNAMIC.get(creation.type, (creation.type, ""))
        known = self.recorded.get(creation.type, frozenset())
        for found in self.cloud.list(token):
            same = found.outputs.get(name) == creation.inputs["name"] if name else _same(creation.inputs, found.inputs)
            if found.id not in known and same:
                if creation.type not in REVOKED:
                    return Identity(found.id)
                self.cloud.remove(token, found.id)
        return None


def _same(planned: Mapping[str, Any], made: Mapping[str, Any]) -> bool:
    """Whether everything that is planned in plain is so in what was made."""
    return all(_equal(value, made.get(key)) for key, value in planned.items() if not key.startswith("__"))


def _equal(planned: Any, made: Any) -> bool:
    if planned == HIDDEN or (isinstance(made, dict) and "$sealed" in made):
        return True
    if isinstance(planned, dict) and isinstance(made, dict):
        return all(_equal(value, made.get(key)) for key, value in planned.items())
    if isinstance(planned, list) and isinstance(made, list):
        return len(planned) == len(made) and all(map(_equal, planned, made))
    return bool(planned == made)
