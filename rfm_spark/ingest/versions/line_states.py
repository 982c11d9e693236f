"""Line states: which lines of a receipt count where a delivery has it in several states.

Shops that export an order again after each change write all its lines each time.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from rfm_spark.ingest.rows.rules import OLDER_VERSION
from rfm_spark.ingest.rows.version_order import LAST_OF_ALL

_COLUMNS = ("_own", "_order", "_returned_at", "_is_state", "_newest_state", "_newest_return")


def with_older_states_dropped(lines: DataFrame) -> DataFrame:
    """Lines, of which those of older states are OLDER_VERSION.

    The lines of one version are a state of the receipt, returned ones among them, and the greatest
    version counts. A version of returned lines alone is no state but a return by itself, whose
    number is that of its order: it is a version of those of its time only.

    Args:
        lines: one row per line: `receipt_lines`, with all lines of each id and delivery.

    Returns:
        One row per line: all columns of `lines`, `reasons` and `is_dropped` brought up to date: an
        older line is not judged, as what is wrong with it was mended in its delivery.
    """
    # Lines without an id are no receipts: each is a group of its own, for they would be one task's.
    own = F.when(F.col("receipt_id").isNull(), F.md5("raw"))
    key = ("delivery", "receipt_id", "_own")
    keyed = lines.withColumns(
        {
            "_own": own,
            "_order": F.coalesce("version", F.lit(-LAST_OF_ALL)),
            "_returned_at": F.when(F.col("is_return"), F.col("receipt_ts")),
        }
    )
    of_version = Window.partitionBy(*key, "_order")
    told = keyed.withColumn("_is_state", F.bool_or(~F.col("is_return")).over(of_version))
    state = F.when(F.col("_is_state"), F.col("_order"))
    only_return = F.when(~F.col("_is_state"), F.col("_order"))
    compared = told.withColumns(
        {
            "_newest_state": F.max(state).over(Window.partitionBy(*key)),
            "_newest_return": F.max(only_return).over(Window.partitionBy(*key, "_returned_at")),
        }
    )
    newest = F.when(F.col("_is_state"), F.col("_newest_state")).otherwise(F.col("_newest_return"))
    is_older = F.col("receipt_id").isNotNull() & (F.col("_order") < newest)
    return compared.withColumns(
        {
            "reasons": F.when(is_older, OLDER_VERSION).otherwise(F.col("reasons")),
            "is_dropped": is_older | F.col("is_dropped"),
        }
    ).drop(*_COLUMNS)
