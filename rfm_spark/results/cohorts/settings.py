"""Which cohorts are followed."""

from __future__ import annotations

from pydantic import Field, field_validator

from rfm_spark.core.periods import Grain, Weekday
from rfm_spark.settings.section import Section


class Cohorts(Section):
    """Cohorts by first visit."""

    grains: list[Grain] = Field(
        default=["month", "week"], min_length=1, description="lengths of a period"
    )
    week_start: Weekday = Field(default="monday", description="first day of a week")

    @field_validator("grains")
    @classmethod
    def _once(cls, grains: list[Grain]) -> list[Grain]:
        if len(set(grains)) < len(grains):
            raise ValueError("a length of a period is named twice: name each once")
        return grains
