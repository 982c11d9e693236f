"""What scores tell the report: the cells of every profile, and what each score takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rfm_spark.core.page import Block, Chart, Choice, Data, Field, Page, ScoreCells, Words
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.boundaries.stored import set_of_day
from rfm_spark.results.rfm.boundaries.units import ValueUnit, units_of
from rfm_spark.results.rfm.boundaries.words import score_words
from rfm_spark.results.rfm.cut_points import EVERYBODY
from rfm_spark.results.rfm.job import Profiles
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.segment_page import segment_blocks
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM_CELLS

SEGMENTS_PAGE = "Segments"
_TITLES = {"recency": "Recency (R)", "frequency": "Frequency (F)", "monetary": "Value (M)"}
_LETTERS = {"recency": "R", "frequency": "F", "monetary": "M"}
_SCORES = {"recency": "r_score", "frequency": "f_score", "monetary": "m_score"}

Rows = Sequence[Mapping[str, Any]]


def rfm_pages(request: Request[Profiles]) -> Iterator[Page]:
    """The cells and scores of every profile, and its segments."""
    cells, segments = dict[str, list[Block]](), dict[str, list[Block]]()
    made = request.how_made("rfm", request.as_of)
    for name, now in request.rules.items():
        rules = profile_of(made, name) or now
        rows = request.run.warehouse.rows(RFM_CELLS, {"profile": name, "as_of": request.as_of})
        if rows:
            cells[name] = list(_cell_blocks(request, name, rules, rows))
            segments[name] = list(segment_blocks(request, name, rules))
    yield Page("RFM", [Choice("Profile", cells)])
    yield Page(SEGMENTS_PAGE, [Choice("Profile", segments)])


def _cell_blocks(
    request: Request[Profiles], name: str, rules: Profile, rows: Rows
) -> Iterator[Block]:
    customers = sum(row["customers"] for row in rows)
    yield Words(
        f"{customers:,} customers are scored by {name}: {told_window(rules)}, as of "
        f"{request.as_of}. The highest score is the best."
    )
    yield _cells(request, name, rules, rows)
    used = set_of_day(request.run, name, request.as_of)
    if used is not None:
        nested = "; F is cut within each R, and M within each R and F" if rules.nested else ""
        yield Words(
            f"What each score takes, by the boundaries that were fitted on {used.version.day} to "
            f"{used.customers:,} customers{nested}:"
        )
        has_money = request.run.settings.tells_purchases
        for dimension, unit in _units(request, rules).items():
            yield _scores(dimension, unit, used, rows, has_money=has_money)


def _units(request: Request[Profiles], rules: Profile) -> Mapping[str, ValueUnit]:
    return units_of(rules.basis, request.run.settings.business.money_format)


def _cells(request: Request[Profiles], name: str, rules: Profile, rows: Rows) -> ScoreCells:
    fields = [
        Field("rfm_cell", "cell"),
        Field("segment", "segment"),
        Field("customers", "customers", "count"),
        Field("share", "share of customers", "share"),
        Field("average_recency_days", "days since the last time, average", "days"),
        Field("average_frequency", "frequency, average", "number"),
    ]
    if request.run.settings.tells_purchases:
        fields += [
            Field("revenue_cents", "revenue", "money"),
            Field("average_monetary_cents", "revenue a customer", "money"),
        ]
    customers = sum(row["customers"] for row in rows)
    told = [
        {**row, "share": row["customers"] / customers if customers else None}
        for row in sorted(rows, key=lambda one: one["rfm_cell"], reverse=True)
    ]
    return ScoreCells(
        "The cells",
        Data(fields, told),
        scores=max(row["r_score"] for row in rows),
        command=("--profile", name),
        # Of all known customers some have no recency, and how many of the lowest cell is not told.
        has_all_recencies=not rules.basis.has_all_known,
    )


def _scores(
    dimension: str, unit: ValueUnit, used: BoundarySet, rows: Rows, *, has_money: bool
) -> Chart:
    """How many customers have each score of a dimension, and what it takes."""
    if used.cuts.is_nested(dimension):
        words = [f"{_LETTERS[dimension]} {score}" for score in range(used.scores, 0, -1)]
    else:
        cuts = used.cuts.within(dimension, EVERYBODY)
        words = score_words(cuts, unit, low_is_best=dimension == "recency")
    scored = [
        {
            "score": str(score),
            "takes": takes,
            "customers": sum(r["customers"] for r in rows if r[_SCORES[dimension]] == score),
            "revenue_cents": sum(
                row["revenue_cents"] for row in rows if row[_SCORES[dimension]] == score
            ),
        }
        for score, takes in zip(range(used.scores, 0, -1), words, strict=True)
    ]
    fields = [
        Field("score", "score"),
        Field("takes", "what it takes"),
        Field("customers", "customers", "count"),
    ]
    if has_money:
        fields.append(Field("revenue_cents", "revenue", "money"))
    return Chart(
        _TITLES[dimension], Data(fields, scored), "bars", "takes", "customers", is_small=True
    )
