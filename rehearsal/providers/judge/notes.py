"""Checks that the tables tell in prose only (`notes`), and those that the real providers leave to their APIs.

The second kind is stricter than the providers' own Check; facts from the vendors' plugins tried offline, 2026-11-23.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterator

from rehearsal.providers.paths import find, segments
from rehearsal.providers.seams import Failure
from rehearsal.providers.values import UNKNOWN, Secret, Values, plain, revealed

PORTS = range(1, 65536)


def _random_length(inputs: Values) -> Iterator[Failure]:
    minimums = [inputs.get(key, 0) for key in ("minLower", "minUpper", "minNumeric", "minSpecial")]
    length = inputs.get("length")
    if isinstance(length, int) and all(isinstance(m, int) for m in minimums) and length < sum(minimums):
        yield Failure(
            "length", f"{length} is less than the minimums together ({sum(minimums)}): raise it or lower them"
        )


def _firewall(inputs: Values) -> Iterator[Failure]:
    sources = ("sourceTags", "sourceRanges", "sourceServiceAccounts")
    if inputs.get("direction") in {None, "INGRESS"} and not any(inputs.get(key) for key in sources):
        yield Failure(
            "sourceRanges", f"an ingress rule needs one of {', '.join(sources)}: say where traffic comes from"
        )


def _notification_channel(inputs: Values) -> Iterator[Failure]:
    sensitive = {"authToken": "auth_token", "password": "password", "serviceKey": "service_key"}
    labels, hidden = plain(inputs.get("labels")), plain(inputs.get("sensitiveLabels"))
    if isinstance(labels, dict) and isinstance(hidden, dict):
        for key, label in sensitive.items():
            if key in hidden and label in labels:
                yield Failure(f"labels.{label}", f"stands in sensitiveLabels.{key} too: keep only the sensitive one")


def _database_instance(inputs: Values) -> Iterator[Failure]:
    version, path = inputs.get("databaseVersion"), "settings.backupConfiguration.pointInTimeRecoveryEnabled"
    for at, enabled in find(inputs, segments(path)):
        if enabled is True and isinstance(version, str) and not any(s in version for s in ("POSTGRES", "SQLSERVER")):
            yield Failure(at, f"is for POSTGRES and SQLSERVER only, not {version}: use binaryLogEnabled instead")


def _router(inputs: Values) -> Iterator[Failure]:
    bgp = plain(inputs.get("bgp"))
    if isinstance(bgp, dict) and bgp.get("advertiseMode", "DEFAULT") == "DEFAULT":
        for key in ("advertisedGroups", "advertisedIpRanges"):
            if bgp.get(key):
                yield Failure(
                    f"bgp.{key}", "is refused while bgp.advertiseMode is DEFAULT: set advertiseMode to CUSTOM"
                )


def _security_policy(inputs: Values) -> Iterator[Failure]:
    priorities = Counter(value for _, value in find(inputs, segments("rules[].priority")) if value is not UNKNOWN)
    for priority, count in priorities.items():
        if count > 1:
            yield Failure("rules", f"{count} rules have the priority {priority}: give each its own")


def _scheduler_job(inputs: Values) -> Iterator[Failure]:
    target = plain(inputs.get("httpTarget"))
    if isinstance(target, dict) and target.get("oauthToken") and target.get("oidcToken"):
        yield Failure("httpTarget.oauthToken", "cannot stand beside httpTarget.oidcToken: keep one of them")


def _container(inputs: Values) -> Iterator[Failure]:
    for path in ("ports[].internal", "ports[].external"):
        for at, port in find(inputs, segments(path)):
            if isinstance(port, int) and port not in PORTS:
                yield Failure(at, f"{port} is no port (the Docker daemon refuses it): write 1 to 65535")
    if inputs.get("readOnly") is True and inputs.get("uploads"):
        reason = "is refused by the Docker daemon beside uploads: leave one of them out"
        yield Failure("readOnly", reason)


def _dns_record(inputs: Values) -> Iterator[Failure]:
    versions = {"A": (4, "203.0.113.10"), "AAAA": (6, "2001:db8::10")}
    content = inputs.get("content")
    wanted = versions.get(str(inputs.get("type")))
    bare = revealed(content)
    if wanted is None or not isinstance(bare, str):
        return
    try:
        right = ipaddress.ip_address(bare).version == wanted[0]
    except ValueError:
        right = False
    if not right:
        shown = "the secret" if isinstance(content, Secret) else f"'{bare}'"
        reason = f"{shown} is no IPv{wanted[0]} address (the API refuses it): write one such as {wanted[1]}"
        yield Failure("content", reason)


CHECKS: dict[str, Callable[[Values], Iterator[Failure]]] = {
    "random:index/randomPassword:RandomPassword": _random_length,
    "random:index/randomString:RandomString": _random_length,
    "gcp:compute/firewall:Firewall": _firewall,
    "gcp:monitoring/notificationChannel:NotificationChannel": _notification_channel,
    "gcp:sql/databaseInstance:DatabaseInstance": _database_instance,
    "gcp:compute/router:Router": _router,
    "gcp:compute/securityPolicy:SecurityPolicy": _security_policy,
    "gcp:cloudscheduler/job:Job": _scheduler_job,
    "docker:index/container:Container": _container,
    "cloudflare:index/dnsRecord:DnsRecord": _dns_record,
}
