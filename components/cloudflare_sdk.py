"""Those classes of `pulumi_cloudflare` that the program uses, imported one module at a time (see `light_sdk`)."""

from __future__ import annotations

from components import light_sdk

# isort: split
from pulumi_cloudflare._inputs import (
    RulesetRuleActionParametersArgs,
    RulesetRuleActionParametersBrowserTtlArgs,
    RulesetRuleActionParametersEdgeTtlArgs,
    RulesetRuleActionParametersFromValueArgs,
    RulesetRuleActionParametersFromValueTargetUrlArgs,
    RulesetRuleActionParametersOverridesArgs,
    RulesetRuleActionParametersOverridesCategoryArgs,
    RulesetRuleArgs,
    RulesetRuleRatelimitArgs,
    ZeroTrustAccessApplicationPolicyArgs,
    ZeroTrustAccessPolicyIncludeArgs,
    ZeroTrustAccessPolicyIncludeServiceTokenArgs,
    ZeroTrustTunnelCloudflaredConfigConfigArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressArgs,
    ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs,
    ZoneAccountArgs,
    ZoneSubscriptionRatePlanArgs,
)
from pulumi_cloudflare.dns_record import DnsRecord
from pulumi_cloudflare.get_zero_trust_tunnel_cloudflared_token import (
    get_zero_trust_tunnel_cloudflared_token_output,
)
from pulumi_cloudflare.ruleset import Ruleset
from pulumi_cloudflare.tiered_cache import TieredCache
from pulumi_cloudflare.zero_trust_access_application import ZeroTrustAccessApplication
from pulumi_cloudflare.zero_trust_access_policy import ZeroTrustAccessPolicy
from pulumi_cloudflare.zero_trust_access_service_token import ZeroTrustAccessServiceToken
from pulumi_cloudflare.zero_trust_tunnel_cloudflared import ZeroTrustTunnelCloudflared
from pulumi_cloudflare.zero_trust_tunnel_cloudflared_config import ZeroTrustTunnelCloudflaredConfig
from pulumi_cloudflare.zone import Zone
from pulumi_cloudflare.zone_setting import ZoneSetting
from pulumi_cloudflare.zone_subscription import ZoneSubscription

LOADED_FROM = light_sdk.register("pulumi_cloudflare", light_sdk.MODULES["pulumi_cloudflare"])

__all__ = [
    "DnsRecord",
    "Ruleset",
    "RulesetRuleActionParametersArgs",
    "RulesetRuleActionParametersBrowserTtlArgs",
    "RulesetRuleActionParametersEdgeTtlArgs",
    "RulesetRuleActionParametersFromValueArgs",
    "RulesetRuleActionParametersFromValueTargetUrlArgs",
    "RulesetRuleActionParametersOverridesArgs",
    "RulesetRuleActionParametersOverridesCategoryArgs",
    "RulesetRuleArgs",
    "RulesetRuleRatelimitArgs",
    "TieredCache",
    "ZeroTrustAccessApplication",
    "ZeroTrustAccessApplicationPolicyArgs",
    "ZeroTrustAccessPolicy",
    "ZeroTrustAccessPolicyIncludeArgs",
    "ZeroTrustAccessPolicyIncludeServiceTokenArgs",
    "ZeroTrustAccessServiceToken",
    "ZeroTrustTunnelCloudflared",
    "ZeroTrustTunnelCloudflaredConfig",
    "ZeroTrustTunnelCloudflaredConfigConfigArgs",
    "ZeroTrustTunnelCloudflaredConfigConfigIngressArgs",
    "ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs",
    "Zone",
    "ZoneAccountArgs",
    "ZoneSetting",
    "ZoneSubscription",
    "ZoneSubscriptionRatePlanArgs",
    "get_zero_trust_tunnel_cloudflared_token_output",
]
