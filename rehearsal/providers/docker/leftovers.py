"""Containers that an interrupted run has left behind, known by a label with the URN of the resource.

The official provider sets no such label; it is hidden from every read, so a program never sees it.
"""

from __future__ import annotations

import time

from docker.api.client import APIClient
from docker.errors import NotFound

from rehearsal.providers.docker.properties import Api
from rehearsal.providers.seams import RefusedError, Subject

URN_LABEL = "rehearsal.urn"
STARTING_SECONDS = 5.0
"""So long is a container that was made and does not run yet given to start: the call may be under way in the engine,
and one that is removed meanwhile keeps its published ports until the engine ends (seen with Docker 20.10)."""
PAUSE_SECONDS = 0.25


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
    _remove(api, inspect["Id"])


def remove_left_behind(api: APIClient, container_id: str, subject: Subject) -> None:
    """Remove the container if a resource of the same stack as the subject made it; leave any other alone."""
    try:
        inspect = api.inspect_container(container_id)
    except NotFound:
        return
    if urn_of(inspect) and _stack_of(urn_of(inspect)) == _stack_of(subject.urn):
        _remove(api, inspect["Id"])


def _remove(api: APIClient, container_id: str) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while api.inspect_container(container_id)["State"]["Status"] == "created" and time.monotonic() < until:
        time.sleep(PAUSE_SECONDS)
    api.remove_container(container_id, v=True, force=True)
