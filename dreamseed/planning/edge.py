"""What the zone does with requests: rules of each phase within the limits of its Cloudflare plan.

The tunnel's hostnames lie in the same zone, so each rule that could harm the traffic between the API and
the servers names the API's host. Redirects to HTTPS are a rule, not the setting "Always Use HTTPS", because
the setting would also redirect the requests by which Google renews the certificate of a mapped domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dreamseed.catalog.cloudflare_plans import (
    CLOUDFLARE_MANAGED_RULESET,
    OWASP_CORE_RULESET,
    PLAN_LIMITS,
    RATE_LIMIT_PERIODS_SECONDS,
    PlanLimits,
)
from dreamseed.config import StageConfig
from dreamseed.config.cloud import CloudflarePlan
from dreamseed.errors import PlanError

CHALLENGE_PATH = "/.well-known/acme-challenge/"
"""Where certificate authorities look for proof. Source: RFC 8555, section 8.3."""
PUBLIC_PATH = "/api/"
"""Below it the API serves its users: all that a rate limit of the Free plan, which cannot see hosts, may match on."""
CONTENT_PATH = "/content/"
"""Below it the API serves files that may be cached."""
CONTENT_EDGE_TTL_SECONDS = 86_400
CONTENT_BROWSER_TTL_SECONDS = 3_600

ZONE_SETTINGS: Mapping[str, str] = {
    "ssl": "strict",
    "min_tls_version": "1.2",
    "tls_1_3": "on",
    "always_use_https": "off",
    "automatic_https_rewrites": "on",
    "http3": "on",
    "brotli": "on",
    "websockets": "on",
}
"""The zone's settings; websockets carry the tunnel's TCP services."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A request that matches `expression` gets `action`. `ref` names the rule for good."""

    ref: str
    description: str
    expression: str
    action: str = "block"


@dataclass(frozen=True, kw_only=True)
class RateLimit(Rule):
    """More than `requests` by one address within `period_seconds` are refused for `timeout_seconds`."""

    requests: int
    period_seconds: int
    timeout_seconds: int


@dataclass(frozen=True, kw_only=True)
class CacheRule(Rule):
    """What is cached, for how many seconds at the edge and in browsers; null for not at all."""

    edge_ttl_seconds: int | None
    browser_ttl_seconds: int | None
    action: str = "set_cache_settings"


@dataclass(frozen=True, kw_only=True)
class ManagedRules(Rule):
    """A ruleset that Cloudflare keeps, without some of its categories."""

    ruleset_id: str
    without: tuple[str, ...]
    action: str = "execute"


@dataclass(frozen=True, kw_only=True)
class EdgePlan:
    """Everything that the zone does, and the subscription that it needs (null on Free)."""

    settings: Mapping[str, str]
    redirects: tuple[Rule, ...]
    custom: tuple[Rule, ...]
    managed: tuple[ManagedRules, ...]
    rate_limits: tuple[RateLimit, ...]
    cache: tuple[CacheRule, ...]
    subscription: CloudflarePlan | None


def plan_edge(config: StageConfig, where: str) -> EdgePlan:
    """Return the rules of the stage's zone; raises `PlanError` when the plan does not allow them."""
    limits = PLAN_LIMITS[config.edge.plan]
    host = f'http.host eq "api.{config.service.domain}"'
    plan = EdgePlan(
        settings=ZONE_SETTINGS,
        redirects=(_https(),),
        custom=_custom(host, limits),
        managed=_managed(host) if limits.managed_rulesets else (),
        rate_limits=(_rate_limit(config, host, limits, where),),
        cache=_cache(host),
        subscription=None if config.edge.plan is CloudflarePlan.FREE else config.edge.plan,
    )
    _check_counts(plan, limits, config.edge.plan, where)
    return plan


def _https() -> Rule:
    return Rule(
        ref="to_https",
        description="Plain HTTP goes to HTTPS, except where certificates are proved",
        expression=f'not ssl and not starts_with(http.request.uri.path, "{CHALLENGE_PATH}")',
        action="redirect",
    )


