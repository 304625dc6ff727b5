"""The fake Backblaze B2 over HTTP, on loopback."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rehearsal.providers.b2.account import (
    APPLICATION_KEY,
    APPLICATION_KEY_ID,
    SECOND_KEY,
    SECOND_KEY_ID,
    Accounts,
    B2RefusedError,
    Caller,
    Json,
)
from rehearsal.providers.cloud.store import Store

AUTHORIZE = "b2_authorize_account"
PART_SIZE_BYTES = 100_000_000
MINIMUM_PART_SIZE_BYTES = 5_000_000
TOKEN_MARK = "4_"  # noqa: S105 - how the API's session tokens begin, not one


def b2_environment(url: str) -> dict[str, str]:
    """The variables by which b2 programs find this fake: one account, and the second site's."""
    return {
        "B2_ENVIRONMENT": url,
        "B2_APPLICATION_KEY_ID": APPLICATION_KEY_ID,
        "B2_APPLICATION_KEY": APPLICATION_KEY,
        "B2_SECOND_ENVIRONMENT": url,
        "B2_SECOND_APPLICATION_KEY_ID": SECOND_KEY_ID,
        "B2_SECOND_APPLICATION_KEY": SECOND_KEY,
    }


@dataclass(frozen=True)
class B2Server:
    """A running fake."""

    url: str

    def environment(self) -> dict[str, str]:
        """The variables by which b2 programs find it."""
        return b2_environment(self.url)


class _Handler(BaseHTTPRequestHandler):
    """`POST /b2api/vN/b2_…`, bodies and answers in JSON."""

    protocol_version = "HTTP/1.1"
    accounts: Accounts
    store: Store

    def do_POST(self) -> None:
        """Answer one call of the API."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        try:
            status, answer = 200, self._answer(self.path.rpartition("/")[2], body)
        except B2RefusedError as refused:
            status, answer = refused.status, {"status": refused.status, "code": refused.code, "message": str(refused)}
        except KeyError as missing:
            status, answer = (
                400,
                {"status": 400, "code": "bad_request", "message": f"required field {missing} is missing"},
            )
        self._send(status, answer)

    do_GET = do_POST  # noqa: N815 - the base class calls it by this name

    def _answer(self, endpoint: str, body: Json) -> Json:
        if endpoint == AUTHORIZE:
            return self._authorize()
        methods: dict[str, Callable[[Caller, Json], Json]] = {
            "b2_create_bucket": self.accounts.create_bucket,
            "b2_update_bucket": self.accounts.update_bucket,
            "b2_list_buckets": self.accounts.list_buckets,
            "b2_delete_bucket": self.accounts.delete_bucket,
            "b2_create_key": self.accounts.create_key,
            "b2_list_keys": self.accounts.list_keys,
            "b2_delete_key": self.accounts.delete_key,
        }
        if endpoint not in methods:
            raise B2RefusedError(
                501, "not_implemented", f"the rehearsal's B2 has no {endpoint}: add it to b2/account.py"
            )
        return methods[endpoint](self._caller(), body)

    def _authorize(self) -> Json:
        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            key_id, _, key = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            kind = ""
        if kind != "Basic":
            raise B2RefusedError(401, "unauthorized", "")
        caller = self.accounts.caller(key_id, key)
        url = f"http://{self.headers['Host']}"
        allowed = self.accounts.allowed(caller)
        only = allowed["buckets"][0] if allowed["buckets"] else {"id": None, "name": None}
        storage = {
            "apiUrl": url,
            "downloadUrl": url,
            "s3ApiUrl": f"{url}/s3",
            "recommendedPartSize": PART_SIZE_BYTES,
            "absoluteMinimumPartSize": MINIMUM_PART_SIZE_BYTES,
            "allowed": allowed,
            "capabilities": allowed["capabilities"],
            "namePrefix": allowed["namePrefix"],
            # Version 3 of the API says the key's one bucket like this, version 4 says `allowed`.
            "bucketId": only["id"],
            "bucketName": only["name"],
            "infoType": "storageApi",
        }
        token = f"{TOKEN_MARK}{key_id}_{self.store.digest(f'b2 {key_id}')}"
        return {
            "accountId": caller.account,
            "authorizationToken": token,
            "apiInfo": {"storageApi": storage, "groupsApi": {}},
            "applicationKeyExpirationTimestamp": None,
        }

    def _caller(self) -> Caller:
        token = self.headers.get("Authorization", "").removeprefix(TOKEN_MARK)
        key_id, _, proof = token.rpartition("_")
        if proof != self.store.digest(f"b2 {key_id}"):
            raise B2RefusedError(401, "bad_auth_token", "Invalid authorization token")
        return self.accounts.caller(key_id, None)

    def _send(self, status: int, answer: Json) -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's signature
        """Calls are not logged: headers would hold keys."""


@contextmanager
def serve_b2(state: Path) -> Iterator[B2Server]:
    """Serve the fake on a free loopback port while the block runs."""
    store = Store(state)
    handler = type("Handler", (_Handler,), {"accounts": Accounts(store), "store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield B2Server(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        store.close()
