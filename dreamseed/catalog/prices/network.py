"""Google's network: egress, addresses, NAT, VPN, load balancing; and the owners' own line."""

from __future__ import annotations

from functools import partial

from dreamseed.catalog.prices import sources
from dreamseed.catalog.prices.model import Confidence, Price, Tier, between, flat
from dreamseed.interval import Interval

GIB_PER_TIB = 1_024

_row = partial(Price, vendor="Google Cloud", service="Networking")
_page = partial(_row, source=sources.NETWORK_PAGES, confidence=Confidence.HIGH)
_catalog = partial(_row, source=sources.CATALOG_2024, confidence=Confidence.MEDIUM)

PRICES = (
    _page(
        sku="egress-internet",
        unit="GiB",
        tiers=(
            Tier(above=0, usd=Interval(0.08, 0.12, 0.12)),
            Tier(above=GIB_PER_TIB, usd=Interval(0.08, 0.11, 0.11)),
            Tier(above=10 * GIB_PER_TIB, usd=Interval(0.08, 0.08, 0.08)),
        ),
        free_quantity=1,
        note="premium tier; one GiB is free within North America",
    ),
    _catalog(sku="egress-vpn", unit="GiB", tiers=between(0.02, 0.08, 0.14), note="in region, Asia, between continents"),
    _page(sku="address-in-use", unit="address-h", tiers=flat(0.005)),
    _page(sku="address-in-use-spot", unit="address-h", tiers=flat(0.0025)),
    _page(sku="nat-gateway", unit="VM-h", tiers=flat(0.0014), note="at most 0.044 an hour, reached at 32 VMs"),
    _page(sku="nat-data", unit="GiB", tiers=flat(0.045)),
    _catalog(
        sku="vpn-tunnel", unit="tunnel-h", tiers=between(0.05, 0.05, 0.075), note="0.075 outside the US, unverified"
    ),
    _row(
        sku="balancer-rule",
        unit="rule-h",
        tiers=(Tier(above=0, usd=Interval.exact(0.025)),),
        source=sources.BALANCER,
        confidence=Confidence.HIGH,
        note="one price for the first five rules together",
    ),
    _row(
        sku="balancer-data",
        unit="GiB",
        tiers=flat(0.008),
        source=sources.BALANCER,
        confidence=Confidence.MEDIUM,
    ),
    Price(
        vendor="Internet provider",
        service="Line",
        sku="static-address-on-premises",
        unit="month",
        tiers=between(5, 10, 20),
        source=sources.CHOICE,
        confidence=Confidence.LOW,
        note="bounded by the growth plan's whole network line of 20 USD",
    ),
)
