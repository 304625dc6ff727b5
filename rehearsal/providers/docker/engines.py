"""Which Docker Engine stands behind a provider's `host`, and clear errors of talking to it.

The mapping is a JSON file `{"ssh://user@server.example": "unix:///path/docker.sock"}`. It is read again for every
call, so a host that comes later is found without a new start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests
import tenacity
from docker.api.client import APIClient
from docker.errors import APIError, DockerException

from rehearsal.providers.seams import RefusedError

# An engine that restarts is back within this; a call then waits for it instead of failing.
PATIENCE_SECONDS = 20.0
RETRY_SECONDS = 0.5
# Removing a container of a busy host takes long; stopping one adds its own grace to this.
ANSWER_SECONDS = 180
UNREACHABLE = (requests.exceptions.RequestException, OSError)


class Engines:
    """The Docker Engines of a mapping file."""

    def __init__(self, file: Path, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._file = file
        self._patience_seconds = patience_seconds

    def mapping(self) -> Mapping[str, str]:
        """The base URL of each host; raises `RefusedError` when the file is missing or has another form."""
        try:
            loaded = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RefusedError(
                f"cannot read the Docker hosts of {self._file} ({error}): write a JSON object such as "
                '{"ssh://user@server-1.example": "unix:///run/docker.sock"}'
            ) from error
        if not isinstance(loaded, dict) or not all(isinstance(value, str) for value in loaded.values()):
            raise RefusedError(f"{self._file} must map each Docker host to a base URL, both as texts")
        return loaded

    @contextmanager
    def connected(self, host: str) -> Iterator[APIClient]:
        """A client of the host's engine; every error of Docker in the block becomes a `RefusedError`."""
        url = self._url(host)
        api = self._client(host, url)
        try:
            yield api
        except APIError as error:
            raise RefusedError(f"{host}: {_said(error)}") from error
        except (DockerException, *UNREACHABLE) as error:
            raise RefusedError(
                f"the Docker Engine of {host} went away in the middle of a call ({error}): what it did is found again; "
                "run the same command again"
            ) from error
        finally:
            api.close()

    def _url(self, host: str) -> str:
        mapping = self.mapping()
        if host not in mapping:
            known = ", ".join(sorted(mapping)) or "none"
            raise RefusedError(
                f"no Docker Engine is known for the host '{host or '(none is configured)'}': add it to {self._file} "
                f"with the URL of its engine; known are: {known}"
            )
        return mapping[host]

    def _client(self, host: str, url: str) -> APIClient:
        waiting = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((DockerException, *UNREACHABLE)),
            stop=tenacity.stop_after_delay(self._patience_seconds),
            wait=tenacity.wait_fixed(RETRY_SECONDS),
            reraise=True,
        )
        try:
            return waiting(APIClient, base_url=url, version="auto", timeout=ANSWER_SECONDS)
        except (DockerException, *UNREACHABLE) as error:
            raise RefusedError(
                f"the Docker Engine of {host} did not answer at {url} within {self._patience_seconds:g} s: start it "
                "and run the same command again"
            ) from error


def _said(error: APIError) -> str:
    """What the engine itself said of an error."""
    return str(error.explanation or error).strip()
