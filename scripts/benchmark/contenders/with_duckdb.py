"""The cases in DuckDB, as its users write them: `with_duckdb.py CASE RECEIPTS OUT LAST_DAY`."""

from __future__ import annotations

import sys

import duckdb

RECEIPTS = """
    SELECT * FROM (
        SELECT *, row_number() OVER (PARTITION BY receipt_id ORDER BY filename DESC) AS place
        FROM read_parquet('{receipts}', filename = true)
        WHERE time IS NOT NULL
    ) WHERE place = 1
"""

LOAD = """
    COPY (
        SELECT customer_id, CAST(time AS DATE) AS day, count(*) AS receipts,
            count(*) FILTER (WHERE amount >= 0) AS visits, sum(items) AS items,
            CAST(sum(amount) * 100 AS BIGINT) AS net_cents
        FROM ({receipts}) GROUP BY ALL ORDER BY customer_id, day
    ) TO '{out}/customer_days.parquet' (FORMAT parquet, COMPRESSION zstd)
"""

RFM = """
    COPY (
        WITH customers AS (
            SELECT customer_id,
                DATE '{last}' - max(CAST(time AS DATE)) FILTER (WHERE amount >= 0) AS recency_days,
                count(*) FILTER (WHERE amount >= 0) AS frequency,
                CAST(sum(amount) * 100 AS BIGINT) AS monetary_cents
            FROM ({receipts})
            WHERE customer_id <> 0 AND CAST(time AS DATE) > DATE '{last}' - 365
            GROUP BY customer_id HAVING count(*) FILTER (WHERE amount >= 0) > 0
        )
        SELECT *, 6 - ntile(5) OVER (ORDER BY recency_days) AS r_score,
            ntile(5) OVER (ORDER BY frequency) AS f_score,
            ntile(5) OVER (ORDER BY monetary_cents) AS m_score
        FROM customers
    ) TO '{out}/rfm.parquet' (FORMAT parquet, COMPRESSION zstd)
"""


WINDOWS = """
    COPY (
        WITH visits AS (
            SELECT customer_id, amount, DATE '{last}' - CAST(time AS DATE) AS age
            FROM ({receipts})
            WHERE customer_id <> 0 AND CAST(time AS DATE) <= DATE '{last}'
        ), customers AS (
            SELECT days, customer_id,
                min(age) FILTER (WHERE amount >= 0) AS recency_days,
                count(*) FILTER (WHERE amount >= 0) AS frequency,
                CAST(sum(amount) * 100 AS BIGINT) AS monetary_cents
            FROM visits JOIN (VALUES (90), (365), (730), (100000)) AS w(days) ON age < days
            GROUP BY ALL HAVING count(*) FILTER (WHERE amount >= 0) > 0
        )
        SELECT *,
            6 - ntile(5) OVER (PARTITION BY days ORDER BY recency_days) AS r_score,
            ntile(5) OVER (PARTITION BY days ORDER BY frequency) AS f_score,
            ntile(5) OVER (PARTITION BY days ORDER BY monetary_cents) AS m_score
        FROM customers
    ) TO '{out}/windows.parquet' (FORMAT parquet, COMPRESSION zstd)
"""

COHORTS = """
    COPY (
        WITH visits AS (
            SELECT customer_id, amount, date_trunc('month', time) AS month
            FROM ({receipts})
            WHERE customer_id <> 0 AND amount >= 0 AND CAST(time AS DATE) <= DATE '{last}'
        ), members AS (
            SELECT customer_id, min(month) AS cohort FROM visits GROUP BY ALL
        )
        SELECT cohort, month, count(DISTINCT customer_id) AS active_customers,
            count(*) AS visits, CAST(sum(amount) * 100 AS BIGINT) AS revenue_cents
        FROM visits JOIN members USING (customer_id) GROUP BY ALL ORDER BY ALL
    ) TO '{out}/cohorts.parquet' (FORMAT parquet, COMPRESSION zstd)
"""

STATEMENTS = {"load": LOAD, "rfm": RFM, "windows": WINDOWS, "cohorts": COHORTS}


def main(case: str, receipts: str, out: str, last: str) -> None:
    """Does one case."""
    source = RECEIPTS.format(receipts=f"{receipts}/*/*.parquet")
    connection = duckdb.connect()
    connection.sql(f"SET temp_directory = '{out}'")
    query = STATEMENTS[case].format(receipts=source, out=out, last=last)
    connection.sql(query)


if __name__ == "__main__":
    main(*sys.argv[1:])
