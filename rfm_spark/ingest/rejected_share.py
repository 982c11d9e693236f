"""Rejected share: refuses sources of which too few rows can be used."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.batches import Intake
from rfm_spark.ingest.counts import describe_left_out
from rfm_spark.ingest.rows.rules import DROPPED, REJECTED_BY_ANOTHER, SEPARATOR, is_invalid
from rfm_spark.ingest.tables.customer_totals import CUSTOMER_TOTALS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run


def check_rejected_share(run: Run, intake: Intake, rejected_rows: DataFrame) -> None:
    """Refuses a source without any rows, or with more rejected ones than the settings allow.

    Args:
        run: the run.
        intake: new data of a table, counted.
        rejected_rows: one row per raw row, the rejected ones among them, with `source` and
            `reasons`; read only to name the most frequent ones.

    Raises:
        UserError: with the most frequent rejection reasons.
    """
    for batch in intake.batches:
        counts = [intake.counts[batch.label, name] for name in batch.delivery_names]
        total_rows = sum(count.rows for count in counts)
        rejected = sum(count.rejected_rows for count in counts)
        tells_purchases = intake.table in (RECEIPTS, CUSTOMER_TOTALS)
        is_first_load = tells_purchases and not run.warehouse.is_there(intake.table)
        if total_rows == 0 and is_first_load:
            told = describe_left_out(counts) or "there are no rows in it"
            raise UserError(f"[{batch.label}] {', '.join(batch.delivery_names[:3])}: {told}")
        max_share = run.settings.ingest.max_rejected_share
        if rejected > max_share * total_rows:
            raise UserError(
                f"[{batch.label}] {rejected:,} of {total_rows:,} rows are rejected, more than "
                f"ingest.max_rejected_share = {max_share:g} allows; nothing was published. Most "
                f"frequent: {_of_source(rejected_rows, batch.label)}"
            )


def _of_source(rows: DataFrame, label: str) -> str:
    invalid_rows = rows.where(is_invalid() & (F.col("source") == label))
    return most_frequent_reasons(
        invalid_rows.select(F.split("reasons", SEPARATOR).alias("reasons"))
    )


def most_frequent_reasons(rejected: DataFrame) -> str:
    """The reasons that most rows have, such as `time_unreadable (12), amount_missing (3)`.

    Args:
        rejected: one row per rejected raw row, with `reasons`, an array.
    """
    reasons = rejected.select(F.explode("reasons").alias("reason")).where(
        ~F.col("reason").isin(*DROPPED, REJECTED_BY_ANOTHER)
    )
    most_frequent = reasons.groupBy("reason").count().orderBy(F.desc("count"), "reason").limit(5)
    return ", ".join(f"{row['reason']} ({row['count']:,})" for row in most_frequent.collect())
