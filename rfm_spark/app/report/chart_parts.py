"""What charts of all shapes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rfm_spark.app.report.formats import shown, title
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Chart

Spec = dict[str, Any]
"""What is to be drawn, in the words of Vega or Vega-Lite."""

FONT = "system-ui, sans-serif"


def told(chart: Chart, row: Mapping[str, Any], money: MoneyFormat) -> str:
    """What a mark is, for the pointer and for screen readers."""
    values = [
        (title(field, money), shown(row[field.name], field.kind, money))
        for field in chart.data.fields
    ]
    return "; ".join(f"{name}: {value}" for name, value in values if value)
