"""Files that are copied into a container between its create and its start.

Source: kreuzwerker/terraform-provider-docker, resource_docker_container_funcs.go (create); owner and group are in the
SDK 5.2.0 and not in the source that was read, taken as a number or a name here.
"""

from __future__ import annotations

import base64
import io
import tarfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Values

MODE, EXECUTABLE_MODE = 0o644, 0o744


def archive(uploads: Iterable[Values]) -> bytes:
    """One tar archive of all uploads, to be unpacked at the root; raises `RefusedError` for one without content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for upload in uploads:
            content = _content(upload)
            tar.addfile(_header(upload, len(content)), io.BytesIO(content))
    return buffer.getvalue()


def _header(upload: Values, size_bytes: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(upload["file"].lstrip("/"))
    info.size = size_bytes
    info.mtime = int(time.time())
    info.mode = EXECUTABLE_MODE if upload.get("executable") else MODE
    if upload.get("permissions"):
        info.mode = int(upload["permissions"], 8)
    info.uid, info.uname = _owner(upload.get("owner"))
    info.gid, info.gname = _owner(upload.get("group"))
    return info


def _owner(given: Any) -> tuple[int, str]:
    """An id, or a name that Docker looks up; nothing is root."""
    text = str(given or "0")
    return (int(text), "") if text.isdigit() else (0, text)


def _content(upload: Values) -> bytes:
    given = [key for key in ("content", "contentBase64", "source") if upload.get(key)]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        raise RefusedError(
            f"the upload {upload['file']} must have one of content, contentBase64 and source; it has {found}",
            RefusedError.Kind.INVALID_ARGUMENT,
        )
    value = str(upload[given[0]])
    match given[0]:
        case "content":
            return value.encode()
        case "contentBase64":
            return base64.b64decode(value)
        case _:
            return Path(value).read_bytes()
