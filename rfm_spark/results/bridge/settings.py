"""Which windows are compared."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rfm_spark.settings.section import Days, Distinct, Section


class Bridge(Section):
    """Revenue bridge: the days up to as_of against as many before them."""

    window_days: Annotated[list[Days], Distinct] = Field(
        default=[90, 365],
        min_length=1,
        max_length=12,
        description="lengths of the two windows that are compared; a shop needs a history of "
        "twice as many days",
    )
