"""By what rhythm a customer counts as lost."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.settings.section import Section


class Rhythm(Section):
    """Rhythm: the gaps between a customer's visits."""

    lost_after_gaps: float = Field(
        default=3.0,
        ge=1,
        le=100,
        allow_inf_nan=False,
        description="so many times the own median gap without a visit, and a customer is lost by "
        "the own rhythm",
    )
    least_days: int = Field(
        default=14, ge=1, le=3_660, description="fewer days away never make a customer lost"
    )
