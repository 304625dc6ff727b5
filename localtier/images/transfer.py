"""Handing the built images to the Docker Engines that run the servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import docker
import requests
from docker.errors import APIError, ImageNotFound
from rich.console import Console

from localtier.images.build import CONTENT_LABEL, LocalImage, ensure_images
from localtier.images.engine import builder
from localtier.images.errors import ImageError
from rehearsal.toolchain.progress import shown

CHUNK_BYTES = 1_048_576


def load_into(engine: docker.DockerClient, references: Iterable[str], console: Console) -> Mapping[str, LocalImage]:
    """Put the stand-ins of `references` into `engine`, built first where they are not; return them by reference.

    What the engine has with the same content is not sent again; all the rest goes in one stream, which holds layers
    that several images share once. Raises as `ensure_images` does, and ImageError when the engine refuses.
    """
    images = ensure_images(console, references)
    missing = [image.tag for image in images.values() if not _has(engine, image)]
    if missing:
        with builder(console) as source, shown(f"Loading {len(missing)} images", console):
            _copy(source, engine, missing)
    return images


def _has(engine: docker.DockerClient, image: LocalImage) -> bool:
    try:
        return bool(engine.images.get(image.tag).labels.get(CONTENT_LABEL) == image.content)
    except ImageNotFound:
        return False


def _copy(source: docker.DockerClient, target: docker.DockerClient, tags: list[str]) -> None:
    # docker-py saves one image a call; the Engine's API takes many, so that shared layers travel once.
    answer: requests.Response = source.api.get(
        f"{source.api.base_url}/v{source.api.api_version}/images/get", params={"names": tags}, stream=True
    )
    if answer.status_code != requests.codes.ok:
        raise ImageError(
            f"the image builder does not give {', '.join(tags)}: {answer.text.strip()}",
            "remove the builder's folder in the cache and run the command again",
        )
    try:
        with answer:
            # requests takes an iterator and sends it in chunks.
            target.images.load(answer.iter_content(CHUNK_BYTES))  # type: ignore[arg-type]
    except APIError as error:
        raise ImageError(
            f"a Docker Engine does not take {', '.join(tags)}: {error.explanation}", "see whether its disk is full"
        ) from error
