from __future__ import annotations

import pytest

from dreamseed.errors import PlanError
from dreamseed.planning.cloud_names import check_names
from dreamseed.planning.cloud_network import plan_cloud_network
from tests.components.declaring import changed, stage


def test_the_parts_of_the_network_do_not_overlap_and_do_not_move() -> None:
    plans = [plan_cloud_network(stage(letter), "x") for letter in "abcde"]
    assert len({(plan.subnet, plan.services, plan.restore_address) for plan in plans}) == 1
    assert not plans[0].subnet.overlaps(plans[0].services)
    assert plans[0].restore_address in plans[0].subnet


def test_each_stage_has_the_links_that_it_asks_for() -> None:
    first, growth, scale = (plan_cloud_network(stage(letter), "x") for letter in "ade")
    assert (first.peering, first.nat, len(first.links)) == (False, False, 0)
    assert (growth.peering, growth.nat, len(growth.links)) == (True, False, 0)
    assert (scale.peering, scale.nat, len(scale.links)) == (True, True, 2)


def test_a_range_that_is_too_small_is_refused() -> None:
    config = changed(stage("a"), "network", cloud_range="10.40.0.0/20")
    with pytest.raises(PlanError) as refused:
        plan_cloud_network(config, "stage-a")
    assert refused.value.where == "stage-a › network › cloud_range"


@pytest.mark.parametrize(
    "address", ["10.40.0.0", "10.40.0.1", "10.40.0.20", "10.40.15.254", "10.40.15.255", "10.40.16.10"]
)
def test_the_witness_may_not_have_an_address_that_is_not_free(address: str) -> None:
    witness = stage("e").model_dump(mode="json")["network"]["witness"] | {"address": address}
    with pytest.raises(PlanError) as refused:
        plan_cloud_network(changed(stage("e"), "network", witness=witness), "stage-e")
    assert refused.value.where == "stage-e › network › witness › address"
    assert refused.value.remedy == "an address such as 10.40.0.10"


@pytest.mark.parametrize("letter", ["a", "b", "c", "d", "e"])
def test_the_shipped_names_fit_every_provider(letter: str) -> None:
    check_names(stage(letter), "stage-x")


def test_names_that_would_make_an_account_id_too_long_or_too_short_are_refused() -> None:
    with pytest.raises(PlanError, match="at most 13 characters") as refused:
        check_names(changed(stage("a"), "service", name="dreamseed-class"), "stage-a")
    assert refused.value.where == "stage-a › service › name"
    with pytest.raises(PlanError, match="6 to 30"):
        check_names(changed(stage("a"), "api", name="api"), "stage-a")
