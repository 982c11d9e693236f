"""What is shown of the revenue bridge."""

from __future__ import annotations

from collections.abc import Iterator

from rfm_spark.core.panel import Panel, PanelColumn
from rfm_spark.results.bridge.causes import ALL, CAUSES, GUESTS, RETURNS, UNCHANGED
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.bridge.tables import REVENUE_BRIDGE
from rfm_spark.results.declaration import Request

_WORDS = {
    RETURNS: "only returned something",
    UNCHANGED: "spent the same",
    GUESTS: "guests",
}


def bridge_panels(request: Request[Bridge]) -> Iterator[Panel]:
    """Of each window how its revenue differs from that of the window before, and by whom."""
    money = request.run.settings.business.money_format
    where = {"as_of": request.as_of, "breakdown": ALL}
    rows = request.run.warehouse.rows(REVENUE_BRIDGE, where)
    for days in request.rules.window_days:
        own = {row["cause"]: row for row in rows if row["window_days"] == days}
        if not own:
            continue
        if not all(row["is_whole"] for row in own.values()):
            yield Panel(
                f"Revenue of {days:,} days",
                f": the data do not reach back to the {days:,} days before, to be compared with",
            )
            continue
        before, after = (
            sum(row[name] for row in own.values())
            for name in ("revenue_before_cents", "revenue_cents")
        )
        lines = [
            (
                _WORDS.get(cause, cause),
                f"{row['customers']:,}" if cause != GUESTS else "",
                _signed(money.rounded(row["change_cents"])),
            )
            for cause in CAUSES
            if (row := own.get(cause)) is not None
        ]
        lines.append(("change", "", _signed(money.rounded(after - before))))
        yield Panel(
            f"Revenue of {days:,} days",
            f": {money.rounded(after)} {money.currency}, {money.rounded(before)} in the {days:,} "
            "days before",
            (
                PanelColumn("customers who are"),
                PanelColumn("number", is_number=True),
                PanelColumn(f"change in {money.currency}", is_number=True),
            ),
            lines,
        )


def _signed(amount: str) -> str:
    return amount if amount.startswith("-") or amount == "0" else f"+{amount}"
