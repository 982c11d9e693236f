"""Reconciliation: where every receipt and every cent went."""

from __future__ import annotations

from datetime import date

import duckdb

from reference.windows import day_before_window

TERMS = (
    "raw",
    "rejected",
    "dropped",
    "superseded",
    "void",
    "guests",
    "outside_window",
    "unscored",
    "scored",
)


def reconciliation(
    con: duckdb.DuckDBPyConnection, as_of: date, window_days: int | None
) -> dict[str, tuple[int, int]]:
    """Versions of receipts and their cents by term, for the `active` population.

    Args:
        con: connection with `receipts` and `raw_counts`.
        as_of: last day that counts; what lies after it is `outside_window`.
        window_days: days looked back; None for all history.

    Returns:
        Term to (receipts, net_cents). Guests are guests on whatever day they bought.

    Raises:
        AssertionError: where raw is not the sum of all the other terms.
    """
    counts = con.execute("""
        SELECT raw_receipts, raw_net_cents, rejected_receipts, rejected_net_cents,
               superseded_receipts, superseded_net_cents
        FROM raw_counts
    """).fetchall()[0]
    terms = dict.fromkeys(TERMS, (0, 0))
    terms |= {"raw": counts[0:2], "rejected": counts[2:4], "superseded": counts[4:6]}
    accepted = con.execute(
        """
        WITH population AS (
            SELECT DISTINCT customer_id FROM receipts
            WHERE is_visit AND business_date > $before AND business_date <= $as_of
        )
        SELECT CASE WHEN customer_id IS NULL THEN 'guests'
                    WHEN business_date <= $before OR business_date > $as_of THEN 'outside_window'
                    WHEN customer_id IN (
                        SELECT customer_id FROM population WHERE customer_id IS NOT NULL
                    ) THEN 'scored'
                    ELSE 'unscored' END AS term,
               count(*),
               CAST(sum(net_cents) AS BIGINT)
        FROM receipts
        GROUP BY term
        """,
        {"before": day_before_window(as_of, window_days), "as_of": as_of},
    ).fetchall()
    terms |= {term: (receipts, net_cents) for term, receipts, net_cents in accepted}
    rest = [terms[term] for term in TERMS if term != "raw"]
    total = (sum(receipts for receipts, _ in rest), sum(cents for _, cents in rest))
    assert terms["raw"] == total, f"raw {terms['raw']} is not the sum of the rest {total}: {terms}"
    return terms
