"""The archive of the models: what every server's engines keep of theirs, as one file whose digest is noted."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker

from dreamseed.planning.stage_plan import StagePlan
from playbook.restore import failed

CHUNK_BYTES = 1_048_576


def archive_models(plan: StagePlan, engines: Mapping[str, docker.DockerClient], path: Path) -> dict[str, Any]:
    """Write the first engine's models, all of which serve the same one, to the tar file `path`; return its record."""
    first = next(one for one in plan.containers if one.service == "vllm")
    where = first.mounts[0].path
    chunks, _ = engines[first.host].containers.get(first.name).get_archive(where)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
    part.replace(path)
    return _record(path)


def verify_archive(path: Path, record: Mapping[str, Any]) -> str:
    """Read the archive to its end, and compare it with its record. Raises `StepError`."""
    if not path.exists():
        raise failed(f"the models' archive {path} is missing")
    found = _record(path)
    if found != dict(record):
        raise failed(f"the models' archive {path} is not as it was written")
    if not found["files"]:
        return "its engines keep no weights here, so the archive is empty"
    return f"{found['files']} files of {found['bytes']:,} bytes archived and read back"


def _record(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    try:
        with tarfile.open(path) as archive:
            sizes = [member.size for member in archive if member.isfile()]
    except tarfile.TarError as error:
        raise failed(f"the models' archive {path} cannot be read: {error}") from error
    return {"sha256": digest.hexdigest(), "files": len(sizes), "bytes": sum(sizes)}
