"""The numbers worked out a second time, straight from the definitions and without Spark.

Nothing here shares a line with `rfm_spark`: DuckDB adds up, plain Python and numpy do the rest.
Call `receipts` first; every other function reads the tables it leaves in the connection.
"""

from reference.changes import Day, moves, segment_by
from reference.characteristics import features
from reference.cut_points import (
    balanced_cuts,
    brute_force_balanced_cuts,
    brute_force_natural_cuts,
    cut_points,
    quantile_cuts,
    r_rfm_scores,
    scatter_of_bins,
    score_ascending,
    score_descending,
)
from reference.facts import DATASETS, customer_days, receipts
from reference.ledger import reconciliation
from reference.retention import cohorts
from reference.scoring import rfm, rfm_cuts, rfm_of_totals, segment_of

__all__ = [
    "DATASETS",
    "Day",
    "balanced_cuts",
    "brute_force_balanced_cuts",
    "brute_force_natural_cuts",
    "cohorts",
    "customer_days",
    "cut_points",
    "features",
    "moves",
    "quantile_cuts",
    "r_rfm_scores",
    "receipts",
    "reconciliation",
    "rfm",
    "rfm_cuts",
    "rfm_of_totals",
    "scatter_of_bins",
    "score_ascending",
    "score_descending",
    "segment_by",
    "segment_of",
]
