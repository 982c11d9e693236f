"""One customer's history from rfm-spark's facts, by Polars: `with_delta.py FACTS CUSTOMER`."""

from __future__ import annotations

import sys

import polars as pl


def main(facts: str, customer: str) -> None:
    """Prints how many days there are."""
    days = pl.scan_delta(facts).filter(pl.col("customer_id") == customer).collect()
    print(days.height)


if __name__ == "__main__":
    main(*sys.argv[1:])
