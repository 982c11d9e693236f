"""`rfm-spark list`: who is in a segment, a cell, a cohort, or meets a condition, as a file."""

from __future__ import annotations

from typing import Annotated

import typer

from rfm_spark.app.lists.job import ListTold, list_customers
from rfm_spark.app.lists.selection import Selection
from rfm_spark.cli.options import Config, Overrides, Place, StoredDay, day_of
from rfm_spark.cli.requests import opened_run
from rfm_spark.core.money import MoneyFormat
from rfm_spark.storage.exports import ExportFormat

Segments = Annotated[
    list[str],
    typer.Option(
        "--segment",
        metavar="NAME",
        help="In this segment; like all that follows of which several can be given, one of them.",
        default_factory=list,
        show_default=False,
    ),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Whose segments, cells and scores; by default those that lead customer_360.",
        show_default=False,
    ),
]
Cells = Annotated[
    list[str],
    typer.Option(
        "--cell", metavar="RFM", help="In this cell: 555.", default_factory=list, show_default=False
    ),
]
RScores = Annotated[
    str | None, typer.Option("--r-score", metavar="N-N", help="Recency: 5, or 4-5.")
]
FScores = Annotated[str | None, typer.Option("--f-score", metavar="N-N", help="Frequency.")]
MScores = Annotated[str | None, typer.Option("--m-score", metavar="N-N", help="Money or value.")]
Clusters = Annotated[
    list[int],
    typer.Option(
        "--cluster",
        metavar="N",
        help="In this cluster.",
        default_factory=list,
        show_default=False,
    ),
]
Tiers = Annotated[
    list[str],
    typer.Option(
        "--tier",
        metavar="NAME",
        help="In a cluster of this tier: ideal, near_ideal, low_potential, regular.",
        default_factory=list,
        show_default=False,
    ),
]
Cohorts = Annotated[
    list[str],
    typer.Option(
        "--cohort",
        metavar="MONTH",
        help="First visit in this month: 2025-01.",
        default_factory=list,
        show_default=False,
    ),
]
Lost = Annotated[
    bool, typer.Option("--lost", help="Last visit longer ago than business.lost_after_days.")
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="CONDITION",
        help="On columns of customer_360 and attributes: "
        "\"lifetime_visits >= 3 and city in ['Ulm', 'Aix'] and email is not None\".",
        show_default=False,
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Columns of customer_360 and attributes, with commas; customer_id comes first.",
        show_default=False,
    ),
]
Format = Annotated[
    ExportFormat, typer.Option("--format", help="Of the list; json is a line for each customer.")
]
NoConsent = Annotated[
    bool,
    typer.Option(
        "--no-consent-needed",
        help="Also those who have not agreed to be contacted ([consent] of the configuration).",
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        metavar="PLACE",
        help="Where to write, a path or URI: one file if it ends in .csv, .jsonl or .parquet, else "
        "a folder of files.",
        show_default=False,
    ),
]


def list_to_place(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    out: Out,
    segments: Segments,
    cells: Cells,
    clusters: Clusters,
    tiers: Tiers,
    cohorts: Cohorts,
    profile: Profile = None,
    r_score: RScores = None,
    f_score: FScores = None,
    m_score: MScores = None,
    lost: Lost = False,
    where: Where = None,
    columns: Columns = "",
    format: Format = "csv",
    as_of: StoredDay = None,
    no_consent_needed: NoConsent = False,
) -> None:
    """Write who is in a segment, cell, cohort, cluster or tier, or meets a condition, to a file."""
    scores = {"r_score": r_score, "f_score": f_score, "m_score": m_score}
    selection = Selection(
        profile=profile,
        segments=segments,
        cells=cells,
        scores=[(name, text) for name, text in scores.items() if text is not None],
        clusters=clusters,
        tiers=tiers,
        cohorts=cohorts,
        is_lost=lost,
        where=where,
    )
    names = names_of(columns)
    with opened_run(context, config, overrides, warehouse, [warehouse]) as run:
        told = list_customers(
            run, selection, names, format, out, day_of(as_of), not no_consent_needed
        )
    for line in told_lines(told, run.settings.business.money_format, out):
        typer.echo(line)


def names_of(columns: str) -> list[str]:
    """Names that are written with commas between them."""
    return [name.strip() for name in columns.split(",") if name.strip()]


def told_lines(told: ListTold, money: MoneyFormat, out: str) -> list[str]:
    """How many, their revenue, and where they are."""
    who = "; ".join(told.conditions) or "everybody"
    refused = told.without_consent
    left_out = [] if refused is None else [f"{refused:,} more have not agreed to be contacted"]
    if not told.customers:
        return [f"nobody as of {told.as_of}: {who}", *left_out, "nothing was written"]
    revenue = f"{money.rounded(told.revenue_cents)} {money.currency}"
    lines = [
        f"{told.customers:,} customers as of {told.as_of}, who have spent {revenue}: {who}",
        *left_out,
        f"written to {out}",
    ]
    if told.formulas:
        lines.append(formulas_told(told.formulas))
    return lines


def formulas_told(customers: int) -> str:
    """That texts of a CSV were changed."""
    return (
        f"in texts of {customers:,} customers an apostrophe stands before what a spreadsheet would "
        "take for a formula; other formats have them as they are"
    )
