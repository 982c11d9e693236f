"""Scores of a profile over events, from receipts and interactions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd

from reference.cut_points import cut_points, score_ascending, score_descending
from reference.scoring import DEFAULT_METHODS, segment_of
from reference.windows import day_before_window

POINT = 1_000_000
COLUMNS = [
    "customer_id", "recency_days", "frequency", "value", "monetary_cents",
    "r_score", "f_score", "m_score", "segment",
]  # fmt: skip


def event_rfm(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    window_days: int | None,
    weights: Mapping[str, int],
    *,
    all_known: bool,
) -> pd.DataFrame:
    """Score customers by weighted events, their value in points.

    Args:
        con: connection with `receipts`, `interactions` and `customers`, as the warehouse has them.
        as_of: last day that counts.
        window_days: days looked back; None for all history.
        weights: of each kind; `receipts` for visits.
        all_known: whether everybody known is scored, or those with an event in the window.

    Returns:
        One row per customer, sorted by customer_id, with `COLUMNS`.
    """
    before = day_before_window(as_of, window_days)
    con.execute("CREATE OR REPLACE TEMP TABLE weights (kind VARCHAR, weight BIGINT)")
    con.executemany("INSERT INTO weights VALUES (?, ?)", list(weights.items()))
    rows = con.execute(_EVENTS, {"before": before, "as_of": as_of}).fetchall()
    names = ["customer_id", "last", "first", "frequency", "points", "monetary_cents", "is_known"]
    frame = pd.DataFrame(rows, columns=names)
    counted = frame["frequency"].notna()
    frame = frame[counted | (frame["is_known"] & all_known)].sort_values("customer_id")
    frame = frame.reset_index(drop=True)
    counted = frame["frequency"].notna()
    frame["recency_days"] = [(as_of - day).days if day is not None else None
                             for day in frame["last"].where(counted, None)]  # fmt: skip
    frame["frequency"] = frame["frequency"].fillna(0).astype("int64")
    units = np.array([int((one or Decimal(0)) * POINT) for one in frame["points"]], dtype="int64")
    frame["value"] = units / POINT
    for name, values, score in (
        ("recency", frame["recency_days"], score_descending),
        ("frequency", frame["frequency"], score_ascending),
        ("monetary", pd.Series(units), score_ascending),
    ):
        column = f"{name[0]}_score"
        frame[column] = 1
        some = values[counted].astype("int64").to_numpy()
        cuts = cut_points(some, DEFAULT_METHODS[name], 5)
        frame.loc[counted, column] = score(some, cuts)
    frame["segment"] = [
        segment_of(r, f, first is not None and first > before)
        for r, f, first in zip(frame["r_score"], frame["f_score"], frame["first"], strict=True)
    ]
    return frame[COLUMNS]


_EVENTS = """
WITH events AS (
    SELECT customer_id, business_date, 'receipts' AS kind, CAST(1 AS DECIMAL(18, 6)) AS value
    FROM receipts WHERE status = 'current' AND is_visit
    UNION ALL
    SELECT customer_id, business_date, kind, coalesce(value, 1)
    FROM interactions WHERE status = 'current'
), counted AS (
    SELECT customer_id,
           max(business_date) FILTER (business_date > $before) AS last,
           min(business_date) AS first,
           CAST(sum(weight) FILTER (business_date > $before) AS BIGINT) AS frequency,
           sum(weight * value) FILTER (business_date > $before) AS points
    FROM events JOIN weights USING (kind)
    WHERE business_date <= $as_of
    GROUP BY customer_id
), money AS (
    SELECT customer_id, CAST(sum(net_cents) AS BIGINT) AS monetary_cents
    FROM receipts
    WHERE status = 'current' AND business_date > $before AND business_date <= $as_of
    GROUP BY customer_id
), known AS (
    SELECT customer_id FROM receipts WHERE status = 'current' AND business_date <= $as_of
    UNION SELECT customer_id FROM interactions
          WHERE status = 'current' AND business_date <= $as_of
    UNION SELECT customer_id FROM customers WHERE coalesce(valid_from <= $as_of, true)
)
SELECT customer_id, last, first, frequency, points,
       coalesce(monetary_cents, 0), known.customer_id IS NOT NULL
FROM known LEFT JOIN counted USING (customer_id) LEFT JOIN money USING (customer_id)
WHERE customer_id IS NOT NULL
"""
