"""Nights: day after day, they end in the tables a full rebuild makes, and in a good layout."""

from __future__ import annotations

import json
import random
import shutil
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from support.shop import ABOUT_RUNS, EMPTY_AFTER_A_RUN, Shop, stored, stored_tables

from rfm_spark.app.loading import load_settings
from rfm_spark.generator.deliveries import Files, configuration, write_deliveries
from rfm_spark.generator.market import Market
from rfm_spark.ingest.job import ingest
from rfm_spark.run import Run
from rfm_spark.storage.commit_log import Note
from rfm_spark.storage.warehouse import Warehouse

FIRST, DAYS = date(2024, 12, 20), 45
MARKET = Market(
    receipts=700,
    customers=60,
    days=DAYS,
    first_day=FIRST,
    late_share=0.1,
    duplicate_share=0.1,
    correction_share=0.1,
    broken_share=0.01,
    interactions_per_receipt=0.3,
)
SETTINGS = (
    "maintenance.late_days=1",
    "maintenance.keep_results_days=20",
    "ingest.max_rejected_share=0.1",
    "clusters.k=3",
)
NOT_COMPARED = (*ABOUT_RUNS, "segment_moves", "cluster_moves")
"""Moves are between days that are stored, and a rebuild stores one."""


@pytest.fixture(scope="module")
def month(spark, run, tmp_path_factory):
    """A shop after some nights of a randomised history; a delivery came again without a row."""
    folder = tmp_path_factory.mktemp("month")
    made, shop = folder / "made", Shop(folder / "shop")
    files = Files(str(made), "parquet", "daily")
    write_deliveries(spark, MARKET, files)
    shop.configure(configuration(MARKET, files))
    chance = random.Random(4)
    nights = [chance.randrange(5, 15), chance.randrange(20, 38), DAYS - 1]
    came: set[str] = set()
    for number, place in enumerate(nights):
        day = FIRST + timedelta(days=place)
        for source in ("receipts", "interactions"):
            for delivered in sorted(made.glob(f"{source}/delivered=*")):
                name = f"{source}/{delivered.name}"
                if name not in came and delivered.name <= f"delivered={day}":
                    shutil.copytree(delivered, shop.raw / name)
                    came.add(name)
        if number == 1:
            deliver_again_without_a_row(
                chance.choice(sorted(shop.raw.glob("receipts/*/*.parquet")))
            )
        run(shop.config, shop.raw, shop.warehouse, "nightly", day, SETTINGS)
    return shop, [FIRST + timedelta(days=place) for place in nights]


def deliver_again_without_a_row(file):
    (file.parent / f".{file.name}.crc").unlink()  # Hadoop's checksum of the file as it was
    rows = pq.read_table(file)
    pq.write_table(rows.slice(1), file)


def notes(warehouse, table):
    """What the commits of a table note, those that note anything."""
    logs = sorted((warehouse / table / "_delta_log").glob("*.json"))
    infos = [json.loads(log.read_text().splitlines()[0])["commitInfo"] for log in logs]
    return [note for info in infos if (note := Note.of(0, info).content)]


