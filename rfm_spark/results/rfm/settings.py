"""Profiles: sets of RFM rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.drift import Calendar
from rfm_spark.core.look_back import LookBack
from rfm_spark.results.rfm.boundaries.methods import METHODS
from rfm_spark.results.rfm.boundaries.natural import TRANSFORMS
from rfm_spark.results.rfm.filters import Filter
from rfm_spark.results.rfm.grid_checks import grid_problems
from rfm_spark.results.rfm.grids import DEFAULT_GRID, GRIDS
from rfm_spark.results.rfm.segments import Grid, SegmentRule
from rfm_spark.results.rfm.values import Basis, WeightedKinds
from rfm_spark.settings.section import Section, WindowDays, look_back_of

Three = Annotated[
    list[Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(min_length=3, max_length=3)
]


Score = Annotated[int, Field(ge=1, le=9)]


Range = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=2, max_length=2)
]


DEFAULT_SCORES = 5


VISITS = "receipts"
"""Among the events of a profile: visits, which receipts are."""

Weight = Annotated[int, Field(ge=1, le=1_000_000)]


WrittenCut = Annotated[
    int | Annotated[float, Field(allow_inf_nan=False)],
    Field(ge=BIGINT_MIN, le=BIGINT_MAX),
    WithJsonSchema({"type": "number"}),
]
"""A cut as people write it: `boundaries.units` makes the whole number of the tables of it."""


class Dimension(Section):
    """How one of R, F and M is cut."""

    method: Literal[tuple(METHODS)] = Field(  # type: ignore[valid-type]
        description="how the cuts are found"
    )
    cuts: list[WrittenCut] | None = Field(
        default=None,
        description="of `fixed`, ascending: days, visits or weights, and of M money as 19.90, or "
        "points",
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
    """One segment of an own grid; what is not named is all taken, and a name can come again."""

    name: str = Field(min_length=1, description="what the business calls it")
    action: str = Field(description="one line on what to do")
    recency: list[Score] | None = Field(default=None, description="scores it takes")
    frequency: list[Score] | None = Field(default=None, description="scores it takes")
    monetary: list[Score] | None = Field(default=None, description="scores it takes")
    fm: Range | None = Field(
        default=None, description="least and greatest (F + M) / 2 it takes: [2.5, 5]"
    )
    total: Range | None = Field(
        default=None, description="least and greatest rfm_total it takes: [300, 555]"
    )
    first_visit: Literal["inside", "before"] | None = Field(
        default=None,
        description="only customers whose first event ever lies in the window, or does not: it "
        "was before, or there is none",
    )

    def misfits(self) -> Iterator[str]:
        """Of the ends of ranges."""
        for name in ("fm", "total"):
            ends = getattr(self, name)
            if ends is not None and ends[0] > ends[1]:
                yield f"{name} = {ends}: the least comes first"

    def rule(self) -> SegmentRule:
        """The segment as the transforms take it."""
        r, f, m = (
            None if scores is None else frozenset(scores)
            for scores in (self.recency, self.frequency, self.monetary)
        )
        fm, total = (None if ends is None else (ends[0], ends[1]) for ends in (self.fm, self.total))
        return SegmentRule(self.name, self.action, r, f, m, self.first_visit, fm, total)


def _set_version(text: str) -> str:
    return str(DayVersion.parsed(text))


class Profile(Section):
    """A named set of RFM rules."""

    window_days: WindowDays = Field(default=365, description="days looked back")
    leads: bool = Field(
        default=False,
        description="`segment` and scores of customer_360 are of this profile; without one that "
        "leads, of the first",
    )
    events: dict[str, Weight] | Literal["all"] = Field(
        default={VISITS: 1},
        min_length=1,
        description="what counts, with its weight in frequency: `receipts` (visits) and kinds of "
        "interactions; `all` for everything, each with weight 1",
    )
    value: Literal["money", "points"] | None = Field(
        default=None,
        description="what M is of: net money, or the weighted sum of the events' values, where an "
        "event without one counts 1; by default money for receipts alone, else points",
    )
    population: Literal["active", "known"] | None = Field(
        default=None,
        description="who is scored: customers with an event in the window, or all known ones; by "
        "default active for receipts alone, else known",
    )
    filter: str | None = Field(
        default=None,
        description="a condition on `recency_days`, `frequency`, `value`, `monetary_cents` and "
        "attributes; who does not meet it is not scored, such as `frequency < 200`",
    )
    scores: int = Field(default=DEFAULT_SCORES, ge=3, le=9, description="5 for scores 1 to 5")
    recency: Dimension = Field(
        default=Dimension(method="quantile"),
        description="quantile, balanced, natural, fixed or r_rfm",
    )
    frequency: Dimension = Field(default=Dimension(method="balanced"), description="the same")
    monetary: Dimension = Field(default=Dimension(method="quantile"), description="the same")
    nested: bool = Field(
        default=False,
        description="cut F within each R score, and M within each R and F, instead of F and M of "
        "all customers",
    )
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
    pinned: Annotated[str, AfterValidator(_set_version)] | None = Field(
        default=None,
        description="a stored set to use as it is, whatever `refit` says: its version, such as "
        '"2011-11-30" (see `rfm-spark boundaries`)',
    )
    refit_on: Calendar = Field(
        default="month",
        description="`drift`: only on the first day described of each week, month or quarter",
    )
    grid: Literal[tuple(GRIDS)] | None = Field(  # type: ignore[valid-type]
        default=None, description="a grid that is shipped; lifecycle_11 without `segments`"
    )
    segments: Annotated[list[Segment], Field(min_length=1)] | None = Field(
        default=None, description="an own grid, in place of `grid`"
    )
    first_match_wins: bool = Field(
        default=False,
        description="of `segments`: the first that takes a customer has it, and the last takes all",
    )

    @property
    def keeps_boundaries(self) -> bool:
        """Whether a set that was fitted for an earlier day can be that of a later one."""
        return self.refit != "always" and self.pinned is None

    def canonical(self) -> Profile:
        """The same rules, with nothing written out that would be so anyway: equal if they are."""
        implied = {
            name: None
            for name in ("value", "population")
            if self.model_copy(update={name: None}).basis == self.basis
        }
        cut = {
            name: rules.model_copy(update={"cuts": [_whole(one) for one in rules.cuts]})
            for name in ("recency", "frequency", "monetary")
            if (rules := getattr(self, name)).cuts is not None
        }
        return self.model_copy(update=implied | cut)

    @property
    def look_back(self) -> LookBack:
        """How far back the profile looks."""
        return look_back_of(self.window_days)

    @property
    def basis(self) -> Basis:
        """What the profile counts, and of whom."""
        is_plain = self.events == {VISITS: 1}
        return Basis(
            window=self.look_back,
            visit_weight=1 if self.events == "all" else self.events.get(VISITS, 0),
            interactions=self._interactions,
            is_money=is_plain if self.value is None else self.value == "money",
            has_all_known=not is_plain if self.population is None else self.population == "known",
            filter=None if self.filter is None else Filter(self.filter),
        )

    @property
    def kinds(self) -> list[str]:
        """Kinds of interactions that are named."""
        return [] if self.events == "all" else [kind for kind in self.events if kind != VISITS]

    @property
    def _interactions(self) -> tuple[WeightedKinds, ...]:
        if self.events == "all":
            return (WeightedKinds(1, None),)
        weights = sorted({self.events[kind] for kind in self.kinds})
        return tuple(
            WeightedKinds(weight, tuple(k for k in self.kinds if self.events[k] == weight))
            for weight in weights
        )

    @property
    def segment_grid(self) -> Grid:
        """The business's own segments, or a grid that is shipped."""
        if self.segments is None:
            return GRIDS[self.grid or DEFAULT_GRID]
        return Grid(tuple(one.rule() for one in self.segments), self.first_match_wins)

    @field_validator("ratio_weights")
    @classmethod
    def _some_weight(cls, weights: list[float]) -> list[float]:
        if not any(weights):
            raise ValueError("at least one weight must be above 0")
        return weights

    def misfits(self) -> Iterator[str]:
        """Of cuts and segments with the number of scores."""
        if self.value == "money" and not self.basis.visit_weight:
            yield f"value: money is of receipts: add `{VISITS}` to `events`, or take points"
        for name in ("recency", "frequency", "monetary"):
            cuts = getattr(self, name).cuts
            if cuts is not None and len(cuts) != self.scores - 1:
                yield (
                    f"{name}.cuts: {self.scores} scores need {self.scores - 1} cuts, "
                    f"not {len(cuts)}"
                )
        for name in ("frequency", "monetary"):
            if self.nested and getattr(self, name).cuts is not None:
                yield (
                    f"nested: the cuts of {name} are fixed, the same within every score: choose "
                    "another method, or leave `nested` out"
                )
        yield from self._grid_misfits()

    def _grid_misfits(self) -> Iterator[str]:
        if self.segments is not None:
            if self.grid is not None:
                yield "give either `grid` or your own `segments`, not both"
            for problem in grid_problems(self.segment_grid, self.scores, self.total_weights):
                yield f"segments: {problem}"
            return
        if self.first_match_wins:
            yield "first_match_wins is about your own `segments`: give some, or leave it out"
        if self.scores != DEFAULT_SCORES:
            name = self.grid or DEFAULT_GRID
            yield f"the grid {name} is for {DEFAULT_SCORES} scores: write your own `segments`"


def _whole(number: int | float) -> int | float:
    return int(number) if number == int(number) else number


def leading_profile(profiles: Mapping[str, Profile]) -> str:
    """Name of the profile that `customer_360` leads with: the one that says so, or the first."""
    return next((name for name, profile in profiles.items() if profile.leads), next(iter(profiles)))
