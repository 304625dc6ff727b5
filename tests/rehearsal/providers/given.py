"""What the provider tests start from: subjects, and inputs that have the shape of their type."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from rehearsal.providers.judge.table_judge import TableJudge
from rehearsal.providers.seams import Difference, Subject
from rehearsal.providers.values import Opaque, Values
from rehearsal.providers.wire import decode, encode
from rehearsal.tables.facts import PACKAGES, tokens_with_facts
from rehearsal.tables.shapes import Kind, Shape, resource_shape

NETWORK = "docker:index/network:Network"
VOLUME = "docker:index/volume:Volume"
CONTAINER = "docker:index/container:Container"
IMAGE = "docker:index/remoteImage:RemoteImage"
RUN_SERVICE = "gcp:cloudrunv2/service:Service"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
SQL_USER = "gcp:sql/user:User"
GCP_SECRET = "gcp:secretmanager/secret:Secret"
SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
VPC = "gcp:compute/network:Network"
BUCKET = "gcp:storage/bucket:Bucket"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
RULESET = "cloudflare:index/ruleset:Ruleset"
TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"
ZONE = "cloudflare:index/zone:Zone"
ZONE_SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
PASSWORD = "random:index/randomPassword:RandomPassword"
STACK = "grafana:cloud/stack:Stack"

EVERY_TYPE = sorted(token for package in PACKAGES for token in tokens_with_facts(package))
ZONE_ID = "0123456789abcdef0123456789abcdef"
PLACE = {"project": "dreamseed-prod", "region": "us-central1", "zone": "us-central1-a"}


def subject(token: str, name: str = "thing", **config: Any) -> Subject:
    """A resource of a type, behind a provider that has a project and a place."""
    return Subject(token, f"urn:pulumi:dev::rehearsed::{token}::{name}", name, PLACE | config)


def reasons(token: str, inputs: Values, judge: TableJudge | None = None) -> dict[str, str]:
    """What Check says of the inputs, by property path."""
    checked = (judge or TableJudge()).check(subject(token), inputs, {}, b"seed")
    return {failure.path: failure.reason for failure in checked.failures}


def difference(token: str, before: Values, after: Values, ignore: tuple[str, ...] = ()) -> Difference:
    """Diff of a resource made from `before` against a program that says `after`; unknowns of the plan stay out."""
    judge, thing = TableJudge(), subject(token)
    old = judge.check(thing, before, {}, b"seed").inputs
    new = judge.check(thing, after, old, b"another seed").inputs
    return judge.diff(thing, old, known(judge.plan_create(thing, old)), new, list(ignore))


def replaced(token: str, before: Values, after: Values) -> dict[str, bool]:
    """Changed paths, and whether each replaces."""
    return {change.path: change.replaces for change in difference(token, before, after).changes}


def known(values: Any) -> Any:
    """Planned outputs without what is unknown, as a cloud that computes nothing would answer."""
    if isinstance(values, dict):
        return {key: item for key, value in values.items() if (item := known(value)) is not None}
    if isinstance(values, list):
        return [known(value) for value in values]
    return None if "UNKNOWN" in repr(values) else values


def over_the_wire(values: Values) -> Values:
    """Values after the journey through the engine."""
    return decode(encode(values))


def made_up(token: str, rng: random.Random) -> Values:
    """Inputs of the right shape for a type: all required ones, some of the others."""
    if token.startswith("random:"):
        return {"byteLength": 4} if token.endswith("Id") else {"length": 12, "special": rng.random() < 0.5}
    inputs = resource_shape(token).inputs
    fields = {name: shape for name, shape in inputs.items() if shape.required or name not in PLACE}
    return _object(fields, rng, 3)


def _object(fields: Mapping[str, Shape], rng: random.Random, depth: int) -> Values:
    chosen = {name: shape for name, shape in fields.items() if shape.required or (depth > 0 and rng.random() < 0.4)}
    return {name: _value(shape, rng, depth - 1) for name, shape in chosen.items()}


def _value(shape: Shape, rng: random.Random, depth: int) -> Any:
    match shape.kind:
        case Kind.STRING | Kind.ANY:
            return rng.choice(["one", "two", "10s"]) if shape.required else rng.choice(["one", "two", ""])
        case Kind.INTEGER:
            return rng.choice([0, 1, 7])
        case Kind.NUMBER:
            return rng.choice([0.5, 1])
        case Kind.BOOLEAN:
            return rng.random() < 0.5
        case Kind.ASSET:
            return Opaque("c44067f5952c0a294b673a41bacd8c17", {"text": "content"})
        case Kind.OBJECT:
            return _object(shape.fields, rng, depth)
        case Kind.ARRAY:
            return [_value(_element(shape), rng, depth) for _ in range(rng.choice([0, 1, 2]))]
        case Kind.MAP:
            return {key: _value(_element(shape), rng, depth) for key in ["plain", "with.dot"][: rng.choice([0, 1, 2])]}


def _element(shape: Shape) -> Shape:
    assert shape.element is not None
    return shape.element
