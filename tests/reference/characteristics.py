"""Features of customers for clustering."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

from reference.windows import day_before_window

QUERY = """
    WITH history AS (
        SELECT * FROM receipts WHERE customer_id IS NOT NULL AND business_date <= $as_of
    ),
    first_visits AS (
        SELECT customer_id, min(business_date) AS first_visit
        FROM history WHERE is_visit GROUP BY customer_id
    ),
    ranges AS (
        SELECT customer_id, count(DISTINCT category) AS categories
        FROM lines
        WHERE customer_id IS NOT NULL AND business_date > $before AND business_date <= $as_of
        GROUP BY customer_id
    ),
    sums AS (
        SELECT customer_id,
               count(*) AS receipts,
               count(*) FILTER (is_visit) AS visits,
               count(*) FILTER (is_return) AS returns,
               count(*) FILTER (is_visit AND has_promotion) AS promo_visits,
               sum(items) AS items,
               sum(net_cents) AS net_cents,
               coalesce(sum(net_cents) FILTER (business_date > $half), 0) AS second_half,
               coalesce(sum(net_cents) FILTER (business_date > $both AND business_date <= $half), 0)
                   AS first_half,
               min(business_date) FILTER (is_visit) AS earliest,
               max(business_date) FILTER (is_visit) AS latest,
               count(DISTINCT business_date) FILTER (is_visit) AS visit_days
        FROM history WHERE business_date > $before GROUP BY customer_id
    )
    SELECT $window AS "window",
           $as_of AS as_of,
           customer_id,
           CAST($as_of - latest AS DOUBLE) AS recency_days,
           CAST(visits AS DOUBLE) AS frequency,
           CAST(net_cents AS DOUBLE) AS monetary_cents,
           CAST($as_of - first_visit AS DOUBLE) AS tenure_days,
           CAST(net_cents AS DOUBLE) / visits AS average_receipt_cents,
           CASE WHEN $has_categories THEN CAST(categories AS DOUBLE) END AS product_range,
           CAST(items AS DOUBLE) / visits AS basket_size,
           CAST(promo_visits AS DOUBLE) / visits AS promotion_response,
           CASE WHEN visit_days < 2 THEN CAST($window_length AS DOUBLE)
                ELSE CAST(latest - earliest AS DOUBLE) / (visit_days - 1) END AS visit_gap_days,
           CAST(returns AS DOUBLE) / receipts AS return_share,
           CAST(NULL AS DOUBLE) AS touch_points,
           CAST(first_half AS DOUBLE) AS first_half_cents,
           CAST(second_half AS DOUBLE) AS second_half_cents
    FROM sums JOIN first_visits USING (customer_id) LEFT JOIN ranges USING (customer_id)
    WHERE visits > 0
    ORDER BY customer_id
"""


def features(con: duckdb.DuckDBPyConnection, as_of: date, window_days: int | None) -> pd.DataFrame:
    """Features of every known customer with at least one visit in the window.

    Args:
        con: connection with `receipts` and `lines`.
        as_of: last day that counts.
        window_days: days looked back; None for all history, which is then as long as from the
            first day of the data to as_of, both included.

    Returns:
        One row per customer, sorted by customer_id, with the columns of `customer_features`.
        `product_range` is NaN where the data have no categories, `touch_points` always.
    """
    has_categories, first_day_of_the_data = con.execute("""
        SELECT (SELECT count(category) > 0 FROM lines), (SELECT min(business_date) FROM receipts)
    """).fetchall()[0]
    both = 730 if window_days is None else window_days
    length = window_days
    if length is None:
        length = (as_of - first_day_of_the_data).days + 1 if first_day_of_the_data else 0
    cursor = con.execute(
        QUERY,
        {
            "as_of": as_of,
            "before": day_before_window(as_of, window_days),
            "window": "all" if window_days is None else str(window_days),
            "window_length": length,
            "has_categories": has_categories,
            "half": day_before_window(as_of, both // 2),
            "both": day_before_window(as_of, both),
        },
    )
    columns = [column[0] for column in cursor.description or []]
    frame = pd.DataFrame(cursor.fetchall(), columns=columns)
    return frame.astype(dict.fromkeys(columns[3:], "float64"))
