"""Which windows are compared."""

from __future__ import annotations

from pydantic import Field, field_validator

from rfm_spark.settings.section import Days, Section


class Bridge(Section):
    """Revenue bridge: the days up to as_of against as many before them."""

    window_days: list[Days] = Field(
        default=[90, 365],
        min_length=1,
        max_length=12,
        description="lengths of the two windows that are compared; a shop needs a history of "
        "twice as many days",
    )

    @field_validator("window_days")
    @classmethod
    def _once(cls, lengths: list[int]) -> list[int]:
        if len(set(lengths)) < len(lengths):
            raise ValueError("a length is named twice: name each once")
        return lengths
