"""Secrets in the lines that a change adds, wherever they stand: once pushed, a secret is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policy.rules.secrets import SHAPES

_FILE = re.compile(r"^\+\+\+ b/(.*)$")
_HUNK = re.compile(r"^@@ -\S+ \+(\d+)")
SETTINGS_ONLY = "a password in a setting"
"""Tests and documents have many such lines that are none; in what is declared the policies find them."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Where a secret stands, and what it looks like; never the secret itself."""

    file: str
    line: int
    shape: str


def leaks(diff: str) -> Iterator[Leak]:
    """Yield the secrets in the added lines of a unified `diff`."""
    file, line = "", 0
    for text in diff.splitlines():
        if found := _FILE.match(text):
            file = found[1]
        elif found := _HUNK.match(text):
            line = int(found[1]) - 1
        elif text.startswith("+"):
            line += 1
            for shape, pattern in SHAPES.items():
                if shape != SETTINGS_ONLY and pattern.search(text[1:]):
                    yield Leak(file=file, line=line, shape=shape)
        elif text.startswith(" "):
            line += 1
