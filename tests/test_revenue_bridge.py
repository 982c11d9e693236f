"""The revenue bridge tells where the change of revenue comes from, to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference.bridge import bridge
from support import assert_rows, rows_of
from support.cohorts import facts_of
from support.receipts import sums

from rfm_spark.facts.asks import RECEIPTS_EVER, united
from rfm_spark.facts.customer_sums import customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAYS
from rfm_spark.results.bridge.causes import revenue_bridge, window_asks
from rfm_spark.results.bridge.job import bridge_problems
from rfm_spark.results.bridge.page import bridge_pages
from rfm_spark.results.bridge.panels import bridge_panels
from rfm_spark.results.bridge.settings import Bridge
from rfm_spark.results.declaration import Request
from rfm_spark.settings.shop import Business

AS_OF = date(2024, 12, 31)
NAMES = ("breakdown", "value", "cause", "customers", "revenue_before_cents", "revenue_cents",
         "change_cents")  # fmt: skip


def bridge_of(spark, days, window_days=(30,)):
    """The cohort of guests is none, as the job has it."""
    facts = facts_of(rows_of(spark, CUSTOMER_DAYS, days))
    asks = united([RECEIPTS_EVER, *[ask for n in window_days for ask in window_asks(n)]])
    customers = customer_sums(facts, AS_OF, asks).selectExpr(
        "*",
        "CASE WHEN customer_id < 'c' THEN 'Loyal' END AS segment",
        "CASE WHEN customer_id IS NOT NULL THEN date_format(first_visit, 'yyyy-MM') END AS cohort",
    )
    return revenue_bridge(customers, window_days)


def bought(customer, days_before, cents, visits=1):
    day = str(AS_OF - timedelta(days=days_before))
    return {"customer_id": customer, "day": day, "visits": visits, "net_cents": cents}


SHOP = [
    bought("anna", 29, 10_00), bought("anna", 30, 4_00), bought("anna", 400, 99_00),
    bought("ben", 0, 3_00), bought("ben", 59, 8_00),
    bought("cleo", 5, 7_00), bought("cleo", 40, 7_00),
    bought("dora", 5, 6_00),
    bought("eve", 5, 2_00), bought("eve", 60, 50_00),  # the day before both windows
    bought("fay", 31, 9_00), bought("fay", 3, -4_00, visits=0),
    bought("gil", 3, -1_00, visits=0), bought("gil", 70, 5_00),
    bought("hal", 70, 5_00),  # neither
    bought(None, 3, 20_00, visits=4), bought(None, 33, 30_00, visits=4),
    bought("ian", -1, 77_00),  # after as_of
]  # fmt: skip


def test_every_customer_has_one_cause_and_the_changes_add_up(spark):
    found = bridge_of(spark, SHOP)
    assert_rows(
        found.where("breakdown = 'all'"),
        sums(
            NAMES,
            ("all", None, "expanded", 1, 4_00, 10_00, 6_00),
            ("all", None, "contracted", 1, 8_00, 3_00, -5_00),
            ("all", None, "unchanged", 1, 7_00, 7_00, 0),
            ("all", None, "new", 1, 0, 6_00, 6_00),
            ("all", None, "reactivated", 1, 0, 2_00, 2_00),
            ("all", None, "lost", 1, 9_00, -4_00, -13_00),
            ("all", None, "returns", 1, 0, -1_00, -1_00),
            ("all", None, "guests", 0, 30_00, 20_00, -10_00),
        ),
    )
    assert_rows(
        found.where("breakdown = 'segment' AND value = 'Loyal'"),
        sums(
            NAMES,
            ("segment", "Loyal", "expanded", 1, 4_00, 10_00, 6_00),
            ("segment", "Loyal", "contracted", 1, 8_00, 3_00, -5_00),
        ),
    )
    assert_rows(
        found.where("breakdown = 'cohort' AND value = '2024-10'"),
        sums(NAMES, ("cohort", "2024-10", "returns", 1, 0, -1_00, -1_00)),
    )


DAYS = st.lists(
    st.tuples(st.sampled_from([None, *"abcdef"]), st.integers(-3, 50), st.integers(-9, 9),
              st.integers(0, 2)),
    min_size=1, max_size=40, unique_by=lambda row: row[:2],
)  # fmt: skip


@settings(max_examples=10, deadline=None)
@example([(None, -1, 3, 1)])  # guests after the day alone
@given(DAYS)
def test_it_is_that_of_an_independent_computation(spark, history):
    days = [bought(*row) for row in history]
    frame, lengths = pd.DataFrame(days), (7, 20)  # noqa: F841, DuckDB finds it by its name
    found = bridge_of(spark, days, lengths).toPandas()
    con = duckdb.connect()
    con.execute("CREATE TABLE customer_days AS SELECT * REPLACE (day::DATE AS day) FROM frame")
    for n, breakdown in product(lengths, ("all", "segment", "cohort")):
        own = found[(found["window_days"] == n) & (found["breakdown"] == breakdown)]
        told = own.groupby("cause")[["customers", "change_cents"]].sum()
        wanted = bridge(con, AS_OF, n).set_index("cause")
        pd.testing.assert_frame_equal(told.sort_index(), wanted.sort_index(), check_dtype=False)


def stored_of(days, is_whole, *rows):
    names = ("breakdown", "value", "cause", "customers", "revenue_before_cents", "revenue_cents")
    own = [dict(zip(names, row, strict=True)) for row in rows]
    for row in own:
        row |= {"window_days": days, "is_whole": is_whole}
        row["change_cents"] = row["revenue_cents"] - row["revenue_before_cents"]
    return own


def test_windows_that_the_data_do_not_fill_are_not_compared():
    rows = [
        *stored_of(
            30, True,
            ("all", None, "lost", 3, 9_00, 0), ("all", None, "new", 2, 0, 5_00),
            ("segment", "Loyal", "expanded", 1, 1_00, 2_00),
            ("segment", "Loyal", "contracted", 2, 8_00, 3_00),
            ("segment", None, "lost", 2, 5_00, 0),
        ),
        *stored_of(365, False, ("all", None, "new", 5, 0, 14_00)),
    ]  # fmt: skip

    def found(_, where):
        return [row for row in rows if all(row.get(n, v) == v for n, v in where.items())]

    settings = SimpleNamespace(business=Business(time_zone="UTC", currency="EUR"))
    run = SimpleNamespace(warehouse=SimpleNamespace(rows=found), settings=settings)
    request = Request(run, Bridge(window_days=[30, 365]), AS_OF)
    whole, short = bridge_panels(request)
    assert [row[0] for row in whole.rows] == ["new", "lost", "change"]
    assert whole.rows[-1] == ("change", "", "-4")
    assert (short.rows, "do not reach back" in short.note) == ((), True)
    [page] = bridge_pages(request)
    by_cause, by_segment = (block.data.rows for block in page.blocks)
    assert [row["cause"] for row in by_cause] == ["new", "lost"]
    told = [(row["segment"], row["customers"], row["change_cents"]) for row in by_segment]
    assert told == [("Loyal", 3, -4_00), ("not scored", 2, -5_00)]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (7_00, []),
        (7_01, ["30 days by segment: (500, 701) in minor units of money, of (500, 700)",
                "30 days by cohort: (500, 701) in minor units of money, of (500, 700)"]),
    ],
)  # fmt: skip
def test_a_bridge_that_does_not_add_up_is_told(second, told):
    rows = [
        {"window_days": 30, "breakdown": breakdown, "revenue_before_cents": 5_00,
         "revenue_cents": 7_00 if breakdown == "all" else second}
        for breakdown in ("all", "segment", "cohort")
    ]  # fmt: skip
    assert list(bridge_problems(rows, {30: (5_00, 7_00)})) == told
