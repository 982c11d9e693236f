"""Customers with the features that a test gives them."""

from __future__ import annotations

import numpy as np

from rfm_spark.results.clusters.tables import CUSTOMER_FEATURES
from support import rows_of

AXES = ["tenure_days", "promotion_response"]
"""Two features without a transform."""


def customers(spark, **columns):
    """Customers c000, c001, ... with these features; the others are NULL."""
    rows = [
        {"customer_id": f"c{n:03}"} | dict(zip(columns, map(_double, values), strict=True))
        for n, values in enumerate(zip(*columns.values(), strict=True))
    ]
    return rows_of(spark, CUSTOMER_FEATURES, rows)


def three_crowds(spark):
    """600 customers in three crowds, which tenure and frequency tell apart, and nothing else."""
    random = np.random.default_rng(11)
    crowd = random.integers(0, 3, 600)
    return customers(
        spark,
        tenure_days=crowd * 300 + random.integers(0, 60, 600),
        frequency=1 + crowd * 20 + random.integers(0, 5, 600),
        return_share=np.zeros(600),
    )


def further_customers(spark, **columns):
    """The same with features of the column `further`, those that are not None."""
    rows = [
        {"customer_id": f"c{n:03}"}
        | {"further": {k: float(v) for k, v in zip(columns, values, strict=True) if v is not None}}
        for n, values in enumerate(zip(*columns.values(), strict=True))
    ]
    return rows_of(spark, CUSTOMER_FEATURES, rows)


def _double(value):
    return None if value is None else float(value)


def sample(features):
    return features.repartition(1).sortWithinPartitions("customer_id")


def log1p(values):
    return np.sign(values) * np.log1p(np.abs(values))
