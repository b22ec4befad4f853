"""Makes Grafana's JSON of panels.yml: `python -m deploy.grafana.dashboard`.

No panel is drawn by a test (there is no Grafana here); tests/deploy/test_grafana.py holds every
expression against Prometheus and the metric catalogue, and the JSON against Grafana's own model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shape
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    GridPos,
    Threshold,
    ThresholdsMode,
)
from msgspec import Struct

HERE = Path(__file__).resolve().parent
PANELS = HERE / "panels.yml"
FILE = HERE / "dashboards" / "milepost.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
COLUMNS, WIDTH, HEIGHT = 3, 8, 8


class Query(Struct, frozen=True, forbid_unknown_fields=True):
    expr: str
    legend: str


class Panel(Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    limit: float | None = None
    stacked: bool = False


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    panels: tuple[Panel, ...]


def rows() -> list[Row]:
    return msgspec.yaml.decode(PANELS.read_text(), type=list[Row])


def build() -> str:
    """The JSON that Grafana reads."""
    made = (
        dashboard.Dashboard("Milepost")
        .uid("milepost")
        .tags(["milepost"])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .readonly()
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
    )
    for place in _laid_out():
        if isinstance(place, dashboard.Row):
            made.with_row(place)
        else:
            made.with_panel(place)
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def _laid_out() -> Iterator[dashboard.Row | timeseries.Panel]:
    """Rows and panels with ids of their own and a place each."""
    number, y = 0, 0
    for row in rows():
        number += 1
        yield dashboard.Row(row.title).id(number).grid_pos(GridPos(h=1, w=24, x=0, y=y))
        y += 1
        for index, panel in enumerate(row.panels):
            number += 1
            down, right = divmod(index, COLUMNS)
            at = GridPos(h=HEIGHT, w=WIDTH, x=right * WIDTH, y=y + down * HEIGHT)
            yield _drawn(panel).id(number).grid_pos(at)
        y += -(-len(row.panels) // COLUMNS) * HEIGHT


def _drawn(panel: Panel) -> timeseries.Panel:
    drawn = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .min(0)
        .datasource(SOURCE)
        .fill_opacity(30 if panel.stacked else 0)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(shape.LegendDisplayMode.LIST)
            .placement(shape.LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(shape.TooltipDisplayMode.MULTI))
    )
    if panel.stacked:
        drawn.stacking(common.StackingConfig().mode(shape.StackingMode.NORMAL))
    if panel.limit is not None:
        _draw_limit(drawn, panel.limit)
    for number, query in enumerate(panel.queries):
        drawn.with_target(_asked(query).ref_id(chr(ord("A") + number)))
    return drawn


def _asked(query: Query) -> prometheus.Dataquery:
    asked = prometheus.Dataquery().expr(query.expr).legend_format(query.legend)
    return asked.range().datasource(SOURCE)


def _draw_limit(drawn: timeseries.Panel, limit: float) -> None:
    steps = [Threshold(value=None, color="green"), Threshold(value=limit, color="red")]
    drawn.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    line = common.GraphThresholdsStyleConfig().mode(shape.GraphThresholdsStyleMode.LINE)
    drawn.thresholds_style(line)


if __name__ == "__main__":
    FILE.write_text(build())
