from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from dreamseed.interval import Interval
from dreamseed.planning.survivability import Claim, DataLoss, Loss, survivability
from dreamseed.report.bars import cost_chart
from dreamseed.report.drawings import COLOURS, curves
from dreamseed.report.losses import LOST, Answer, outcomes
from dreamseed.report.origin import origin_of
from tests.planning.stages import shipped
from tests.report.shipped import shipped_report


def test_bars_are_on_one_scale_on_which_every_budget_is_the_same_line() -> None:
    chart = cost_chart([(Interval(30, 90, 290), 100), (Interval(142, 245, 555), 180)])
    assert [mark for mark, _ in chart.marks] == [0, 1, 2, 3, 4]
    assert {bar.budget for bar in chart.bars} == {25}
    below, above = chart.bars
    assert [below.within, below.over] == pytest.approx([22.5, 0])
    assert [above.within, above.over] == pytest.approx([25, 245 / 180 * 25 - 25])
    assert below.low == pytest.approx(7.5)
    assert above.high <= 100


def test_a_chart_of_what_stays_below_every_budget_ends_at_the_budget() -> None:
    chart = cost_chart([(Interval(1, 2, 3), 100)])
    assert chart.marks == ((0, 0), (1, 100))


def test_a_server_is_survived_at_e_alone_and_each_stage_says_what_it_loses() -> None:
    answers = {
        stage: {found.loss: found for found in outcomes(survivability(shipped(f"stage-{stage}")))} for stage in "abcde"
    }
    assert {stage: answers[stage][Loss.SERVER].answer for stage in "abcde"} == {
        **dict.fromkeys("abcd", Answer.NO),
        "e": Answer.YES,
    }
    assert answers["a"][Loss.SERVER].data_lost is DataLoss.SINCE_LAST_COPY
    assert answers["a"][Loss.LINK].answer is Answer.ABSENT
    assert answers["e"][Loss.LINK].answer is Answer.YES
    assert answers["d"][Loss.CONTAINER].answer is Answer.PART
    assert "redis" in answers["d"][Loss.CONTAINER].text
    assert "postgres" not in answers["d"][Loss.CONTAINER].text


def test_data_lost_is_the_worst_of_any_loss_of_the_kind() -> None:
    claims = [
        Claim(component="x", loss=Loss.DISK, target=target, survives=True, data_lost=lost, consequence="")
        for target, lost in (("one", DataLoss.CACHE), ("two", DataLoss.UP_TO_RPO), ("three", DataLoss.NONE))
    ]
    found = next(each for each in outcomes(claims) if each.loss is Loss.DISK)
    assert (found.answer, found.data_lost) == (Answer.YES, DataLoss.UP_TO_RPO)
    assert set(LOST) == set(DataLoss)


def test_curves_hold_no_colour_that_a_dark_page_could_not_change() -> None:
    for narrow in (False, True):
        svg = base64.b64decode(curves(shipped_report().growth, narrow=narrow).partition(",")[2]).decode()
        drawn = svg.partition("</style>")[2]
        assert "var(--colour-0)" in drawn
        assert not [colour for colour in COLOURS if colour in drawn]
        assert "#" not in drawn.replace("url(#", "").replace('xlink:href="#', "")


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    command = ["git", *identity, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_the_origin_is_the_revision_and_whether_files_of_it_were_changed(tmp_path: Path) -> None:
    assert origin_of(tmp_path, "command").commit is None
    git(tmp_path, "init", "--quiet")
    assert origin_of(tmp_path, "command").commit is None
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    clean = origin_of(tmp_path, "command")
    assert clean.commit is not None
    assert len(clean.commit) == 40
    assert not clean.changed
    (tmp_path / "file").write_text("two")
    assert origin_of(tmp_path, "command").changed
    assert origin_of(tmp_path, "command").commit == clean.commit
