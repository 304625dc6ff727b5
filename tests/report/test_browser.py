from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.planning.stages import STAGE_NAMES
from tests.report.browser import DESKTOP, PHONE, Visit, visit
from tests.report.chromium import chromium
from tests.report.shipped import shipped_page

LEAST_CONTRAST = 4.5
"""Of text and what is behind it. Source: WCAG 2.2, success criterion 1.4.3."""
SMALLEST_TEXT = 11
"""In CSS pixels. A choice."""
PLACES = [(DESKTOP, "light"), (DESKTOP, "dark"), (PHONE, "light"), (PHONE, "dark")]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium() is None,
        reason="no chromium on PATH: `make browser` installs it as root on Debian; elsewhere install it by hand",
    ),
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(shipped_page(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def visits(file: Path) -> Mapping[tuple[int, str], Visit]:
    return {(width, scheme): visit(file, width=width, scheme=scheme) for width, scheme in PLACES}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_leaves_the_page_and_nothing_is_complained_of(
    place: tuple[int, str], visits: Mapping[tuple[int, str], Visit]
) -> None:
    assert visits[place].requests == []
    assert visits[place].said == []


@pytest.mark.parametrize("place", PLACES)
def test_it_never_scrolls_sideways(place: tuple[int, str], visits: Mapping[tuple[int, str], Visit]) -> None:
    assert visits[place].wide == visits[place].width


@pytest.mark.parametrize("place", PLACES)
def test_every_stage_its_drawing_and_the_curves_are_shown(
    place: tuple[int, str], visits: Mapping[tuple[int, str], Visit]
) -> None:
    assert visits[place].stages == list(STAGE_NAMES)
    assert visits[place].drawings == len(STAGE_NAMES)
    assert visits[place].pictures == 1


@pytest.mark.parametrize("place", PLACES)
def test_every_text_can_be_read(place: tuple[int, str], visits: Mapping[tuple[int, str], Visit]) -> None:
    seen = visits[place]
    assert seen.contrast >= LEAST_CONTRAST, seen.faintest
    assert seen.smallest >= SMALLEST_TEXT


def test_a_dark_page_is_dark(visits: Mapping[tuple[int, str], Visit]) -> None:
    assert visits[DESKTOP, "light"].background == "rgb(255, 255, 255)"
    assert visits[DESKTOP, "dark"].background == "rgb(13, 17, 23)"


def test_on_paper_what_is_folded_on_the_screen_is_printed(file: Path, visits: Mapping[tuple[int, str], Visit]) -> None:
    assert visits[DESKTOP, "light"].cells_in_details == 0
    assert visit(file, width=794, media="print").cells_in_details > 100


@pytest.mark.parametrize(
    ("broken", "shows"),
    [
        ('<div style="width:2000px">wide</div>', lambda seen: seen.wide > seen.width),
        ('<script>throw new Error("no")</script>', lambda seen: seen.said),
        ('<img alt="x" src="https://example.invalid/x.png">', lambda seen: seen.said),
        ('<p style="color:#999">faint</p>', lambda seen: seen.contrast < LEAST_CONTRAST),
        ('<p style="font-size:8px">small</p>', lambda seen: seen.smallest < SMALLEST_TEXT),
        ("<style>#stage-c{display:none}</style>", lambda seen: "stage-c" not in seen.stages),
    ],
)
def test_a_page_that_is_broken_is_found_out(broken: str, shows: object, tmp_path: Path) -> None:
    path = tmp_path / "broken.html"
    path.write_text(shipped_page().replace("</main>", f"{broken}</main>"), encoding="utf-8")
    assert callable(shows)
    assert shows(visit(path))


def test_a_picture_from_outside_would_be_asked_for_were_it_not_forbidden(tmp_path: Path) -> None:
    path = tmp_path / "asking.html"
    asking = '<img alt="x" src="https://example.invalid/x.png">'
    policy = shipped_page().replace("default-src 'none'", "default-src *").replace("img-src data:", "img-src *")
    path.write_text(policy.replace("</main>", f"{asking}</main>"), encoding="utf-8")
    assert visit(path).requests == ["https://example.invalid/x.png"]
