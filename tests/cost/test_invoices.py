"""Invoices computed by hand from list prices: one for each SKU and rule. Sources: price facts of 2026-11-23."""

from __future__ import annotations

import pytest

from dreamseed.catalog.prices import BOOK
from dreamseed.config.usage import Commitment
from dreamseed.interval import Scenario
from tests.cost.pricing import MONTH_HOURS, bill, use

HOURLY_AND_MONTHLY = {
    # Cloud SQL, 2 vCPU, 7.5 GiB, 10 GiB, parts of 100.32 zonal and 200.65 regional (facts, section 5)
    ("sql-zonal-cpu", 2 * MONTH_HOURS): 2 * 730 * 0.0413,
    ("sql-regional-cpu", 2 * MONTH_HOURS): 2 * 730 * 0.0826,
    ("sql-zonal-memory", 7.5 * MONTH_HOURS): 7.5 * 730 * 0.007,
    ("sql-regional-memory", 7.5 * MONTH_HOURS): 7.5 * 730 * 0.014,
    ("sql-zonal-ssd", 10): 1.70,
    ("sql-regional-ssd", 10): 3.40,
    ("sql-backup", 100): 8.00,
    ("sql-idle-address", MONTH_HOURS): 7.30,
    # Machines and disks (section 6): 747.52 is two g2-standard-8 as spot
    ("spot-g2-standard-8", 2 * MONTH_HOURS): 747.52,
    ("machine-g2-standard-8", 10): 8.536,
    ("spot-g2-standard-4", 2 * MONTH_HOURS): 619.04,
    ("machine-g2-standard-4", 100): 70.68,
    ("machine-e2-micro", MONTH_HOURS): 730 * 0.0084,
    ("machine-e2-small", MONTH_HOURS): 730 * 0.0168,
    ("machine-e2-medium", MONTH_HOURS): 730 * 0.0336,
    ("machine-e2-standard-2", MONTH_HOURS): 730 * 0.0672,
    ("n2-custom-cpu", 2 * MONTH_HOURS): 2 * 730 * 0.033174,
    ("n2-custom-memory", 7.5 * MONTH_HOURS): 7.5 * 730 * 0.004446,
    ("disk-balanced", 20): 2.00,
    ("disk-ssd", 120): 20.40,
    # Network (section 7): 73 is what the two tunnels of an SLA cost, 18.25 a load balancer's rule
    ("vpn-tunnel", 2 * MONTH_HOURS): 73.00,
    ("egress-vpn", 20): 1.60,
    ("balancer-rule", MONTH_HOURS): 18.25,
    ("balancer-data", 100): 0.80,
    ("address-in-use", MONTH_HOURS): 3.65,
    ("address-in-use-spot", 10): 0.025,
    ("nat-gateway", MONTH_HOURS): 730 * 0.0014,
    ("nat-data", 20): 0.90,
    ("static-address-on-premises", 1): 10.00,
    # Plans (sections 3 and 8)
    ("cloudflare-free", 1): 0.00,
    ("cloudflare-pro-yearly", 1): 20.00,
    ("cloudflare-pro-monthly", 1): 25.00,
    ("cloudflare-business-yearly", 1): 200.00,
    ("cloudflare-business-monthly", 1): 250.00,
    ("grafana-free", 1): 0.00,
    ("grafana-pro", 1): 19.00,
    ("grafana-series", 12): 2 * 6.50,  # 10,000 are free
    # Backblaze (section 4): with the free 10 GB, 0.63 for 0.1 TB and 69.43 for 10 TB
    ("b2-storage", 0.1): 0.09 * 6.95,
    ("b2-storage-second-account", 10): 9.99 * 6.95,
    ("b2-egress", 250): 2.50,
    ("b2-calls", 1_000): 0.00,
    # Small services (section 8)
    ("registry-storage", 3): 0.25,
    ("secret-version", 18): 12 * 0.06,
    ("secret-access", 5): 4 * 0.03,
    ("gcs-standard", 10): 0.20,
    ("gcs-class-a", 2): 0.10,
    ("pubsub-volume", 10): 0.00,
    ("logging-ingested", 147): 97 * 0.50,  # 48 USD at C (section 8)
    ("alert-condition", 4): 0.40,
    ("alert-series", 4 * 0.0876): 4 * 0.0876 * 0.35,
    ("uptime-check", 1_200): 200 * 0.30,
    ("scheduler-job", 5): 0.20,
    # Outside the clouds (section 1)
    ("electricity-flat", 400 * 720 / 1_000): 34.56,  # the plan's formula for one card
    ("electricity-kepco_residential", 450): (200 * 152 + 200 * 260 + 50 * 365) / 1_400,
    ("electricity-kepco_industrial", 100): 100 * 137 / 1_400,
    ("electricity-kepco_industrial-contract", 3): 3 * 5_550 / 1_400,
    ("domain-year", 1 / 12): 1.00,
    ("gpu-rtx-5090", 1 / 36): 1_999 / 36,
    ("reserve", 23): 23.00,
}


