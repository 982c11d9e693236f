"""RFM values, ratios, scores and segments of the `active` population."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reference.cut_points import Cuts, cut_points, score_ascending, score_descending
from reference.windows import day_before_window

Floats = NDArray[np.float64]

VALUES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary_cents"}
DEFAULT_METHODS: Mapping[str, str] = MappingProxyType(
    {"recency": "quantile", "frequency": "balanced", "monetary": "quantile"}
)
COLUMNS = [
    "customer_id",
    "recency_days",
    "frequency",
    "monetary_cents",
    "recency_ratio",
    "frequency_ratio",
    "monetary_ratio",
    "rfmr_score",
    "r_score",
    "f_score",
    "m_score",
    "rfm_cell",
    "rfm_total",
    "segment",
    "first_visit",
    "last_visit",
]


def rfm(
    con: duckdb.DuckDBPyConnection,
    as_of: date,
    window_days: int | None,
    methods: Mapping[str, str] = DEFAULT_METHODS,
    n: int = 5,
) -> pd.DataFrame:
    """Score every known customer with at least one visit in the window.

    Args:
        con: connection with `receipts`.
        as_of: last day that counts.
        window_days: days looked back; None for all history.
        methods: method of each of recency, frequency and monetary.
        n: number of scores.

    Returns:
        One row per customer, sorted by customer_id, with `COLUMNS`. Dates are `datetime.date`; a
        ratio that does not exist is NaN; `segment` is None unless n = 5, where the grid is given.
    """
    return scored(_values(con, as_of, window_days), as_of, window_days, methods, n)


def rfm_of_totals(con: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """Score every customer with an order, of totals of whatever days.

    Args:
        con: connection with `totals`: `customer_id`, `as_of`, `delivery`, `orders`, `net_cents`,
            `first_purchase`, `last_purchase`.
        as_of: last day that counts.

    Returns:
        One row per customer, sorted by customer_id, with `COLUMNS`.
    """
    frame = con.execute(
        """
        SELECT customer_id,
               last_purchase AS last_visit,
               first_purchase AS first_visit,
               orders AS frequency,
               net_cents AS monetary_cents,
               $as_of - last_purchase AS recency_days
        FROM totals
        WHERE as_of <= $as_of
        QUALIFY row_number() OVER (
            PARTITION BY customer_id ORDER BY as_of DESC, delivery DESC
        ) = 1 AND orders > 0
        ORDER BY customer_id
        """,
        {"as_of": as_of},
    ).df()
    for name in ("first_visit", "last_visit"):
        frame[name] = [day.date() for day in frame[name]]
    return scored(frame.astype(dict.fromkeys(VALUES.values(), "int64")), as_of, None)


def scored(
    frame: pd.DataFrame,
    as_of: date,
    window_days: int | None,
    methods: Mapping[str, str] = DEFAULT_METHODS,
    n: int = 5,
) -> pd.DataFrame:
    """Ratios, scores and segments of the values in the frame (one row per customer)."""
    cuts = rfm_cuts(frame, methods, n)
    for name, values in _ratios(frame).items():
        frame[name] = values
    frame["r_score"] = score_descending(frame["recency_days"], cuts["recency"])
    frame["f_score"] = score_ascending(frame["frequency"], cuts["frequency"])
    frame["m_score"] = score_ascending(frame["monetary_cents"], cuts["monetary"])
    scores = frame[["r_score", "f_score", "m_score"]]
    frame["rfm_cell"] = scores.astype(str).agg("".join, axis=1) if len(frame) else ""
    frame["rfm_total"] = (scores @ [100, 10, 1]).astype(float)
    before = day_before_window(as_of, window_days)
    frame["segment"] = [
        segment_of(r, f, first_visit > before) if n == 5 else None
        for r, f, first_visit in zip(
            frame["r_score"], frame["f_score"], frame["first_visit"], strict=True
        )
    ]
    return frame[COLUMNS]


def rfm_cuts(
    frame: pd.DataFrame, methods: Mapping[str, str] = DEFAULT_METHODS, n: int = 5
) -> dict[str, Cuts]:
    """Cuts of each dimension on the values in the frame (one row per customer)."""
    return {
        dimension: cut_points(frame[column].to_numpy(), methods[dimension], n)
        for dimension, column in VALUES.items()
    }


def segment_of(r_score: int, f_score: int, is_first_visit_in_window: bool) -> str:
    """Segment of the default 5 x 5 grid."""
    if r_score == 5 and f_score == 1:
        return "New" if is_first_visit_in_window else "Returned"
    grid: list[tuple[str, set[int], set[int]]] = [
        ("Champions", {5}, {4, 5}),
        ("Loyal", {3, 4}, {4, 5}),
        ("Potential Loyalist", {4, 5}, {2, 3}),
        ("Promising", {4}, {1}),
        ("Need Attention", {3}, {3}),
        ("About to Sleep", {3}, {1, 2}),
        ("At Risk", {1, 2}, {3, 4}),
        ("Can't Lose", {1, 2}, {5}),
        ("Hibernating", {1, 2}, {1, 2}),
    ]
    (name,) = [name for name, rs, fs in grid if r_score in rs and f_score in fs]
    return name


def _values(con: duckdb.DuckDBPyConnection, as_of: date, window_days: int | None) -> pd.DataFrame:
    rows = con.execute(
        """
        SELECT customer_id,
               max(business_date) FILTER (is_visit) AS last_visit,
               min(business_date) FILTER (is_visit) AS first_visit,
               count(*) FILTER (is_visit AND business_date > $before) AS frequency,
               coalesce(sum(net_cents) FILTER (business_date > $before), 0) AS monetary_cents
        FROM receipts
        WHERE customer_id IS NOT NULL AND business_date <= $as_of
        GROUP BY customer_id
        HAVING count(*) FILTER (is_visit AND business_date > $before) > 0
        ORDER BY customer_id
        """,
        {"before": day_before_window(as_of, window_days), "as_of": as_of},
    ).fetchall()
    columns = ["customer_id", "last_visit", "first_visit", "frequency", "monetary_cents"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["recency_days"] = [(as_of - day).days for day in frame["last_visit"]]
    return frame.astype(dict.fromkeys(VALUES.values(), "int64"))


def _ratios(frame: pd.DataFrame) -> dict[str, Floats]:
    """The three ratios, and the geometric mean of those that exist, from them as stored."""
    recency = frame["recency_days"].to_numpy(dtype=np.float64)
    frequency = frame["frequency"].to_numpy(dtype=np.float64)
    spent = np.maximum(frame["monetary_cents"].to_numpy(dtype=np.float64), 0.0)
    if len(frame) == 0:
        names = ("recency_ratio", "frequency_ratio", "monetary_ratio", "rfmr_score")
        return dict.fromkeys(names, recency)
    ratios = {
        "recency_ratio": _as_stored((recency.mean() + 1) / (recency + 1)),
        "frequency_ratio": _as_stored(_over_mean(frequency)),
        "monetary_ratio": _as_stored(_over_mean(spent)),
    }
    logarithms = np.log(np.vstack(list(ratios.values())))
    return {**ratios, "rfmr_score": np.exp(np.nanmean(logarithms, axis=0))}


def _over_mean(values: Floats) -> Floats:
    mean = values.mean()
    return values / mean if mean != 0 else np.full(values.shape, np.nan)


def _as_stored(ratio: Floats) -> Floats:
    clipped: Floats = np.clip(ratio, 0.01, 100.0)
    return np.round(clipped, 6)
