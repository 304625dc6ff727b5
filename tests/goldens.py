"""The recorded inventories: what each stage declares, one text a stage, to be read as a diff in a review.

`make goldens` writes them anew. Inputs that are the same on every container are left out (tests/components hold them
to the rule); a file that is put into a container is named with the digest of its text, so that a changed
configuration shows without its text being repeated here.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config import STAGE_NAMES
from tests import ledger
from tests.program import Registered, record

FOLDER = Path(__file__).parent / "golden"
REMEDY = "if the change is meant, write the recorded inventories anew and review the diff: make goldens"
ALWAYS = frozenset(
    {"cpuShares", "destroyGraceSeconds", "healthcheck", "hostname", "image", "init", "labels", "logDriver", "logOpts"}
    | {"memorySwap", "mustRun", "name", "restart", "securityOpts", "stopTimeout", "wait", "waitTimeout"}
)
"""Inputs of containers that follow a rule, and the name, which stands in the heading."""


def path_of(stage: str) -> Path:
    """Return the file that records `stage`."""
    return FOLDER / f"{stage}.txt"


def inventory(stage: str) -> str:
    """Return what `stage` declares, component by component."""
    resources = sorted(record(stage), key=lambda r: (r.component if r.custom else r.name, r.custom, r.type, r.name))
    lines: list[str] = [f"{stage}: {sum(r.custom for r in resources)} resources"]
    for component, members in groupby(resources, key=lambda r: r.component if r.custom else r.name):
        lines += ["", f"## {component}"]
        for resource in members:
            lines += lines_of(resource)
    return "\n".join(lines) + "\n"


def lines_of(resource: Registered) -> Iterator[str]:
    """Yield what an inventory says of one resource."""
    marks = [mark for mark, on in (("protected", resource.protect), ("secret", bool(resource.secrets))) if on]
    heading = f"{_short(resource.type)} {resource.name}"
    yield heading + (f" [{', '.join(marks)}]" if marks else "")
    hidden = ALWAYS if resource.type.endswith(":Container") else frozenset({"name", "labels", "__provider"})
    shown = {
        key: value for key, value in sorted(resource.inputs.items()) if key not in hidden and value not in ([], {})
    }
    for path in resource.secrets:
        if path in shown and path != "uploads":
            shown[path] = "[secret]"
    shown |= {key: shorten(shown[key]) for key, shorten in SHORTENED.items() if key in shown}
    if shown:
        text = yaml.safe_dump(_brief(shown), sort_keys=True, width=110, default_flow_style=None)
        yield from (f"    {line}" for line in text.rstrip().splitlines())


SHORTENED: Mapping[str, Callable[[Any], Any]] = {
    "uploads": lambda files: {upload["file"]: _digest(upload["content"]) for upload in files},
    "networksAdvanced": lambda networks: " ".join(f"{n['name']}({','.join(n.get('aliases', []))})" for n in networks),
    "ports": lambda ports: " ".join(f"{p['ip']}:{p['external']:g}->{p['internal']:g}" for p in ports),
    "volumes": lambda volumes: " ".join(
        f"{v.get('volumeName') or v.get('hostPath')}:{v['containerPath']}" for v in volumes
    ),
}
"""Inputs of containers that read better in a line."""


def _short(type_token: str) -> str:
    package, *_, name = type_token.replace("/", ":").split(":")
    return f"{package}:{name}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _brief(value: Any) -> Any:
    """Return `value` with long texts as digests."""
    if isinstance(value, Mapping):
        return {key: _brief(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_brief(item) for item in value]
    if isinstance(value, str) and ("\n" in value or len(value) > 200):
        return f"text {_digest(value)}"
    return value


def main() -> None:
    """Write every inventory, the ledger's new lines and, unless told otherwise, every promotion anew."""
    for stage in STAGE_NAMES:
        path_of(stage).write_text(inventory(stage), encoding="utf-8")
        sys.stdout.write(f"wrote {path_of(stage).name}\n")
    ledger.main()
    if "--inventories" not in sys.argv:
        from tests import promotions  # it drives the engine, which inventories do not need

        promotions.main()


if __name__ == "__main__":
    main()
