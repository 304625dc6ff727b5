"""The servers' container images, pinned by digest: which build runs is decided here, never by a registry.

A digest was taken from public repositories that pin the same tag to it; the count says how many files
agreed when they were read. No registry was asked. What a registry serves today is printed by
``docker buildx imagetools inspect REPOSITORY:TAG``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from dreamseed.errors import PlanError

_READ_ON = date(2026, 11, 23)
_OWN_REGISTRY = "us-central1-docker.pkg.dev/dreamseed-prod/dreamseed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image: where it comes from, which build, and who else pins that build.

    `own` marks the owners' images: their digest is known only after their build, so `digest` is null and
    the stage file gives the whole reference.
    """

    key: str
    repository: str
    tag: str
    digest: str | None
    source: str
    read_on: date = _READ_ON
    note: str = ""
    own: bool = False

    @property
    def reference(self) -> str:
        """Return ``REPOSITORY:TAG@sha256:DIGEST``, which Docker pulls by the digest alone.

        Raises PlanError for an image without a digest, naming what to do about it.
        """
        if self.digest is None:
            raise PlanError(
                where=f"images › {self.key}",
                what=f"{self.repository}:{self.tag} has no digest in the catalogue",
                why="a tag can move under a running stage; a digest cannot",
                remedy="the reference that the stage file gives: postgres.image, monitoring.cost_exporter_image, "
                "vllm.burst.autoscaler_image, network.packet_filter_image or network.wireguard_image"
                if self.own
                else f"its digest (docker buildx imagetools inspect {self.repository}:{self.tag}), "
                "in dreamseed/catalog/images.py",
            )
        return f"{self.repository}:{self.tag}@sha256:{self.digest}"


def _pinned(files: int, example: str = "") -> str:
    among = f", among them {example}" if example else ""
    noun = "file of a public repository pins" if files == 1 else "files of public repositories pin"
    return f"{files} {noun} this tag to this digest{among}"


