"""Handing the built images to the Docker Engines that run the servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import docker
import requests
from docker.errors import APIError, ImageNotFound
from rich.console import Console

from localtier.images.build import CONTENT_LABEL, LocalImage, ensure_images
from localtier.images.engine import builder, local_cache
from localtier.images.errors import ImageError
from localtier.images.recipes import DIGEST_SHOWN, digest
from rehearsal.toolchain import cache
from rehearsal.toolchain.progress import shown

CHUNK_BYTES = 1_048_576
ARCHIVES_KEPT = 6
"""One for each time that a climb from A to E needs one (A, B, C, and E's two new hosts), and one more."""
_FULL = "see whether the engine's disk is full"


def load_into(engine: docker.DockerClient, references: Iterable[str], console: Console) -> Mapping[str, LocalImage]:
    """Put the stand-ins of `references` into `engine`, built first where they are not; return them by reference.

    What the engine has with the same content is not sent again. The rest is saved once to an archive, kept in the cache
    for the next engine that lacks the same; it holds layers that several images share once. Raises as `ensure_images`
    does, and ImageError when an engine refuses.
    """
    images = ensure_images(console, references)
    missing = [image for image in images.values() if not _has(engine, image)]
    if missing:
        archive = _archive(missing, console)
        with shown(f"Loading {len(missing)} images", console), archive.open("rb") as stream:
            try:
                engine.images.load(stream)
            except APIError as error:
                raise ImageError(f"a Docker Engine does not take {archive}: {error.explanation}", _FULL) from error
    return images


def _has(engine: docker.DockerClient, image: LocalImage) -> bool:
    try:
        return bool(engine.images.get(image.tag).labels.get(CONTENT_LABEL) == image.content)
    except ImageNotFound:
        return False


def _archive(images: Sequence[LocalImage], console: Console) -> Path:
    """Return an archive of exactly `images`, saved now if there is none; the oldest others go."""
    folder = local_cache() / "archives"
    folder.mkdir(parents=True, exist_ok=True)
    name = digest(sorted(f"{image.tag} {image.content}".encode() for image in images))
    archive = folder / f"{name[:DIGEST_SHOWN]}.tar"
    with cache.locked(folder.with_suffix(".lock"), lambda: console.print("Another process saves images: waiting ...")):
        if archive.exists():
            archive.touch()
            return archive
        with builder(console) as source, shown(f"Saving {len(images)} images", console):
            _save(source, [image.tag for image in images], archive)
        for old in sorted(folder.glob("*.tar"), key=lambda path: path.stat().st_mtime)[:-ARCHIVES_KEPT]:
            old.unlink()
    return archive


def _save(source: docker.DockerClient, tags: list[str], to: Path) -> None:
    # docker-py saves one image a call; the Engine's API takes many, so that shared layers are there once.
    answer: requests.Response = source.api.get(
        f"{source.api.base_url}/v{source.api.api_version}/images/get", params={"names": tags}, stream=True
    )
    with answer:
        if answer.status_code != requests.codes.ok:
            raise ImageError(
                f"the image builder does not give {', '.join(tags)}: {answer.text.strip()}",
                f"remove {local_cache() / 'builder'} and run the command again",
            )
        part = to.with_suffix(".part")
        with part.open("wb") as file:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
    part.rename(to)
