"""Charts: what a page tells as data, written for Vega-Lite, or Vega, to draw in the browser.

Colours are names of the style sheet's, so a chart follows the reader's theme.
"""

from __future__ import annotations

from collections.abc import Mapping

import vl_convert

from rfm_spark.app.report.chart_parts import FONT, Spec, told
from rfm_spark.app.report.formats import plain, shown, title
from rfm_spark.app.report.map_chart import map_spec
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Chart, Field, Kind

_INK, _QUIET, _RULE = "var(--ink)", "var(--quiet)", "var(--rule)"
_SERIES = [f"var(--series-{number})" for number in range(1, 7)]
_AXIS_FORMAT: Mapping[Kind, str] = {"share": "~%", "count": "~s", "money": "~s"}
_CONFIG: Spec = {
    "background": None,
    "font": FONT,
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
        return map_spec(chart, money)
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
            "told": told(chart, row, money),
        }
        for place, row in enumerate(chart.data.rows)
    ]


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
        steps = sorted({row[chart.x] for row in chart.data.rows})
        axis = {"format": "d", "grid": False, "values": steps[:: 1 + len(steps) // 14]}
        across |= {"type": "quantitative", "axis": axis}
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
    rows = _rows(chart, money)
    if chart.series is not None and not _end_together(rows):
        # Named where it ends too: colours alone tell some readers nothing.
        name: Spec = {"type": "text", "align": "left", "dx": 6, "fontSize": 12, "aria": False}
        last = [{"filter": "datum.is_last"}]
        text = {"text": {"field": "series"}}
        layers.append({"mark": name, "transform": last, "encoding": text})
    if chart.low is not None:
        band = {"type": "area", "opacity": 0.2, "color": _SERIES[0], "aria": False}
        ends = {"y": {**measure, "field": "low"}, "y2": {"field": "high"}}
        if chart.series is not None:  # or else the legend takes the band's faint colour for all
            ends["color"] = {"value": _QUIET}
        # Of several lines some can have none.
        has_band = [{"filter": "isValid(datum.low)"}]
        layers.insert(0, {"mark": band, "transform": has_band, "encoding": ends})
    return {
        "height": 110 if chart.is_small else 300,
        "data": {"values": rows},
        "encoding": encoding,
        "layer": layers,
    }


def _end_together(rows: list[Spec]) -> bool:
    """Whether several lines end in one point, where their names would lie on each other."""
    ends = [(row["x"], row["y"]) for row in rows if row["is_last"]]
    return len(ends) > 1 and len(set(ends)) == 1


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
