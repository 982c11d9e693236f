"""Profiles: sets of RFM rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from rfm_spark.core.look_back import LookBack
from rfm_spark.results.rfm.boundaries.drift import Calendar
from rfm_spark.results.rfm.boundaries.methods import METHODS
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS
from rfm_spark.results.rfm.segments import DEFAULT_GRID, SegmentRule, grid_problems
from rfm_spark.settings.section import BIGINT_MAX, BIGINT_MIN, Section, WindowDays, look_back_of

Three = Annotated[
    list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(min_length=3, max_length=3)
]


Score = Annotated[int, Field(ge=1, le=9)]


DEFAULT_SCORES = 5


class Dimension(Section):
    """How one of R, F and M is cut."""

    method: Literal[tuple(METHODS)] = Field(  # type: ignore[valid-type]
        description="how the cuts are found"
    )
    cuts: list[Annotated[int, Field(ge=BIGINT_MIN, le=BIGINT_MAX)]] | None = Field(
        default=None, description="of `fixed`, ascending"
    )
    transform: Literal[TRANSFORMS] | None = Field(  # type: ignore[valid-type]
        default=None, description="of the values, with `natural`; by default log1p"
    )

    def misfits(self) -> Iterator[str]:
        """Of the cuts and the transform with the method, and of the cuts among themselves."""
        if METHODS[self.method].is_given != (self.cuts is not None):
            yield "give `cuts` with the method `fixed`, and only there"
        if self.cuts is not None and self.cuts != sorted(self.cuts):
            yield "`cuts` must be in ascending order"
        if self.transform is not None and not METHODS[self.method].takes_transform:
            yield "give `transform` with the method `natural` only"


class Segment(Section):
    """One segment of a business's own grid; scores that are not named are all taken."""

    name: str = Field(min_length=1, description="what the business calls it")
    action: str = Field(description="one line on what to do")
    recency: list[Score] | None = Field(default=None, description="scores it takes")
    frequency: list[Score] | None = Field(default=None, description="scores it takes")
    monetary: list[Score] | None = Field(default=None, description="scores it takes")
    first_visit: Literal["inside", "before"] | None = Field(
        default=None, description="only customers whose first visit ever lies there"
    )

    def rule(self) -> SegmentRule:
        """The segment as the transforms take it."""
        r, f, m = (
            None if scores is None else frozenset(scores)
            for scores in (self.recency, self.frequency, self.monetary)
        )
        return SegmentRule(self.name, self.action, r, f, m, self.first_visit)


class Profile(Section):
    """A named set of RFM rules."""

    window_days: WindowDays = Field(default=365, description="days looked back")
    scores: int = Field(default=DEFAULT_SCORES, ge=3, le=9, description="5 for scores 1 to 5")
    recency: Dimension = Field(
        default=Dimension(method="quantile"), description="quantile, balanced, natural or fixed"
    )
    frequency: Dimension = Field(default=Dimension(method="balanced"), description="the same")
    monetary: Dimension = Field(default=Dimension(method="quantile"), description="the same")
    total_weights: Three = Field(
        default=[100.0, 10.0, 1.0], description="of R, F and M in rfm_total"
    )
    ratio_weights: Three = Field(default=[1.0, 1.0, 1.0], description="of R, F and M in rfmr_score")
    max_rank_error: float = Field(
        default=0.001,
        ge=0.0005,
        le=0.1,
        description="of balanced and natural cuts with over 4,096 values",
    )
    refit: Literal["always", "hold", "drift"] = Field(
        default="always",
        description="fit for every as_of, or keep the last set of the same rules: for good, or "
        "until customers have drifted from it",
    )
    refit_on: Calendar = Field(
        default="month",
        description="`drift`: only on the first day described of each week, month or quarter",
    )
    segments: list[Segment] | None = Field(default=None, description="an own grid")

    @property
    def look_back(self) -> LookBack:
        """How far back the profile looks."""
        return look_back_of(self.window_days)

    @property
    def grid(self) -> list[SegmentRule]:
        """The business's own segments, or the default lifecycle stages."""
        if self.segments is None:
            return list(DEFAULT_GRID)
        return [segment.rule() for segment in self.segments]

    @field_validator("ratio_weights")
    @classmethod
    def _some_weight(cls, weights: list[float]) -> list[float]:
        if not any(weights):
            raise ValueError("at least one weight must be above 0")
        return weights

    def misfits(self) -> Iterator[str]:
        """Of cuts and segments with the number of scores."""
        for name in ("recency", "frequency", "monetary"):
            cuts = getattr(self, name).cuts
            if cuts is not None and len(cuts) != self.scores - 1:
                yield (
                    f"{name}.cuts: {self.scores} scores need {self.scores - 1} cuts, "
                    f"not {len(cuts)}"
                )
        if self.segments is None and self.scores != DEFAULT_SCORES:
            yield "the default segments are for 5 scores: write your own `segments`"
        elif problems := grid_problems(self.grid, self.scores):
            yield "segments: " + "; ".join(problems)
