"""Building what is missing: each image once, again only when something that decides its content changed."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import docker
from docker.errors import APIError, ImageNotFound
from rich.console import Console

from localtier.certificates import ensure_ca
from localtier.images import ingredients
from localtier.images.binaries import ensure_binary
from localtier.images.contexts import STAND_IN_FILE, Context, content_digest, packed, stand_in_text, tree
from localtier.images.engine import builder, local_cache
from localtier.images.errors import ImageError
from localtier.images.machine import ensure_commands, pip_settings, proxy_variables
from localtier.images.recipes import DIGEST_SHOWN, LOCAL_REPOSITORY, Extra, Recipe, in_build_order, local_tag, recipe_of
from rehearsal.toolchain.progress import Progress, shown

CONTENT_LABEL = "dreamseed.content"
STANDS_IN_LABEL = "dreamseed.stands-in-for"


@dataclass(frozen=True, kw_only=True)
class LocalImage:
    """One image as it is kept here. `reference` is what it stands for, or None for one that only others are made from.

    `seconds` is how long its build took, whenever that was; `size_bytes` counts layers that others share.
    """

    key: str
    reference: str | None
    tag: str
    content: str
    image_id: str
    seconds: float
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An image that is wanted: its recipe, what it stands for, and the tag and digest that its content gives it."""

    recipe: Recipe
    reference: str | None
    tag: str
    content: str

    @property
    def references(self) -> tuple[str, ...]:
        """Return what it stands for, if anything."""
        return (self.reference,) if self.reference else ()


def ensure_images(console: Console, references: Iterable[str]) -> Mapping[str, LocalImage]:
    """Return the local image of each full reference, all of them built when this returns.

    Raises ImageError for a reference without a recipe, without root, or when a build fails; ToolchainError when a
    program in Go cannot be built.
    """
    wanted = {reference: recipe_of(reference) for reference in dict.fromkeys(references)}
    ensure_commands(console)
    planned = _planned(wanted)
    kept = _kept()
    if any(one.tag not in kept or kept[one.tag].content != one.content for one in planned):
        with builder(console) as engine:
            # Whoever had the builder before may have built the same.
            kept = _kept()
            tags = {one.recipe.key: one.tag for one in planned}
            for one in planned:
                known = kept.get(one.tag)
                if known is None or known.content != one.content or not _has(engine, one):
                    kept[one.tag] = _made(engine, one, tags, console)
                    _keep(kept)
    return {reference: kept[local_tag(reference)] for reference in wanted}


def _planned(wanted: Mapping[str, Recipe]) -> list[Planned]:
    authority = _authority()
    by_key: dict[str, list[str | None]] = {}
    for name, recipe in wanted.items():
        by_key.setdefault(recipe.key, []).append(name)
    contents: dict[str, str] = {}
    planned: list[Planned] = []
    for recipe in in_build_order(by_key):
        bases = {argument: contents[base] for argument, base in recipe.bases.items()}
        trusted = authority if Extra.AUTHORITY in recipe.extras else b""
        for reference in by_key.get(recipe.key) or [None]:
            content = content_digest(recipe, (reference,) if reference else (), bases, trusted)
            contents[recipe.key] = content
            tag = local_tag(reference) if reference else f"{LOCAL_REPOSITORY}/{recipe.key}:{content[:DIGEST_SHOWN]}"
            planned.append(Planned(recipe=recipe, reference=reference, tag=tag, content=content))
    return planned


def _authority() -> bytes:
    return ensure_ca(local_cache() / "ca").certificate.read_bytes()


