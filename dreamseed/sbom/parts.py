"""The parts by where they are pinned: locks of Python, modules of Go, images of the catalogue and of stage files.

And what our own images take from Debian, which is pinned nowhere: the day of the build decides, and what those packages
pull in is not known here. An image's own list tells both (``docker sbom``, ``dpkg-query --list`` in it).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dreamseed.catalog.images import IMAGES
from dreamseed.config import STAGE_NAMES, stage_file
from dreamseed.config.load import stage_document
from dreamseed.errors import DreamSeedError
from dreamseed.sbom.licences import licence

PYTHON_LOCKS = (
    "requirements.lock",
    "images/postgres/requirements.lock",
    "images/cost-exporter/requirements.lock",
    "rehearsal/toolchain/go.lock",
)
GO_MODULES = ("rehearsal/toolchain/modules/engine", "rehearsal/toolchain/modules/language")
"""The build of the engine; the modules below `images/go` are of stand-ins, which are deployed nowhere."""
OWN_IMAGES = ("autoscaler", "cost-exporter", "packet-filter", "postgres", "tunnel-client", "wireguard")
"""The folders of the images that the owners build; those of stand-ins are deployed nowhere."""
REFERENCE = re.compile(r"(?P<repository>[a-z0-9.:/_-]+?)(?::(?P<tag>[\w.-]+))?@sha256:(?P<digest>[0-9a-f]{64})")
_LOCKED = re.compile(
    r"^(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_LAST_STAGE = re.compile(r"^FROM (?!.*^FROM )", re.MULTILINE | re.DOTALL)
_INSTALLED = re.compile(r"apt-get install ((?:[^&|;\n\\]|\\\n)*)")
_REQUIRED = re.compile(r"^\t(?P<path>\S+) (?P<version>v\S+)", re.MULTILINE)
_REPLACED = re.compile(r"^replace (?P<path>\S+) => (?P<by>\S+) (?P<version>v\S+)", re.MULTILINE)


class Kind(StrEnum):
    """What a part is."""

    PYTHON = "python"
    GO = "go"
    IMAGE = "image"
    DEBIAN = "debian"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part in one version; `pinned_in` names the files that pin it.

    `sha256` are its hashes: of each file that an index serves for it, or an image's digest. `sums` are Go's own (h1),
    which are hashes of no one file. A package of Debian whose `version` is empty is named there, and not pinned.
    """

    kind: Kind
    name: str
    version: str
    pinned_in: tuple[str, ...]
    sha256: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    licence: str | None = None


class SbomError(DreamSeedError):
    """A file that pins parts holds none, or one without a hash."""


def parts(project: Path) -> list[Part]:
    """Return every part, by kind, name and version. Raises `SbomError`."""
    found: dict[tuple[Kind, str, str], list[Part]] = defaultdict(list)
    for part in (*_python(project), *_go(project), *_images(project), *_debian(project)):
        found[part.kind, part.name, part.version].append(part)
    return [_merged(same) for _, same in sorted(found.items())]


def _merged(same: list[Part]) -> Part:
    first = same[0]
    return Part(
        kind=first.kind,
        name=first.name,
        version=first.version,
        pinned_in=tuple(sorted({place for part in same for place in part.pinned_in})),
        sha256=tuple(sorted({digest for part in same for digest in part.sha256})),
        sums=tuple(sorted({one for part in same for one in part.sums})),
        licence=first.licence,
    )


def _python(project: Path) -> Iterator[Part]:
    for place in PYTHON_LOCKS:
        locked = list(_LOCKED.finditer((project / place).read_text(encoding="utf-8")))
        if not locked:
            raise _wrong(place, "pins no package", "make lock")
        for match in locked:
            hashes = tuple(_HASH.findall(match["rest"]))
            if not hashes:
                raise _wrong(place, f"{match['name']} has no hash", "make lock")
            yield Part(
                kind=Kind.PYTHON,
                name=match["name"],
                version=match["version"],
                pinned_in=(place,),
                sha256=hashes,
                licence=licence(match["name"]),
            )


def _go(project: Path) -> Iterator[Part]:
    for folder in GO_MODULES:
        module = (project / folder / "go.mod").read_text(encoding="utf-8")
        lines = (project / folder / "go.sum").read_text(encoding="utf-8").splitlines()
        sums = {(path, version): digest for path, version, digest in (line.split() for line in lines)}
        instead = {match["path"]: (match["by"], match["version"]) for match in _REPLACED.finditer(module)}
        required = [(match["path"], match["version"]) for match in _REQUIRED.finditer(module)]
        if not required:
            raise _wrong(f"{folder}/go.mod", "requires no module", "the module as it was built")
        for path, version in required:
            used = instead.get(path, (path, version))
            if used not in sums:
                raise _wrong(f"{folder}/go.sum", f"{used[0]} {used[1]} has no sum", f"go mod tidy in {folder}")
            yield Part(kind=Kind.GO, name=used[0], version=used[1], pinned_in=(f"{folder}/go.sum",), sums=(sums[used],))


def _images(project: Path) -> Iterator[Part]:
    for image in IMAGES.values():
        if image.digest is not None:
            yield _image(image.repository, image.digest, "dreamseed/catalog/images.py")
    for stage in STAGE_NAMES:
        file = stage_file(project, stage)
        for text in _texts(stage_document(file, project)):
            if match := REFERENCE.fullmatch(text):
                yield _image(match["repository"], match["digest"], file.name)


def _debian(project: Path) -> Iterator[Part]:
    """Yield what the last stage of each image of ours installs; what only builds it is not in the image."""
    for folder in OWN_IMAGES:
        place = f"images/{folder}/Dockerfile"
        text = (project / place).read_text(encoding="utf-8")
        last = _LAST_STAGE.search(text)
        for installed in _INSTALLED.finditer(text, last.start() if last else 0):
            for word in installed[1].replace("\\\n", " ").split():
                if not word.startswith("-"):
                    name, _, version = word.partition("=")
                    yield Part(kind=Kind.DEBIAN, name=name, version=version, pinned_in=(place,))


def _image(repository: str, digest: str, place: str) -> Part:
    return Part(kind=Kind.IMAGE, name=repository, version=f"sha256:{digest}", pinned_in=(place,), sha256=(digest,))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _wrong(place: str, what: str, remedy: str) -> SbomError:
    return SbomError(place, what, "a bill of materials that leaves parts out is none", remedy)
