"""`dreamseed image`: write the digest of an image of the owners' own into what all stages share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dreamseed.config import STAGE_NAMES, find_project, merged_document, parse_stage, stage_file
from dreamseed.config.load import PROJECT_FILE
from dreamseed.errors import ConfigError
from dreamseed.signing import write_whole

OWN: Mapping[str, str] = {
    "api": "api.image",
    "tunnel-client": "api.tunnel_image",
    "autoscaler": "vllm.burst.autoscaler_image",
    "postgres": "postgres.image",
    "cost-exporter": "monitoring.cost_exporter_image",
    "packet-filter": "network.packet_filter_image",
    "wireguard": "network.wireguard_image",
}
"""The owners' own images, and where a stage's configuration holds the reference of each."""
NOTHING = "config: {dreamseed:stage: {}}"
"""A stage file that says nothing of its own."""


def image(
    name: Annotated[str, typer.Argument(help=f"The image: {', '.join(OWN)}.")],
    reference: Annotated[str, typer.Argument(help="REGISTRY/NAME@sha256:DIGEST, as its build printed it.")],
    project: Annotated[Path, typer.Option(help="The project's folder.")] = Path(),
) -> None:
    """Pin an image of the owners' own by another digest in Pulumi.yaml, and nothing else.

    Only the digest may differ from what stands there. Nothing is written where any stage would not be valid with it.
    """
    if name not in OWN:
        raise typer.BadParameter(f"there is no image '{name}' of the owners' own: write one of {', '.join(OWN)}")
    folder = find_project(project)
    path = folder / PROJECT_FILE
    text = path.read_text(encoding="utf-8")
    before = str(_at(merged_document(text, NOTHING, "no stage file"), name))
    _same_repository(name, before, reference)
    after = _exchanged(text, before, reference)
    for stage in STAGE_NAMES:
        file = stage_file(folder, stage)
        document = merged_document(after, file.read_text(encoding="utf-8"), file.name)
        parse_stage({}, document, stage)
        if _at(document, name) != reference:
            raise ConfigError(
                f"{file.name}: {OWN[name]}",
                "this stage has an image of its own",
                "what all stages share is changed here, and this stage would not follow",
                "no such line in the stage file, or the digest there by hand",
            )
    if after == text:
        typer.echo(f"{name} has this digest already: nothing was changed")
        return
    write_whole(path, after.encode())
    typer.echo(f"{name}: {_digest(before)} became {_digest(reference)} in {PROJECT_FILE}")


def _at(document: Mapping[str, Any], name: str) -> object:
    """Return what a configuration says at the image's place."""
    value: Any = document
    for part in OWN[name].split("."):
        value = value[part]
    return value


def _same_repository(name: str, before: str, reference: str) -> None:
    if before.partition("@")[0] != reference.partition("@")[0]:
        raise ConfigError(
            reference,
            f"it is no image of {before.partition('@')[0]}",
            f"only the digest of {name} is exchanged; another registry or name is a change to be reviewed",
            f"{before.partition('@')[0]}@sha256:DIGEST, or edit {OWN[name]} in {PROJECT_FILE} by hand",
        )


def _exchanged(text: str, before: str, reference: str) -> str:
    """Return the text with one reference in another's place; raises `ConfigError` where it stands not once."""
    times = text.count(before)
    if times != 1:
        raise ConfigError(
            PROJECT_FILE,
            f"{before} stands {times} times in it",
            "which of them to exchange cannot be told",
            "each reference once, in full",
        )
    return text.replace(before, reference)


def _digest(reference: str) -> str:
    return reference.partition("@")[2]