def _made(engine: docker.DockerClient, one: Planned, tags: Mapping[str, str], console: Console) -> LocalImage:
    """Build the image; `tags` are those of the images that it is made from, by key."""
    arguments = {argument: tags[base] for argument, base in one.recipe.bases.items()}
    context, more = _context(engine, one, console)
    labels = {CONTENT_LABEL: one.content} | ({STANDS_IN_LABEL: one.reference} if one.reference else {})
    began = time.monotonic()
    with shown(f"Building {one.recipe.key} ({one.recipe.what})", console) as tell:
        _build(engine, packed(context), one.tag, arguments | more, labels, tell)
    image = engine.images.get(one.tag)
    return LocalImage(
        key=one.recipe.key,
        reference=one.reference,
        tag=one.tag,
        content=one.content,
        image_id=str(image.id),
        seconds=round(time.monotonic() - began, 1),
        size_bytes=int(image.attrs["Size"]),
    )


def _has(engine: docker.DockerClient, one: Planned) -> bool:
    try:
        return bool(engine.images.get(one.tag).labels.get(CONTENT_LABEL) == one.content)
    except ImageNotFound:
        return False


def _context(engine: docker.DockerClient, one: Planned, console: Console) -> tuple[Context, dict[str, str]]:
    """Return the context and the build arguments that come from outside the tree."""
    recipe = one.recipe
    files = tree(recipe)
    files[STAND_IN_FILE] = (stand_in_text(recipe, one.references).encode(), 0o644)
    programs = {f"bin/{name}": ensure_binary(name, console) for name in recipe.binaries}
    arguments: dict[str, str] = {}
    if Extra.AUTHORITY in recipe.extras:
        files["ca.pem"] = (_authority(), 0o644)
    if Extra.PIP in recipe.extras:
        pip = pip_settings()
        files["pip.conf"] = (pip.configuration.encode(), 0o644)
        files["build-authorities.pem"] = (pip.authorities, 0o644)
    if Extra.JARS in recipe.extras:
        programs |= {f"jars/{jar.name}": jar for jar in ingredients.ensure_jars(console).glob("*.jar")}
    if Extra.ROOT in recipe.extras:
        arguments["ROOT"] = _imported(engine, ingredients.ensure_root(console))
    return Context(files=files, programs=programs), arguments


def _imported(engine: docker.DockerClient, root: Path) -> str:
    repository, tag = f"{LOCAL_REPOSITORY}/root", root.parent.name
    try:
        engine.images.get(f"{repository}:{tag}")
    except ImageNotFound:
        engine.api.import_image_from_file(str(root), repository=repository, tag=tag)
    return f"{repository}:{tag}"


def _build(
    engine: docker.DockerClient,
    context: io.BytesIO,
    tag: str,
    arguments: Mapping[str, str],
    labels: Mapping[str, str],
    tell: Progress,
) -> None:
    last: list[str] = []
    try:
        steps = engine.api.build(
            fileobj=context,
            custom_context=True,
            tag=tag,
            buildargs=proxy_variables() | dict(arguments),
            labels=dict(labels),
            network_mode="host",
            rm=True,
            forcerm=True,
            decode=True,
        )
        for step in steps:
            text = str(step.get("stream", "") or step.get("error", "")).strip()
            if text:
                last = [*last[-24:], text]
                tell(text.splitlines()[-1])
            if "error" in step:
                raise ImageError(
                    f"the build of {tag} failed:\n" + "\n".join(last),
                    "check the network and the package source of this machine, then run the command again",
                )
    except APIError as error:
        raise ImageError(f"the build of {tag} failed: {error.explanation}", "see the builder's dockerd.log") from error


def _record() -> Path:
    # Beside the images that it tells of: who removes them removes it.
    return local_cache() / "builder" / "images.json"


def _kept() -> dict[str, LocalImage]:
    try:
        content = json.loads(_record().read_text(encoding="utf-8"))
        return {tag: LocalImage(**image) for tag, image in content.items()}
    except (OSError, ValueError, TypeError):
        return {}


def _keep(images: Mapping[str, LocalImage]) -> None:
    record = _record()
    made = record.with_suffix(".new")
    made.write_text(json.dumps({tag: asdict(image) for tag, image in images.items()}, indent=1), encoding="utf-8")
    made.rename(record)
