"""The drawings that the page holds: topologies as part of its own text, growth curves as pictures within it."""

from __future__ import annotations

import base64

from dreamseed.growth.forecast import Forecast
from dreamseed.growth.report import forecast_svg
from dreamseed.growth.report.picture import BAND, COST, MIDDLE, MONEY, THRESHOLD
from dreamseed.picture.drawing import DARK, LIGHT, stylesheet
from dreamseed.picture.stage import stage_picture
from dreamseed.planning.stage_plan import StagePlan

TOPOLOGY_CLASS = "topology"
"""The class of what holds topologies: their styles apply nowhere else."""
COLOURS = {
    "#000000": (LIGHT["ink"].removeprefix("fill:"), DARK["ink"].removeprefix("fill:")),
    "#ffffff": (LIGHT["page"].removeprefix("fill:"), DARK["page"].removeprefix("fill:")),
    "#b0b0b0": ("#d0d7de", "#3d444d"),
    BAND: (BAND, "#1f4f82"),
    MIDDLE: (MIDDLE, "#79c0ff"),
    THRESHOLD: ("#59636e", "#9da7b1"),
    MONEY: ("#1a7f37", "#3fb950"),
    COST: (COST, "#f85149"),
}
"""What each colour of the curves becomes on a light and on a dark page; the third is matplotlib's grid."""


def topology(plan: StagePlan) -> str:
    """Return the SVG of a stage for a page that has `topology_style`."""
    return stage_picture(plan, inline=True)


def topology_style() -> str:
    """Return the styles of every topology."""
    return stylesheet(f".{TOPOLOGY_CLASS} ")


def curves(shown: Forecast, *, narrow: bool) -> str:
    """Return the address of the growth curves: a data URI, which loads nothing, in the colours of the reader's page."""
    svg = forecast_svg(shown, narrow=narrow)
    names = {colour: f"--colour-{number}" for number, colour in enumerate(COLOURS)}
    for colour, name in names.items():
        svg = svg.replace(colour, f"var({name})")
    light, dark = ("".join(f"{name}:{COLOURS[colour][side]};" for colour, name in names.items()) for side in (0, 1))
    ink = names["#000000"]
    style = f"svg{{{light}fill:var({ink})}}@media (prefers-color-scheme: dark){{svg{{{dark}}}}}"
    before, end, after = svg.partition("</style>")
    themed = f"{before}{style}{end}{after}"
    return "data:image/svg+xml;base64," + base64.b64encode(themed.encode()).decode()
