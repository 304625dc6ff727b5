"""What was started over a world's folder, written down before it is started."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rehearsal.hosts.errors import HostsError
from rehearsal.hosts.processes import boot_id


@dataclass(frozen=True, kw_only=True)
class WorldState:
    """The prefix and the hosts that were started since this boot of the machine."""

    prefix: str
    boot_id: str
    hosts: list[str]


def remembered(path: Path, prefix: str) -> WorldState | None:
    """Return the state of a world; None when nothing was started since the machine booted.

    Raises `HostsError` when what was started has another prefix than `prefix`.
    """
    try:
        state = WorldState(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise HostsError(f"{path} is no world's state", "delete it once nothing of that world runs") from None
    if state.boot_id != boot_id():
        return None
    if state.prefix != prefix:
        raise HostsError(f"the world of {path.parent} has the prefix {state.prefix!r}", f"not {prefix!r}, but that one")
    return state


def remember(path: Path, prefix: str, hosts: Iterable[str]) -> None:
    """Write the state of a world."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    state = WorldState(prefix=prefix, boot_id=boot_id(), hosts=sorted(hosts))
    part.write_text(json.dumps(asdict(state)), encoding="utf-8")
    part.rename(path)
