"""The labels that every labelled cloud resource carries."""

from __future__ import annotations


def labels(service_name: str) -> dict[str, str]:
    """Return the labels, the same in all stages: one that changed would touch everything at a promotion."""
    return {"managed-by": "pulumi", "service": service_name}
