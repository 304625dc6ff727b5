"""The picture of one stage: users and clouds above, the owners' servers with their containers below."""

from __future__ import annotations

from collections.abc import Sequence

from dreamseed.picture import facts
from dreamseed.picture.drawing import Drawing, text_width, wrap
from dreamseed.picture.facts import Block, Chip, Group
from dreamseed.planning.hosts import Host, servers
from dreamseed.planning.stage_plan import StagePlan

WIDTH, MARGIN, PAD = 1_000, 20, 12
CLOUD_TOP, LINK_HEIGHT = 66, 58
TITLE_SIZE, TEXT_SIZE, LINE_HEIGHT = 14, 12, 17
CHIP_HEIGHT, CHIP_GAP, CHIP_PAD, GPU_SIZE = 24, 6, 8, 16
LABEL_WIDTH = 92
SERVERS_PER_ROW = 2
FOOTNOTE = (
    "Roles as first given: Patroni and Redis move them when a node fails. votes: a broker that is also in the quorum. "
    "Jobs that end are not drawn."
)


def stage_picture(plan: StagePlan, *, inline: bool = False) -> str:
    """Return the SVG of `plan`, `inline` as in `Drawing.svg`."""
    drawing = Drawing(WIDTH)
    service = plan.config.service
    title = f"Stage {service.stage}"
    drawing.text(MARGIN, 40, title, 24, bold=True)
    capacity, budget = service.capacity, plan.config.budget.usd_per_month
    subtitle = (
        f"{capacity.requests_per_second_low:,}–{capacity.requests_per_second_high:,} API requests/s at peak · "
        f"{plan.layout.gpu_count} GPUs · budget {budget:,.0f} USD a month"
    ).replace("1 GPUs", "1 GPU")
    drawing.text(MARGIN + text_width(title, 24, bold=True) + 16, 40, subtitle, 14, "muted")
    bottom = _clouds(drawing, plan)
    bottom = _servers(drawing, plan, bottom + LINK_HEIGHT)
    drawing.text(MARGIN, bottom + 22, FOOTNOTE, TEXT_SIZE, "muted")
    return drawing.svg(bottom + 38, f"Topology of stage {service.stage}", inline=inline)


