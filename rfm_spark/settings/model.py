"""Everything that can be configured, with its defaults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from rfm_spark.settings.sources import Customers, Interactions, Name, Receipts, Section, TimeZone
from rfm_spark.transforms.features import FEATURES
from rfm_spark.transforms.segments import DEFAULT_GRID, SegmentRule, grid_problems
from rfm_spark.transforms.window import Grain, Weekday, Window

_CENTURY = 36_525
_LEAST, _MOST = -(2**63), 2**63 - 1
"""Of a BIGINT."""

Days = Annotated[int, Field(gt=0, le=_CENTURY)]
WindowDays = Days | Literal["all"]
Three = Annotated[
    list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(min_length=3, max_length=3)
]
Score = Annotated[int, Field(ge=1, le=9)]
DEFAULT_SCORES = 5


def window_of(days: int | Literal["all"]) -> Window:
    """A configured window: a number of days, or all history."""
    return Window(None if days == "all" else days)


class Business(Section):
    """The shop: where it is, and what its money and its days are."""

    time_zone: TimeZone = Field(description="whose calendar day is the business day")
    day_start_hour: int = Field(
        default=0, ge=0, le=12, description="hour at which a business day begins"
    )
    minor_unit_digits: int = Field(default=2, ge=0, le=4, description="2 for cents")
    currency: str = Field(default="USD", description="shown beside money")
    guest_ids: list[str] = Field(default_factory=list, description="ids that stand for nobody")
    earliest_date: date = Field(default=date(1970, 1, 1), description="days before it are errors")
    latest_date: date = Field(default=date(2099, 12, 31), description="days after it are errors")

    def misfits(self) -> Iterator[str]:
        """Dates that leave no day."""
        if self.earliest_date > self.latest_date:
            yield "earliest_date is after latest_date"


class Ingest(Section):
    """How deliveries are taken in."""

    max_rejected_share: float = Field(
        default=0.01, ge=0, le=1, description="of raw rows; above it the run fails"
    )
    correction_days: Days | None = Field(
        default=None, description="how far back a delivery can correct; by default all history"
    )


class Dimension(Section):
    """How one of R, F and M is cut."""

    method: Literal["quantile", "balanced", "fixed"]
    cuts: list[Annotated[int, Field(ge=_LEAST, le=_MOST)]] | None = Field(
        default=None, description="of `fixed`, ascending"
    )

    def misfits(self) -> Iterator[str]:
        """Of the cuts with the method, and among themselves."""
        if (self.method == "fixed") != (self.cuts is not None):
            yield "give `cuts` with the method `fixed`, and only there"
        if self.cuts is not None and self.cuts != sorted(self.cuts):
            yield "`cuts` must be in ascending order"


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
        default=Dimension(method="quantile"), description="quantile, balanced or fixed"
    )
    frequency: Dimension = Field(default=Dimension(method="balanced"), description="the same")
    monetary: Dimension = Field(default=Dimension(method="quantile"), description="the same")
    total_weights: Three = Field(
        default=[100.0, 10.0, 1.0], description="of R, F and M in rfm_total"
    )
    ratio_weights: Three = Field(default=[1.0, 1.0, 1.0], description="of R, F and M in rfmr_score")
    max_rank_error: float = Field(
        default=0.001, ge=0.0005, le=0.1, description="of balanced cuts with over 4,096 values"
    )
    refit: Literal["always", "hold"] = Field(
        default="always", description="fit for every as_of, or keep the last set of the same rules"
    )
    segments: list[Segment] | None = Field(default=None, description="an own grid")

    @property
    def window(self) -> Window:
        """How far back the profile looks."""
        return window_of(self.window_days)

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


class Clusters(Section):
    """Clusters of customers with similar habits."""

    k: int = Field(default=6, ge=2, le=100, description="number of clusters")
    window_days: WindowDays = Field(default=365, description="days looked back")
    features: list[Literal[FEATURES]] | None = Field(  # type: ignore[valid-type]
        default=None, min_length=1, description="by default all that the input allows"
    )
    winsorise: float = Field(
        default=0.01, ge=0, lt=0.5, description="share cut off at each end of a feature"
    )
    seed: int = Field(default=20_240_229, ge=_LEAST, le=_MOST, description="of the first centres")
    max_fit_customers: int = Field(
        default=200_000, ge=1_000, le=2_000_000, description="size of the sample the fit uses"
    )

    @property
    def window(self) -> Window:
        """How far back the features look."""
        return window_of(self.window_days)


class Maintenance(Section):
    """What the nightly does after publishing."""

    late_days: int = Field(
        default=35,
        ge=1,
        le=3650,
        description="days that late receipts still reach; older ones are folded",
    )
    keep_results_days: Days | None = Field(
        default=None, description="how long results of a day are kept; by default for ever"
    )


class Metastore(Section):
    """Where the tables are registered by name."""

    database: Name = Field(description="made if it is not there")


class Settings(Section):
    """The whole configuration of one warehouse."""

    business: Business
    receipts: Receipts
    ingest: Ingest = Ingest()
    interactions: dict[Name, Interactions] = Field(default_factory=dict)
    customers: Customers | None = None
    rfm: dict[Name, Profile] = Field(default={"purchase": Profile()}, min_length=1)
    cohorts: Cohorts = Cohorts()
    clusters: Clusters = Clusters()
    maintenance: Maintenance = Maintenance()
    metastore: Metastore | None = None

    @property
    def has_categories(self) -> bool:
        """Whether receipts say what was bought."""
        return self.receipts.columns.category is not None

    @property
    def cluster_features(self) -> list[str]:
        """The features asked for; by default all that the input allows."""
        unknown = self._features_without_input()
        return self.clusters.features or [name for name in FEATURES if name not in unknown]

    def misfits(self) -> Iterator[str]:
        """Features without the input they are made of."""
        unknown = self._features_without_input()
        for name in self.clusters.features or ():
            if name in unknown:
                yield f"clusters.features: {name} needs {unknown[name]}"

    def _features_without_input(self) -> dict[str, str]:
        columns = self.receipts.columns
        counted = columns.items is not None or columns.quantity is not None
        needs = {
            "product_range": (self.has_categories, "receipts.columns.category"),
            "basket_size": (counted, "receipts.columns.quantity or items"),
            "promotion_response": (columns.promotion is not None, "receipts.columns.promotion"),
            "touch_points": (bool(self.interactions), "a section [interactions.<name>]"),
        }
        return {name: what for name, (is_there, what) in needs.items() if not is_there}
