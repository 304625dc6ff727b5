"""Containers that an interrupted run has left behind, known by a label with the URN of the resource.

The official provider sets no such label; it is hidden from every read, so a program never sees it.
"""

from __future__ import annotations

from docker.api.client import APIClient
from docker.errors import NotFound

from rehearsal.providers.docker.properties import Api
from rehearsal.providers.seams import RefusedError, Subject

URN_LABEL = "rehearsal.urn"


def urn_of(inspect: Api) -> str:
    """The URN of the resource that made the container, or nothing when this provider did not."""
    return str((inspect["Config"].get("Labels") or {}).get(URN_LABEL, ""))


def _stack_of(urn: str) -> str:
    """`urn:pulumi:STACK::PROJECT` of a URN."""
    return "::".join(urn.split("::")[:2])


def make_way(api: APIClient, name: str, subject: Subject) -> None:
    """Remove the container of this name if the same resource made it; raises `RefusedError` for any other."""
    try:
        inspect = api.inspect_container(name)
    except NotFound:
        return
    if urn_of(inspect) != subject.urn:
        maker = urn_of(inspect) or "something else"
        raise RefusedError(
            f"a container {name} exists ({inspect['Id'][:12]}), made by {maker}: it is left alone. Remove it by hand, "
            f"or bring it into the program with `pulumi import {subject.token} {subject.name} {inspect['Id'][:12]}`",
            RefusedError.Kind.ALREADY_EXISTS,
        )
    api.remove_container(inspect["Id"], v=True, force=True)


def remove_left_behind(api: APIClient, container_id: str, subject: Subject) -> None:
    """Remove the container if a resource of the same stack as the subject made it; leave any other alone."""
    try:
        inspect = api.inspect_container(container_id)
    except NotFound:
        return
    if urn_of(inspect) and _stack_of(urn_of(inspect)) == _stack_of(subject.urn):
        api.remove_container(inspect["Id"], v=True, force=True)
