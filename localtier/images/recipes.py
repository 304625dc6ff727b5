"""Which folder of images/ stands for which image of the catalogue, and what its build needs.

What each one imitates and what it does not: docs/reference/stand-ins.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from dreamseed.catalog.images import IMAGES
from localtier.images.errors import ImageError

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "images"
LOCAL_REPOSITORY = "dreamseed-local"
"""Where the images that only other images are made from are tagged."""
DIGEST_SHOWN = 12


class Extra(StrEnum):
    """A file of a build's context that is made, not kept in the tree."""

    ROOT = "root"
    """The base's own base, a debootstrapped Debian, as the build argument ROOT."""
    AUTHORITY = "authority"
    """The certificate of this machine's authority, ca.pem."""
    PIP = "pip"
    """How pip reaches its index here: pip.conf and build-authorities.pem."""
    JARS = "jars"
    """The jars that the folder's pom.xml names, in jars/."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one image is built. `bases` are build arguments and the recipes that they name.

    `module` is copied to source/ of the context with all that it imports of the project; `packages` are those of
    requirements.lock whose lines, with all that they need, become the context's requirements.lock; `catalogued` tells
    whether a plan may name the image.
    """

    key: str
    folder: str
    what: str
    bases: Mapping[str, str] = field(default_factory=dict)
    binaries: tuple[str, ...] = ()
    module: str | None = None
    packages: tuple[str, ...] = ()
    extras: frozenset[Extra] = frozenset()
    catalogued: bool = True

    @property
    def path(self) -> Path:
        """Return the folder of the Dockerfile."""
        return FOLDER / self.folder


def _stand_in(key: str, what: str, **more: object) -> Recipe:
    return Recipe(key=key, folder=f"stand-ins/{key}", what=what, **more)  # type: ignore[arg-type]


_ON_BASE = {"BASE": "base"}
_ON_BUSYBOX = {"BASE": "busybox"}
_ON_PYTHON = {"BASE": "python"}
_WITH_PIP = {"BASE": "python", "BUILD_BASE": "python-build"}

