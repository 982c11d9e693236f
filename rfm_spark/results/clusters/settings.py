"""How customers are clustered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.look_back import LookBack
from rfm_spark.results.clusters.features.catalogue import FEATURE_NAMES
from rfm_spark.results.clusters.model import Training
from rfm_spark.settings.section import Section, WindowDays, look_back_of


class Clusters(Section):
    """Clusters of customers with similar habits."""

    k: int = Field(default=6, ge=2, le=100, description="number of clusters")
    window_days: WindowDays = Field(default=365, description="days looked back")
    features: list[Literal[FEATURE_NAMES]] | None = Field(  # type: ignore[valid-type]
        default=None, min_length=1, description="by default all that the input allows"
    )
    winsorise: float = Field(
        default=0.01, ge=0, lt=0.5, description="share cut off at each end of a feature"
    )
    seed: int = Field(
        default=20_240_229, ge=BIGINT_MIN, le=BIGINT_MAX, description="of the first centres"
    )
    max_fit_customers: int = Field(
        default=200_000, ge=1_000, le=2_000_000, description="size of the sample the fit uses"
    )
    starts: int = Field(
        default=3, ge=1, le=20, description="fits from other first centres, of which the best stays"
    )
    min_improvement: float = Field(
        default=0.0001,
        ge=0,
        lt=1,
        description="share of the cost that a further pass over all customers must save",
    )
    max_passes: int = Field(default=20, ge=1, le=100, description="most passes over all customers")
    groups: int = Field(
        default=3, ge=2, le=9, description="that each feature is cut in for micro-groups"
    )
    ideal_revenue_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="of the revenue, that the ideal clusters hold together at least",
    )

    @property
    def training(self) -> Training:
        """How a model is trained."""
        return Training(
            k=self.k,
            seed=self.seed,
            starts=self.starts,
            winsorise=self.winsorise,
            max_customers=self.max_fit_customers,
            min_improvement=self.min_improvement,
            max_passes=self.max_passes,
            groups=self.groups,
        )

    @property
    def look_back(self) -> LookBack:
        """How far back the features look."""
        return look_back_of(self.window_days)
