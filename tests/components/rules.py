"""Safety rules over declared resources; each returns what breaks it, and each is tried on a broken resource too."""

from __future__ import annotations

from collections.abc import Iterable

from dreamseed.catalog.stateful import is_stateful
from tests.components.declaring import Resource

EVERYONE = ("allUsers", "allAuthenticatedUsers")
BROAD_ROLES = ("roles/owner", "roles/editor", "roles/viewer")


def public_grants(resources: Iterable[Resource]) -> list[str]:
    """Return grants to everybody, other than invoking a Cloud Run service."""
    return [
        f"{each.name}: {each.inputs['role']}"
        for each in resources
        if each.inputs.get("member") in EVERYONE and each.inputs["role"] != "roles/run.invoker"
    ]


def broad_grants(resources: Iterable[Resource]) -> list[str]:
    """Return grants of basic roles, and of any role but a custom one over the whole project."""
    found = []
    for each in resources:
        role = str(each.inputs.get("role", ""))
        over_project = each.type == "gcp:projects/iAMMember:IAMMember"
        if role in BROAD_ROLES or (over_project and role.startswith("roles/")):
            found.append(f"{each.name}: {role}")
    return found


def unguarded(resources: Iterable[Resource]) -> list[str]:
    """Return stateful resources that the engine would delete, and others that it would not."""
    return [each.name for each in resources if each.protect != is_stateful(each.type, each.inputs)]


def unprotected_at_the_provider(resources: Iterable[Resource]) -> list[str]:
    """Return stateful resources of Google Cloud that the provider itself would delete."""
    return [
        each.name
        for each in resources
        if each.type.startswith("gcp:")
        and is_stateful(each.type, each.inputs)
        and each.inputs.get("deletionProtection") is not True
        and each.inputs.get("deletionPolicy") != "PREVENT"
    ]


def plain_secrets(resources: Iterable[Resource], values: Iterable[str]) -> list[str]:
    """Return where one of `values`, all secret, stands in an input that is not marked secret."""
    known = tuple(values)
    return [
        f"{each.name}: {path}"
        for each in resources
        for path, text in _texts(each.inputs, "")
        if any(value in text for value in known) and not path.startswith(each.secret_paths or ("\0",))
    ]


def _texts(value: object, path: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
