"""Annotated types that stage files are made of: one name a meaning, units in field names.

A value outside a type's set is refused with what, why and a remedy; `immutable` marks what may never change
once a stage is up, because the provider would replace the resource and what it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

IMMUTABLE_KEY = "x-immutable"


class Section(BaseModel):
    """A frozen part of a stage file; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, ser_json_timedelta="float")


def refuse(what: str, why: str, remedy: str, at: str = "") -> PydanticCustomError:
    """Return the error that a validator raises: `what` is wrong, `why` and what to write instead.

    `at` names the place below the validator's own, such as ``backup › second_site``.
    """
    return PydanticCustomError("rule", "{what}", {"what": what, "why": why, "remedy": remedy, "at": at})


def immutable(description: str, default: Any = ..., **extra: Any) -> Any:
    """Return a field that a promotion may never change; `description` says what it names."""
    return Field(default, description=description, json_schema_extra={IMMUTABLE_KEY: True}, **extra)


@dataclass(frozen=True, slots=True)
class Text:
    """Annotation of a text that must match `pattern` whole, and the sentences for one that does not."""

    pattern: str
    what: str
    why: str
    remedy: str

    def check(self, value: str) -> str:
        """Return `value`, or raise the refusal."""
        if not re.fullmatch(self.pattern, value):
            raise refuse(f"'{value}' is not {self.what}", self.why, self.remedy)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Between:
    """Annotation of a number's range, ends included unless `above` is given instead of `least`.

    A field's own `Field(ge=…, le=…)` narrows it; two such bounds by `Field` alone would not: the last one wins.
    """

    least: float | None
    most: float
    above: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema: dict[str, Any] = dict(handler(source))
        schema["le"] = min(self.most, schema.get("le", self.most))
        for key, bound in (("ge", self.least), ("gt", self.above)):
            if bound is not None:
                schema[key] = max(bound, schema.get(key, bound))
        return cast(CoreSchema, schema)


# Source: RFC 1918, section 3. The standard library's `is_private` also holds 0.0.0.0: every address.
PRIVATE_NETWORKS = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_PRIVATE_TEXT = "10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16"


def _private_address(address: IPv4Address) -> IPv4Address:
    if not any(address in network for network in PRIVATE_NETWORKS):
        raise refuse(
            f"{address} is not a private address",
            "services are published on private addresses only; no server listens on the internet",
            f"an address of {_PRIVATE_TEXT}, such as 10.20.0.11",
        )
    return address


def _private_network(network: IPv4Network) -> IPv4Network:
    if not any(network.subnet_of(private) for private in PRIVATE_NETWORKS):
        raise refuse(
            f"{network} is not a private network",
            "its addresses would belong to somebody else on the internet",
            f"a network within {_PRIVATE_TEXT}, such as 10.20.0.0/24",
        )
    return network


def _public_address(address: IPv4Address) -> IPv4Address:
    unusable = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    if unusable or any(address in network for network in PRIVATE_NETWORKS):
        raise refuse(
            f"{address} is not a public address",
            "the cloud reaches it over the internet",
            "the static address that the internet provider gave the router",
        )
    return address


