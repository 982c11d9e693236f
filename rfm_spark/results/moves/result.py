"""Moves between segments as a result."""

from __future__ import annotations

from rfm_spark.facts.tables import CUSTOMER_DAYS, CUSTOMER_YEARS, MERGED_CUSTOMERS
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.results.declaration import Result
from rfm_spark.results.moves.job import refresh_moves
from rfm_spark.results.moves.page import move_pages
from rfm_spark.results.moves.panels import move_panels
from rfm_spark.results.moves.tables import SEGMENT_MOVES
from rfm_spark.results.rfm.result import RESULT as RFM_RESULT
from rfm_spark.results.rfm.tables import RFM, RFM_BOUNDARIES, SEGMENTS

RESULT = Result(
    name="moves",
    summary="Tell who moved between segments since an earlier day, and why.",
    tables=(SEGMENT_MOVES,),
    reads=(
        RFM,
        RFM_BOUNDARIES,
        SEGMENTS,
        CUSTOMER_DAYS,
        CUSTOMER_YEARS,
        CUSTOMER_TOTALS,
        MERGED_CUSTOMERS,
    ),
    make=refresh_moves,
    section=RFM_RESULT.section,
    panels=move_panels,
    pages=move_pages,
    compares_days=True,
    place=15,
)
