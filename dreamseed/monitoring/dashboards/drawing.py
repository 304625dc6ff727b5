"""Dashboards as Grafana reads them, by its own SDK for Python.

The SDK's newest schema is that of Grafana 11.6, which Grafana 13 reads; requirements.in pins it by its epoch.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import common, dashboard, gauge, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from dreamseed.monitoring.dashboards.board import Board, Kind, Panel

DATA_SOURCE = "datasource"
WIDTH, HEIGHT = 12, 8
_PanelBuilder = TypeVar("_PanelBuilder", timeseries.Panel, gauge.Panel, stat.Panel, table.Panel)


def drawn(board: Board, time_zone: str) -> dict[str, Any]:
    """Return the dashboard's JSON model."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(f"dreamseed-{board.name}")
        .description(board.description)
        .tags(["dreamseed"])
        .readonly()
        .refresh("30s")
        .time("now-24h", "now")
        .timezone(time_zone)
        .with_variable(dashboard.DatasourceVariable(DATA_SOURCE).label("Data source").type("prometheus"))
    )
    for number, panel in enumerate(board.panels):
        place = model.GridPos(h=HEIGHT, w=WIDTH, x=WIDTH * (number % 2), y=HEIGHT * (number // 2))
        builder.with_panel(_panel(panel).id(number + 1).grid_pos(place))
    content: dict[str, Any] = json.loads(JSONEncoder().encode(builder.build()))
    return content


def _panel(panel: Panel) -> timeseries.Panel | gauge.Panel | stat.Panel | table.Panel:
    match panel.kind:
        case Kind.LINES:
            return _lines(_common(timeseries.Panel(), panel), panel)
        case Kind.GAUGE:
            return _common(gauge.Panel(), panel)
        case Kind.STAT:
            return _common(stat.Panel(), panel)
        case Kind.HISTORY:
            return _history(_common(table.Panel(), panel))


def _common(builder: _PanelBuilder, panel: Panel) -> _PanelBuilder:
    source = model.DataSourceRef(type_val="prometheus", uid=f"${{{DATA_SOURCE}}}")
    builder.title(panel.title).description(panel.description).unit(panel.unit).datasource(source)
    if panel.minimum is not None:
        builder.min(panel.minimum)
    if panel.maximum is not None:
        builder.max(panel.maximum)
    for number, (expression, legend) in enumerate(panel.queries.items()):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        if panel.kind is Kind.HISTORY:
            query.instant().format(prometheus_model.PromQueryFormat.TABLE)
        builder.with_target(query.datasource(source))
    if panel.marks:
        steps = [model.Threshold(color="green", value=None)]
        steps += [model.Threshold(color=colour, value=value) for value, colour in panel.marks]
        builder.thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
    return builder


def _lines(builder: timeseries.Panel, panel: Panel) -> timeseries.Panel:
    if panel.lines:
        style = common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.LINE)
        builder.thresholds_style(style)
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL)).fill_opacity(30)
        legend = common.VizLegendOptions().display_mode(common_model.LegendDisplayMode.TABLE)
        builder.legend(legend.placement(common_model.LegendPlacement.RIGHT).calcs(["lastNotNull"]))
    return builder


def _history(builder: table.Panel) -> table.Panel:
    moment = model.DynamicConfigValue(id_val="unit", value="dateTimeAsIso")
    columns = {"excludeByName": {"Time": True}, "renameByName": {"Value": "since"}, "indexByName": {}}
    return (
        builder.override_by_name("Value", [moment])
        .with_transformation(model.DataTransformerConfig(id_val="organize", options=columns))
        .sort_by([common.TableSortByFieldState().display_name("since").desc(True)])
    )
