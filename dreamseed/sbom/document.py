"""The parts as CycloneDX 1.6, which scanners of vulnerabilities and licences read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from dreamseed.sbom.parts import Kind, Part

NAME = "dreamseed-infrastructure"
PINNED, NOT_PINNED = "dreamseed:pinned-in", "dreamseed:named-not-pinned-in"
SPACE = re.compile(r"\s+")


def document(parts: Sequence[Part]) -> str:
    """Return the bill of materials as JSON; the same parts give the same text."""
    components = [_component(part) for part in parts]
    bom = Bom(components=components)
    whole = Component(type=ComponentType.APPLICATION, name=NAME, bom_ref=NAME)
    bom.metadata.component = whole
    bom.register_dependency(whole, components)
    # What the tool would draw anew each time: the text shall change with the parts alone.
    bom.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(repr(part) for part in parts))
    bom.metadata.timestamp = None  # type: ignore[assignment] # the schema lets it be absent
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    return text + "\n"


def _component(part: Part) -> Component:
    url = purl(part)
    return Component(
        type=ComponentType.CONTAINER if part.kind is Kind.IMAGE else ComponentType.LIBRARY,
        name=part.name,
        version=part.version or None,
        bom_ref=url.to_string(),
        purl=url,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in part.sha256],
        licenses=[DisjunctiveLicense(name=SPACE.sub(" ", part.licence).strip())] if part.licence else [],
        properties=[
            *(Property(name=PINNED if part.version else NOT_PINNED, value=place) for place in part.pinned_in),
            *(Property(name="golang:sum", value=one) for one in part.sums),
        ],
    )


def purl(part: Part) -> PackageURL:
    """Return the part's package URL (https://github.com/package-url/purl-spec)."""
    if part.kind is Kind.PYTHON:
        return PackageURL("pypi", name=part.name, version=part.version)
    if part.kind is Kind.GO:
        namespace, _, name = part.name.rpartition("/")
        return PackageURL("golang", namespace=namespace or None, name=name, version=part.version)
    if part.kind is Kind.DEBIAN:
        return PackageURL("deb", namespace="debian", name=part.name, version=part.version or None)
    name = part.name.rpartition("/")[2]
    return PackageURL("oci", name=name, version=part.version, qualifiers={"repository_url": part.name})
