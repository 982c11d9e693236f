"""The cases in DuckDB, as its users write them: `with_duckdb.py CASE SOURCE OUT LAST_DAY CUSTOMER`.

SOURCE is a folder of deliveries, or the file of facts that the case `load` makes.
"""

from __future__ import annotations

import sys

import duckdb

RECEIPTS = """
    SELECT customer_id, CAST(time AS DATE) AS day, 1 AS receipts,
        CAST(amount >= 0 AS INT) AS visits, items, CAST(amount * 100 AS BIGINT) AS net_cents
    FROM (
        SELECT *, row_number() OVER (PARTITION BY receipt_id ORDER BY filename DESC) AS place
        FROM read_parquet('{source}/*/*.parquet', filename = true)
        WHERE time IS NOT NULL
    ) WHERE place = 1
"""
FACTS = "SELECT * FROM read_parquet('{source}')"
"""Rows of a customer and day; of receipts, each row is one of them."""

LOAD = """
    SELECT customer_id, day, sum(receipts)::INT AS receipts, sum(visits)::INT AS visits,
        sum(items)::INT AS items, sum(net_cents)::BIGINT AS net_cents
    FROM ({rows}) GROUP BY ALL ORDER BY customer_id, day
"""

RFM = """
    WITH customers AS (
        SELECT customer_id, DATE '{last}' - max(day) FILTER (WHERE visits > 0) AS recency_days,
            sum(visits) AS frequency, sum(net_cents) AS monetary_cents
        FROM ({rows})
        WHERE customer_id <> 0 AND day > DATE '{last}' - 365 AND day <= DATE '{last}'
        GROUP BY customer_id HAVING sum(visits) > 0
    )
    SELECT *, 6 - ntile(5) OVER (ORDER BY recency_days) AS r_score,
        ntile(5) OVER (ORDER BY frequency) AS f_score,
        ntile(5) OVER (ORDER BY monetary_cents) AS m_score
    FROM customers
"""

WINDOWS = """
    WITH visits AS (
        SELECT customer_id, visits, net_cents, DATE '{last}' - day AS age
        FROM ({rows}) WHERE customer_id <> 0 AND day <= DATE '{last}'
    ), customers AS (
        SELECT days, customer_id, min(age) FILTER (WHERE visits > 0) AS recency_days,
            sum(visits) AS frequency, sum(net_cents) AS monetary_cents
        FROM visits JOIN (VALUES (90), (365), (730), (100000)) AS w(days) ON age < days
        GROUP BY ALL HAVING sum(visits) > 0
    )
    SELECT *,
        6 - ntile(5) OVER (PARTITION BY days ORDER BY recency_days) AS r_score,
        ntile(5) OVER (PARTITION BY days ORDER BY frequency) AS f_score,
        ntile(5) OVER (PARTITION BY days ORDER BY monetary_cents) AS m_score
    FROM customers
"""

COHORTS = """
    WITH visits AS (
        SELECT customer_id, visits, net_cents, date_trunc('month', day) AS month
        FROM ({rows}) WHERE customer_id <> 0 AND visits > 0 AND day <= DATE '{last}'
    ), members AS (
        SELECT customer_id, min(month) AS cohort FROM visits GROUP BY ALL
    )
    SELECT cohort, month, count(DISTINCT customer_id) AS active_customers,
        sum(visits) AS visits, sum(net_cents) AS revenue_cents
    FROM visits JOIN members USING (customer_id) GROUP BY ALL ORDER BY ALL
"""

HISTORY = "SELECT * FROM ({rows}) WHERE customer_id = {customer} ORDER BY day"

QUERIES = {"load": LOAD, "rfm": RFM, "windows": WINDOWS, "cohorts": COHORTS, "history": HISTORY}


def main(case: str, source: str, out: str, last: str, customer: str) -> None:
    """Does one case."""
    rows = (FACTS if source.endswith(".parquet") else RECEIPTS).format(source=source)
    query = QUERIES[case].format(rows=rows, last=last, customer=int(customer))
    connection = duckdb.connect()
    connection.sql(f"SET temp_directory = '{out}'")
    connection.sql(f"COPY ({query}) TO '{out}/{case}.parquet' (FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    main(*sys.argv[1:])
