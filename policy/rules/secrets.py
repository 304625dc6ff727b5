"""No secret stands in plain text in an input: it would be plain in the state, in diffs and in `docker inspect`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policy.model import Resource, Rule, Stage
from policy.rules.cloud_run import task_of

ALWAYS_SECRET: Mapping[str, tuple[str, ...]] = {
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": ("tunnelSecret",),
    "gcp:compute/vPNTunnel:VPNTunnel": ("sharedSecret",),
    "gcp:secretmanager/secretVersion:SecretVersion": ("secretData",),
    "gcp:sql/databaseInstance:DatabaseInstance": ("rootPassword", "replicaConfiguration.password"),
}
"""Inputs that hold a secret whatever they look like."""
SECRETS_FOLDER = "/run/secrets/"
SHAPES: Mapping[str, re.Pattern[str]] = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a token of GitHub": re.compile(r"\b(gh[opusr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})"),
    "a key of Google": re.compile(r"\bAIza[A-Za-z0-9_-]{35}|\"private_key_id\""),
    "a key of AWS": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token of Hugging Face": re.compile(r"\bhf_[A-Za-z0-9]{30,}"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a token of Grafana": re.compile(r"\bgl(sa|c)_[A-Za-z0-9+/=_]{30,}"),
    "an application key of Backblaze": re.compile(r"\bK00[0-9][A-Za-z0-9+/]{27}\b"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}"),
    "a password in an address": re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@$]+:[^/\s:@$]{3,}@"),
    "a password in a setting": re.compile(
        r"(?im)^\s*\"?(password|requirepass|masterauth|secret)\"?\s*[:= ]\s*[\w+/-]{8,}\s*$"
    ),
}
"""What secrets look like, by the issuers' documented forms (read 2026-11-26)."""
_NAMED_SECRET = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|API_KEY|PRIVATE_KEY|ACCESS_KEY|CREDENTIALS?)$")


def _plain_secrets(resource: Resource, _: Stage) -> Iterator[str]:
    for path in ALWAYS_SECRET.get(resource.type, ()):
        if resource.at(path) is not None and not resource.is_secret(path):
            yield f"{path} is not marked secret"
    for path, text in resource.texts():
        if not resource.is_secret(path):
            yield from (f"{path} looks like {shape}" for shape, pattern in SHAPES.items() if pattern.search(text))
    yield from _of_environment(resource)
    for index, upload in enumerate(resource.at("uploads", [])):
        path = f"uploads[{index}].content"
        if str(upload.get("file", "")).startswith(SECRETS_FOLDER) and not resource.is_secret(path):
            yield f"{path} goes to {SECRETS_FOLDER} and is not marked secret"


def _of_environment(resource: Resource) -> Iterator[str]:
    """Yield what a container has in its environment under a secret's name: whoever may inspect it reads it there."""
    for entry in resource.at("envs", []):
        name, _, value = str(entry).partition("=")
        # A file's name is none: GOOGLE_APPLICATION_CREDENTIALS is where the key lies.
        if value and not value.startswith(SECRETS_FOLDER) and _NAMED_SECRET.search(name):
            yield f"the environment holds {name}, which whoever may inspect the container reads"
    task: Any = task_of(resource)
    for container in task.get("containers", []) if isinstance(task, Mapping) else []:
        for entry in container.get("envs", []):
            if entry.get("value") and _NAMED_SECRET.search(str(entry.get("name", ""))):
                yield f"the environment of {container.get('name')} holds {entry['name']} as a value"


RULES = (
    Rule(
        name="no-plain-secret",
        description="No secret stands in plain text in any input.",
        remedy="make it a secret output, or let the service read it from a file or from Secret Manager",
        guards=lambda resource: "::" in resource.urn and bool(resource.inputs),
        faults=_plain_secrets,
    ),
)
