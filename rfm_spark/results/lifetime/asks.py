"""What lifetime value asks of every customer."""

from __future__ import annotations

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.asks import Ask

SO_FAR = Ask(EVER, ("net_cents", "visit_days"))


def before_horizon(horizon_days: int) -> Ask:
    """What was known a horizon ago, by which the model of visits is checked."""
    return Ask(LookBack(ends_days_after=-horizon_days), ("last_visit", "visit_days"))
