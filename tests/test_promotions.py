from __future__ import annotations

import difflib

import pytest

from dreamseed.config import STAGE_NAMES
from rehearsal.runner.resources import Action
from tests.goldens import REMEDY
from tests.promotions import climb, path_of, text_of

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("ladder")]


def test_the_whole_rehearsal_passes() -> None:
    outcome = climb()
    assert [failure.message for failure in outcome.failures] == []
    assert [stage.stage for stage in outcome.stages] == list(STAGE_NAMES)
    assert [promotion.to_stage for promotion in outcome.promotions] == list(STAGE_NAMES)
    assert outcome.destroyed == outcome.stages[-1].resources


def test_every_second_preview_finds_nothing_to_do() -> None:
    assert [promotion.second_preview_changes for promotion in climb().promotions] == [0] * len(STAGE_NAMES)


def test_no_promotion_replaces_or_deletes_anything_stateful_or_deletes_anything_at_all() -> None:
    for promotion in climb().promotions:
        assert {touched.action for touched in promotion.stateful_touched} <= {Action.CREATE, Action.UPDATE}
        assert promotion.counts[Action.DELETE] == 0


@pytest.mark.parametrize("rank", range(len(STAGE_NAMES)), ids=STAGE_NAMES)
def test_a_promotion_does_what_its_record_says(rank: int) -> None:
    promotion = climb().promotions[rank]
    recorded = path_of(promotion).read_text(encoding="utf-8")
    now = text_of(promotion)
    changes = "\n".join(
        difflib.unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=1)
    )
    assert now == recorded, f"the promotion to {promotion.to_stage} does something else:\n{changes}\n{REMEDY}"
