"""The cases in Polars, as its users write them: `with_polars.py CASE RECEIPTS OUT LAST_DAY`."""

from __future__ import annotations

import sys
from datetime import date

import polars as pl

WINDOWS = {"rfm": (365,), "windows": (90, 365, 730, 100_000)}
"""Days looked back, by case; the last stands for all time."""


def one_version_each(receipts: str) -> pl.LazyFrame:
    """Of all deliveries of a receipt the last."""
    rows = pl.scan_parquet(f"{receipts}/*/*.parquet", include_file_paths="file")
    rows = rows.filter(pl.col("time").is_not_null()).with_columns(day=pl.col("time").dt.date())
    return rows.sort("file").unique("receipt_id", keep="last")


def load(receipts: pl.LazyFrame, out: str) -> None:
    """Sums by customer and day."""
    is_visit = pl.col("amount") >= 0
    days = receipts.group_by("customer_id", "day").agg(
        pl.len().alias("receipts"),
        is_visit.sum().alias("visits"),
        pl.col("items").sum(),
        (pl.col("amount").sum() * 100).cast(pl.Int64).alias("net_cents"),
    )
    days.sort("customer_id", "day").sink_parquet(f"{out}/customer_days.parquet")


def rfm(receipts: pl.LazyFrame, out: str, last: date, days: int) -> None:
    """Values and quintile scores over some days."""
    age = (pl.lit(last) - pl.col("day")).dt.total_days()
    is_visit = pl.col("amount") >= 0
    customers = (
        receipts.filter((pl.col("customer_id") != 0) & (age < days))
        .group_by("customer_id")
        .agg(
            age.filter(is_visit).min().alias("recency_days"),
            is_visit.sum().alias("frequency"),
            (pl.col("amount").sum() * 100).cast(pl.Int64).alias("monetary_cents"),
        )
        .filter(pl.col("frequency") > 0)
        .collect(engine="streaming")
    )
    fifth = 5 / customers.height
    place = {
        name: (pl.col(column).rank("ordinal") - 1) * fifth
        for name, column in (("r", "recency_days"), ("f", "frequency"), ("m", "monetary_cents"))
    }
    scored = customers.with_columns(
        (5 - place["r"].floor()).cast(pl.Int32).alias("r_score"),
        (1 + place["f"].floor()).cast(pl.Int32).alias("f_score"),
        (1 + place["m"].floor()).cast(pl.Int32).alias("m_score"),
    )
    scored.write_parquet(f"{out}/rfm-{days}.parquet")


def cohorts(receipts: pl.LazyFrame, out: str, last: date) -> None:
    """Monthly cohorts by first visit: who came, how often, and what they spent."""
    inside = (pl.col("customer_id") != 0) & (pl.col("amount") >= 0) & (pl.col("day") <= last)
    visits = receipts.filter(inside).select(
        "customer_id", "amount", month=pl.col("day").dt.truncate("1mo")
    )
    members = visits.group_by("customer_id").agg(pl.col("month").min().alias("cohort"))
    found = (
        visits.join(members, on="customer_id")
        .group_by("cohort", "month")
        .agg(
            pl.col("customer_id").n_unique().alias("active_customers"),
            pl.len().alias("visits"),
            (pl.col("amount").sum() * 100).cast(pl.Int64).alias("revenue_cents"),
        )
    )
    found.sort("cohort", "month").sink_parquet(f"{out}/cohorts.parquet")


def main(case: str, receipts: str, out: str, last: str) -> None:
    """Does one case."""
    rows = one_version_each(receipts)
    if case == "load":
        load(rows, out)
    elif case == "cohorts":
        cohorts(rows, out, date.fromisoformat(last))
    else:
        for days in WINDOWS[case]:
            rfm(rows, out, date.fromisoformat(last), days)


if __name__ == "__main__":
    main(*sys.argv[1:])
