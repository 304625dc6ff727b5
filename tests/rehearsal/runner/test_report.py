from __future__ import annotations

import io
import json

from rich.console import Console

from rehearsal.runner import Action, Failure, Progress, Promotion, Rehearsal, StagePreview, Touched
from rehearsal.runner.display import watching
from rehearsal.runner.report import show

DATA = Touched("urn:pulumi:ladder::sample::docker:index/volume:Volume::pg-1-data", Action.REPLACE)
PREVIEW = StagePreview("stage-a", 12, {"postgres": 8, "vllm": 4}, 3, 1.25)
COUNTS = {Action.CREATE: 1, Action.UPDATE: 2, Action.REPLACE: 3, Action.DELETE: 4}
PROMOTION = Promotion("stage-a", "stage-b", COUNTS, (DATA,), (), 5, 2.5)


def printed(rehearsal: Rehearsal) -> str:
    text = io.StringIO()
    show(rehearsal, Console(file=text, width=80))
    return text.getvalue()


def outcome(*failures: Failure) -> Rehearsal:
    return Rehearsal((PREVIEW,), (PROMOTION,), 0, failures, 3.0)


def test_a_row_holds_what_its_preview_and_the_promotion_into_it_found() -> None:
    rows = [" ".join(line.split()) for line in printed(outcome()).splitlines()]
    assert "stage-a 12 postgres 8, vllm 4 (in 3 components) – – – – – 1.2 + 0.0" in rows
    assert "stage-b – preview failed 1 2 3 4 5 0.0 + 2.5" in rows


def test_stateful_resources_are_named_with_what_happened_to_them() -> None:
    assert "stateful, replace in stage-a → stage-b (1): pg-1-data\n" in printed(outcome())


def test_equal_failures_are_told_once_with_all_their_places() -> None:
    failures = [Failure(f"stage-{letter}", "preview", "no image\n  why: x", f"see {letter}") for letter in "ab"]
    text = printed(outcome(*failures))
    assert "✗ preview stage-a, preview stage-b\n    no image\n      why: x\n  what to do: see a\n" in text
    assert text.count("no image") == 1


def test_the_last_line_is_the_verdict_either_way() -> None:
    assert printed(outcome()).splitlines()[-1].startswith("PASS: 1 previews, 1 promotions")
    failed = outcome(Failure("stage-a", "preview", "x", "y"))
    assert printed(failed).splitlines()[-1] == "FAIL: 1 of the steps failed, as said above (3 s)"


def test_the_json_has_the_published_shape() -> None:
    found = json.loads(json.dumps(outcome(Failure("stage-a", "preview", "x", "y")).as_json()))
    assert found["stages"]["stage-a"]["resources"] == 12
    assert found["stages"]["stage-a"]["seconds"] == 1.25
    assert found["promotions"] == [
        {
            "from": "stage-a",
            "to": "stage-b",
            "created": 1,
            "updated": 2,
            "replaced": 3,
            "deleted": 4,
            "stateful_touched": [{"urn": DATA.urn, "action": "replace"}],
            "second_preview_changes": 5,
            "seconds": 2.5,
        }
    ]
    assert (found["verdict"], len(found["failures"])) == ("fail", 1)


def test_off_a_terminal_each_finished_step_is_one_plain_line() -> None:
    text = io.StringIO()
    with watching(Console(file=text, width=80), "ladder") as (watch,):
        for done, reached in ((0, 3), (0, 9), (1, 9), (1, 12)):
            watch(Progress("first up of stage-a", done, 2, reached))
    assert text.getvalue() == "ladder 1/2: first up of stage-a, 9 resources\n"


def test_on_a_terminal_progress_is_a_bar_with_the_step_and_its_resources() -> None:
    text = io.StringIO()
    console = Console(file=text, width=120, force_terminal=True, color_system=None)
    with watching(console, "ladder") as (watch,):
        watch(Progress("first up of stage-a", 1, 2, 9))
    assert "1/2" in text.getvalue()
    assert "first up of stage-a · 9 resources" in text.getvalue()
