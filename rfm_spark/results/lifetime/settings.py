"""How far ahead lifetime value looks."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.settings.section import Days, Section


class LifetimeValue(Section):
    """Lifetime value: expected visits and money; made where this section is written."""

    horizon_days: Days = Field(
        default=365,
        description="days after as_of that expected visits and money are of; longer than the "
        "history, and the result says so",
    )
