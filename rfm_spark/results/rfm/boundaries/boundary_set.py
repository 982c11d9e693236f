"""A boundary set: what scores are given by, made of the rows that hold it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rfm_spark.core.cuts import Cut
from rfm_spark.core.day_version import DayVersion
from rfm_spark.results.rfm.cut_points import EVERYBODY, CutPoints, Nest, nest_words
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.tables import WITHIN

Indices = Mapping[str, float]
"""Population stability index by dimension."""
Rows = Sequence[Mapping[str, Any]]
_Told = TypeVar("_Told")


@dataclass(frozen=True)
class BoundarySet:
    """Cut points of every dimension.

    Attributes:
        version: the day they were fitted on, and which of its sets this is.
        cuts: cut points.
        shares: of the customers in each bin at fit, by dimension; of nested cuts, by how many cuts
            of their own nest they had passed.
        collapsed: which scores nobody had and why, by dimension, in words; only where there are
            any.
        methods: how the cuts were found, by dimension.
        explained: share of the sum of squares that cuts by `natural` explain, by dimension; of
            nested ones the least.
        customers: that they were fitted to.
        fitted_by: digest of the rules they were fitted by.
        drift: indices on the day described of the set that was kept from before it; none where
            there was none, or the rules keep none.
    """

    version: DayVersion
    cuts: CutPoints
    shares: Mapping[str, Sequence[float]]
    collapsed: Mapping[str, str]
    methods: Mapping[str, str]
    explained: Mapping[str, float]
    customers: int
    fitted_by: str
    drift: Indices = field(default_factory=dict)

    @property
    def scores(self) -> int:
        """How many scores the cuts give."""
        return self.cuts.scores


def sets_of_rows(rows: Iterable[Mapping[str, Any]]) -> list[BoundarySet]:
    """The sets of one profile, the oldest first, of its rows of `rfm_boundaries`."""
    by_version: defaultdict[DayVersion, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        by_version[DayVersion.of_columns(row["version"], row["edition"])].append(row)
    return [_set(version, by_version[version]) for version in sorted(by_version)]


def _set(version: DayVersion, rows: Rows) -> BoundarySet:
    of_nests: dict[str, defaultdict[Nest, list[Mapping[str, Any]]]] = {
        dimension: defaultdict(list) for dimension in DIMENSIONS
    }
    for row in sorted(rows, key=lambda one: one["cut"]):
        of_nests[row["dimension"]][_nest(row)].append(row)
    everybody = of_nests["recency"][EVERYBODY][0]  # R is never nested
    return BoundarySet(
        version,
        CutPoints({dimension: _cuts(nests) for dimension, nests in of_nests.items()}),
        shares={dimension: _shares(list(nests.values())) for dimension, nests in of_nests.items()},
        collapsed=_where_told(of_nests, _collapsed),
        methods={row["dimension"]: row["method"] for row in rows},
        explained=_where_told(of_nests, _explained),
        customers=everybody["customers"],
        fitted_by=everybody["settings_digest"],
    )


def _where_told(
    of_nests: Mapping[str, Mapping[Nest, Rows]], tell: Callable[[Mapping[Nest, Rows]], _Told | None]
) -> dict[str, _Told]:
    """By dimension, of those there is something to tell of."""
    told = {dimension: tell(nests) for dimension, nests in of_nests.items()}
    return {dimension: one for dimension, one in told.items() if one is not None}


def _cuts(of_nests: Mapping[Nest, Rows]) -> dict[Nest, list[Cut]]:
    return {nest: [one["value"] for one in bins[1:]] for nest, bins in of_nests.items()}


def _explained(of_nests: Mapping[Nest, Rows]) -> float | None:
    """What `natural` cuts explain, in the nest where that is least."""
    told = (bins[0]["explained"] for bins in of_nests.values())
    return min((share for share in told if share is not None), default=None)


def _nest(row: Mapping[str, Any]) -> Nest:
    """The scores that a bin lies within."""
    return tuple(one for name in WITHIN if (one := row[name]) is not None)


def _shares(of_nests: Sequence[Rows]) -> list[float]:
    """Of the customers in each bin; where there are several nests, of all of them together."""
    if len(of_nests) == 1:
        return [row["share"] for row in of_nests[0]]
    customers = sum(bins[0]["customers"] for bins in of_nests)
    return [
        sum((one["share"] or 0.0) * one["customers"] for one in same) / max(customers, 1)
        for same in zip(*of_nests, strict=True)
    ]


def _collapsed(of_nests: Mapping[Nest, Rows]) -> str | None:
    """Which scores nobody had, and why; of several nests the first where some are empty."""
    told: dict[Nest, str] = {
        nest: one["collapsed"]
        for nest, bins in of_nests.items()
        for one in bins
        if one["collapsed"] is not None
    }
    if not told or EVERYBODY in told:
        return told.get(EVERYBODY)
    first = min(told)
    more = f", and so in {len(told) - 1} more of {len(of_nests)}" if len(told) > 1 else ""
    return f"within {nest_words(first)}: {told[first]}{more}"
