"""Pushing a stage's dashboards to a Grafana that is not on its servers, such as Grafana Cloud.

Source: Grafana documentation, HTTP API, dashboard (POST /api/dashboards/db), read 2026-11-26; recalled, and tried
against a made-up Grafana only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from dreamseed.errors import DreamSeedError

TOKEN_VARIABLE = "GRAFANA_TOKEN"  # noqa: S105 - the variable's name
TIMEOUT_SECONDS = 30
MESSAGE = "pushed by dreamseed dashboards"


def push(
    url: str, token: str, dashboards: Iterable[Mapping[str, Any]], transport: httpx.BaseTransport | None = None
) -> tuple[str, ...]:
    """Write `dashboards` to the Grafana at `url`, each over the one of its uid; return their addresses there.

    Raises `DreamSeedError` without a token, for an address to which it would go unencrypted, and when Grafana does
    not answer or refuses; what was written before stays.
    """
    if not token.strip():
        raise DreamSeedError(
            TOKEN_VARIABLE,
            "no token",
            "Grafana lets nobody write without one, and arguments are seen by every process",
            "a service account's token with the role Editor, in the environment",
        )
    if not url.startswith("https://"):
        raise DreamSeedError(
            url, "is no https address", "the token would be sent unencrypted", "https://NAME.grafana.net"
        )
    with httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {token.strip()}"},
        timeout=TIMEOUT_SECONDS,
        transport=transport,
    ) as client:
        return tuple(f"{url.rstrip('/')}{_written(client, url, dashboard)}" for dashboard in dashboards)


def _written(client: httpx.Client, url: str, dashboard: Mapping[str, Any]) -> str:
    body = {"dashboard": dict(dashboard), "overwrite": True, "message": MESSAGE}
    try:
        answer = client.post("/api/dashboards/db", json=body)
        if answer.is_success:
            return str(answer.json()["url"])
        what = f"answers with {answer.status_code}: {answer.text.strip()[:300]}"
    except (httpx.HTTPError, ValueError, KeyError) as error:
        what = f"does not answer as Grafana does: {error!r}"
    raise DreamSeedError(
        f"{url} › {dashboard['title']}",
        what,
        "dashboards are written by Grafana's HTTP API",
        "the address of a Grafana, and a token that may write dashboards",
    )
