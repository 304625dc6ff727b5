"""The zone's rulesets, one a phase, from the rules that the plan holds."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.base import Component
from components.cloudflare_sdk import (
    Ruleset,
    RulesetRuleActionParametersArgs,
    RulesetRuleActionParametersBrowserTtlArgs,
    RulesetRuleActionParametersEdgeTtlArgs,
    RulesetRuleActionParametersFromValueArgs,
    RulesetRuleActionParametersFromValueTargetUrlArgs,
    RulesetRuleActionParametersOverridesArgs,
    RulesetRuleActionParametersOverridesCategoryArgs,
    RulesetRuleArgs,
    RulesetRuleRatelimitArgs,
)
from dreamseed.planning.edge import CacheRule, EdgePlan, ManagedRules, RateLimit, Rule

HTTPS_TARGET = 'concat("https://", http.host, http.request.uri.path)'
COUNTED_BY = ["ip.src", "cf.colo.id"]
"""An address in a data centre; the API asks for both. Source: docs/surprises.md, section 3."""


def declare_rulesets(
    parent: Component,
    name: str,
    zone_id: pulumi.Input[str],
    plan: EdgePlan,
    after: Sequence[pulumi.Resource],
) -> None:
    """Declare a ruleset for each phase that has rules, `after` the subscription that allows them.

    Names are for good: another name would replace the ruleset.
    """
    phases: tuple[tuple[str, str, Sequence[Rule]], ...] = (
        ("redirects", "http_request_dynamic_redirect", plan.redirects),
        ("custom", "http_request_firewall_custom", plan.custom),
        ("managed", "http_request_firewall_managed", plan.managed),
        ("rate-limits", "http_ratelimit", plan.rate_limits),
        ("cache", "http_request_cache_settings", plan.cache),
    )
    for purpose, phase, rules in phases:
        if rules:
            Ruleset(
                f"{name}-{purpose}",
                name=f"{name}-{purpose}",
                zone_id=zone_id,
                kind="zone",
                phase=phase,
                rules=[_rule(rule) for rule in rules],
                opts=parent.child(depends_on=list(after)),
            )


def _rule(rule: Rule) -> RulesetRuleArgs:
    return RulesetRuleArgs(
        ref=rule.ref,
        description=rule.description,
        expression=rule.expression,
        action=rule.action,
        enabled=True,
        action_parameters=_parameters(rule),
        ratelimit=_rate_limit(rule) if isinstance(rule, RateLimit) else None,
    )


def _parameters(rule: Rule) -> RulesetRuleActionParametersArgs | None:
    if isinstance(rule, CacheRule):
        return _cache(rule)
    if isinstance(rule, ManagedRules):
        return _managed(rule)
    if rule.action == "redirect":
        target = RulesetRuleActionParametersFromValueTargetUrlArgs(expression=HTTPS_TARGET)
        return RulesetRuleActionParametersArgs(
            from_value=RulesetRuleActionParametersFromValueArgs(
                target_url=target, status_code=301, preserve_query_string=True
            )
        )
    return None


def _cache(rule: CacheRule) -> RulesetRuleActionParametersArgs:
    if rule.edge_ttl_seconds is None:
        return RulesetRuleActionParametersArgs(cache=False)
    return RulesetRuleActionParametersArgs(
        cache=True,
        edge_ttl=RulesetRuleActionParametersEdgeTtlArgs(mode="override_origin", default=rule.edge_ttl_seconds),
        browser_ttl=RulesetRuleActionParametersBrowserTtlArgs(mode="override_origin", default=rule.browser_ttl_seconds),
    )


def _managed(rule: ManagedRules) -> RulesetRuleActionParametersArgs:
    categories = [
        RulesetRuleActionParametersOverridesCategoryArgs(category=category, enabled=False) for category in rule.without
    ]
    overrides = RulesetRuleActionParametersOverridesArgs(categories=categories) if categories else None
    return RulesetRuleActionParametersArgs(id=rule.ruleset_id, overrides=overrides)


def _rate_limit(rule: RateLimit) -> RulesetRuleRatelimitArgs:
    return RulesetRuleRatelimitArgs(
        characteristics=COUNTED_BY,
        period=rule.period_seconds,
        requests_per_period=rule.requests,
        mitigation_timeout=rule.timeout_seconds,
    )
