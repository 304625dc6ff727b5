"""Tunnels of Cloudflare, and private names that lead through them past Access."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pulumi

from components.base import Component
from components.cloudflare_sdk import (
    DnsRecord,
    ZeroTrustAccessApplication,
    ZeroTrustAccessApplicationPolicyArgs,
    ZeroTrustTunnelCloudflared,
    ZeroTrustTunnelCloudflaredConfig,
    ZeroTrustTunnelCloudflaredConfigConfigArgs,
    ZeroTrustTunnelCloudflaredConfigConfigIngressArgs,
    ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs,
    get_zero_trust_tunnel_cloudflared_token_output,
)
from dreamseed.planning.services.tunnel import CONNECT_TIMEOUT_SECONDS, TunnelRoute

AUTOMATIC_TTL = 1
"""What Cloudflare asks for on proxied records. Source: docs/surprises.md, section 3."""


def declare_tunnel(
    parent: Component, name: str, account_id: str, secret: pulumi.Input[str], routes: Sequence[TunnelRoute]
) -> ZeroTrustTunnelCloudflared:
    """Declare a tunnel and where its names lead; what is not listed gets 404. `secret` has at least 32 characters."""
    tunnel = ZeroTrustTunnelCloudflared(
        name,
        name=name,
        account_id=account_id,
        config_src="cloudflare",
        tunnel_secret=pulumi.Output.secret(secret).apply(lambda text: base64.b64encode(text.encode()).decode()),
        opts=parent.stateful(),
    )
    ingress = ZeroTrustTunnelCloudflaredConfigConfigIngressArgs
    ingresses = [ingress(hostname=route.hostname, service=route.service, path=route.path) for route in routes]
    ZeroTrustTunnelCloudflaredConfig(
        name,
        account_id=account_id,
        tunnel_id=tunnel.id,
        config=ZeroTrustTunnelCloudflaredConfigConfigArgs(
            ingresses=[*ingresses, ingress(service="http_status:404")],
            origin_request=ZeroTrustTunnelCloudflaredConfigConfigOriginRequestArgs(
                connect_timeout=CONNECT_TIMEOUT_SECONDS
            ),
        ),
        opts=parent.child(),
    )
    return tunnel


def tunnel_token(account_id: str, tunnel: ZeroTrustTunnelCloudflared) -> pulumi.Output[str]:
    """Return what the tunnel's connectors prove themselves with, as a secret."""
    # The token is made from the tunnel's secret: asked for with the old one, a preview would show no connector change.
    tunnel_id = pulumi.Output.all(tunnel.id, tunnel.tunnel_secret).apply(lambda known: str(known[0]))
    answer = get_zero_trust_tunnel_cloudflared_token_output(account_id=account_id, tunnel_id=tunnel_id)
    return pulumi.Output.secret(answer.token)


def declare_private_name(
    parent: Component,
    hostname: str,
    account_id: str,
    zone_id: pulumi.Input[str],
    policy_id: pulumi.Input[str],
    tunnel: ZeroTrustTunnelCloudflared,
) -> None:
    """Declare one private name: first who may pass, only then the record, so that it is never open."""
    application = ZeroTrustAccessApplication(
        hostname,
        name=hostname,
        account_id=account_id,
        type="self_hosted",
        domain=hostname,
        policies=[ZeroTrustAccessApplicationPolicyArgs(id=policy_id, precedence=1)],
        app_launcher_visible=False,
        service_auth401_redirect=True,
        opts=parent.child(),
    )
    DnsRecord(
        hostname,
        zone_id=zone_id,
        name=hostname,
        type="CNAME",
        content=tunnel.id.apply(lambda identifier: f"{identifier}.cfargotunnel.com"),
        proxied=True,
        ttl=AUTOMATIC_TTL,
        opts=parent.child(depends_on=[application]),
    )
