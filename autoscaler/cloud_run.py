"""Cloud Run: the service-level minimum of one service, and nothing else of it.

The service-level minimum is not part of a revision: setting it deploys nothing, and the program, which declares the
revision's own bounds, leaves it alone. Source: Cloud Run Admin API v2, services.get and services.patch with
`updateMask=scaling.minInstanceCount`; Cloud Run documentation, "Set minimum instances for services". Never asked.
"""

from __future__ import annotations

from typing import Protocol

from google.auth import default
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from requests import Response, Session
from requests.exceptions import RequestException

from autoscaler.cloud import CloudError

API = "https://run.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
MASK = "scaling.minInstanceCount"
TIMEOUT_SECONDS = 20.0


class WarmInstances(Protocol):
    """What keeps instances warm. Both calls may be made again."""

    def read(self) -> int:
        """Return the service-level minimum. Raises `CloudError`."""

    def write(self, count: int) -> None:
        """Set it. Raises `CloudError`."""


class CloudRunService:
    """One service by its full name, `projects/…/locations/…/services/…`; without a session it is the environment's."""

    def __init__(self, name: str, *, api: str = API, session: Session | None = None) -> None:
        self._url = f"{api}/v2/{name}"
        self._session = session

    def read(self) -> int:
        """Return the service-level minimum, 0 where there is none. Raises `CloudError`."""
        answer = self._asked("GET")
        try:
            return int(answer.json().get("scaling", {}).get("minInstanceCount", 0))
        except (ValueError, TypeError, AttributeError) as error:
            raise CloudError(f"Cloud Run: no service was answered: {answer.text[:200]}") from error

    def write(self, count: int) -> None:
        """Set the service-level minimum alone. Raises `CloudError`."""
        self._asked("PATCH", {"scaling": {"minInstanceCount": count}}, {"updateMask": MASK})

    def _asked(self, method: str, body: object = None, query: dict[str, str] | None = None) -> Response:
        try:
            if self._session is None:
                credentials, _ = default(scopes=SCOPES)
                self._session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
            answer = self._session.request(method, self._url, json=body, params=query, timeout=TIMEOUT_SECONDS)
            answer.raise_for_status()
        except (GoogleAuthError, RequestException) as error:
            raise CloudError(f"Cloud Run: {error}") from error
        return answer
