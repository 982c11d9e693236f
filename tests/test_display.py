"""The screen: a table never loses a column without a word."""

from __future__ import annotations

import pytest
from support.screen import on_screen

from rfm_spark.cli import display
from rfm_spark.core.panel import Panel, PanelColumn


@pytest.mark.parametrize(("width", "periods"), [(80, 6), (120, 12), (140, 13), (30, 1)])
def test_the_last_numbers_go_where_names_would_have_no_room(monkeypatch, capfd, width, periods):
    monkeypatch.setattr(display._results, "_width", width)
    numbers = [PanelColumn(str(k), is_number=True) for k in range(13)]
    columns = (PanelColumn("cohort"), PanelColumn("customers", is_number=True), *numbers)
    rows = [("2017-01", "1,234", *["100.0%"] * 13), ("complete", "", *["93.1%"] * 13)]
    display.show_panels([Panel("Cohorts", "", columns, rows)])
    shown = on_screen(capfd).splitlines()
    head = next(line for line in shown if "customers" in line)
    assert head.split() == ["cohort", "customers", *map(str, range(periods))]
    assert any(line.split() == ["2017-01", "1,234", *["100.0%"] * periods] for line in shown)
    left = 13 - periods
    assert (f"{left} more columns want a wider screen" in shown[-1]) == bool(left)
