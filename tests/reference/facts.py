"""Receipts of the example data sets, each line's money in exact cents."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import duckdb

# Doubles become decimals through their shortest text ('0.29'), never through the binary fraction.
# DuckDB's round_even is exact on DECIMAL(38, 12): 30,602 products were compared with Python's.
EXACT = "CAST(CAST({number} AS VARCHAR) AS DECIMAL(28, 12))"
CENTS = "CAST(round_even({amount}, 2) * 100 AS BIGINT)"


class Dataset(NamedTuple):
    """How the rows of one data set read as lines.

    Attributes:
        files: one entry a view: its name and the files behind it, relative to the set's folder.
        lines: SELECT with one row a raw line: delivery, receipt_id, customer_id, local_at (local
            time), quantity, cents, items, category, promotion, store, channel, returned, rejected
            (NULL where not delivered).
    """

    files: dict[str, str]
    lines: str


COMPLETE_JOURNEY = Dataset(
    files={"raw_rows": "transactions.parquet", "products": "products.parquet"},
    lines=f"""
        SELECT parse_filename(raw_rows.filename) AS delivery,
               trim(CAST(basket_id AS VARCHAR)) AS receipt_id,
               nullif(trim(CAST(household_id AS VARCHAR)), '') AS customer_id,
               timezone('America/New_York', transaction_ts) AS local_at,
               quantity,
               {CENTS.format(amount=EXACT.format(number="sales_value"))} AS cents,
               CASE WHEN quantity > 1000 THEN 1 ELSE quantity END AS items,
               coalesce(product_category, department, 'unknown') AS category,
               coalesce(coupon_disc > 0 OR coupon_match_disc > 0, false) AS promotion,
               trim(CAST(store_id AS VARCHAR)) AS store,
               NULL AS channel,
               quantity < 0 AS returned,
               false AS rejected
        FROM raw_rows LEFT JOIN products USING (product_id)
    """,
)

_LINE_AMOUNT = f"({EXACT.format(number='unit_price')} * CAST(quantity AS DECIMAL(10, 0)))"

ONLINE_RETAIL_II = Dataset(
    files={"raw_rows": "online_retail_ii_*.parquet"},
    lines=f"""
        SELECT parse_filename(filename) AS delivery,
               trim(invoice_no) AS receipt_id,
               nullif(trim(CAST(customer_id AS VARCHAR)), '') AS customer_id,
               invoice_ts AS local_at,
               quantity,
               {CENTS.format(amount=_LINE_AMOUNT)} AS cents,
               quantity AS items,
               coalesce(upper(trim(stock_code)), 'unknown') AS category,
               NULL AS promotion,
               NULL AS store,
               NULL AS channel,
               quantity < 0 AS returned,
               invoice_no LIKE 'A%' AS rejected
        FROM raw_rows
    """,
)

# Without a receipt id a row is known by its delivery and its place among equal rows there.
CDNOW = Dataset(
    files={"raw_rows": "cdnow_master.parquet"},
    lines=f"""
        SELECT parse_filename(filename) AS delivery,
               concat_ws('|', customer_id, purchase_date, quantity, amount, row_number() OVER (
                   PARTITION BY filename, customer_id, purchase_date, quantity, amount
               )) AS receipt_id,
               nullif(trim(CAST(customer_id AS VARCHAR)), '') AS customer_id,
               CAST(purchase_date AS TIMESTAMP) AS local_at,
               quantity,
               {CENTS.format(amount=EXACT.format(number="amount"))} AS cents,
               quantity AS items,
               CAST(NULL AS VARCHAR) AS category,
               NULL AS promotion,
               NULL AS store,
               NULL AS channel,
               amount < 0 AS returned,
               false AS rejected
        FROM raw_rows
    """,
)

DATASETS = {
    "complete_journey": COMPLETE_JOURNEY,
    "online_retail_ii": ONLINE_RETAIL_II,
    "cdnow": CDNOW,
}

# A version is rejected whole by one rejected line or by a second customer; of the accepted
# versions of a receipt the one of the newest delivery (by name) is current.
VERSIONS = """
    SELECT delivery,
           receipt_id,
           max(customer_id) AS customer_id,
           CAST(min(local_at) AS DATE) AS business_date,
           CAST(sum(cents) AS BIGINT) AS net_cents,
           CAST(coalesce(sum(cents) FILTER (NOT returned), 0) AS BIGINT) AS gross_cents,
           CAST(sum(items) AS BIGINT) AS items,
           CAST(count(*) AS INTEGER) AS lines,
           bool_or(quantity >= 0 AND cents >= 0 AND NOT returned) AS is_visit,
           bool_or(returned) AS is_return,
           coalesce(bool_or(promotion), false) AS has_promotion,
           bool_or(rejected) OR count(DISTINCT customer_id) > 1 AS is_rejected,
           CASE WHEN is_rejected THEN 'rejected'
                WHEN row_number() OVER (
                         PARTITION BY receipt_id, is_rejected ORDER BY delivery DESC
                     ) = 1 THEN 'current'
                ELSE 'superseded' END AS status
    FROM raw_lines
    GROUP BY delivery, receipt_id
