"""Two jobs at once on one warehouse: one goes on, the other stops and says so, nothing is lost."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from datetime import date

from deltalake import DeltaTable
from pyspark.sql import functions as F
from pyspark.sql.types import LongType
from support.screen import problems
from support.shop import Shop, assert_same_tables, line, stored_tables, versions, whole_shop

from rfm_spark.cli import exit_code
from rfm_spark.core.errors import RunFailure
from rfm_spark.core.table import Column, Table
from rfm_spark.storage.warehouse import Warehouse

NUMBERS = Table("numbers", "a number", (Column("number", LongType(), "It", True),), ("number",))


def a_shop(folder) -> Shop:
    shop = whole_shop(folder)
    text = shop.config.read_text(encoding="utf-8")
    shop.configure(f'{text}\n[privacy]\nkey_file = "{shop.folder / "key"}"\n')
    (shop.folder / "ids").write_text("c1\n", encoding="utf-8")
    return shop


def test_while_one_job_writes_every_other_one_is_refused_and_changes_nothing(
    spark, cli, run, tmp_path, capfd, monkeypatch
):
    shop = a_shop(tmp_path / "shop")
    assert cli("ingest", *shop.arguments()) == 0
    shop.csv("receipts2.csv", [line("late", "c1", "2025-03-21", "9.00")])
    place = ["--config", shop.config, "--warehouse", shop.warehouse]
    days = ["--from", "2025-03-01", "--to", "2025-03-31", "--every", "month"]
    others = {
        "nightly": [*shop.arguments(), "--date", "2025-03-21"],
        "backfill": [*place, *days],
        "forget": ["--customer-file", shop.folder / "ids", *place],
        "retract": ["receipts1.csv", *place],
        "replay": ["--all", *shop.arguments()],
        "rfm": place,
    }
    ended: dict[str, int] = {}
    told: dict[str, list[str]] = {}
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    original = Warehouse.replace

    def replace(self, table, *arguments, **named):
        if not ended:
            before.update(versions(shop.warehouse))
            for name, options in others.items():
                capfd.readouterr()
                arguments_of_it = [str(one) for one in (name, *options)]
                ended[name] = exit_code(arguments_of_it, lambda: nullcontext(spark))
                told[name] = problems(capfd)
            after.update(versions(shop.warehouse))
        return original(self, table, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, "replace", replace)
        run(shop.config, shop.raw, shop.warehouse, "nightly", as_of=date(2025, 3, 21))
    assert ended == dict.fromkeys(others, 2), told
    for [line_of_it] in told.values():
        assert f"{shop.warehouse}: another run is writing this warehouse (rfm-spark n" in line_of_it
    assert before == after != {}

    alone = a_shop(tmp_path / "alone")
    alone.csv("receipts2.csv", [line("late", "c1", "2025-03-21", "9.00")])
    assert cli("nightly", *alone.arguments("--date", "2025-03-21")) == 0
    found, expected = (
        {
            name: [
                {key: value for key, value in row.items() if key not in ("version", "fingerprint")}
                for row in rows
            ]
            for name, rows in stored_tables(one.warehouse).items()
        }
        for one in (shop, alone)
    )
    assert_same_tables(found, expected)


def test_a_table_that_another_tool_rewrites_meanwhile_is_not_written_and_can_be_again(
    spark, tmp_path
):
    """An OPTIMIZE by delta-rs, which knows of no lease, while Spark works on the new rows."""
    warehouse = Warehouse(spark, str(tmp_path))
    for number in (1, 2):
        warehouse.append(NUMBERS, [{"number": number}])
    failures: list[Exception] = []
    # Each row takes seconds, in the JVM: the other tool has finished long before.
    slow = F.expr("number + 0 * length(reflect('java.lang.Thread', 'sleep', 4000L))")
    rows = warehouse.read(NUMBERS).select(slow.alias("number"))

    def write() -> None:
        try:
            warehouse.replace(NUMBERS, rows, F.lit(True))
        except RunFailure as error:
            failures.append(error)

    at_work = threading.Thread(target=write)
    at_work.start()
    status = spark.sparkContext.statusTracker()
    while at_work.is_alive() and not status.getActiveStageIds():
        time.sleep(0.05)
    time.sleep(1)
    done = DeltaTable(warehouse.path(NUMBERS)).optimize.compact()
    assert done["numFilesRemoved"] == 2
    assert at_work.is_alive(), "the rows were written before"
    at_work.join()
    [failure] = failures
    assert "somebody else changed it meanwhile" in str(failure)
    assert "run it again" in str(failure)
    assert sorted(row["number"] for row in warehouse.rows(NUMBERS)) == [1, 2]
    warehouse.replace(NUMBERS, warehouse.read(NUMBERS).where("number = 2"), F.lit(True))
    assert [row["number"] for row in warehouse.rows(NUMBERS)] == [2]