_RECIPES = (
    _stand_in("base", "Debian 13, debootstrapped", extras=frozenset({Extra.ROOT, Extra.AUTHORITY}), catalogued=False),
    _stand_in("busybox", "busybox from Debian 13", bases=_ON_BASE, catalogued=False),
    _stand_in("python", "Python 3.13 from Debian 13", bases=_ON_BASE, catalogued=False),
    _stand_in(
        "python-build",
        "the same, with pip and this machine's way to its index; only for builds",
        bases=_ON_PYTHON,
        extras=frozenset({Extra.PIP}),
        catalogued=False,
    ),
    _stand_in("postgres-base", "PostgreSQL 17 from Debian 13", bases=_ON_BASE, catalogued=False),
    Recipe(
        key="postgres-build",
        folder="stand-ins/python-build",
        what="the same, with pip and this machine's way to its index; only for builds",
        bases={"BASE": "postgres-base"},
        extras=frozenset({Extra.PIP}),
        catalogued=False,
    ),
    _stand_in(
        "pgbackrest_exporter",
        "pgbackrest_exporter from Debian 13, for images/postgres",
        bases=_ON_BASE,
        catalogued=False,
    ),
    _stand_in("etcd", "etcd 3.6.12 and etcdctl 3.6.14, built from Go modules", binaries=("etcd", "etcdctl")),
    Recipe(
        key="postgres",
        folder="postgres",
        what="our own image on PostgreSQL 17, pgBackRest 2.55 and rclone 1.60 from Debian 13, with Patroni 4.1.5",
        bases={
            "BASE": "postgres-base",
            "BUILD_BASE": "postgres-build",
            "ETCD": "etcd",
            "EXPORTER": "pgbackrest_exporter",
        },
    ),
    _stand_in("redis", "Redis 7.0 from Debian 12", bases=_ON_BASE),
    _stand_in("haproxy", "HAProxy 3.0 from Debian 13", bases=_ON_BASE),
    _stand_in("pgbouncer", "PgBouncer 1.24 from Debian 13", bases=_ON_BASE),
    _stand_in(
        "kafka",
        "Kafka 4.1.1's jars from Maven Central on OpenJDK 21 from Debian 13",
        bases=_ON_BASE,
        extras=frozenset({Extra.JARS}),
    ),
    _stand_in(
        "prometheus",
        "Prometheus 3.13.1, built from Go modules without service discovery and without its pages",
        bases=_ON_BUSYBOX,
        binaries=("prometheus", "promtool"),
    ),
    _stand_in(
        "alertmanager", "Alertmanager 0.31.1, built from Go modules", bases=_ON_BUSYBOX, binaries=("alertmanager",)
    ),
    _stand_in(
        "node_exporter", "node_exporter 1.10.2, built from Go modules", bases=_ON_BUSYBOX, binaries=("node_exporter",)
    ),
    _stand_in(
        "postgres_exporter",
        "postgres_exporter 0.19.1, built from Go modules",
        bases=_ON_BUSYBOX,
        binaries=("postgres_exporter",),
    ),
    _stand_in(
        "pgbouncer_exporter",
        "pgbouncer_exporter 0.12.1, built from Go modules",
        bases=_ON_BUSYBOX,
        binaries=("pgbouncer_exporter",),
    ),
    _stand_in("redis_exporter", "redis_exporter 1.69 from Debian 13", bases=_ON_BASE),
    _stand_in(
        "kafka_exporter",
        "a small program of ours with the metrics that the plan's rules read",
        bases=_WITH_PIP,
        packages=("confluent-kafka", "prometheus-client"),
    ),
    Recipe(
        key="cost_exporter",
        folder="cost-exporter",
        what="our own image, on Python 3.13 from Debian 13",
        bases=_WITH_PIP,
    ),
    Recipe(
        key="autoscaler",
        folder="autoscaler",
        what="our own image, on Python 3.13 from Debian 13",
        bases=_WITH_PIP,
        module="autoscaler.__main__",
        packages=("google-cloud-compute", "httpx", "prometheus-client", "pydantic", "requests"),
    ),
    Recipe(
        key="packet_filter",
        folder="packet-filter",
        what="our own image, with nftables from Debian 13",
        bases=_ON_BASE,
    ),
    Recipe(
        key="wireguard",
        folder="wireguard",
        what="our own image, with wireguard-go, wireguard-tools, nftables and iproute2 from Debian 13",
        bases=_ON_BASE,
    ),
    _stand_in("grafana", "pages that say that Grafana is not there", bases=_ON_BUSYBOX),
    _stand_in(
        "cloudflared",
        "a connector of ours that dials the edge of this machine's world",
        bases=_ON_PYTHON,
        module="localtier.tunnel.connector",
    ),
    _stand_in(
        "vllm",
        "an engine of ours without a model: vLLM's interface, with times from the roofline model",
        bases=_WITH_PIP,
        module="simulator.vllm",
        packages=("aiohttp", "jinja2", "prometheus-client", "pydantic", "pyyaml"),
    ),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.key: recipe for recipe in _RECIPES})


def recipe_of(reference: str) -> Recipe:
    """Return the recipe that stands for a full reference by digest; raises ImageError when there is none."""
    repository = reference.partition("@")[0]
    for key, image in IMAGES.items():
        if repository in (image.repository, f"{image.repository}:{image.tag}") and key in RECIPES:
            recipe = RECIPES[key]
            if recipe.catalogued:
                return recipe
    raise ImageError(
        f"no stand-in is known for {reference}",
        "a recipe in localtier/images/recipes.py and its Dockerfile under images/stand-ins",
    )


def local_tag(reference: str) -> str:
    """Return the tag of the stand-in of a full reference: the reference's own, or one made of its digest."""
    name, _, digest = reference.partition("@sha256:")
    if ":" in name.rsplit("/", 1)[-1]:
        return name
    return f"{name}:sha256-{digest[:DIGEST_SHOWN]}"


def in_build_order(keys: Iterable[str]) -> tuple[Recipe, ...]:
    """Return the recipes of `keys` and of everything that they are made from, bases first."""
    ordered: dict[str, Recipe] = {}

    def add(key: str) -> None:
        for base in RECIPES[key].bases.values():
            add(base)
        ordered.setdefault(key, RECIPES[key])

    for key in keys:
        add(key)
    return tuple(ordered.values())


def digest(parts: Iterable[bytes]) -> str:
    """Return one digest of `parts`, of which none can pass for two."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()
