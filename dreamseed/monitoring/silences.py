"""Silences for maintenance windows: what a promotion makes fire for a moment is not told, and only until an end.

Source: Alertmanager 0.32, api/v2/openapi.yaml (silences); the API is asked by the tests in a real Alertmanager.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from dreamseed.errors import DreamSeedError
from dreamseed.monitoring.model import Alert, Concern
from dreamseed.planning.promotion import Action, ContainerChange, plan_promotion
from dreamseed.planning.services.monitoring import plan_rules
from dreamseed.planning.stage_plan import StagePlan

EXPECTED = frozenset({Concern.AVAILABILITY, Concern.REPLICATION, Concern.SATURATION, Concern.LATENCY})
"""What a container that is replaced may make fire. Backups, errors, cost and objectives are told in any window."""
MAXIMUM_HOURS = 12
"""A choice: a window that was forgotten ends before the next day's."""
TIMEOUT_SECONDS = 30
NAME_LABEL = "alertname"
BURN_LABEL = "slo"
"""What the alerts on an objective's error budget carry."""
EXPORTERS = "exporter"
"""The component of alerts on any exporter."""


@dataclass(frozen=True, kw_only=True)
class Silence:
    """A silence as Alertmanager holds it: which alerts, until when, and who wanted it why.

    `state` is pending, active or expired; `matchers` are Alertmanager's own notation, such as ``alertname=~"A|B"``.
    """

    identifier: str
    state: str
    matchers: tuple[str, ...]
    begins: datetime
    ends: datetime
    author: str
    reason: str


def touched_alerts(old: StagePlan, new: StagePlan) -> tuple[str, ...]:
    """Return the names of the alerts that the promotion from `old` to `new` may make fire, sorted.

    Those on the components whose containers are added, replaced or removed, as far as `EXPECTED`. Raises
    `PromotionError` for a step that is refused.
    """
    touched = [one for one in plan_promotion(old, new).containers if one.action is not Action.CHANGED]
    alerts = (
        alert
        for plan in (old, new)
        for group in plan_rules(plan.config, plan.hosts, plan.services)
        for alert in group.alerts
    )
    return tuple(sorted({one.name for one in alerts if _expected(one) and _explained(one, touched)}))


def _expected(alert: Alert) -> bool:
    # A burn is what users were denied already, whatever denied it.
    return alert.concern in EXPECTED and BURN_LABEL not in alert.labels


def _explained(alert: Alert, touched: Iterable[ContainerChange]) -> bool:
    """Tell whether a container that is touched belongs to the alert's component, by the name of its service."""
    return any(
        one.service == alert.component
        or one.service.startswith(f"{alert.component}-")
        or (alert.component == EXPORTERS and one.service.endswith(f"-{EXPORTERS}"))
        for one in touched
    )


def open_silence(
    url: str,
    alerts: Iterable[str],
    *,
    author: str,
    reason: str,
    minutes: float,
    now: datetime | None = None,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Silence `alerts` (names) at the Alertmanager at `url` for `minutes` from now; return the silence's identifier.

    Raises `DreamSeedError` without alerts, author or reason, for a window that is empty or longer than
    `MAXIMUM_HOURS`, and when Alertmanager does not answer or refuses.
    """
    names = sorted(set(alerts))
    _check(names, author, reason, minutes)
    begins = now or datetime.now(UTC)
    body = {
        # Names of alerts are letters and digits: nothing in them means more than itself in an expression.
        "matchers": [{"name": NAME_LABEL, "value": "|".join(names), "isRegex": True, "isEqual": True}],
        "startsAt": begins.isoformat(),
        "endsAt": (begins + timedelta(minutes=minutes)).isoformat(),
        "createdBy": author,
        "comment": reason,
    }
    return str(_asked(url, transport, "POST", "/api/v2/silences", body)["silenceID"])


def close_silence(url: str, identifier: str, *, transport: httpx.BaseTransport | None = None) -> None:
    """End a silence now; nothing to do for one that ended by itself.

    Raises `DreamSeedError` for one that Alertmanager does not know, and when it does not answer.
    """
    held = _asked(url, transport, "GET", f"/api/v2/silence/{identifier}")
    if held["status"]["state"] != "expired":
        _asked(url, transport, "DELETE", f"/api/v2/silence/{identifier}")


def silences(url: str, *, transport: httpx.BaseTransport | None = None) -> tuple[Silence, ...]:
    """Return the silences that are open or will be, those that end first first. Raises `DreamSeedError`."""
    held = [_silence(one) for one in _asked(url, transport, "GET", "/api/v2/silences")]
    return tuple(sorted((one for one in held if one.state != "expired"), key=lambda one: (one.ends, one.identifier)))


def _check(names: list[str], author: str, reason: str, minutes: float) -> None:
    where = "silence"
    if not names:
        raise DreamSeedError(
            where, "names no alert", "without a matcher it would hold every alert silent", "the alerts' names"
        )
    if wrong := [name for name in names if not name.isalnum()]:
        raise DreamSeedError(
            where, f"'{wrong[0]}' is no alert's name", "such names are letters and digits", "a name as in docs/runbooks"
        )
    for what, text in (("author", author), ("reason", reason)):
        if not text.strip():
            raise DreamSeedError(
                f"{where} › {what}", "is empty", "who is paged next must know whose window it was", f"the {what}"
            )
    if not 0 < minutes <= MAXIMUM_HOURS * 60:
        raise DreamSeedError(
            f"{where} › minutes",
            f"{minutes:g}",
            "a window that nobody closes must end by itself, and soon",
            f"more than 0 and at most {MAXIMUM_HOURS * 60}",
        )


def _silence(content: Mapping[str, Any]) -> Silence:
    return Silence(
        identifier=content["id"],
        state=content["status"]["state"],
        matchers=tuple(_matcher(one) for one in content["matchers"]),
        begins=datetime.fromisoformat(content["startsAt"]),
        ends=datetime.fromisoformat(content["endsAt"]),
        author=content["createdBy"],
        reason=content["comment"],
    )


def _matcher(content: Mapping[str, Any]) -> str:
    sign = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
    return f'{content["name"]}{sign[content.get("isEqual", True), content["isRegex"]]}"{content["value"]}"'


def _asked(url: str, transport: httpx.BaseTransport | None, method: str, path: str, body: object = None) -> Any:
    """Return what Alertmanager answers, None where that is nothing."""
    try:
        # Without the environment's proxies: it stands in a private network.
        with httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport, trust_env=False) as client:
            answer = client.request(method, path, json=body) if body is not None else client.request(method, path)
        if answer.is_success:
            return answer.json() if answer.content else None
        what = f"answers with {answer.status_code}: {answer.text.strip()[:300]}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        what = f"does not answer: {error}"
    raise DreamSeedError(
        f"{url} › {method} {path}",
        what,
        "silences are Alertmanager's",
        "the URL of an Alertmanager that runs, and the identifier of a silence that it holds (dreamseed silence list)",
    )
