"""Who asked to be forgotten is nowhere any more and does not come back, and numbers add up."""

from __future__ import annotations

import gzip
import hmac
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.screen import problems
from support.shop import (
    EVERYTHING,
    Shop,
    click,
    line,
    person,
    some_lines,
    stored,
    stored_tables,
    versions,
)

from rfm_spark.app.loading import load_settings
from rfm_spark.app.tables import ALL_TABLES
from rfm_spark.facts.changes import up_to_date
from rfm_spark.facts.tables import FACT_TABLES, MERGED_CUSTOMERS
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.run import Run
from rfm_spark.storage.erasure import purge_files, purge_log
from rfm_spark.storage.warehouse import Warehouse

ZELDA, YORICK = "zelda-4711@example.org", "yorick-0815"
"""A customer of everything, and one who is only in what was rejected, and cannot be read."""

FACTS = [table.name for table in FACT_TABLES if table != MERGED_CUSTOMERS]

AUDIENCE = """
[audiences.all]
where = "lifetime_visits > 0"
columns = ["last_visit"]
"""


def configured(shop: Shop) -> None:
    key = f'[privacy]\nkey_file = "{shop.folder / "key"}"\n'
    shop.configure(EVERYTHING + AUDIENCE + key)


def deliveries(shop: Shop) -> None:
    """Zelda bought on four days, corrected one receipt, and took one over from c1."""
    own = [
        line("z1", ZELDA, "2024-12-30 18:00:00", "12.00", category="milk"),
        line("z2", ZELDA, "2025-01-11", "3.00"),
        line("z2", None, "2025-01-11", "4.00"),
        line("z3", ZELDA, "2025-03-20", "5.00", category="milk"),
        line("z4", ZELDA, "2025-03-18", "6.00"),
        line("was c1's", "c1", "2025-01-05", "7.00"),
        line("bad1", ZELDA, "2025-01-02", "ten"),
        line("bad2", YORICK, "2025-01-02", "ten"),
    ]
    shop.csv("receipts1.csv", [*some_lines(), *own, line("bad", "c1", "2025-01-02", "ten")])
    again = [
        line("z4", ZELDA, "2025-03-19", "60.00"),
        line("was c1's", ZELDA, "2025-01-05", "8.00"),
    ]
    shop.csv("receipts2.csv", again)
    shop.csv("clicks1.csv", [click("1", "c1", "2025-01-03"), click("2", ZELDA, "2025-01-04")])
    shop.csv("customers1.csv", [person("c1", "Ulm"), person(ZELDA, "Aix", "2025-01-01")])


def ids_file(shop: Shop, *ids: str) -> Path:
    file = shop.folder / "ids.txt"
    file.write_text("\n".join(ids) + "\n", encoding="utf-8")
    return file


def place(shop: Shop) -> list[object]:
    return ["--config", shop.config, "--warehouse", shop.warehouse]


