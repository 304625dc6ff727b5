from __future__ import annotations

import difflib

import pytest

from dreamseed.config import STAGE_NAMES
from tests.goldens import REMEDY, inventory, path_of


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_stage_declares_what_its_recorded_inventory_says(stage: str) -> None:
    recorded = path_of(stage).read_text(encoding="utf-8")
    now = inventory(stage)
    changes = "\n".join(
        difflib.unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=1)
    )
    assert now == recorded, f"{stage} declares something else:\n{changes}\n{REMEDY}"
