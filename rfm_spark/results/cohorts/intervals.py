"""How sure a share is."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from rfm_spark.core.confidence import Z


def wilson(successes: Column, trials: Column) -> tuple[Column, Column]:
    """Ends of the 95 % interval of a share (Wilson 1927, the score interval); trials above 0."""
    share = successes / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    spread = F.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials * trials))
    half = Z * spread / (1 + Z**2 / trials)
    # At a share of 0 or 1 an end is the share itself, which sums of fractions can miss by a hair.
    low, high = F.least(middle - half, share), F.greatest(middle + half, share)
    return F.greatest(low, F.lit(0.0)), F.least(high, F.lit(1.0))
