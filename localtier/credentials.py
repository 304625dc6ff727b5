"""The secrets that the running containers hold: what the stand-ins of the cloud and the load clients must know.

The engine's state keeps them encrypted and the fake cloud keeps only digests, so they are read where they are used: in
the files that the program put into the containers.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping

import docker
from docker.errors import APIError, NotFound

from dreamseed.planning.container import SECRET_CLOSE, SECRET_OPEN, File
from dreamseed.planning.stage_plan import StagePlan


def read_credentials(
    plan: StagePlan, engines: Mapping[str, docker.DockerClient], only: frozenset[str] = frozenset()
) -> dict[str, str]:
    """Return the value of every secret that a container of `plan` holds now, by its name; of `only` when given.

    A secret whose container does not exist yet, or whose host has no engine in `engines`, is left out.
    """
    found: dict[str, str] = {}
    for container in plan.containers:
        engine = engines.get(container.host)
        for file in container.files:
            wanted = set(file.secrets) & (only or set(file.secrets)) - set(found)
            if engine is not None and wanted:
                content = read_file(engine, container.name, file.path)
                found |= {} if content is None else extract(file, content)
    return {name: value for name, value in found.items() if not only or name in only}


def read_file(engine: docker.DockerClient, container: str, path: str) -> str | None:
    """Return the text of a container's file, running or not; None when the container or the file does not exist."""
    try:
        chunks, _ = engine.containers.get(container).get_archive(path)
    except NotFound:
        return None
    except APIError as error:
        if error.status_code == 409:  # being removed just now
            return None
        raise
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        member = archive.extractfile(archive.next() or tarfile.TarInfo())
        return member.read().decode() if member else None


def extract(file: File, content: str) -> dict[str, str]:
    """Return the secrets that stand in `content` where `file` has their markers; nothing when the texts differ."""
    pattern = ""
    seen: dict[str, str] = {}
    for index, part in enumerate(re.split(f"{SECRET_OPEN}(.*?){SECRET_CLOSE}", file.text)):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif part in seen:
            pattern += f"(?P={seen[part]})"
        else:
            seen[part] = f"secret{len(seen)}"
            pattern += f"(?P<{seen[part]}>.*?)"
    match = re.fullmatch(pattern, content, flags=re.DOTALL)
    return {name: match[group] for name, group in seen.items()} if match else {}