def _clouds(drawing: Drawing, plan: StagePlan) -> int:
    """Draw the upper row and the links down to the servers; return the row's lower edge."""
    grafana = facts.grafana_cloud(plan)
    columns = {"users": (20, 142), "cloudflare": (190, 170), "google": (390, 300)}
    columns["b2"] = (702, 146 if grafana else 278)
    heights = [_block(drawing, *columns["users"], CLOUD_TOP, facts.users(plan))]
    heights.append(_block(drawing, *columns["cloudflare"], CLOUD_TOP, facts.cloudflare(plan)))
    heights.append(_google(drawing, *columns["google"], plan))
    heights.append(_block(drawing, *columns["b2"], CLOUD_TOP, facts.backblaze(plan)))
    if grafana:
        columns["grafana"] = (860, 120)
        heights.append(_block(drawing, *columns["grafana"], CLOUD_TOP, grafana))
    middle = CLOUD_TOP + 36
    drawing.link((162, middle), (190, middle))
    drawing.link((360, middle), (390, middle), both=True)
    bottom = CLOUD_TOP + max(heights)
    names = ("users", "cloudflare", "google", "b2", "grafana")
    ends = dict(zip(names, (CLOUD_TOP + height for height in heights), strict=False))
    labels = {"cloudflare": "tunnel, opened by the servers", "b2": facts.off_site(plan), "grafana": "metrics"}
    if plan.config.network.vpn is not None:
        labels["google"] = "VPN, both ways"
    for name, label in labels.items():
        if name in ends:
            x = columns[name][0] + (150 if name == "google" else 40)
            drawing.link((x, bottom + LINK_HEIGHT), (x, ends[name]), both=name == "google")
            drawing.text(x + 9, bottom + LINK_HEIGHT // 2 + 4, label, TEXT_SIZE, "muted")
    return bottom


def _google(drawing: Drawing, x: int, width: int, plan: StagePlan) -> int:
    """Draw the Google Cloud zone with its boxes and the witness; return its height."""
    blocks = (facts.cloud_run(plan), *facts.google_cloud(plan))
    inner = width - 2 * PAD
    spot = len(drawing.parts)
    y = CLOUD_TOP + 30
    for block in blocks:
        y += _block(drawing, x + PAD, inner, y, block) + 8
    for host in plan.hosts:
        if host.in_cloud:
            y += _host(drawing, plan, host, x + PAD, y, inner) + 8
    height = y + PAD - 8 - CLOUD_TOP
    frame = Drawing(WIDTH)
    frame.box(x, CLOUD_TOP, width, height, "zone", 10)
    frame.text(x + PAD, CLOUD_TOP + 21, "Google Cloud", TITLE_SIZE, bold=True)
    drawing.parts[spot:spot] = frame.parts
    return height


def _block(drawing: Drawing, x: int, width: int, y: int, block: Block) -> int:
    """Draw a box with a title and its lines, wrapped; return its height."""
    inner = width - 2 * 10
    lines = [line for text in block.lines for line in wrap(text, inner, TEXT_SIZE)]
    titles = wrap(block.title, inner, TITLE_SIZE + 1)
    height = 12 + LINE_HEIGHT * (len(lines) + len(titles)) + 6
    drawing.box(x, y, width, height, "box")
    for number, title in enumerate(titles):
        drawing.text(x + 10, y + 20 + number * LINE_HEIGHT, title, TITLE_SIZE, bold=True)
    for number, line in enumerate(lines, start=len(titles)):
        drawing.text(x + 10, y + 20 + number * LINE_HEIGHT, line, TEXT_SIZE, "muted")
    return height


def _servers(drawing: Drawing, plan: StagePlan, top: int) -> int:
    """Draw the servers in rows; return the lower edge of their zone."""
    owned = servers(plan.hosts)
    columns = min(SERVERS_PER_ROW, len(owned))
    width = (WIDTH - 2 * MARGIN - PAD * (columns + 1)) // columns
    spot, y = len(drawing.parts), top + 34
    for first in range(0, len(owned), columns):
        row = owned[first : first + columns]
        heights = [_host_height(plan, host, width) for host in row]
        for number, host in enumerate(row):
            _host(drawing, plan, host, MARGIN + PAD + number * (width + PAD), y, width, max(heights))
        y += max(heights) + PAD
    frame = Drawing(WIDTH)
    frame.box(MARGIN, top, WIDTH - 2 * MARGIN, y - top, "zone", 10)
    noun = "Own servers" if len(owned) > 1 else "Own server"
    frame.text(MARGIN + PAD, top + 22, noun, TITLE_SIZE, bold=True)
    note = f"private network {plan.config.network.servers_range}, no port open to the internet"
    frame.text(MARGIN + PAD + text_width(noun, TITLE_SIZE, bold=True) + 12, top + 22, note, TEXT_SIZE, "muted")
    drawing.parts[spot:spot] = frame.parts
    return y


def _host_height(plan: StagePlan, host: Host, width: int) -> int:
    return _host(Drawing(WIDTH), plan, host, 0, 0, width)


def _host(drawing: Drawing, plan: StagePlan, host: Host, x: int, y: int, width: int, least: int = 0) -> int:
    """Draw one host and its chips; return its height, at least `least`."""
    spot, below = len(drawing.parts), y + 34
    for group in facts.groups(plan, host):
        below = _group(drawing, group, x + PAD, below, width - 2 * PAD) + 8
    height = max(below - y + 2, least)
    frame = Drawing(WIDTH)
    frame.box(x, y, width, height, "box")
    title = "witness VM" if host.in_cloud else host.name
    frame.text(x + PAD, y + 21, title, TITLE_SIZE, bold=True)
    frame.text(
        x + PAD + text_width(title, TITLE_SIZE, bold=True) + 10, y + 21, _machine(plan, host), TEXT_SIZE, "muted"
    )
    drawing.parts[spot:spot] = frame.parts
    return height


def _machine(plan: StagePlan, host: Host) -> str:
    """Return the machine in a few words."""
    if host.in_cloud:
        witness = plan.config.network.witness
        return witness.machine_type if witness else ""
    server = plan.config.servers[host.name]
    return f"{server.cpu_cores} cores, {server.memory_gib} GiB, {server.gpus.count} × {server.gpus.model}"


def _group(drawing: Drawing, group: Group, x: int, y: int, width: int) -> int:
    """Draw a component's label and its chips, row by row; return the lower edge."""
    drawing.text(x, y + 16, group.label, TEXT_SIZE, bold=True)
    for row in _rows(group.chips, width - LABEL_WIDTH):
        at = x + LABEL_WIDTH
        for chip in row:
            _chip(drawing, chip, group.style, at, y)
            at += _chip_width(chip) + CHIP_GAP
        y += CHIP_HEIGHT + CHIP_GAP
    return y - CHIP_GAP


def _rows(chips: Sequence[Chip], width: int) -> list[list[Chip]]:
    """Return the chips in rows of at most `width` pixels."""
    rows: list[list[Chip]] = [[]]
    for chip in chips:
        used = sum(_chip_width(other) + CHIP_GAP for other in rows[-1])
        if rows[-1] and used + _chip_width(chip) > width:
            rows.append([])
        rows[-1].append(chip)
    return rows


def _chip_width(chip: Chip) -> int:
    return 2 * CHIP_PAD + text_width(chip.text, TEXT_SIZE) + len(chip.gpus) * (GPU_SIZE + 3) + (4 if chip.gpus else 0)


def _chip(drawing: Drawing, chip: Chip, style: str, x: int, y: int) -> None:
    """Draw a chip; the GPUs that it holds are squares with their device numbers."""
    drawing.box(x, y, _chip_width(chip), CHIP_HEIGHT, style, 5)
    drawing.text(x + CHIP_PAD, y + 16, chip.text, TEXT_SIZE)
    at = x + CHIP_PAD + text_width(chip.text, TEXT_SIZE) + 6
    for number in chip.gpus:
        drawing.box(at, y + 4, GPU_SIZE, GPU_SIZE, "gpu", 3)
        drawing.text(at + GPU_SIZE // 2, y + 16, str(number), 11, "on-gpu", bold=True, middle=True)
        at += GPU_SIZE + 3
