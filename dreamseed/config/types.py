"""Annotated types that stage files are made of: one name a meaning, units in field names.

A value outside a type's set is refused with what, why and a remedy; `immutable` marks what may never change once a
stage is up, because the provider would replace the resource and what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

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


def _pattern(pattern: str, what: str, why: str, remedy: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise refuse(f"'{value}' is not {what}", why, remedy)
        return value

    return check


def _private(address: IPv4Address) -> IPv4Address:
    if not address.is_private or address.is_loopback or address.is_link_local:
        raise refuse(
            f"{address} is not a private address",
            "services are published on private addresses only; nothing of the servers listens on the internet",
            "an address of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, such as 10.20.0.11",
        )
    return address


def _private_network(network: IPv4Network) -> IPv4Network:
    _private(network.network_address)
    return network


ResourceName = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?",
            "a resource name",
            "names must be legal at every provider: lower case, digits, hyphens, 1 to 30 characters",
            "a name such as dreamseed-api",
        )
    ),
]
DatabaseName = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z][a-z0-9_]{0,62}",
            "a database name",
            "PostgreSQL folds unquoted names to lower case and cuts them at 63 bytes",
            "a name such as dreamseed",
        )
    ),
]
DomainName = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
            "a domain name",
            "the zone, its certificates and its tunnels are named by it",
            "a lower-case domain such as dreamseed.ai",
        )
    ),
]
DockerHost = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"ssh://[a-z_][a-z0-9_-]*@[A-Za-z0-9.-]+(:[0-9]{1,5})?",
            "a Docker host reached by SSH",
            "the servers' Docker Engines are never opened on TCP",
            "ssh://USER@HOST or ssh://USER@HOST:PORT",
        )
    ),
]
ImageReference = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z0-9][a-z0-9.:/_-]*@sha256:[0-9a-f]{64}",
            "an image pinned by digest",
            "a tag can move under a running stage; a digest cannot",
            "REGISTRY/NAME@sha256:DIGEST (docker buildx imagetools inspect NAME:TAG prints it)",
        )
    ),
]
ProjectId = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
            "a Google Cloud project id",
            "project ids have 6 to 30 lower-case letters, digits and hyphens",
            "an id such as dreamseed-prod",
        )
    ),
]
Region = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z]+-[a-z]+[0-9]{1,2}",
            "a Google Cloud region",
            "every regional resource is created in it",
            "a region such as us-central1",
        )
    ),
]
Zone = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[a-z]+-[a-z]+[0-9]{1,2}-[a-z]",
            "a Google Cloud zone",
            "every zonal resource is created in it",
            "a zone such as us-central1-a",
        )
    ),
]
BucketPrefix = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"(?!b2-)[a-z0-9][a-z0-9-]{2,38}[a-z0-9]",
            "a bucket prefix",
            "bucket names are global, 6 to 63 characters, and may not begin with b2-",
            "a prefix of your own such as dreamseed-prod",
        )
    ),
]
HexId = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[0-9a-f]{32}",
            "a Cloudflare account id",
            "the API addresses accounts by 32 hexadecimal digits",
            "the account id of the dashboard's overview page",
        )
    ),
]
BillingAccount = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}",
            "a billing account",
            "budgets hang on the billing account, not on the project",
            "an id such as 01ABCD-23EF45-6789AB (gcloud billing accounts list)",
        )
    ),
]
Email = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
            "an e-mail address",
            "alerts and budget notices are sent to it",
            "an address such as ops@dreamseed.ai",
        )
    ),
]
GithubRepository = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+",
            "a GitHub repository",
            "only workflows of this repository may deploy",
            "OWNER/NAME",
        )
    ),
]
GitCommit = Annotated[
    str,
    AfterValidator(
        _pattern(
            r"[0-9a-f]{40}",
            "a commit",
            "model weights are pinned to a commit, never to a branch",
            "the 40 hexadecimal digits of the model repository's commit",
        )
    ),
]
PrivateAddress = Annotated[IPv4Address, AfterValidator(_private)]
PrivateNetwork = Annotated[IPv4Network, AfterValidator(_private_network)]
PublicAddress = Annotated[IPv4Address, Field(description="a public IPv4 address")]

Count = Annotated[int, Field(ge=1, le=1_000)]
CountOrZero = Annotated[int, Field(ge=0, le=100_000)]
Gib = Annotated[int, Field(ge=1, le=1_000_000)]
Mib = Annotated[int, Field(ge=16, le=1_048_576)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Minutes = Annotated[int, Field(ge=1, le=43_200)]
Hours = Annotated[int, Field(ge=1, le=8_760)]
Days = Annotated[int, Field(ge=1, le=3_650)]
Milliseconds = Annotated[int, Field(ge=1, le=600_000)]
Ratio = Annotated[float, Field(gt=0.0, le=1.0)]
Utilization = Annotated[float, Field(ge=0.1, le=0.95)]
Usd = Annotated[float, Field(ge=0.0, le=10_000_000.0)]
PositiveUsd = Annotated[float, Field(gt=0.0, le=10_000_000.0)]


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
