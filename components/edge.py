"""The zone at Cloudflare: names, rules, and the tunnel to the servers behind Access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.base import Component
from components.cloudflare_sdk import (
    TieredCache,
    ZeroTrustAccessPolicy,
    ZeroTrustAccessPolicyIncludeArgs,
    ZeroTrustAccessPolicyIncludeServiceTokenArgs,
    ZeroTrustAccessServiceToken,
    Zone,
    ZoneAccountArgs,
    ZoneSetting,
    ZoneSubscription,
    ZoneSubscriptionRatePlanArgs,
)
from components.edge_rules import declare_rulesets
from components.private_names import declare_private_name, declare_tunnel, tunnel_token
from dreamseed.config.cloud import Edge
from dreamseed.config.service import Service
from dreamseed.planning.edge import EdgePlan
from dreamseed.planning.keys import FIRST, Generations
from dreamseed.planning.services.tunnel import TunnelRoute

TOKEN_LIFE = "87600h"  # noqa: S105 - a duration
"""Ten years; the default of one would cut the API off on an anniversary."""


@dataclass(frozen=True, kw_only=True)
class EdgeZoneArgs:
    """What `EdgeZone` needs: what the stage says, the planned rules and routes, and the tunnel's secret.

    `token_generations` are those of the service token's secret.
    """

    service: Service
    edge: Edge
    plan: EdgePlan
    routes: Sequence[TunnelRoute]
    tunnel_secret: pulumi.Input[str]
    token_generations: Generations = FIRST


class EdgeZone(Component):
    """The zone with its settings, rules, cache and subscription; one tunnel, and its private names behind Access.

    Declares a record and an Access application for each private service: only who holds the one service
    token passes. Does not declare the API's own record (`ApiService` does), a load balancer of
    Cloudflare's, or the connectors, which run on the servers. Removing the subscription would not end it,
    so it is protected: go back to Free in Cloudflare first. An existing zone is imported before the first
    `up`. Source: docs/surprises.md, section 3, 2026-11-22.
    """

    token = "dreamseed:edge:EdgeZone"  # noqa: S105 - a resource's type token, not a secret

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    """What the domain's registrar must be told."""
    tunnel_token: pulumi.Output[str]
    """What the connectors prove themselves with, secret."""
    access_client_id: pulumi.Output[str]
    access_client_secret: pulumi.Output[str]
    """The service token, secret."""
    access_policy_id: pulumi.Output[str]
    """The policy that the token's holder passes."""

    def __init__(self, name: str, args: EdgeZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        domain = args.service.domain
        zone = Zone(
            domain,
            name=domain,
            account=ZoneAccountArgs(id=args.edge.account_id),
            type="full",
            opts=self.stateful(),
        )
        subscription = self._subscribe(args, zone)
        for setting, value in args.plan.settings.items():
            ZoneSetting(f"{domain}-{setting}", zone_id=zone.id, setting_id=setting, value=value, opts=self.child())
        TieredCache(domain, zone_id=zone.id, value="on" if args.edge.tiered_cache else "off", opts=self.child())
        declare_rulesets(self, args.service.name, zone.id, args.plan, after=subscription)
        account = args.edge.account_id
        tunnel = declare_tunnel(self, f"{args.service.name}-servers", account, args.tunnel_secret, args.routes)
        token, policy = self._guard(args, zone)
        for route in args.routes:
            declare_private_name(self, route.hostname, account, zone.id, policy.id, tunnel)
        self.publish(
            zone_id=zone.id,
            name_servers=zone.name_servers,
            tunnel_token=tunnel_token(account, tunnel),
            access_client_id=token.client_id,
            access_client_secret=token.client_secret,
            access_policy_id=policy.id,
        )

    def _subscribe(self, args: EdgeZoneArgs, zone: Zone) -> list[pulumi.Resource]:
        """Declare the paid plan, if any; on Free nothing is declared, since Free is not subscribed to."""
        if args.plan.subscription is None:
            return []
        return [
            ZoneSubscription(
                args.service.domain,
                zone_id=zone.id,
                frequency=args.edge.billing.value,
                rate_plan=ZoneSubscriptionRatePlanArgs(id=args.plan.subscription.value),
                opts=self.stateful(),
            )
        ]

    def _guard(self, args: EdgeZoneArgs, zone: Zone) -> tuple[ZeroTrustAccessServiceToken, ZeroTrustAccessPolicy]:
        """Declare the service token, and the policy that whoever holds it passes."""
        name, account, secret = args.service.name, args.edge.account_id, args.token_generations
        token = ZeroTrustAccessServiceToken(
            f"{name}-api",
            name=f"{name}-api",
            account_id=account,
            duration=TOKEN_LIFE,
            # The token stays, its secret is exchanged in place: the previous one is valid until that moment.
            client_secret_version=secret.current if secret.previous_until else None,
            previous_client_secret_expires_at=secret.previous_until,
            opts=self.stateful(),
        )
        holder = ZeroTrustAccessPolicyIncludeServiceTokenArgs(token_id=token.id)
        policy = ZeroTrustAccessPolicy(
            f"{name}-api",
            name=f"{name}-api",
            account_id=account,
            decision="non_identity",
            includes=[ZeroTrustAccessPolicyIncludeArgs(service_token=holder)],
            # Applications come after their policy; the domain they name must be the account's by then.
            opts=self.child(depends_on=[zone]),
        )
        return token, policy
