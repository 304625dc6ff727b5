"""Removing what may be in use for a moment longer."""

from __future__ import annotations

from collections.abc import Callable

from docker.errors import APIError, NotFound

from rehearsal.providers.docker.turns import Turn

# Source: kreuzwerker/terraform-provider-docker, resource_docker_network_funcs.go and resource_docker_volume.go
# (networkRemoveRefreshTimeout, volumeReadRefreshTimeout), read 2026-11-24.
FREE_SECONDS = 30.0
PAUSE_SECONDS = 1.0


def remove_when_free(remove: Callable[[], None], in_use: str, turn: Turn) -> None:
    """Call `remove` until it no longer answers `in_use`, for at most 30 s; what is gone already is fine."""
    waited = 0.0
    while True:
        try:
            remove()
        except NotFound:
            return
        except APIError as error:
            if in_use not in str(error.explanation) or waited >= FREE_SECONDS:
                raise
        else:
            return
        turn.pause(PAUSE_SECONDS)
        waited += PAUSE_SECONDS
