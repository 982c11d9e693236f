"""How customers are clustered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from rfm_spark.core.bigint import BIGINT_MAX, BIGINT_MIN
from rfm_spark.core.day_version import DayVersion
from rfm_spark.core.drift import Calendar
from rfm_spark.core.look_back import LookBack
from rfm_spark.results.clusters.features.feature import Transform
from rfm_spark.results.clusters.features.names import FeatureName
from rfm_spark.results.clusters.model import Training
from rfm_spark.settings.digest import changes_digest
from rfm_spark.settings.section import (
    NAMED,
    ONE,
    Distinct,
    Name,
    Section,
    WindowDays,
    look_back_of,
    not_mixed,
    sections_kind,
)

PLAIN = "habits"
"""Name of the model of a configuration that names none."""

_TRAINED_BY = frozenset(
    {
        "k",
        "max_k",
        "window_days",
        "features",
        "transforms",
        "winsorise",
        "seed",
        "max_fit_customers",
        "starts",
        "min_improvement",
        "max_passes",
        "groups",
    }
)
_TRAINING = 1
"""Raised by hand when the same settings come to give another model: kept ones then go."""


def _model_version(text: str) -> str:
    return str(DayVersion.parsed(text))


class Clusters(Section):
    """Clusters of customers with similar habits."""

    k: int = Field(default=6, ge=2, le=100, description="number of clusters")
    max_k: int | None = Field(
        default=None,
        ge=2,
        le=100,
        description="where it is given, the number is chosen from `k` to this: by silhouette, of "
        "those that come again on halves of the sample",
    )
    window_days: WindowDays = Field(default=365, description="days looked back")
    features: Annotated[list[FeatureName], Distinct] | None = Field(
        default=None,
        min_length=1,
        description="by default the habits that the input allows; `attribute:NAME` is a number of "
        "`customers`, `one_hot:NAME` a text, `touch_points:KIND` interactions of a kind, "
        "`category_share:CATEGORY` a share of what is spent, `profile:NAME.frequency` (and other "
        "values and scores) what a profile of `rfm` tells",
    )
    transforms: dict[FeatureName, Transform] = Field(
        default_factory=dict,
        description="by feature, in place of its own: `none`, `log1p` where a tail is long, or "
        "`rank`, the share of customers below, where only the order is to count; such as "
        '`{ "attribute:income" = "log1p" }`',
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
    refit: Literal["always", "hold", "drift"] = Field(
        default="always",
        description="train for every as_of, or keep the last model of the same rules: for good, or "
        "until customers have drifted from it",
    )
    refit_on: Calendar = Field(
        default="month",
        description="`drift`: only on the first day described of each week, month or quarter",
    )
    pinned: Annotated[str, AfterValidator(_model_version)] | None = Field(
        default=None,
        description="a stored model to use as it is, whatever `refit` says: its version, such as "
        '"2011-11-30" (see `rfm-spark clusters show`)',
    )

    def misfits(self) -> Iterator[str]:
        """Of the range that k is chosen in."""
        if self.max_k is not None and self.max_k <= self.k:
            yield f"max_k: k is chosen from k = {self.k} to more than that"

    @property
    def training(self) -> Training:
        """How a model is trained."""
        return Training(
            k=self.k,
            max_k=self.max_k,
            seed=self.seed,
            starts=self.starts,
            winsorise=self.winsorise,
            max_customers=self.max_fit_customers,
            min_improvement=self.min_improvement,
            max_passes=self.max_passes,
            groups=self.groups,
            transforms=self.transforms,
        )

    @property
    def trained_by(self) -> str:
        """A short name for the rules that decide a model."""
        return changes_digest(self, _TRAINING, _TRAINED_BY)

    @property
    def look_back(self) -> LookBack:
        """How far back the features look."""
        return look_back_of(self.window_days)


Models = Clusters | dict[Name, Clusters]
"""The section: the rules of one model, or of several by name."""


def models_of(section: Models) -> Mapping[str, Clusters]:
    """The rules of every model, by its name; the first is that of `customer_360`."""
    return {PLAIN: section} if isinstance(section, Clusters) else section


_TABLES = frozenset({"transforms"})
"""Keys of one model that are tables themselves: none of several models has such a name."""


MODELS_TYPE = Annotated[
    Annotated[Clusters, Tag(ONE)] | Annotated[dict[Name, Clusters], Tag(NAMED)],
    Discriminator(lambda written: sections_kind(written, Clusters, _TABLES)),
    BeforeValidator(lambda written: not_mixed(written, Clusters, _TABLES, "clusters", PLAIN)),
]


def written_models(section: Models) -> Iterator[tuple[str, Clusters]]:
    """Where each model is written, and its rules."""
    for name, rules in models_of(section).items():
        yield ("clusters" if isinstance(section, Clusters) else f"clusters.{name}"), rules
