from __future__ import annotations

import re
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dreamseed.commands.picture import picture
from dreamseed.config import STAGE_NAMES
from dreamseed.config.load import stage_file
from dreamseed.picture import ladder_picture, stage_picture
from dreamseed.picture.drawing import DARK, LIGHT, text_width, wrap
from dreamseed.picture.facts import groups
from dreamseed.picture.files import pictures
from dreamseed.planning.planner import plan_stage, plan_stage_file
from dreamseed.planning.stage_plan import StagePlan
from tests.config.corpus_files import CORPUS, parse, read
from tests.picture.shapes import CHIPS, Box, boxes, texts

PROJECT = Path(__file__).parents[2]
REMEDY = "the plan changed: draw the pictures anew and look at them: .venv/bin/dreamseed picture"


@cache
def plan_of(name: str) -> StagePlan:
    return plan_stage_file(stage_file(PROJECT, name))


@cache
def svg_of(name: str) -> str:
    return ladder_picture([*map(plan_of, STAGE_NAMES)]) if name == "ladder" else stage_picture(plan_of(name))


def test_the_committed_pictures_show_what_the_plans_say() -> None:
    for path, text in pictures(PROJECT).items():
        assert (PROJECT / path).is_file(), f"{path} is absent. {REMEDY}"
        assert (PROJECT / path).read_text(encoding="utf-8") == text, f"{path} is stale. {REMEDY}"


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_a_stage_is_drawn_the_same_each_time(name: str) -> None:
    assert stage_picture(plan_of(name)) == svg_of(name)


def _crowded(svg: str) -> list[tuple[str, str]]:
    """Return the pairs of texts, and of chips, that overlap."""
    lines = texts(svg)
    chips = [box for box in boxes(svg) if box.style in CHIPS]
    return [
        (one.text or one.style, other.text or other.style)
        for kind in (lines, chips)
        for one, other in combinations(kind, 2)
        if one.overlaps(other)
    ]


def _spilled(svg: str) -> list[str]:
    """Return the texts that begin inside a rectangle and end outside it, and what leaves the page."""
    page, *rectangles = boxes(svg)
    outside = [line.text for line in texts(svg) if not page.holds(line)]
    return outside + [
        line.text
        for line in texts(svg)
        for box in rectangles
        if box.holds(Box("point", line.x, line.y, 1, 1)) and not box.holds(line)
    ]


@pytest.mark.parametrize("name", [*STAGE_NAMES, "ladder"])
def test_nothing_overlaps_and_every_text_fits_into_its_box(name: str) -> None:
    assert (_crowded(svg_of(name)), _spilled(svg_of(name))) == ([], [])


def test_a_text_that_is_too_long_for_its_box_is_noticed() -> None:
    svg = svg_of("stage-e")
    longer = svg.replace("pg-1-1 primary", "pg-1-1 primary of the first shard")
    assert any("first shard" in text for text in _spilled(longer))


def test_two_chips_at_one_place_are_noticed() -> None:
    svg = svg_of("stage-c")
    chip = next(box for box in boxes(svg) if box.style == "cache")
    twice = svg.replace("</svg>", f'<rect class="cache" x="{chip.x + 4}" y="{chip.y}" width="9" height="9"/></svg>')
    assert ("cache", "cache") in _crowded(twice)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_every_container_that_stays_is_on_the_picture_of_its_host(name: str) -> None:
    plan = plan_of(name)
    for host in plan.hosts:
        shown = sum(
            int(found.group(1)) if (found := re.search(r" × (\d+)$", chip.text)) else 1
            for group in groups(plan, host)
            for chip in group.chips
        )
        assert shown == sum(c.host == host.name and not c.job for c in plan.containers)


@pytest.mark.parametrize("name", STAGE_NAMES)
def test_each_gpu_is_drawn_once_in_the_engine_that_holds_it(name: str) -> None:
    plan, svg = plan_of(name), svg_of(name)
    assert sum(box.style == "gpu" for box in boxes(svg)) == plan.layout.gpu_count
    engines = [text.text for text in texts(svg) if text.text.startswith("engine tp")]
    assert engines == [f"engine tp{replica.tensor_parallel}" for replica in plan.layout.replicas]


@pytest.mark.parametrize("case", sorted(CORPUS.glob("happy.*.yaml")), ids=lambda path: path.stem)
def test_any_sound_stage_file_can_be_drawn_without_crowding(case: Path) -> None:
    told = read(case)
    svg = stage_picture(plan_stage(parse(told), told.base))
    assert (_crowded(svg), _spilled(svg)) == ([], [])


def test_both_colour_schemes_style_the_same_classes_and_no_font_is_fetched() -> None:
    svg = svg_of("stage-a")
    assert LIGHT.keys() == DARK.keys()
    assert set(re.findall(r'class="([^"]+)"', svg)) <= LIGHT.keys()
    assert "prefers-color-scheme: dark" in svg
    assert not re.search(r"@import|@font-face|https?://(?!www\.w3\.org/2000/svg)", svg)


def test_lines_break_at_spaces_and_stay_within_the_width() -> None:
    lines = wrap("models, content and backups in two regions", 100, 12)
    assert " ".join(lines) == "models, content and backups in two regions"
    assert all(text_width(line, 12) <= 100 for line in lines)


def test_a_stale_picture_fails_the_check_with_the_command_that_draws_it(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", *(f"Pulumi.{stage}.yaml" for stage in STAGE_NAMES)):
        (tmp_path / name).write_bytes((PROJECT / name).read_bytes())
    app = typer.Typer()
    app.command()(picture)
    run = CliRunner().invoke
    assert run(app, ["--check", "--project", str(tmp_path)]).exit_code == 1
    assert run(app, ["--project", str(tmp_path)]).exit_code == 0
    assert "all 6 pictures are fresh" in run(app, ["--check", "--project", str(tmp_path)]).output
    drawn = tmp_path / "docs/pictures/stage-b.svg"
    drawn.write_text(drawn.read_text().replace("1–8", "1–9"))
    stale = run(app, ["--check", "--project", str(tmp_path)])
    assert stale.exit_code == 1
    assert "dreamseed picture" in stale.output
