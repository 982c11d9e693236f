"""What moves tell the report: from which segment to which customers went, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rfm_spark.core.page import Block, Choice, Data, Field, Grid, HeatMap, Page, Words
from rfm_spark.results.declaration import Request
from rfm_spark.results.moves.causes import STAYED
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.moves.words import move_words
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.page import SEGMENTS_PAGE
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import Profile

_SHOWN = 20
_OUTSIDE = "not in it"

Rows = Sequence[Mapping[str, Any]]


def move_pages(request: Request[Profiles]) -> Iterator[Page]:
    """The moves of every profile since every earlier day they are stored for."""
    profiles = dict[str, Sequence[Block]]()
    made = request.how_made("rfm", request.as_of)
    for name, now in request.rules.items():
        rules = profile_of(made, name) or now
        where = {"profile": name, "as_of": request.as_of}
        rows = request.run.warehouse.rows(SEGMENT_MOVES, where)
        days = sorted({row["since"] for row in rows}, reverse=True)
        if days:
            since = {
                str(day): list(_blocks(request, rules, [r for r in rows if r["since"] == day], day))
                for day in days
            }
            profiles[name] = [Choice("Since", since)]
        else:
            profiles[name] = [
                Words(
                    "No moves are stored: they are told once an earlier day is scored as well, "
                    f"with rfm-spark moves --since DAY --as-of {request.as_of}."
                )
            ]
    yield Page(SEGMENTS_PAGE, [Choice("Profile", profiles)])


def _blocks(request: Request[Profiles], rules: Profile, rows: Rows, since: date) -> Iterator[Block]:
    moved = [row for row in rows if row["cause"] != STAYED]
    customers, all_customers = (sum(row["customers"] for row in some) for some in (moved, rows))
    yield Words(
        f"{customers:,} of {all_customers:,} customers moved from {since} to {request.as_of}."
    )
    yield _matrix(rules, rows, since, request.as_of)
    has_money = request.run.settings.tells_purchases
    yield _in_words(rules, moved, has_money=has_money)


def _matrix(rules: Profile, rows: Rows, since: date, as_of: date) -> HeatMap:
    """From rows to columns; those who stayed are on the diagonal."""
    sizes: Counter[tuple[str, str]] = Counter()
    for row in rows:
        before, after = (row[one] or _OUTSIDE for one in ("segment_before", "segment_after"))
        sizes[before, after] += row["customers"]
    known = {name for pair in sizes for name in pair}
    grid = list(rules.segment_grid.actions)
    names = [*[one for one in grid if one in known], *sorted(known - {*grid, _OUTSIDE}), _OUTSIDE]
    cells = [
        {"before": one, "after": other, "customers": sizes[one, other] or None}
        for one in names
        for other in names
        if (one, other) != (_OUTSIDE, _OUTSIDE)
    ]
    fields = (Field("before", "from"), Field("after", "to"), Field("customers", "", "count"))
    return HeatMap(
        f"From {since} (rows) to {as_of} (columns)",
        Data(fields, cells),
        "before",
        "after",
        "customers",
        names,
        note="Customers; who stayed is on the diagonal. "
        f"'{_OUTSIDE}' are those whom the profile scores on one of the days only.",
    )


def _in_words(rules: Profile, moved: Rows, *, has_money: bool) -> Grid:
    ordered = sorted(moved, key=lambda row: (-row["customers"], -row["revenue_cents"]))
    told = [{**row, "words": move_words(row, rules.basis)} for row in ordered]
    fields = [Field("words", "what happened, and why"), Field("customers", "customers", "count")]
    if has_money:
        fields.append(Field("revenue_cents", "revenue at stake", "money"))
    left_out = sum(row["customers"] for row in told[_SHOWN:])
    note = "Revenue at stake is what they spent in the window of the earlier day."
    if left_out:
        note += f" {left_out:,} more customers moved in smaller groups."
    return Grid("Moves, the largest first", Data(fields, told[:_SHOWN]), note)
