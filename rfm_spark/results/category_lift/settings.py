"""Which purchases category lift counts."""

from __future__ import annotations

from pydantic import Field

from rfm_spark.core.look_back import LookBack
from rfm_spark.settings.section import Section, WindowDays, look_back_of


class CategoryLift(Section):
    """Category lift by segment and tier; made where this section is written."""

    window_days: WindowDays = Field(default=365, description="days of purchases looked back")

    @property
    def look_back(self) -> LookBack:
        """The days whose purchases count."""
        return look_back_of(self.window_days)