"""

RAW_COUNTS = """
    SELECT (SELECT count(*) FROM raw_lines) AS raw_rows,
           count(*) AS raw_receipts,
           CAST((SELECT sum(cents) FROM raw_lines) AS BIGINT) AS raw_net_cents,
           (SELECT count(*) FROM raw_lines WHERE rejected) AS rejected_rows,
           count(*) FILTER (status = 'rejected') AS rejected_receipts,
           CAST(coalesce(sum(net_cents) FILTER (status = 'rejected'), 0) AS BIGINT)
               AS rejected_net_cents,
           count(*) FILTER (status = 'superseded') AS superseded_receipts,
           CAST(coalesce(sum(net_cents) FILTER (status = 'superseded'), 0) AS BIGINT)
               AS superseded_net_cents
    FROM versions
"""


def receipts(con: duckdb.DuckDBPyConnection, dataset: str, folder: Path) -> None:
    """Create the tables `receipts`, `lines` and `raw_counts`.

    Args:
        con: connection that gets the tables; earlier ones of the same names are replaced.
        dataset: one of `DATASETS`.
        folder: the folder that holds one folder a data set.

    `receipts` has one row per current receipt: receipt_id, delivery, customer_id (NULL is a
    guest), business_date, net_cents, gross_cents, items, lines, is_visit, is_return,
    has_promotion. `lines` has the lines of those receipts with business_date and category.
    `raw_counts` is one row: rows, versions and cents before any rule, and what was rejected or
    superseded of them.
    """
    source = DATASETS[dataset]
    con.execute("SET threads TO 2")
    for view, files in source.files.items():
        relation = con.read_parquet(str(folder / dataset / files), filename=True)
        relation.create_view(view, replace=True)
    con.execute(f"CREATE OR REPLACE TABLE raw_lines AS {source.lines}")
    con.execute(f"CREATE OR REPLACE TABLE versions AS {VERSIONS}")
    con.execute(f"CREATE OR REPLACE TABLE raw_counts AS {RAW_COUNTS}")
    con.execute("""
        CREATE OR REPLACE TABLE receipts AS
        SELECT * EXCLUDE (is_rejected, status) FROM versions WHERE status = 'current'
    """)
    con.execute("""
        CREATE OR REPLACE TABLE lines AS
        SELECT raw_lines.delivery, receipt_id, versions.customer_id, versions.business_date,
               quantity, cents AS net_cents, raw_lines.items, category, promotion, returned
        FROM raw_lines JOIN versions USING (delivery, receipt_id)
        WHERE status = 'current'
    """)


def customer_days(con: duckdb.DuckDBPyConnection) -> None:
    """Create `customer_days`: one row per customer and day, all guests of a day in one row."""
    con.execute("""
        CREATE OR REPLACE TABLE customer_days AS
        SELECT customer_id,
               business_date AS day,
               CAST(year(business_date) AS INTEGER) AS year,
               count(*) AS receipts,
               count(*) FILTER (is_visit) AS visits,
               count(*) FILTER (is_return) AS returns,
               CAST(sum(items) AS BIGINT) AS items,
               CAST(sum(net_cents) AS BIGINT) AS net_cents,
               CAST(sum(gross_cents) AS BIGINT) AS gross_cents,
               count(*) FILTER (is_visit AND has_promotion) AS promo_visits
        FROM receipts
        GROUP BY ALL
    """)