def as_of_last(tables, last):
    """Results of the last day, and all other rows."""
    return {
        name: [row for row in rows if row.get("as_of", last) == last
               and row.get("version", last) == last]
        for name, rows in tables.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def rebuilt(run, month, tmp_path_factory):
    """The warehouse that the same deliveries make at once, with the decisions of the nights.

    Clusters keep the numbers of those of the models before.
    """
    shop, nights = month
    place = tmp_path_factory.mktemp("rebuilt")
    shutil.copytree(shop.warehouse / "cluster_models", place / "cluster_models")
    run(shop.config, shop.raw, place, "run", nights[-1], SETTINGS)
    return place


def test_nights_end_in_the_tables_of_a_full_rebuild(month, rebuilt):
    shop, nights = month
    found, expected = (
        as_of_last(stored_tables(place, NOT_COMPARED), nights[-1])
        for place in (shop.warehouse, rebuilt)
    )
    assert sorted(found) == sorted(expected)
    for name, rows in expected.items():
        assert rows or name in EMPTY_AFTER_A_RUN, name
        assert found[name] == rows, f"{name} differs"


FOLDED = date(2025, 1, 31)
"""The end of the last month that is over when receipts come a day late on February 2nd."""


def spans(warehouse, name):
    """The first and the last day in each file of a table."""
    table = DeltaTable(str(warehouse / name))
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return sorted((file["min.day"], file["max.day"]) for file in files)


def lie_apart(found):
    """Whether no file holds days up to FOLDED and later ones too, and there are both."""
    mixed = [span for span in found if span[0] <= FOLDED < span[1]]
    return not mixed and found[0][0] <= FOLDED < found[-1][1]


@pytest.mark.parametrize("name", ["customer_days", "customer_day_events"])
def test_days_that_late_receipts_reach_lie_apart_from_the_start(rebuilt, name):
    assert lie_apart(spans(rebuilt, name))
    assert notes(rebuilt, name)[-1]["folded"] == FOLDED.isoformat()


def test_days_lie_apart_when_both_sorts_change_at_once(run, month, tmp_path):
    shutil.copytree(month[0].folder, tmp_path, dirs_exist_ok=True)
    shop = Shop(tmp_path)
    for day in (date(2025, 1, 10), FIRST + timedelta(days=DAYS - 1)):
        deliver_again_without_a_row(next(shop.raw.glob(f"receipts/delivered={day}/*.parquet")))
    run(shop.config, shop.raw, shop.warehouse, "ingest", None, SETTINGS)
    note = notes(shop.warehouse, "customer_days")[-1]
    assert min(note["days"]) <= FOLDED.isoformat() < max(note["days"])
    assert lie_apart(spans(shop.warehouse, "customer_days"))


def test_cohorts_of_another_day_are_followed_from_it_on_and_are_as_if_all_were(
    run, month, tmp_path
):
    shop, nights = month
    day = nights[-1] - timedelta(days=5)
    found = []
    for followed_from in (day.isoformat(), None):
        place = tmp_path / str(followed_from)
        shutil.copytree(shop.warehouse, place)
        if followed_from is None:
            shutil.rmtree(place / "cohorts")
        run(shop.config, shop.raw, place, "cohorts", day, SETTINGS)
        assert notes(place, "cohorts")[-1]["followed_from"] == followed_from
        found.append([row for row in stored(place, "cohorts") if row["as_of"] == day])
    assert found[0] == found[1]
    assert {row["grain"] for row in found[0]} == {"month", "week"}


def test_every_night_is_on_record_and_old_results_are_dropped(month):
    shop, nights = month
    runs = {row["as_of"]: row["outcome"] for row in stored(shop.warehouse, "runs")}
    assert runs == dict.fromkeys(nights, "succeeded")
    kept = [day for day in nights if day >= nights[-1] - timedelta(days=20)]
    assert kept != nights
    for name in ("rfm", "segments", "cohorts", "customer_360", "cluster_assignments"):
        assert {row["as_of"] for row in stored(shop.warehouse, name)} == set(kept)


def test_months_that_no_late_receipt_reaches_are_folded_without_a_change(month):
    shop, _ = month
    folded = {}
    for log in sorted((shop.warehouse / "customer_days" / "_delta_log").glob("*.json")):
        actions = [json.loads(text) for text in log.read_text().splitlines()]
        [info] = [one["commitInfo"] for one in actions if "commitInfo" in one]
        note = Note.of(0, info).content
        if note.get("days") == []:
            kinds = {k for one in actions for k in one if k in ("add", "remove")}
            assert kinds == {"add", "remove"}
            folded[note["folded"]] = log
    # All of 2024 is one run of customers now, and so is January.
    assert list(folded) == ["2024-12-31", "2025-01-31"]
    files = DeltaTable(str(shop.warehouse / "customer_days")).file_uris()
    assert len([file for file in files if "/year=2024/" in file]) <= 2


def test_a_path_with_the_date_takes_the_delivery_of_that_night_only(spark, month, tmp_path):
    shop, nights = month
    other = Shop(tmp_path)
    text = shop.config.read_text()
    for source in ("receipts", "interactions"):
        text = text.replace(f"{source}/*/*", f"{source}/delivered={{date}}/*")
    other.configure(text)
    settings = load_settings(other.config, SETTINGS)
    ingest(
        Run(spark, settings, Warehouse(spark, str(other.warehouse)), str(shop.raw), night=nights[0])
    )
    taken = {(row["source"], row["delivery"]) for row in stored(other.warehouse, "deliveries")}
    assert taken == {
        ("receipts", f"receipts/delivered={nights[0]}"),
        ("interactions.web", f"interactions/delivered={nights[0]}"),
    }
