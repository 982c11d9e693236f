"""Who every customer is in the end, in SQL: merges followed one by one."""

from __future__ import annotations

import duckdb

FINAL = """
CREATE OR REPLACE TABLE final AS
WITH RECURSIVE newest AS (
    SELECT old, new FROM merges
    QUALIFY row_number() OVER (
        PARTITION BY old ORDER BY since DESC NULLS LAST, delivery DESC
    ) = 1
),
links AS (SELECT old, new FROM newest WHERE old <> new),
ways AS (
    SELECT old, new, 1 AS steps FROM links
    UNION ALL
    SELECT w.old, l.new, w.steps + 1 FROM ways w JOIN links l ON l.old = w.new
)
SELECT old, arg_max(new, steps) AS customer FROM ways GROUP BY old
"""


def follow_merges(con: duckdb.DuckDBPyConnection) -> None:
    """Makes the table `final` (old, customer) of `merges` (old, new, since, delivery).

    Not of merges that lead in a circle: there is no end to these.
    """
    con.execute(FINAL)
