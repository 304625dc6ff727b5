"""What an installed Python package says of its licence."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

BEGINNING = 300
"""So many characters of a licence's text name it."""


def licence(package: str) -> str | None:
    """Return what the package says of its licence, or how its licence begins; None where it is not installed here."""
    try:
        described = metadata.metadata(package).json
    except metadata.PackageNotFoundError:
        return None
    classifiers = [c.rsplit("::", 1)[-1].strip() for c in described.get("classifier", []) if c.startswith("License ::")]
    named = described.get("license_expression") or " and ".join(classifiers) or described.get("license")
    return str(named or _text(package))


def _text(package: str) -> str:
    """Return how the licence begins that the package brings as a file, nothing where it brings none."""
    files = [file for file in metadata.files(package) or () if file.name.upper().startswith("LICENSE")]
    return Path(str(files[0].locate())).read_text(encoding="utf-8")[:BEGINNING] if files else ""
