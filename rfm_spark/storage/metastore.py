"""The metastore: where the warehouse's tables have names, for those who query them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pyspark.sql import SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.core.table import Table
from rfm_spark.storage.locations import below, is_same_place, plain


def require_names(spark: SparkSession, database: str, place: str, tables: Iterable[Table]) -> None:
    """Makes sure that tables can be registered by name, before anything is written.

    Args:
        spark: the session.
        database: a checked lower-case word.
        place: the warehouse.
        tables: that are to have names.

    Raises:
        UserError: naming the setting that is missing, or every name that is another table's.
    """
    name = "spark.sql.catalogImplementation"
    if spark.conf.get(name) == "in-memory":
        raise UserError(
            "[metastore] database: this Spark session has no metastore, and would forget the names "
            f"at its end: submit with --conf {name}=hive, or remove [metastore]"
        )
    if problems := list(name_problems(spark, database, place, tables)):
        raise UserError(problems)


def name_problems(
    spark: SparkSession, database: str, place: str, tables: Iterable[Table]
) -> Iterator[str]:
    """Names in the database that stand for something else than this warehouse's tables."""
    if not spark.catalog.databaseExists(database):
        return
    # Of the catalog alone: tables whose files are gone are listed as well.
    listed = spark.sql(f"SHOW TABLE EXTENDED IN {database} LIKE '*'").collect()
    known = {row["tableName"]: row["information"] for row in listed}
    for table in tables:
        if table.name not in known:
            continue
        where = f"[metastore] database: {database}.{table.name}"
        facts = dict(re.findall(r"^(Type|Location): (.*)$", known[table.name], re.MULTILINE))
        own, found = below(place, table.name), plain(facts.get("Location", ""))
        if facts["Type"] != "EXTERNAL":
            yield f"{where} is a table or view of somebody else: use another database"
        elif not is_same_place(found, own):
            yield (
                f"{where} is registered for {found}, not for {own}: take that name away, or use "
                "another database"
            )
