"""Charts: what a page tells as data, written for Vega-Lite, or Vega, to draw in the browser.

Colours are names of the style sheet's, so a chart follows the reader's theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import vl_convert

from rfm_spark.app.report.formats import level, plain, shown, title
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Chart, Field, Kind, Withheld

Spec = dict[str, Any]

_INK, _QUIET, _RULE = "var(--ink)", "var(--quiet)", "var(--rule)"
_SERIES = [f"var(--series-{number})" for number in range(1, 7)]
_AXIS_FORMAT: Mapping[Kind, str] = {"share": "~%", "count": "~s", "money": "~s"}
_FONT = "system-ui, sans-serif"
_CONFIG: Spec = {
    "background": None,
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "domainColor": _QUIET,
        "tickColor": _QUIET,
        "gridColor": _RULE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 12, "titleFontSize": 12},
    "text": {"color": _INK},
}


def vega_spec(chart: Chart, money: MoneyFormat) -> Spec:
    """The chart as Vega-Embed takes it."""
    if chart.shape == "map":
        return _map(chart, money)
    spec = _lines(chart, money) if chart.shape == "lines" else _bars(chart, money)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "description": chart.title,
        "config": _CONFIG,
        **spec,
    }


def vega_code() -> str:
    """Vega, Vega-Lite and Vega-Embed, as one script that gives the page `vegaEmbed`."""
    # Not `vega` alone: in the bundles of vl-convert 1.9.0 that name is null.
    code: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # A function of its own: what the bundle declares at its top would be everybody's.
    return f"(() => {{\n{code}\n}})();"


def _rows(chart: Chart, money: MoneyFormat) -> list[Spec]:
    """The numbers under names that no chart language reads anything into."""
    roles = {"x": chart.x, "y": chart.y, "series": chart.series, "low": chart.low}
    roles["high"] = chart.high
    fields = {role: chart.named(name) for role, name in roles.items() if name is not None}
    lines = [row[chart.series] if chart.series else None for row in chart.data.rows]
    ends = {line: place for place, line in enumerate(lines)}
    return [
        {
            **{role: plain(row[field.name], field.kind, money) for role, field in fields.items()},
            "is_last": place == ends[lines[place]],
            "told": _told(chart, row, money),
        }
        for place, row in enumerate(chart.data.rows)
    ]


def _told(chart: Chart, row: Mapping[str, Any], money: MoneyFormat) -> str:
    """What a mark is, for the pointer and for screen readers."""
    values = [
        (title(field, money), shown(row[field.name], field.kind, money))
        for field in chart.data.fields
    ]
    return "; ".join(f"{name}: {value}" for name, value in values if value)


def _measure(field: Field, money: MoneyFormat) -> Spec:
    return {
        "field": "y",
        "type": "quantitative",
        "title": title(field, money),
        "axis": {"format": _AXIS_FORMAT.get(field.kind, ""), "tickCount": 5},
    }


def _lines(chart: Chart, money: MoneyFormat) -> Spec:
    x, y = chart.named(chart.x), chart.named(chart.y)
    is_day = x.kind == "date"
    across: Spec = {"field": "x", "title": "" if is_day else x.title}
    if is_day:
        # A plain date is that day: no zone of the reader's may move it.
        across |= {"type": "temporal", "scale": {"type": "utc"}, "axis": {"labelOverlap": True}}
    else:
        across |= {"type": "quantitative", "axis": {"format": "d", "tickMinStep": 1, "grid": False}}
    measure = _measure(y, money)
    if chart.is_small:
        measure |= {"title": "", "axis": {**measure["axis"], "tickCount": 3}}
        across["axis"] = {**across["axis"], "tickCount": 3}
    encoding: Spec = {"x": across, "y": measure}
    marks: Spec = {"tooltip": {"field": "told"}, "description": {"field": "told"}}
    line: Spec = {"type": "line", "strokeWidth": 2, "color": _SERIES[0], "aria": False}
    point: Spec = {"type": "point", "filled": True, "size": 40, "opacity": 1}
    point["color"] = _SERIES[0]
    if chart.series is not None:
        own = {"field": "series", "type": "nominal", "title": chart.named(chart.series).title}
        legend = {"orient": "bottom", "columns": 3}
        encoding["color"] = {**own, "scale": {"range": _SERIES}, "legend": legend}
        marks["shape"] = {**own, "legend": None}
    layers: list[Spec] = [
        {"mark": line},
        {"mark": point, "encoding": marks},
    ]
    if chart.series is not None:
        # Named where it ends too: colours alone tell some readers nothing.
        name: Spec = {"type": "text", "align": "left", "dx": 6, "fontSize": 12, "aria": False}
        last = [{"filter": "datum.is_last"}]
        told = {"text": {"field": "series"}}
        layers.append({"mark": name, "transform": last, "encoding": told})
    if chart.low is not None:
        band = {"type": "area", "opacity": 0.2, "color": _SERIES[0], "aria": False}
        ends = {"y": {**measure, "field": "low"}, "y2": {"field": "high"}}
        layers.insert(0, {"mark": band, "encoding": ends})
    return {
        "height": 110 if chart.is_small else 300,
        "data": {"values": _rows(chart, money)},
        "encoding": encoding,
        "layer": layers,
    }


def _bars(chart: Chart, money: MoneyFormat) -> Spec:
    y = chart.named(chart.y)
    names = {
        "field": "x",
        "type": "nominal",
        "sort": None,
        "title": "",
        "axis": {"labelLimit": 190},
    }
    rows = [
        {**row, "value": shown(of[y.name], y.kind, money)}
        for row, of in zip(_rows(chart, money), chart.data.rows, strict=True)
    ]
    amounts = [row["y"] for row in rows if row["y"] is not None]
    # Room for the amount behind the longest bar.
    domain = [min(0, *amounts, 0), 1.3 * max(0, *amounts, 0)]
    measure = {**_measure(y, money), "axis": None, "scale": {"domain": domain, "nice": False}}
    return {
        "height": 26 * len(rows),
        "data": {"values": rows},
        "encoding": {"x": measure, "y": names},
        "layer": [
            {
                "mark": {"type": "bar", "color": _SERIES[0], "height": 18},
                "encoding": {"tooltip": {"field": "told"}, "description": {"field": "told"}},
            },
            {
                "mark": {"type": "text", "align": "left", "dx": 4, "aria": False},
                "encoding": {"text": {"field": "value"}},
            },
        ],
    }


def _map(chart: Chart, money: MoneyFormat) -> Spec:
    """A treemap, which Vega-Lite has none of."""
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
                "told": _told(chart, row, money),
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
    told = [
        shown(row[one.name], one.kind, money)
        + (f" {money.currency}" if one.kind == "money" else "")
        for one in fields
        if row[one.name] is not Withheld.FEW
    ]
    return " · ".join(told)


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
                "font": {"value": _FONT},
                "fontSize": {"value": 13},
                "fontWeight": {"value": weight},
            }
        },
    }
