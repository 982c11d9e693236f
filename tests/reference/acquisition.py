"""How customers were won: the first visit of each, in SQL, from the lines that were delivered."""

from __future__ import annotations

from datetime import date

import duckdb
import pandas as pd

FIRST = """
WITH visits AS (
    SELECT r.customer_id, r.business_date AS day, r.receipt_id, min(l.local_at) AS began,
           min(l.store) AS first_store, min(l.channel) AS first_channel,
           bool_or(l.promotion) AS first_promotion
    FROM receipts r JOIN raw_lines l USING (delivery, receipt_id)
    WHERE r.is_visit AND r.customer_id IS NOT NULL
    GROUP BY ALL
),
first AS (
    SELECT * FROM visits
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY day, began, receipt_id) = 1
),
bought AS (
    SELECT f.customer_id, l.category, sum(l.cents) AS cents
    FROM first f JOIN receipts r USING (receipt_id) JOIN raw_lines l USING (delivery, receipt_id)
    GROUP BY ALL
),
categories AS (
    SELECT customer_id, category FROM bought
    QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY cents DESC, category) = 1
)
SELECT customer_id, day, first_store, first_channel, first_promotion,
       nullif(category, 'unknown') AS first_category
FROM first LEFT JOIN categories USING (customer_id)
WHERE day <= $as_of
"""


def first_receipts(con: duckdb.DuckDBPyConnection, as_of: date = date(2100, 1, 1)) -> pd.DataFrame:
    """One row per customer who had come by a day.

    Args:
        con: with `receipts` (of each the version that counts: delivery, receipt_id, customer_id,
            business_date, is_visit) and `raw_lines` (delivery, receipt_id, local_at, store,
            channel, promotion, category, cents).
        as_of: last day that counts.
    """
    found = con.execute(FIRST, {"as_of": as_of}).df()
    found["day"] = found["day"].dt.date
    return found.astype(object).where(found.notna(), None)
