"""The shipped program, with violations injected on the way to the engine, or to the recorder of the tests.

Both runtimes run this file by its path, and so see the same broken program.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from google.protobuf import json_format  # noqa: E402 - the engine runs this file by its path, see above
from pulumi.runtime import settings  # noqa: E402 - the same

from tests.policy.injection import GONE, Injection, add, put  # noqa: E402 - the same

TOKEN = "ghp_" + "a1B2" * 9
INJECTED: Mapping[str, tuple[str, str, Injection]] = {
    "no-plain-secret": (
        "Service",
        "dreamseed-api",
        add("template.containers[*].envs", {"name": "TOKEN", "value": TOKEN}),
    ),
    "least-privilege-roles": ("BucketIAMMember", "dreamseed-prod-pulumi-state-deployer", put("role", "roles/editor")),
    "no-public-grant": ("SecretIamMember", "dreamseed-content-key", put("member", "allUsers")),
    "narrow-custom-roles": (
        "IAMCustomRole",
        "dreamseed-recovery-refresh",
        add("permissions", "cloudsql.instances.delete"),
    ),
    "only-our-workflows-deploy": (
        "WorkloadIdentityPoolProvider",
        "dreamseed-github",
        put("attributeCondition", "true"),
    ),
    "published-on-private-addresses": ("Container", "vllm-router-1", put("ports[*].ip", "0.0.0.0")),
    "firewall-opens-to-ours-only": ("Firewall", "dreamseed-witness", put("sourceRanges", ["0.0.0.0/0"])),
    "database-without-public-address": (
        "DatabaseInstance",
        "dreamseed-recovery",
        put("settings.ipConfiguration.ipv4Enabled", True),
    ),
    "machines-are-closed": (
        "Instance",
        "dreamseed-witness",
        put("shieldedInstanceConfig.enableSecureBoot", False),
    ),
    "network-of-our-own": ("Network", "dreamseed", put("autoCreateSubnetworks", True)),
    "vpn-by-ikev2": ("VPNTunnel", "dreamseed-vpn-0", put("ikeVersion", 1)),
    "names-are-proxied": ("DnsRecord", "llm-private.dreamseed.example", put("proxied", False)),
    "tls-strict": ("ZoneSetting", "dreamseed.example-ssl", put("value", "flexible")),
    "waf-on": ("Ruleset", "dreamseed-rate-limits", put("rules[*].enabled", False)),
    "access-before-private-names": (
        "ZeroTrustAccessApplication",
        "metrics-private.dreamseed.example",
        put("policies", []),
    ),
    "access-by-service-token": ("ZeroTrustAccessPolicy", "dreamseed-api", put("decision", "allow")),
    "tunnel-verifies": (
        "ZeroTrustTunnelCloudflaredConfig",
        "dreamseed-servers",
        put("config.originRequest.noTlsVerify", True),
    ),
    "state-is-protected": ("Volume", "redis-1-data", Injection(name="unprotected", unprotect=True)),
    "provider-refuses-deletion": ("Secret", "dreamseed-content-key", put("deletionProtection", False)),
    "bucket-keeps-versions": ("Bucket", "dreamseed-prod-pulumi-state", put("versioning.enabled", False)),
    "object-store-keeps-versions": ("Bucket", "dreamseed-prod-models", put("hidden_days", 1)),
    "database-is-recoverable": (
        "DatabaseInstance",
        "dreamseed-recovery",
        put("settings.retainBackupsOnDelete", False),
    ),
    "images-stay-what-they-are": ("Repository", "dreamseed", put("dockerConfig.immutableTags", False)),
    "secret-versions-are-kept": ("SecretVersion", "dreamseed-content-key", put("deletionPolicy", "DELETE")),
    "images-by-digest": ("RemoteImage", "server-1-redis", put("name", "redis:8.2")),
    "containers-run-declared-images": ("Container", "grafana", put("image", "grafana/grafana:latest")),
    "containers-are-checked": ("Container", "cost-exporter", put("healthcheck", GONE)),
    "containers-have-limits": ("Container", "alertmanager", put("logOpts", GONE)),
    "containers-have-few-rights": ("Container", "kafka-exporter", put("capabilities", GONE)),
    "containers-come-back": ("Container", "grafana", put("restart", "unless-stopped")),
    "cloud-run-within-the-stage": ("Service", "dreamseed-api", put("template.scaling.maxInstanceCount", 100)),
    "no-way-around-the-edge": ("Service", "dreamseed-api", put("defaultUriDisabled", False)),
    "cloud-run-containers": ("Service", "dreamseed-api", put("template.containers[*].livenessProbe", GONE)),
    "cloud-run-by-its-own-account": (
        "Job",
        "dreamseed-recovery-refresh",
        put("template.template.serviceAccount", GONE),
    ),
    "budget-is-announced": ("Budget", "dreamseed-budget", put("amount.specifiedAmount.units", "9000")),
    "in-the-stage-s-region": ("Address", "dreamseed-out", put("region", "asia-east1")),
    "labelled": ("Topic", "dreamseed-budget", put("labels", GONE)),
    "edge-is-whole": ("ZoneSetting", "dreamseed.example-tls_1_3", put("settingId", "early_hints")),
    "one-public-door": ("SecretIamMember", "dreamseed-redis-password", put("member", "allUsers")),
}
"""Rule → the kind and the logical name of what is broken in stage E, and how."""


class Breaking:
    """A monitor that breaks some of the registrations on their way."""

    def __init__(self, monitor: Any) -> None:
        self._monitor = monitor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._monitor, name)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's protocol
        """Break the resource where it is one of `INJECTED`."""
        for kind, name, injection in INJECTED.values():
            if (request.type.rsplit(":", 1)[-1], request.name) == (kind, name):
                inputs = json_format.MessageToDict(request.object)
                injection.change(inputs)
                request.object.Clear()
                request.object.update(inputs)
                request.protect = request.protect and not injection.unprotect
        return self._monitor.RegisterResource(request)


if __name__ != "tests.policy.breaking":  # run, not imported
    settings.SETTINGS.monitor = Breaking(settings.SETTINGS.monitor)
    runpy.run_path(str(PROJECT / "__main__.py"))
