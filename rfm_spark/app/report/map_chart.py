"""A map: names as areas, for Vega, because Vega-Lite has no treemap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rfm_spark.app.report.chart_parts import FONT, Spec, told
from rfm_spark.app.report.formats import level, plain, shown
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Chart, Withheld


def map_spec(chart: Chart, money: MoneyFormat) -> Spec:
    """The areas are `chart.y`, their colours the strength of `chart.shade`."""
    shade = chart.shade or chart.y
    values = [plain(row[shade], chart.named(shade).kind, money) for row in chart.data.rows]
    most = max((value for value in values if value is not None), default=0)
    tiles: list[Spec] = [{"id": -1}]
    for number, (row, value) in enumerate(zip(chart.data.rows, values, strict=True)):
        strength = max(0, level(value, most))
        tiles.append(
            {
                "id": number,
                "parent": -1,
                "size": row[chart.y],
                "name": str(row[chart.x]),
                "value": _values(chart, row, money),
                "fill": f"var(--level-{strength})",
                "ink": f"var(--on-level-{strength})",
                "told": told(chart, row, money),
            }
        )
    return {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "description": chart.title,
        "height": 360,
        "autosize": "none",
        "signals": [_container_width()],
        "data": [
            {"name": "tree", "values": tiles, "transform": _TREEMAP},
            {
                "name": "tiles",
                "source": "tree",
                "transform": [{"type": "filter", "expr": "datum.id >= 0"}],
            },
        ],
        "marks": [_tile(), _tile_text("name", 0, "bold"), _tile_text("value", 17, "normal")],
    }


def _values(chart: Chart, row: Mapping[str, Any], money: MoneyFormat) -> str:
    """What decides area and colour, one after the other."""
    fields = [chart.named(name) for name in (chart.y, chart.shade) if name is not None]
    values = [
        shown(row[one.name], one.kind, money)
        + (f" {money.currency}" if one.kind == "money" else "")
        for one in fields
        if row[one.name] is not Withheld.FEW
    ]
    return " · ".join(values)


_TREEMAP: list[Spec] = [
    {"type": "stratify", "key": "id", "parentKey": "parent"},
    {
        "type": "treemap",
        "field": "size",
        "sort": {"field": "value", "order": "descending"},
        "round": True,
        "ratio": 1.3,
        "paddingInner": 3,
        "size": [{"signal": "width"}, {"signal": "height"}],
    },
]


def _container_width() -> Spec:
    width = "max(120, containerSize()[0])"
    return {
        "name": "width",
        "init": width,
        "on": [{"events": {"source": "window", "type": "resize"}, "update": width}],
    }


def _tile() -> Spec:
    box = {side: {"field": side} for side in ("x0", "x1", "y0", "y1")}
    return {
        "type": "rect",
        "from": {"data": "tiles"},
        "encode": {
            "update": {
                "x": box["x0"],
                "x2": box["x1"],
                "y": box["y0"],
                "y2": box["y1"],
                "fill": {"field": "fill"},
                "tooltip": {"field": "told"},
                "description": {"field": "told"},
            }
        },
    }


def _tile_text(field: str, down: int, weight: str) -> Spec:
    """Text inside of a tile, where the tile has room for it."""
    has_room = f"datum.x1 - datum.x0 > 44 && datum.y1 - datum.y0 > {24 + down}"
    return {
        "type": "text",
        "aria": False,
        "interactive": False,
        "from": {"data": "tiles"},
        "encode": {
            "update": {
                "x": {"field": "x0", "offset": 8},
                "y": {"field": "y0", "offset": 18 + down},
                "text": {"field": field},
                "limit": {"signal": "max(1, datum.x1 - datum.x0 - 14)"},
                "opacity": {"signal": f"{has_room} ? 1 : 0"},
                "fill": {"field": "ink"},
                "font": {"value": FONT},
                "fontSize": {"value": 13},
                "fontWeight": {"value": weight},
            }
        },
    }
