"""The functions (data sources) that the fake cloud answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from rehearsal.providers.cloud.filling import project_number
from rehearsal.providers.cloud.store import SEALED, Store
from rehearsal.providers.seams import RefusedError
from rehearsal.providers.values import Secret, Values, plain
from rehearsal.tables.facts import meta_of

TUNNEL = "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared"


def _tunnel_token(arguments: Values, _config: Values, store: Store) -> Values:
    """The token of `cloudflared`: account, tunnel and secret as base64 JSON; the secret's digest stands for it."""
    account, tunnel = str(plain(arguments["accountId"])), str(plain(arguments["tunnelId"]))
    row = store.by_id(TUNNEL, "", tunnel, "")
    if row is None:
        raise RefusedError(f"404 Not Found: no tunnel {tunnel} in the account", RefusedError.Kind.NOT_FOUND)
    sealed: Any = row.inputs.get("tunnelSecret")
    digest = sealed[SEALED] if isinstance(sealed, dict) else store.digest(tunnel)
    body = {"a": account, "t": tunnel, "s": base64.b64encode(bytes.fromhex(digest)).decode()}
    token = base64.b64encode(json.dumps(body).encode()).decode()
    return {"id": tunnel, "accountId": account, "tunnelId": tunnel, "token": Secret(token)}


def _project(arguments: Values, config: Values, _store: Store) -> Values:
    project = str(plain(arguments.get("projectId")) or config.get("project") or "")
    if not project:
        raise RefusedError("project: required field is not set: give projectId, or gcp:project in the configuration")
    return {
        "id": f"projects/{project}",
        "projectId": project,
        "number": project_number(project),
        "name": project,
        "labels": {},
        "effectiveLabels": {},
        "pulumiLabels": {},
        "tags": {},
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "",
        "folderId": "",
        "orgId": "",
    }


Handler = Callable[[Values, Values, Store], Values]

FUNCTIONS: dict[str, Handler] = {
    "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken": _tunnel_token,
    "gcp:organizations/getProject:getProject": _project,
}


def answer_of(function: str) -> Handler | None:
    """The handler of a function to which a table of one's own names the answer: the arguments are repeated in it."""
    answer: Values | None = meta_of(function.partition(":")[0]).get("functions", {}).get(function)
    return None if answer is None else lambda arguments, _config, _store: arguments | answer