ResourceName = Annotated[
    str,
    Text(
        r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?",
        "a resource name",
        "names must be legal at every provider: lower case, digits, hyphens, 1 to 30 characters",
        "a name such as dreamseed-api",
    ),
]
DatabaseName = Annotated[
    str,
    Text(
        r"[a-z][a-z0-9_]{0,62}",
        "a database name",
        "PostgreSQL folds unquoted names to lower case and cuts them at 63 bytes",
        "a name such as dreamseed",
    ),
]
DomainName = Annotated[
    str,
    Text(
        r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "a domain name",
        "the zone, its certificates and its tunnels are named by it",
        "a lower-case domain such as dreamseed.ai",
    ),
]
DockerHost = Annotated[
    str,
    Text(
        r"ssh://[a-z_][a-z0-9_-]*@[A-Za-z0-9.-]+(:[0-9]{1,5})?",
        "a Docker host reached by SSH",
        "the servers' Docker Engines are never opened on TCP",
        "ssh://USER@HOST or ssh://USER@HOST:PORT",
    ),
]
ImageReference = Annotated[
    str,
    Text(
        r"[a-z0-9][a-z0-9.:/_-]*@sha256:[0-9a-f]{64}",
        "an image pinned by digest",
        "a tag can move under a running stage; a digest cannot",
        "REGISTRY/NAME@sha256:DIGEST (docker buildx imagetools inspect NAME:TAG prints it)",
    ),
]
ProjectId = Annotated[
    str,
    Text(
        r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
        "a Google Cloud project id",
        "project ids have 6 to 30 lower-case letters, digits and hyphens",
        "an id such as dreamseed-prod",
    ),
]
Region = Annotated[
    str,
    Text(
        r"[a-z]+-[a-z]+[0-9]{1,2}",
        "a Google Cloud region",
        "every regional resource is created in it",
        "a region such as us-central1",
    ),
]
Zone = Annotated[
    str,
    Text(
        r"[a-z]+-[a-z]+[0-9]{1,2}-[a-z]",
        "a Google Cloud zone",
        "every zonal resource is created in it",
        "a zone such as us-central1-a",
    ),
]
WitnessMachine = Annotated[
    str,
    Text(
        r"e2-(micro|small|medium|standard-[0-9]+)",
        "an e2 machine",
        "a witness only votes: the smallest general machines are enough for it",
        "e2-small, e2-medium or e2-standard-2",
    ),
]
BucketPrefix = Annotated[
    str,
    Text(
        r"(?!b2-)[a-z0-9][a-z0-9-]{2,38}[a-z0-9]",
        "a bucket prefix",
        "bucket names are global, 6 to 63 characters, and may not begin with b2-",
        "a prefix of your own such as dreamseed-prod",
    ),
]
HexId = Annotated[
    str,
    Text(
        r"[0-9a-f]{32}",
        "a Cloudflare account id",
        "the API addresses accounts by 32 hexadecimal digits",
        "the account id of the dashboard's overview page",
    ),
]
BillingAccount = Annotated[
    str,
    Text(
        r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}",
        "a billing account",
        "budgets hang on the billing account, not on the project",
        "an id such as 01ABCD-23EF45-6789AB (gcloud billing accounts list)",
    ),
]
Email = Annotated[
    str,
    Text(
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
        "an e-mail address",
        "alerts and budget notices are sent to it",
        "an address such as ops@dreamseed.ai",
    ),
]
MailServer = Annotated[
    str,
    Text(
        r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?:[0-9]{1,5}",
        "a mail server",
        "alerts are handed to it, and it asks for TLS on its submission port",
        "HOST:PORT such as smtp.dreamseed.ai:587",
    ),
]
SshPublicKey = Annotated[
    str,
    Text(
        r"ssh-ed25519 [A-Za-z0-9+/]{68}( [^\s]+)?",
        "an Ed25519 public key",
        "the program reaches the machine's Docker Engine by SSH with the key that belongs to it",
        "the one line of a .pub file made by ssh-keygen -t ed25519",
    ),
]
GithubRepository = Annotated[
    str,
    Text(
        r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+",
        "a GitHub repository",
        "only workflows of this repository may deploy",
        "OWNER/NAME",
    ),
]
PrivateAddress = Annotated[IPv4Address, AfterValidator(_private_address)]
PrivateNetwork = Annotated[IPv4Network, AfterValidator(_private_network)]
PublicAddress = Annotated[IPv4Address, AfterValidator(_public_address)]


def _day(value: Any) -> Any:
    """Return the day that a text names, or `value` as it is.

    Pulumi takes an unquoted 2027-06-30 for a moment, and hands it on as "2027-06-30 00:00:00 +0000 UTC".
    Source: seen with the engine 3.259.0, 2026-11-23.
    """
    try:
        return date.fromisoformat(value.removesuffix(" 00:00:00 +0000 UTC"))
    except (AttributeError, ValueError):
        return value


Day = Annotated[date, BeforeValidator(_day)]

Count = Annotated[int, Between(1, 1_000)]
CountOrZero = Annotated[int, Between(0, 100_000)]
Gib = Annotated[int, Between(1, 1_000_000)]
Mib = Annotated[int, Between(16, 1_048_576)]
Seconds = Annotated[int, Between(1, 86_400)]
Minutes = Annotated[int, Between(1, 43_200)]
Hours = Annotated[int, Between(1, 8_760)]
Days = Annotated[int, Between(1, 3_650)]
Milliseconds = Annotated[int, Between(1, 600_000)]
Ratio = Annotated[float, Between(None, 1.0, above=0.0)]
Utilization = Annotated[float, Between(0.1, 0.95)]
Usd = Annotated[float, Between(0.0, 10_000_000.0)]
PositiveUsd = Annotated[float, Between(None, 10_000_000.0, above=0.0)]


class Stage(StrEnum):
    """The five growth stages, in order. Source: the growth plan, section 1."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"

    @property
    def rank(self) -> int:
        """Return 0 for A up to 4 for E."""
        return list(Stage).index(self)
