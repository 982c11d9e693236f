"""RFM, cohorts, clusters and one wide row per customer, from receipts, on Spark and Delta."""

__version__ = "0.1.0"
