"""What the project is run with may be used as it is: every locked package names a licence that asks nothing of ours."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from dreamseed.sbom.licences import licence

PROJECT = Path(__file__).resolve().parents[2]
LOCKED = re.findall(r"^([a-z0-9._-]+)==", (PROJECT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
FREE = re.compile(
    r"MIT|Apache|BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla|CC0|Zlib|0BSD|Unlicense", re.IGNORECASE
)
LINKED = {"psycopg", "psycopg-binary"}
"""LGPL: used as a library as it is, never changed or shipped by us."""


def _installed() -> list[str]:
    names = {distribution.metadata["Name"].lower().replace("_", "-") for distribution in metadata.distributions()}
    return [name for name in LOCKED if name in names]


def test_most_of_what_is_locked_is_installed_here_and_looked_at() -> None:
    # The lock is for every platform; a few packages are for others.
    assert len(_installed()) > 0.9 * len(LOCKED) > 50


@pytest.mark.parametrize("package", _installed())
def test_a_locked_package_has_a_licence_that_we_may_use(package: str) -> None:
    if package in LINKED:
        assert str(licence(package)).startswith("LGPL")
    else:
        assert FREE.search(str(licence(package))), f"{package}: {licence(package)!r}"
        assert not re.search(r"\b(A?GPL)\b", str(licence(package)))


def test_a_licence_that_binds_is_noticed() -> None:
    assert not FREE.search("GNU General Public License v3")
    assert not FREE.search("")
