"""All dashboards of a stage: what it cannot measure it does not show."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from dreamseed.config import StageConfig
from dreamseed.monitoring.contract import PUSHED, Job
from dreamseed.monitoring.dashboards.board import Board, as_promql
from dreamseed.monitoring.dashboards.components import (
    access_board,
    cache_board,
    database_board,
    events_board,
    hosts_board,
    llm_board,
    objectives_board,
)
from dreamseed.monitoring.dashboards.scaling import elastic_scaling
from dreamseed.monitoring.metrics import jobs_of
from dreamseed.monitoring.model import Group
from dreamseed.monitoring.rules import recorded_jobs

ALL = (
    elastic_scaling,
    objectives_board,
    llm_board,
    database_board,
    cache_board,
    events_board,
    access_board,
    hosts_board,
)


def boards(config: StageConfig, jobs: Set[Job], groups: Sequence[Group]) -> tuple[Board, ...]:
    """Return the dashboards of a stage that scrapes `jobs`; `groups` are its rules, whose series they may show.

    A panel stands exactly where every job behind it is there, a dashboard where it has a panel. Raises `PlanError`
    when a panel asks for what the metric contract does not know.
    """
    present, recorded = jobs | PUSHED, recorded_jobs(groups)
    drawn = []
    for made in ALL:
        board = made(config)
        kept = tuple(
            panel
            for panel in board.panels
            if frozenset[Job]().union(
                *(
                    jobs_of(as_promql(query), f"monitoring › {board.name} › {panel.title}", recorded)
                    for query in panel.queries
                )
            )
            <= present
        )
        drawn.append(replace(board, panels=kept))
    return tuple(board for board in drawn if board.panels)
