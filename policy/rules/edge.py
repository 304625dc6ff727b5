"""What stands before the service: strict TLS, the web application firewall, Access before every private name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policy.model import UNKNOWN, Resource, Rule, Stage, of_type

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
APPLICATION = "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication"
ACCESS_POLICY = "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy"
TUNNEL_CONFIG = "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig"
TLS_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "ssl": ("strict", "origin_pull"),
    "min_tls_version": ("1.2", "1.3"),
    "tls_1_3": ("on", "zrt"),
}
"""Settings of the zone that must have one of these values. Plain HTTP is redirected by a rule, except where
certificates are proved, so ``always_use_https`` is not asked for (docs/surprises.md)."""
WAF_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "http_request_firewall_custom": ("block", "managed_challenge"),
    "http_request_firewall_managed": ("execute",),
    "http_ratelimit": ("block", "managed_challenge"),
    "http_request_dynamic_redirect": ("redirect",),
}
"""Phases that protect, and what a rule of each does."""


def _proxied(resource: Resource, _: Stage) -> Iterator[str]:
    if resource.at("proxied") is not True:
        yield "it is not proxied, so it shows the way around the edge"


def _tls(resource: Resource, _: Stage) -> Iterator[str]:
    setting, value = resource.at("settingId"), resource.at("value")
    if value not in TLS_SETTINGS[setting]:
        yield f"{setting} is {value}, not {' or '.join(TLS_SETTINGS[setting])}"


def _firewall(resource: Resource, _: Stage) -> Iterator[str]:
    rules = resource.at("rules", [])
    if not rules:
        yield "it has no rule"
    for rule in rules:
        if rule.get("enabled") is not True:
            yield f"the rule {rule.get('ref')} is off"
        if rule.get("action") not in WAF_ACTIONS[resource.at("phase")]:
            yield f"the rule {rule.get('ref')} does {rule.get('action')} only"


def _application(resource: Resource, _: Stage) -> Iterator[str]:
    if not resource.at("policies"):
        yield "no policy stands before it"
    if resource.at("serviceAuth401Redirect") is not True:
        yield "who has no token is sent to a log-in instead of being refused"


def _access(resource: Resource, _: Stage) -> Iterator[str]:
    if resource.at("decision") != "non_identity":
        yield f"it decides by {resource.at('decision')}, not by a service token"
    for include in resource.at("includes", []):
        if set(include) != {"serviceToken"}:
            yield f"it lets in {', '.join(sorted(include)) or 'everyone'}"


def _origin(resource: Resource, _: Stage) -> Iterator[str]:
    config = resource.at("config", {})
    for origin in (config, *config.get("ingresses", [])):
        if origin is not UNKNOWN and origin.get("originRequest", {}).get("noTlsVerify"):
            yield "it does not verify the certificate of what it reaches"


RULES = (
    Rule(
        name="names-are-proxied",
        description="Every name of the zone answers through the edge.",
        remedy="set proxied to true",
        guards=lambda r: r.type == RECORD and r.at("type") in ("A", "AAAA", "CNAME") and not _proves(r),
        faults=_proxied,
    ),
    Rule(
        name="tls-strict",
        description="The edge verifies the origin's certificate and speaks TLS 1.2 or newer.",
        remedy="ssl strict, min_tls_version 1.2, tls_1_3 on",
        guards=lambda r: r.type == SETTING and r.at("settingId") in TLS_SETTINGS,
        faults=_tls,
    ),
    Rule(
        name="waf-on",
        description="Every rule that protects at the edge is on and acts.",
        remedy="enable the rule, with an action that stops the request",
        guards=lambda r: r.type == RULESET and r.at("phase") in WAF_ACTIONS,
        faults=_firewall,
    ),
    Rule(
        name="access-before-private-names",
        description="An Access application has a policy and refuses who has no token.",
        remedy="name the policy of the service token and set serviceAuth401Redirect",
        guards=of_type(APPLICATION),
        faults=_application,
    ),
    Rule(
        name="access-by-service-token",
        description="Access lets in the holder of a service token and nobody else.",
        remedy="decision non_identity, with service tokens alone in includes",
        guards=of_type(ACCESS_POLICY),
        faults=_access,
    ),
    Rule(
        name="tunnel-verifies",
        description="The tunnel verifies certificates.",
        remedy="leave noTlsVerify out",
        guards=of_type(TUNNEL_CONFIG),
        faults=_origin,
    ),
)


def _proves(resource: Resource) -> bool:
    """Tell whether the record only proves to an issuer of certificates whose the name is."""
    return str(resource.at("name", "")).startswith("_acme-challenge")
