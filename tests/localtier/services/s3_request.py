"""One signed request to an S3 server, as a script: print the HTTP status, or 000 without an answer.

`python s3_request.py METHOD https://HOST/PATH ADDRESS REGION KEY_ID KEY CA [BODY]`. Source of the signature: AWS
Signature Version 4, with the payload's hash in `x-amz-content-sha256`.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import socket
import ssl
import sys
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 5.0


def headers(method: str, url: str, region: str, key_id: str, key: str, body: bytes) -> dict[str, str]:
    parts = urlsplit(url)
    now = datetime.datetime.now(datetime.UTC)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    signed = {
        "host": str(parts.hostname),
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": stamp,
    }
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    names = ";".join(signed)
    request = "\n".join([method, parts.path, parts.query, lines, names, signed["x-amz-content-sha256"]])
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = f"AWS4{key}".encode()
    for part in scope.split("/"):
        secret = hmac.digest(secret, part.encode(), "sha256")
    signature = hmac.digest(secret, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return signed | {"authorization": credential}


def main(method: str, url: str, address: str, region: str, key_id: str, key: str, ca: str, body: str = "") -> str:
    parts = urlsplit(url)
    try:
        plain = socket.create_connection((address, 443), timeout=TIMEOUT_SECONDS)
        secured = ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname=parts.hostname)
    except ssl.SSLError:
        raise
    except OSError:
        return "000"
    connection = http.client.HTTPSConnection(str(parts.hostname))
    connection.sock = secured
    content = body.encode()
    connection.request(method, parts.path, content, headers(method, url, region, key_id, key, content))
    return str(connection.getresponse().status)


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