@pytest.mark.parametrize(("item", "usd"), HOURLY_AND_MONTHLY.items(), ids=str)
def test_a_single_use_costs_what_the_list_price_says(item: tuple[str, float], usd: float) -> None:
    assert bill(use(*item)) == pytest.approx(usd, abs=0.005)


def test_every_sku_but_those_of_cloud_run_and_egress_has_an_invoice_here() -> None:
    elsewhere = {sku for sku in BOOK.skus if sku.startswith("run-")} | {"egress-internet"}
    assert {sku for sku, _ in HOURLY_AND_MONTHLY} == BOOK.skus - elsewhere


def test_internet_egress_gets_cheaper_by_tier_and_one_gib_is_free() -> None:
    assert bill(use("egress-internet", 1)) == 0
    assert bill(use("egress-internet", 788)) == pytest.approx(787 * 0.12)
    expected = 1_023 * 0.12 + 9 * 1_024 * 0.11 + 1_000 * 0.08
    assert bill(use("egress-internet", 11 * 1_024 - 24)) == pytest.approx(expected)


def test_tiers_and_free_quantities_run_on_over_several_uses_of_one_price() -> None:
    parts = [use("egress-internet", quantity) for quantity in (700, 700, 11_000)]
    assert bill(*parts) == pytest.approx(bill(use("egress-internet", 12_400)))
    assert bill(use("secret-version", 4), use("secret-version", 4)) == pytest.approx(2 * 0.06)


def test_backblaze_egress_is_free_up_to_three_times_what_is_stored() -> None:
    stored_gb = 100
    assert bill(use("b2-egress", 300, free=3 * stored_gb)) == 0
    assert bill(use("b2-egress", 350, free=3 * stored_gb)) == pytest.approx(0.50)


@pytest.mark.parametrize(
    ("region", "hourly"), [("us-central1", 0.5120), ("asia-northeast3", 0.3760), ("asia-northeast1", 0.342)]
)
def test_a_spot_machine_costs_what_its_region_asks(region: str, hourly: float) -> None:
    assert bill(use("spot-g2-standard-8", 100, region=region)) == pytest.approx(100 * hourly)


def test_in_the_worst_case_a_spot_machine_costs_as_much_as_one_on_demand() -> None:
    worst = bill(use("spot-g2-standard-8", 100), scenario=Scenario.HIGH)
    assert worst == pytest.approx(bill(use("machine-g2-standard-8", 100)))


def test_regional_cloud_sql_costs_twice_as_much_as_zonal() -> None:
    for part in ("cpu", "memory", "ssd"):
        assert bill(use(f"sql-regional-{part}", 10)) == pytest.approx(2 * bill(use(f"sql-zonal-{part}", 10)))


@pytest.mark.parametrize(
    ("term", "rest"), [(Commitment.NONE, 1.0), (Commitment.ONE_YEAR, 0.75), (Commitment.THREE_YEARS, 0.48)]
)
def test_a_commitment_takes_its_share_off_cloud_sqls_cpu_and_memory_and_not_off_its_disk(
    term: Commitment, rest: float
) -> None:
    assert bill(use("sql-regional-cpu", 1_460), commitment=term) == pytest.approx(1_460 * 0.0826 * rest)
    assert bill(use("sql-regional-ssd", 50), commitment=term) == pytest.approx(17.00)
