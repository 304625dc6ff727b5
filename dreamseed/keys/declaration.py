"""The section `keys` of the project file, as `dreamseed keys rotate` writes it: a line a key, all else as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dreamseed.config.keys import Exchange, KeyName
from dreamseed.config.load import PROJECT_FILE, SHARED_KEY
from dreamseed.errors import DreamSeedError
from dreamseed.signing import write_whole

HEAD = re.compile(rf"(?m)^(?P<outer> +){SHARED_KEY}:\n(?P<value> +)value:\n(?P<inner> +)(?=\S)")


class DeclarationError(DreamSeedError):
    """A project file into which no generation can be written."""


def declare(project: Path, key: KeyName, exchange: Exchange) -> None:
    """Write that `key` is at `exchange` into the project file in the folder `project`, whole or not at all.

    Raises `DeclarationError` where the file is written in a way that the line cannot be put into.
    """
    path = project / PROJECT_FILE
    before = path.read_text(encoding="utf-8")
    document = yaml.safe_load(before)
    keys: dict[str, Any] = dict(document["config"][SHARED_KEY]["value"].get("keys") or {})
    keys[str(key)] = exchange.model_dump(mode="json", exclude_defaults=True)
    after = _written(before, keys)
    document["config"][SHARED_KEY]["value"]["keys"] = keys
    if after is None or yaml.safe_load(after) != document:
        raise DeclarationError(
            f"{PROJECT_FILE} › config › {SHARED_KEY}",
            f"the generation of {key} cannot be written there",
            "the command writes one block, 'keys:', below 'value:', and leaves every other line as it is",
            f"it by hand, and run the command again: keys: {{{key}: {_line(keys[str(key)])}}}",
        )
    write_whole(path, after.encode())


def _written(text: str, keys: Mapping[str, Any]) -> str | None:
    """Return `text` with the block of `keys` in the place of the one that is there, or first of all."""
    head = HEAD.search(text)
    if head is None:
        return None
    indent = head["inner"]
    body = "".join(f"{indent}  {name}: {_line(entry)}\n" for name, entry in sorted(keys.items()))
    block = f"{indent}keys:\n{body}"
    present = re.search(rf"(?m)^{indent}keys:.*\n(?:{indent} +.*\n)*", text[head.start() :])
    if present:
        start, end = head.start() + present.start(), head.start() + present.end()
        return f"{text[:start]}{block}{text[end:]}"
    start = head.end() - len(indent)
    return f"{text[:start]}{block}{text[start:]}"


def _line(entry: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in entry.items()) + "}"


def _scalar(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else json.dumps(value)
