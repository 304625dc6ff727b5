from __future__ import annotations

import pytest

from dreamseed.catalog.burst_machines import BURST_MACHINES, burst_machine
from dreamseed.errors import PlanError


def test_a_machine_asks_for_cards_only_where_its_type_brings_none() -> None:
    for machine in BURST_MACHINES.values():
        assert (machine.attached is not None) == machine.name.startswith("n1-")


def test_an_unknown_machine_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(PlanError) as refused:
        burst_machine("g2-standard-6", where="stage-c › vllm › burst › machine_type")
    assert refused.value.where == "stage-c › vllm › burst › machine_type"
    assert "g2-standard-8" in refused.value.remedy