def _custom(host: str, limits: PlanLimits) -> tuple[Rule, ...]:
    methods = " ".join(f'"{method}"' for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
    paths = " or ".join(f'starts_with(http.request.uri.path, "{path}")' for path in ("/.env", "/.git", "/wp-"))
    rules = [
        Rule(
            ref="api_methods",
            description="Only methods that the API knows",
            expression=f"{host} and not http.request.method in {{{methods}}}",
        ),
        Rule(ref="scanners", description="Paths that only scanners ask for", expression=f"{host} and ({paths})"),
    ]
    if limits.regular_expressions:
        rules.append(
            Rule(
                ref="traversal",
                description="Paths that climb out of the API's tree, in any encoding",
                expression=f'{host} and http.request.uri.path matches "(?i)(\\\\.|%2e){{2}}(/|%2f|%5c)"',
            )
        )
    return tuple(rules)


def _managed(host: str) -> tuple[ManagedRules, ...]:
    """Return the managed rulesets: OWASP at its first level only, since learners write about attacks in prompts."""
    return (
        ManagedRules(
            ref="cloudflare_managed",
            description="Cloudflare's managed rules",
            expression=host,
            ruleset_id=CLOUDFLARE_MANAGED_RULESET,
            without=(),
        ),
        ManagedRules(
            ref="owasp_core",
            description="OWASP core rules, paranoia level 1",
            expression=host,
            ruleset_id=OWASP_CORE_RULESET,
            without=("paranoia-level-2", "paranoia-level-3", "paranoia-level-4"),
        ),
    )


def _rate_limit(config: StageConfig, host: str, limits: PlanLimits, where: str) -> RateLimit:
    period = config.edge.rate_limit_period_seconds
    legal = [p for p in RATE_LIMIT_PERIODS_SECONDS if p <= limits.rate_limit_max_period_seconds]
    if period not in legal:
        raise PlanError(
            f"{where} › edge › rate_limit_period_seconds",
            f"{period} s on the {config.edge.plan} plan",
            f"it counts over at most {limits.rate_limit_max_period_seconds} s, and only over certain periods",
            f"one of {', '.join(map(str, legal))}",
        )
    return RateLimit(
        ref="per_address",
        description="Requests by one address",
        expression=host if limits.rate_limit_by_host else f'starts_with(http.request.uri.path, "{PUBLIC_PATH}")',
        requests=config.edge.rate_limit_requests,
        period_seconds=period,
        timeout_seconds=min(60, limits.rate_limit_max_timeout_seconds),
    )


def _cache(host: str) -> tuple[CacheRule, ...]:
    """Return the cache rules; a later one wins."""
    return (
        CacheRule(
            ref="api_uncached",
            description="Answers of the API are one user's own",
            expression=host,
            edge_ttl_seconds=None,
            browser_ttl_seconds=None,
        ),
        CacheRule(
            ref="content_cached",
            description="Learning content is the same for all",
            expression=f'{host} and starts_with(http.request.uri.path, "{CONTENT_PATH}")',
            edge_ttl_seconds=CONTENT_EDGE_TTL_SECONDS,
            browser_ttl_seconds=CONTENT_BROWSER_TTL_SECONDS,
        ),
    )


def _check_counts(plan: EdgePlan, limits: PlanLimits, name: CloudflarePlan, where: str) -> None:
    counted: tuple[tuple[str, Sequence[Rule], int], ...] = (
        ("custom rules", plan.custom, limits.custom_rules),
        ("rate limits", plan.rate_limits, limits.rate_limit_rules),
        ("cache rules", plan.cache, limits.cache_rules),
        ("redirect rules", plan.redirects, limits.redirect_rules),
    )
    for noun, rules, most in counted:
        if len(rules) > most:
            raise PlanError(
                f"{where} › edge › plan",
                f"{len(rules)} {noun} on the {name} plan",
                f"Cloudflare allows {most} of them there",
                "a larger plan, or fewer rules",
            )
    for rule in plan.cache:
        if rule.edge_ttl_seconds is not None and rule.edge_ttl_seconds < limits.min_edge_ttl_seconds:
            raise PlanError(
                f"{where} › edge › plan",
                f"rule {rule.ref} caches for {rule.edge_ttl_seconds} s on the {name} plan",
                f"its shortest edge cache time is {limits.min_edge_ttl_seconds} s",
                f"at least {limits.min_edge_ttl_seconds} s",
            )
