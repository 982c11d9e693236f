"""What `rfm-spark init` proposes is what Spark reads: presets and shapes, to the cent."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import Cli, RunJob
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from support.exports import (
    GA4,
    KLAVIYO,
    LIGHTSPEED,
    LIGHTSPEED_RECEIPTS,
    SHOPIFY,
    SHOPIFY_RECEIPTS,
    SQUARE,
    SQUARE_RECEIPTS,
    STRIPE,
    STRIPE_RECEIPTS,
    WOOCOMMERCE,
    WOOCOMMERCE_RECEIPTS,
    written,
)

from rfm_spark.app.proposal.fields import Column
from rfm_spark.app.proposal.numbers import number_format
from rfm_spark.app.proposal.times import time_format
from rfm_spark.ingest.rows.business_time import Calendar, instant_and_day
from rfm_spark.ingest.tables.interactions import INTERACTIONS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run

TINY = """\
nr;kunde;datum;betrag
1;Zoë;05.01.2026 09:00;1.234,50 €
2;Ana;25.01.2026 10:30;-4,00 €
3;;26.01.2026 11:00;7,25 €
"""
TINY_RECEIPTS = {
    ("1", "Zoë", "2026-01-05", 123450),
    ("2", "Ana", "2026-01-25", -400),
    ("3", None, "2026-01-26", 725),
}


def receipts_of(run: Run) -> set[tuple[str, str | None, str, int]]:
    rows = run.warehouse.read(RECEIPTS).where("status = 'current'").collect()
    return {(r["receipt_id"], r["customer_id"], str(r["business_date"]), r["net_cents"])
            for r in rows}  # fmt: skip


@pytest.fixture
def proposed(cli: Cli, run: RunJob, tmp_path: Path):
    """Files, through init, check and ingest."""

    def ingested(*names: str) -> Run:
        config = tmp_path / "shop.toml"
        folder = tmp_path / "data"
        assert cli("init", *[folder / name for name in names or ["."]], "--out", config) == 0
        assert cli("check", "--config", config, "--input", folder) == 0
        return run(config, folder, tmp_path / "warehouse", "ingest")

    return ingested


@pytest.mark.parametrize(
    ("text", "expected", "ending"),
    [
        (WOOCOMMERCE, WOOCOMMERCE_RECEIPTS, "csv"),
        (SQUARE, SQUARE_RECEIPTS, "csv"),
        (STRIPE, STRIPE_RECEIPTS, "csv"),
        (LIGHTSPEED, LIGHTSPEED_RECEIPTS, "jsonl"),
    ],
    ids=["woocommerce", "square", "stripe", "lightspeed"],
)
def test_a_preset_gives_the_receipts_of_its_export(
    proposed, tmp_path, text, expected, ending
) -> None:
    written(tmp_path / "data" / f"export.{ending}", text)
    assert receipts_of(proposed()) == expected


def test_shopifys_orders_and_analytics_events_are_read_side_by_side(proposed, tmp_path) -> None:
    written(tmp_path / "data" / "orders.csv", SHOPIFY)
    written(tmp_path / "data" / "events.jsonl", GA4)
    written(tmp_path / "data" / "klaviyo.jsonl", KLAVIYO)
    run = proposed()
    assert receipts_of(run) == SHOPIFY_RECEIPTS
    events = run.warehouse.read(INTERACTIONS).orderBy("interaction_ts").collect()
    assert [(e["customer_id"], e["kind"], str(e["business_date"])) for e in events] == [
        ("u.1", "page_view", "2026-01-05"),
        ("01PROFILEADA", "UMTLbD", "2026-01-06"),
        ("u.1", "purchase", "2026-01-06"),
        ("01PROFILEBOB", "XqT9Pm", "2026-01-07"),
        ("01PROFILEBOB", "XqT9Pm", "2026-01-07"),
    ]


def test_tills_and_a_web_shop_are_read_side_by_side(proposed, tmp_path) -> None:
    written(tmp_path / "data" / "till.csv", TINY)
    orders = "".join(
        f'{{"order_id": {n}, "customer": "Ana", "at": "2026-02-0{n}", "total": {n}.25}}\n'
        for n in (1, 2)
    )
    written(tmp_path / "data" / "web.json", orders)
    assert receipts_of(proposed()) == {
        *{(f"till:{number}", *told) for number, *told in TINY_RECEIPTS},
        ("web:1", "Ana", "2026-02-01", 125),
        ("web:2", "Ana", "2026-02-02", 225),
    }


def test_utf_16_is_read_as_it_is(proposed, tmp_path) -> None:
    written(tmp_path / "data" / "a.csv", TINY, "utf-16")
    assert receipts_of(proposed("a.csv")) == TINY_RECEIPTS


def test_compressed_files_of_one_byte_a_letter_are_read(proposed, tmp_path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    header, *rows = TINY.replace(" €", "").splitlines(keepends=True)
    first, second, third = [(header + row).encode("latin-1") for row in rows]
    (folder / "r1.csv.gz").write_bytes(gzip.compress(first))
    (folder / "r2.csv.bz2").write_bytes(bz2.compress(second))
    with pa.CompressedOutputStream(str(folder / "r3.csv.zst"), "zstd") as stream:
        stream.write(third)
    assert receipts_of(proposed()) == TINY_RECEIPTS


STATES = """\
order_id,customer,created_at,total_cents,status,updated_at
1,ada,2026-01-05 09:00:00,123450,pending,2026-01-05 09:00:00
1,ada,2026-01-05 09:00:00,123400,paid,2026-01-05 09:10:00
2,bob,2026-01-06 09:00:00,1999,pending,2026-01-06 09:00:00
2,bob,2026-01-06 09:00:00,1999,paid,2026-01-06 09:30:00
3,ada,2026-01-07 09:00:00,-5,paid,2026-01-07 09:00:00
"""


def test_of_states_in_cents_the_last_counts_to_the_cent(proposed, tmp_path) -> None:
    written(tmp_path / "data" / "states.csv", STATES)
    assert receipts_of(proposed()) == {
        ("1", "ada", "2026-01-05", 123400),
        ("2", "bob", "2026-01-06", 1999),
        ("3", "ada", "2026-01-07", -5),
    }


NUMBERS = {
    "1.234,50 €": "1234.50", "-4,00 €": "-4.00", "$1,018.00": "1018.00", "-$9.00": "-9.00",
    "(12.50)": "-12.50", "12.50-": "-12.50", "1 234,5": "1234.5", "1\u202f234,5": "1234.5",
    "1'234.50": "1234.50", "EUR 12.30": "12.30", "'-20.00": "-20.00", "\u22124.25": "-4.25",
    "1,234,567": "1234567", "12.345.678": "12345678", "+7.5": "7.5", "R$ 3,20": "3.20",
}  # fmt: skip


def test_spark_reads_numbers_as_they_are_shown(spark: SparkSession) -> None:
    columns = []
    for text, plain in NUMBERS.items():
        numbers = number_format([text])
        assert numbers is not None, text
        assert str(numbers.read(text)) == plain.lstrip("+")
        sql = numbers.sql(Column("value").sql)
        columns.append(F.expr(sql.replace("value", "'" + text.replace("'", "\\'") + "'")))
    [row] = spark.range(1).select(*[c.alias(f"c{n}") for n, c in enumerate(columns)]).collect()
    assert [text.lstrip("+") for text in row] == [text.lstrip("+") for text in NUMBERS.values()]


TIMES = [
    "2026-01-25 09:05:00 +0100", "2026-01-25T09:05:00Z", "2026-01-25T09:05:00.123Z", "2026-01-25",
    "25.01.2026 09:05", "25/1/2026", "1/25/2026 9:05:07 PM", "01/25/26 9:05pm", "25-Jan-2026",
    "January 25, 2026", "Jan 25, 2026, 9:05 PM", "2026/01/25 09:05:07", "20260125",
    "25.01.2026 09:05:07 +01:00", "25/01/2026 09:05 UTC", "25/01/2026 09:05:07.5", "25.1.26",
]  # fmt: skip


def test_spark_reads_times_as_they_are_shown(spark: SparkSession) -> None:
    calendar = Calendar("UTC", 0, "UTC")
    instants, shown = [], []
    for text in TIMES:
        times = time_format([text])
        assert times is not None, text
        instant, _ = instant_and_day(
            F.lit(text), spark.range(1).select(F.lit("")).schema[0].dataType, times.pattern,
            calendar,
        )  # fmt: skip
        instants.append(F.date_format(instant, "yyyy-MM-dd HH:mm:ss"))
        shown.append(times.read(text))
    [row] = spark.range(1).select(*[c.alias(f"c{n}") for n, c in enumerate(instants)]).collect()
    zones = {"2026-01-25 09:05:00 +0100": "2026-01-25 08:05:00",
             "2026-01-25 09:05:07 +01:00": "2026-01-25 08:05:07"}  # fmt: skip
    expected = [zones.get(text or "", (text or "").removesuffix("Z").removesuffix(" UTC"))
                for text in shown]  # fmt: skip
    assert list(row) == [text if " " in text else f"{text} 00:00:00" for text in expected]
