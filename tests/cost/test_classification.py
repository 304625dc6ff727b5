"""Every resource of the whole program is priced, driven by usage, or free for a reason; and no line is without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from dreamseed.catalog.prices import BOOK, PriceBook
from dreamseed.cost.classification import FREE, PRICED, USAGE, WITHOUT_RESOURCE, CostKind, classify
from dreamseed.cost.quantities.secrets import stored_secrets
from tests.components.builders import everything
from tests.cost.estimates import shipped_estimate
from tests.planning.stages import STAGE_NAMES, shipped
from tests.program import Registered, record

Inputs = Mapping[str, Any]


def declared(stage: str) -> list[Registered]:
    return [resource for resource in record(stage) if resource.custom]


def unpriced(stage: str, book: PriceBook = BOOK) -> set[str]:
    """The types of the stage's resources that nobody priced."""
    return {
        resource.type
        for resource in declared(stage)
        if classify(resource.type, resource.inputs, book).kind is CostKind.UNPRICED
    }


def skus(stage: str) -> set[str]:
    return {sku for resource in declared(stage) for sku in classify(resource.type, resource.inputs).skus}


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_no_resource_of_the_program_is_unpriced(stage: str) -> None:
    assert unpriced(stage) == set()


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_what_the_program_declares_and_what_the_estimate_counts_are_the_same(stage: str) -> None:
    estimated = shipped_estimate(stage)
    counted = {line.price.sku for line in (*estimated.lines, *estimated.hardware)}
    assert skus(stage) - counted == set(), "declared, but not in the estimate"
    assert counted - skus(stage) - set(WITHOUT_RESOURCE) == set(), "in the estimate, but declared nowhere"


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_the_estimate_counts_as_many_of_each_as_are_declared(stage: str) -> None:
    types = Counter(resource.type for resource in declared(stage))
    counted = {line.price.sku: line.quantity.expected for line in shipped_estimate(stage).lines}
    assert stored_secrets(shipped(stage)) == types["gcp:secretmanager/secretVersion:SecretVersion"]
    assert counted["alert-condition"] == types["gcp:monitoring/alertPolicy:AlertPolicy"]
    assert counted.get("vpn-tunnel", 0) == 730 * types["gcp:compute/vPNTunnel:VPNTunnel"]
    assert counted.get("scheduler-job", 0) == types["gcp:cloudscheduler/job:Job"]
    assert counted.get("address-in-use", 0) == 730 * types["gcp:compute/address:Address"]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_an_estimate_of_a_shipped_stage_has_a_price_for_everything(stage: str) -> None:
    assert shipped_estimate(stage).unpriced == ()


def test_a_type_that_nobody_looked_up_is_unpriced_and_never_free() -> None:
    found = classify("gcp:redis/instance:Instance", {})
    assert found.kind is CostKind.UNPRICED
    assert "nobody" in found.reason


@pytest.mark.parametrize(
    ("type_token", "inputs"),
    [
        ("gcp:compute/instance:Instance", {"machineType": "m3-ultramem-128"}),
        ("gcp:compute/instance:Instance", {}),
        ("gcp:compute/disk:Disk", {"type": "hyperdisk-extreme"}),
        ("gcp:compute/instanceTemplate:InstanceTemplate", {"machineType": "a3-highgpu-8g"}),
        ("gcp:sql/databaseInstance:DatabaseInstance", {"settings": {"availabilityType": "MULTI"}}),
        (
            "cloudflare:index/zoneSubscription:ZoneSubscription",
            {"ratePlan": {"id": "enterprise"}, "frequency": "yearly"},
        ),
    ],
)
def test_a_known_type_with_inputs_that_have_no_price_is_unpriced(type_token: str, inputs: Inputs) -> None:
    assert classify(type_token, inputs).kind is CostKind.UNPRICED


def test_a_price_that_is_gone_from_the_book_is_noticed_where_it_is_used() -> None:
    without = PriceBook(price for price in BOOK if price.sku != "vpn-tunnel")
    assert unpriced("stage-e", without) == {"gcp:compute/vPNTunnel:VPNTunnel"}
    assert unpriced("stage-d", without) == set()


def test_a_free_type_that_is_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = "cloudflare:index/dnsRecord:DnsRecord"
    monkeypatch.delitem(FREE, forgotten)
    assert unpriced("stage-a") == {forgotten}


def test_no_type_is_in_two_lists_and_every_free_one_has_a_reason() -> None:
    assert len({*FREE, *PRICED, *USAGE}) == len(FREE) + len(PRICED) + len(USAGE)
    assert min(map(len, FREE.values())) > 10
    assert set(WITHOUT_RESOURCE) <= BOOK.skus


def test_cloud_run_is_billed_by_instance_where_its_cpu_never_idles() -> None:
    service = "gcp:cloudrunv2/service:Service"
    always = {"template": {"containers": [{"resources": {"cpuIdle": False}}]}}
    assert "run-instance-cpu" in classify(service, always).skus
    asleep = {"template": {"containers": [{"resources": {"cpuIdle": True}}]}}
    assert "run-idle-cpu" not in classify(service, asleep).skus
    warm = {"template": {**asleep["template"], "scaling": {"minInstanceCount": 2}}}
    assert "run-idle-cpu" in classify(service, warm).skus


def test_what_only_a_disaster_or_a_load_balancer_declares_is_classified_too() -> None:
    resources = [one for _, declaration in everything() for one in declaration.resources if ":" in one.type]
    own = [one for one in resources if not one.type.startswith("dreamseed:")]
    assert {one.type for one in own if classify(one.type, one.inputs).kind is CostKind.UNPRICED} == set()
    assert "gcp:compute/globalForwardingRule:GlobalForwardingRule" in {one.type for one in own}