def values(value: Any) -> Iterator[str]:
    """Every text in a value of a row."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple):
        for one in value:
            yield from values(one)
    elif value is not None:
        yield str(value)


def traces(warehouse: Path, text: str) -> list[str]:
    """Files that hold a text: in their bytes, their name, or in a value that Parquet has packed."""
    found = []
    for file in sorted(warehouse.rglob("*")):
        held = text in str(file.relative_to(warehouse))
        if file.is_file():
            content = file.read_bytes()
            content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            held |= text.encode() in content
            if file.suffix == ".parquet":
                held |= any(text in one for one in values(pq.read_table(file).to_pylist()))
        found += [str(file.relative_to(warehouse))] if held else []
    return found


def terms(shop: Shop) -> dict[str, tuple[int, int]]:
    rows = [row for row in stored(shop.warehouse, "reconciliation") if row["profile"] == "purchase"]
    last = max(row["as_of"] for row in rows)
    return {
        row["term"]: (row["receipts"], row["net_cents"]) for row in rows if row["as_of"] == last
    }


def assert_adds_up(found: dict[str, tuple[int, int]]) -> None:
    for at in (0, 1):
        rest = sum(value[at] for term, value in found.items() if term != "raw")
        assert found["raw"][at] == rest


@pytest.fixture(scope="module")
def before(cli, tmp_path_factory):
    """A shop after a run and an audience. Not to be written to: copy it."""
    shop = Shop(tmp_path_factory.mktemp("before"))
    configured(shop)
    deliveries(shop)
    assert cli("run", *shop.arguments()) == 0
    assert cli("audience", "build", "all", *place(shop)) == 0
    return shop


@pytest.fixture(scope="module")
def forgotten(cli, before, tmp_path_factory):
    """The same, after both were forgotten, with a third whom nobody knows; and what was told."""
    folder = tmp_path_factory.mktemp("forgotten") / "shop"
    shutil.copytree(before.folder, folder)
    shop = Shop(folder)
    configured(shop)
    ids = ids_file(shop, f" {ZELDA} ", "", YORICK, "nobody-knows-me", ZELDA)
    assert cli("forget", "--customer-file", ids, *place(shop)) == 0
    return shop


def test_no_byte_of_the_warehouse_tells_of_who_was_forgotten(before, forgotten):
    told = traces(before.warehouse, ZELDA)
    folders = {trace.split("/")[0] for trace in told}
    assert folders >= {
        "receipts", "interactions", "customers", "quarantine", "customer_days", "customer_years",
        "customer_day_categories", "customer_day_events", "customer_year_events", "rfm",
        "first_receipts", "customer_360", "customer_features", "cluster_assignments", "audiences",
    }  # fmt: skip
    assert {trace.split("/")[0] for trace in told if trace.endswith(".json")} >= {
        "customer_days", "first_receipts", "rfm", "audiences",
    }, "the least or greatest id of a file"  # fmt: skip
    assert traces(before.warehouse, YORICK)
    for gone in (ZELDA, YORICK, "nobody-knows-me"):
        assert traces(forgotten.warehouse, gone) == []


def test_others_keep_all_their_rows(before, forgotten):
    def of_others(shop):
        return {
            table.name: [
                {name: value for name, value in row.items() if name != "is_forgotten"}
                for row in stored(shop.warehouse, table.name)
                if row["customer_id"] not in (ZELDA, None)
            ]
            for table in ALL_TABLES
            if table.subject
            and (shop.warehouse / table.name).is_dir()
            and table.name != "quarantine"
        }

    assert of_others(forgotten) == of_others(before)
    raw = [row["raw"] for row in stored(forgotten.warehouse, "quarantine")]
    assert sorted(list(json.loads(one)) == ["forgotten"] for one in raw) == [False, True, True]


def test_the_record_tells_how_many_and_not_who(forgotten):
    [run] = [row for row in stored(forgotten.warehouse, "runs") if row["job"] == "forget"]
    told = json.loads(run["details"])
    assert run["outcome"] == "succeeded"
    assert (told["customers"], told["known"]) == (3, 2)
    assert {"receipts": 6, "quarantine": 2, "customer_days": 5}.items() <= told["rows"].items()


def test_ids_are_kept_as_a_keyed_hash_whose_key_only_the_owner_reads(forgotten):
    file = forgotten.folder / "key"
    assert file.stat().st_mode & 0o777 == 0o600
    key = bytes.fromhex(file.read_text().strip())
    hashes = {row["customer_hash"] for row in stored(forgotten.warehouse, "forgotten_customers")}
    ids = (ZELDA, YORICK, "nobody-knows-me")
    assert hashes == {hmac.digest(key, one.encode(), "sha256").hex() for one in ids}
    assert traces(forgotten.warehouse, file.read_text().strip()) == []


def test_a_key_that_is_lost_or_another_stops_every_run(cli, forgotten, capfd):
    file, tables = forgotten.folder / "key", versions(forgotten.warehouse)
    key = file.read_text()
    commands = (
        ["ingest", *forgotten.arguments()],
        ["forget", "--customer-file", ids_file(forgotten, ZELDA), *place(forgotten)],
    )
    try:
        for command in commands:
            file.unlink()
            capfd.readouterr()
            assert cli(*command) == 2
            [problem] = problems(capfd)
            assert "the key by which forgotten customers are known is not there" in problem
            assert not file.exists()
            file.write_text("ab" * 32)
            assert cli(*command) == 2
            [problem] = problems(capfd)
            assert f"others may read the key (mode {0o644:04o}): chmod 600" in problem
            file.chmod(0o600)
            assert cli(*command) == 2
            [problem] = problems(capfd)
            assert "is another key than the one" in problem
    finally:
        file.write_text(key)
        file.chmod(0o600)
    assert versions(forgotten.warehouse) == tables


def test_who_was_forgotten_stays_away_and_receipts_add_up(cli, before, forgotten, tmp_path, capfd):
    shutil.copytree(forgotten.folder, tmp_path / "shop")
    shop = Shop(tmp_path / "shop")
    configured(shop)
    shutil.copyfile(forgotten.folder / "key", shop.folder / "key")
    made = versions(shop.warehouse)
    # Segments and clusters of the last day still count her; what compares with it adds up.
    next_day = ("--as-of", "2025-03-21")
    assert cli("cluster-segments", "--as-of", "2025-03-20", *place(shop)) == 0
    assert cli("rfm", *next_day, *place(shop)) == 0, capfd.readouterr().err
    left = versions(shop.warehouse)
    assert {name: left[name] for name in FACTS} == {name: made[name] for name in FACTS}
    assert cli("moves", *next_day, *place(shop)) == 0, capfd.readouterr().err
    counted, moved = (stored(shop.warehouse, name) for name in ("segments", "segment_moves"))
    told = sum(row["customers"] for row in counted if row["as_of"] == date(2025, 3, 20))
    profiles = {row["profile"] for row in moved}
    moved_or_stayed = sum(row["customers"] for row in moved if row["segment_before"])
    assert moved_or_stayed == told - len(profiles), "she had a segment in each"
    once = terms(shop)
    assert_adds_up(once)
    # z1 to z4, of the last two versions each, and what was c1's and is nobody's now.
    assert once["forgotten"] == (6, 12_00 + 7_00 + 5_00 + 6_00 + 60_00 + 8_00)
    assert once["raw"] == terms(before)["raw"]
    assert once["superseded"] == (1, 7_00)
    assert once["rejected"] == terms(before)["rejected"]

    # The files say it all again, read by other rules; and a new file brings more of her.
    more = [line("z9", ZELDA, "2025-03-20", "9.00"), line("bad9", ZELDA, "2025-03-20", "ten")]
    shop.csv("receipts3.csv", more)
    shop.csv("clicks3.csv", [click("3", ZELDA, "2025-01-05"), click("4", ZELDA, "?")])
    shop.csv("customers3.csv", [person(ZELDA, "Aix", "2025-02-01")])
    other = ("--set", "business.latest_date=2098-12-31")
    assert cli("ingest", *shop.arguments(*other)) == 0
    assert cli("rfm", *next_day, *place(shop), *other) == 0
    again = terms(shop)
    assert_adds_up(again)
    assert again["forgotten"] == (7, once["forgotten"][1] + 9_00)
    assert again["superseded"] == once["superseded"]
    # Twice is the same; by now there is nothing left to find but what could not be read.
    ids = ids_file(shop, ZELDA)
    assert traces(shop.warehouse, ZELDA) == []
    tables = stored_tables(shop.warehouse)
    assert cli("forget", "--customer-file", ids, *place(shop)) == 0
    assert stored_tables(shop.warehouse) == tables
    last = max(stored(shop.warehouse, "runs"), key=lambda row: row["started_at"])
    assert json.loads(last["details"]) == {"customers": 1, "known": 0, "rows": {}}


def test_a_warehouse_that_is_built_anew_lets_nobody_in_again(cli, forgotten, tmp_path, capfd):
    anew = tmp_path / "anew"
    arguments = ["--config", forgotten.config, "--input", forgotten.raw, "--warehouse", anew]
    assert cli("ingest", *arguments) == 2
    [problem] = problems(capfd)
    assert "by this key: copy the table forgotten_customers from the old warehouse" in problem
    assert "receipts" not in versions(anew)


def test_facts_stay_up_to_date_if_the_purge_is_killed_between_two_tables(
    spark, forgotten, tmp_path
):
    shutil.copytree(forgotten.warehouse, tmp_path / "warehouse")
    warehouse = Warehouse(spark, str(tmp_path / "warehouse"))
    job = Run(spark, load_settings(forgotten.config), warehouse, str(forgotten.raw))
    current, rows = up_to_date(job), warehouse.read(RECEIPTS).count()
    assert {table.name for table in current} >= {"customer_days", "customer_day_categories"}
    purge_log(warehouse, RECEIPTS, purge_files(warehouse, RECEIPTS, {}))
    assert up_to_date(job) == current
    assert warehouse.read(RECEIPTS).count() == rows


def test_what_cannot_be_done_is_told_before_anything_is_written(cli, before, tmp_path, capfd):
    empty = tmp_path / "empty.txt"
    empty.write_text("\n \n")
    tables = versions(before.warehouse)
    assert cli("forget", "--customer-file", empty, *place(before)) == 2
    [problem] = problems(capfd)
    assert "holds no id of a customer" in problem
    assert cli("forget", "--customer-file", tmp_path / "none.txt", *place(before)) == 2
    [problem] = problems(capfd)
    assert "none.txt: cannot be read" in problem
    ids = tmp_path / "ids.txt"
    ids.write_bytes("Zoë\n".encode("latin-1") + b"c1\n")
    assert cli("forget", "--customer-file", ids, *place(before)) == 2
    [problem] = problems(capfd)
    assert "ids.txt: 1 lines are not text in UTF-8" in problem
    ids.write_text(f" Customer\n{ZELDA}\n")
    assert cli("forget", "--customer-file", ids, *place(before)) == 2
    [problem] = problems(capfd)
    assert "ids.txt: a line is 'customer', the name of a column" in problem
    (tmp_path / "link").symlink_to(before.warehouse)
    inside = ("--set", f"privacy.key_file={tmp_path / 'link' / 'key'}")
    assert cli("forget", "--customer-file", ids, *place(before), *inside) == 2
    [problem] = problems(capfd)
    assert "link/key lies in the warehouse" in problem
    config = tmp_path / "without.toml"
    config.write_text(before.config.read_text().partition("[privacy]")[0])
    ids = ids_file(before, ZELDA)
    arguments = ("--config", config, "--warehouse", before.warehouse)
    assert cli("forget", "--customer-file", ids, *arguments) == 2
    [problem] = problems(capfd)
    assert problem.startswith("privacy.key_file: missing")
    assert not (before.folder / "key").exists()
    assert versions(before.warehouse) == tables


def test_every_table_with_ids_of_customers_says_whose_its_rows_are():
    told = {table.name for table in ALL_TABLES if table.subject}
    for table in ALL_TABLES:
        ids = {
            one.name for one in table.columns if "customer" in one.name and one.name.endswith("id")
        }
        assert ids <= ({table.subject} if table.name in told else set())
