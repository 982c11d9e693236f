"""Order of deliveries: natural order of their names, as numbers that rows are compared by."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from rfm_spark.core.natural_order import natural_key
from rfm_spark.storage.local_rows import local_rows

_SCHEMA = StructType(
    [StructField("delivery", StringType(), False), StructField("order", IntegerType(), False)]
)


def delivery_places(spark: SparkSession, names: Collection[str]) -> DataFrame:
    """The place of each delivery among all.

    A number is moved and compared with every version, where the text that `natural_order` sorts by
    would be six times as long as the name.

    Args:
        spark: the session.
        names: of all deliveries.

    Returns:
        One row per name: `delivery` and `order`, from 0 on.
    """
    in_order = sorted(set(names), key=natural_key)
    rows = [{"delivery": name, "order": place} for place, name in enumerate(in_order)]
    return local_rows(spark, rows, _SCHEMA)