_IMAGES = (
    Image(
        key="vllm",
        repository="vllm/vllm-openai",
        tag="v0.31.0",
        digest="c1c9f6fd5c109ba7f0546a59f5b2f15fb87f64c77782e90a27b648b42a8e67c3",
        source=_pinned(5),
        note="CUDA 13.0 (an RTX 5090 needs 12.8). The facts about vLLM were read from 0.33.0, whose image no "
        "public file pinned yet; every flag that the plan writes was found in the source of the 0.31.0 wheel. A "
        "further file, which shortens the digest, ran it on compute capability 12.0",
    ),
    Image(
        key="haproxy",
        repository="haproxy",
        tag="3.2.21-alpine3.24",
        digest="66e25cc9a8332635f4e897f7f4b1e5622c25f09f0ee23cddc6ce9bdb3a24772a",
        source=_pinned(5),
        note="3.2 is a long-term support line; three of the files shorten the tag to 3.2.21-alpine",
    ),
    Image(
        key="etcd",
        repository="gcr.io/etcd-development/etcd",
        tag="v3.6.12",
        digest="3c2ced08f23b1183e8bd4613064c3fb6b8db5057a4d1f13c3518c76e357a07a8",
        source=_pinned(4),
        note="two of the files pull it from the Kubernetes registry, which serves the same build by the same digest",
    ),
    Image(
        key="postgres",
        repository=f"{_OWN_REGISTRY}/postgres",
        tag="17",
        digest=None,
        source="built by the owners: PostgreSQL 17, Patroni, pgBackRest and pgbackrest_exporter",
        note="the stage file's postgres.image carries the digest that the build printed",
        own=True,
    ),
    Image(
        key="pgbackrest_exporter",
        repository=f"{_OWN_REGISTRY}/postgres",
        tag="17",
        digest=None,
        source="woblerr/pgbackrest_exporter, built into the owners' postgres image",
        note="it runs `pgbackrest info`, so it needs the same pgBackRest as the database; no public file pinned "
        "its own image by digest",
        own=True,
    ),
    Image(
        key="pgbouncer",
        repository="edoburu/pgbouncer",
        tag="v1.25.2-p0",
        digest="7d7a27d9e90985cab5cf42256f5c13a3120baa4b055b69df37beb272b89b2340",
        source=_pinned(8),
    ),
    Image(
        key="redis",
        repository="redis",
        tag="7.2.16-alpine",
        digest="29e8589c3f9ba699b5f7aa4b3c7733c58852a3626439e619aa0ee78de08c6ca0",
        source=_pinned(5),
        note="7.2 is the last line under the BSD licence; the tag was rebuilt twice, most files pin this build",
    ),
    Image(
        key="kafka",
        repository="apache/kafka",
        tag="4.1.1",
        digest="0bc1bb2478f45b6cea78864df86acdc11e8df2c5172477819a4d12942cbe5d40",
        source=_pinned(9),
    ),
    Image(
        key="cloudflared",
        repository="cloudflare/cloudflared",
        tag="2026.9.3",
        digest="072c067d25ccbe61d46e18f0d0723255f2bb5304f7317caa95b27031520ff92c",
        source=_pinned(9, "Dynobit/clean-bookface: deploy/pilot-control.mjs"),
        note="one of them had checked it at Docker Hub on 2026-10-02",
    ),
    Image(
        key="prometheus",
        repository="prom/prometheus",
        tag="v3.13.1",
        digest="3c42b892cf723fa54d2f262c37a0e1f80aa8c8ddb1da7b9b0df9455a35a7f893",
        source=_pinned(10, "maslennikov-ig/MC-2: ops/qdrant/image-lock.json"),
    ),
    Image(
        key="alertmanager",
        repository="prom/alertmanager",
        tag="v0.32.1",
        digest="51a825c2a40acc3e338fdd00d622e01ec090f72be2b3ea46be0839cd47a4d286",
        source=_pinned(7),
    ),
    Image(
        key="grafana",
        repository="grafana/grafana",
        tag="13.0.1",
        digest="0f86bada30d65ef9d0183b90c1e2682ac92d53d95da8bed322b984ea78a4a73a",
        source=_pinned(5),
    ),
    Image(
        key="node_exporter",
        repository="prom/node-exporter",
        tag="v1.10.2",
        digest="3ac34ce007accad95afed72149e0d2b927b7e42fd1c866149b945b84737c62c3",
        source=_pinned(9),
        note="one further file pins another digest, taken to be one platform's part of this index",
    ),
    Image(
        key="dcgm_exporter",
        repository="nvcr.io/nvidia/k8s/dcgm-exporter",
        tag="4.5.3-4.8.2-distroless",
        digest="60d3b00ac80b4ae77f94dae2f943685605585ad9e92fdccda3154d009ae317cc",
        source=_pinned(6),
        note="two further files pin a mirror's copy with another digest",
    ),
    Image(
        key="postgres_exporter",
        repository="quay.io/prometheuscommunity/postgres-exporter",
        tag="v0.19.1",
        digest="e96064f876226d94bb6ce48a4c4b3dd76edba91168ec1ab024e5c4b959310b0f",
        source=_pinned(5),
    ),
    Image(
        key="pgbouncer_exporter",
        repository="quay.io/prometheuscommunity/pgbouncer-exporter",
        tag="v0.12.1",
        digest="30f31b6c2efdad3647f8182cc7c1a3a19e42bae5d17387694989f969371c230d",
        source=_pinned(1),
        note="a second file names the digest without the tag; both run it beside the catalogue's PgBouncer",
        read_on=date(2026, 11, 26),
    ),
    Image(
        key="redis_exporter",
        repository="oliver006/redis_exporter",
        tag="v1.84.0",
        digest="7ef8e9c26638158fa4e7ad60df8c7e53d1919986753d6c1d2d1876b6ec38d87b",
        source=_pinned(3),
    ),
    Image(
        key="kafka_exporter",
        repository="danielqsj/kafka-exporter",
        tag="v1.9.0",
        digest="a51b280b55a763deaa1bc5024310bc2954995d9160014d7445055dac6a090868",
        source="4 files of public repositories record this digest for the newest build, without its version",
        note="v1.9.0 was the newest release from 2025-02-17 to 2026-09-08; Docker pulls by the digest, the tag "
        "only informs. Check it with docker buildx imagetools inspect before the first pull",
    ),
    Image(
        key="cost_exporter",
        repository=f"{_OWN_REGISTRY}/cost-exporter",
        tag="1",
        digest=None,
        source="built by the owners from images/cost-exporter",
        note="the stage file's monitoring.cost_exporter_image carries the digest that the build printed",
        own=True,
    ),
    Image(
        key="autoscaler",
        repository=f"{_OWN_REGISTRY}/autoscaler",
        tag="1",
        digest=None,
        source="built by the owners from images/autoscaler and the program autoscaler/",
        note="the stage file's vllm.burst.autoscaler_image carries the digest that the build printed",
        own=True,
    ),
    Image(
        key="packet_filter",
        repository=f"{_OWN_REGISTRY}/packet-filter",
        tag="1",
        digest=None,
        source="built by the owners from images/packet-filter",
        note="the stage file's network.packet_filter_image carries the digest that the build printed",
        own=True,
    ),
    Image(
        key="wireguard",
        repository=f"{_OWN_REGISTRY}/wireguard",
        tag="1",
        digest=None,
        source="built by the owners from images/wireguard",
        note="the stage file's network.wireguard_image carries the digest that the build printed",
        own=True,
    ),
    Image(
        key="blackbox_exporter",
        repository="quay.io/prometheus/blackbox-exporter",
        tag="v0.28.0",
        digest="e753ff9f3fc458d02cca5eddab5a77e1c175eee484a8925ac7d524f04366c2fc",
        source=_pinned(8),
    ),
)

IMAGES: Mapping[str, Image] = MappingProxyType({image.key: image for image in _IMAGES})


def image(key: str) -> Image:
    """Return the image of the catalogue that `key` names.

    Raises PlanError for a key that the catalogue does not know, naming those it knows.
    """
    try:
        return IMAGES[key]
    except KeyError:
        raise PlanError(
            where=f"images › {key}",
            what=f"the catalogue has no image '{key}'",
            why="every container runs a build that was pinned by digest with its source",
            remedy=f"one of {', '.join(IMAGES)}; or add it to dreamseed/catalog/images.py",
        ) from None


def reference_of(key: str) -> str:
    """Return the full reference of a catalogue key; a full reference by digest stays as it is.

    Raises PlanError as `image` does, and for an image of the owners', whose digest the stage file gives.
    """
    return key if "@" in key else image(key).reference
