"""Deliveries: made-up rows as files, and the configuration that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from rfm_spark.core.errors import UserError
from rfm_spark.generator.details import as_lines, interactions
from rfm_spark.generator.market import Market
from rfm_spark.generator.receipts import GUEST, delivered_receipts
from rfm_spark.settings.sources import Format
from rfm_spark.storage.locations import below, literal

Layout = Literal["daily", "bulk"]

_WRITERS = "spark.sql.maxConcurrentOutputFileWriters"
_DAYS_OF_A_TASK = "64"
"""Files a task may have open; with more it sorts its rows by day first."""


@dataclass(frozen=True)
class Files:
    """Where deliveries go, and as what.

    Attributes:
        place: folder or URI; what is there already is left alone.
        format: of the files.
        layout: a folder for every day of delivery, or all in one; Delta has one table either way.
    """

    place: str
    format: Format
    layout: Layout

    @property
    def is_daily(self) -> bool:
        """Whether there is a folder for every day."""
        return self.layout == "daily" and self.format != "delta"


def write_deliveries(spark: SparkSession, market: Market, files: Files) -> None:
    """Writes a folder `receipts`, and `interactions` where there are any.

    Raises:
        UserError: if one of the folders is there already.
    """
    folders = ["receipts", *(["interactions"] if market.interactions_per_receipt else [])]
    for path in (below(files.place, folder) for folder in folders):
        if _is_there(spark, path):
            raise UserError(f"--out: {path} is there already: choose another folder")
    once = {"duplicate_share": 0.0, "correction_share": 0.0}
    # A Delta table is one delivery, in which nothing can come again.
    market = market.model_copy(update=once) if files.format == "delta" else market
    receipts = delivered_receipts(spark, market)
    _write(as_lines(receipts, market) if market.lines_per_receipt else receipts, files, "receipts")
    if market.interactions_per_receipt:
        _write(interactions(spark, market), files, "interactions")


def configuration(market: Market, files: Files) -> str:
    """The configuration that reads what `write_deliveries` writes, in TOML."""
    has_lines = market.lines_per_receipt > 0
    parts = [
        f'[business]\ntime_zone = "UTC"\ncurrency = "EUR"\nguest_ids = ["{GUEST}"]\n',
        _source("receipts", "receipts", files, has_lines),
        f'grain = "{"line" if has_lines else "receipt"}"\n',
        '[receipts.columns]\nreceipt_id = "receipt_id"\ncustomer_id = "customer_id"',
        'time = "time"\namount = "amount"',
        'quantity = "quantity"\ncategory = "category"' if has_lines else 'items = "items"',
        'promotion = "promotion"\nchannel = "channel"\nstore_id = "store_id"',
    ]
    if market.interactions_per_receipt:
        parts += [
            "\n" + _source("interactions.web", "interactions", files, has_lines),
            '\n[interactions.web.columns]\ninteraction_id = "interaction_id"',
            'customer_id = "customer_id"\nkind = "kind"\ntime = "time"\nvalue = "seconds"',
        ]
    return "\n".join(parts) + "\n"


def _source(section: str, folder: str, files: Files, has_lines: bool) -> str:
    inside = "*/*" if files.is_daily else "*"
    path = folder if files.format == "delta" else f"{folder}/{inside}.{files.format}"
    told = [f'[{section}]\npath = "{path}"\nformat = "{files.format}"']
    if files.is_daily:
        told.append('delivery = "folder"')
    types = {"promotion": "boolean"} if folder == "receipts" else {}
    if files.format == "json":
        columns = _columns(folder, has_lines)
        types = {name: types.get(name, "string") for name in columns}
    if files.format in ("csv", "json") and types:
        listed = ", ".join(f'{name} = "{kind}"' for name, kind in types.items())
        told.append(f"types = {{ {listed} }}")
    return "\n".join(told)


def _columns(folder: str, has_lines: bool) -> list[str]:
    if folder == "interactions":
        return ["interaction_id", "customer_id", "kind", "time", "seconds"]
    own = ["line", "category", "quantity"] if has_lines else ["items"]
    shared = ["receipt_id", "customer_id", "time", "amount", "promotion", "channel", "store_id"]
    return shared + own


def _write(rows: DataFrame, files: Files, folder: str) -> None:
    path = below(files.place, folder)
    writer = rows.write.format(files.format).mode("error")
    if files.format == "csv":
        writer = writer.option("header", True)
    if files.is_daily:
        writer = writer.partitionBy("delivered")
    with _open_files(rows.sparkSession):
        writer.save(path)


def _is_there(spark: SparkSession, path: str) -> bool:
    try:
        spark.read.format("binaryFile").load(literal(path))
    except AnalysisException as error:
        if error.getCondition() == "PATH_NOT_FOUND":
            return False
        raise
    return True


@contextmanager
def _open_files(spark: SparkSession) -> Iterator[None]:
    before = spark.conf.get(_WRITERS)
    spark.conf.set(_WRITERS, _DAYS_OF_A_TASK)
    try:
        yield
    finally:
        spark.conf.set(_WRITERS, str(before))
