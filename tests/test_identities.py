"""Customers who were merged: what the old id did counts for the new one, from the start."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from datetime import date
from unittest.mock import Mock

import duckdb
import pandas as pd
import pytest
from conftest import ROOT
from deltalake import DeltaTable
from reference.identities import follow_merges
from support import assert_rows, rows_of
from support.screen import on_screen, problems
from support.shop import (
    EVERYTHING,
    RECEIPTS,
    Shop,
    assert_same_tables,
    click,
    line,
    person,
    some_lines,
    stored,
    stored_tables,
)

from rfm_spark.core.errors import UserError
from rfm_spark.facts.identities import as_merged, newest_merges
from rfm_spark.facts.merging import followed_to_the_end
from rfm_spark.facts.tables import CUSTOMER_DAYS, MERGED_CUSTOMERS
from rfm_spark.ingest.tables.identities import IDENTITIES

SECTION = """
[identities]
path = "merges*.csv"
format = "csv"

[identities.columns]
old_id = "old"
new_id = "new"
valid_from = "since"
"""

STORES = {'category = "category"\n': 'category = "category"\nstore_id = "receipt"\n'}
"""So that first receipts are made."""

DAY_BEFORE, DAY = date(2025, 3, 19), date(2025, 3, 20)

NOBODY = [("nobody", "none", "")]

MERGES = [
    ("c1", "c2", "2025-01-01"),
    ("c2", "c3", "2024-01-01"),  # earlier than the one that leads to it
    ("c4", "c4", ""),
    ("c5", "c0", "2025-01-01"),
    ("c5", "c4", "2025-02-01"),
    ("stranger", "c0", ""),
    ("c8", "c1", ""),
    ("c7", "new card", ""),
]


def merge(old, new, since=None, delivery="merges1.csv"):
    """A row of `identities`."""
    row = {"customer_id": old, "merged_into": new, "valid_from": since}
    return row | {"delivery": delivery}


def test_of_several_merges_of_one_id_the_latest_counts_then_the_newest_delivery(spark):
    delivered = [
        merge("anna", "ben", "2025-01-02"),
        merge("anna", "cleo", "2025-01-03"),
        merge("anna", "dora", None, "merges2.csv"),
        merge("emil", "ben", None, "merges9.csv"),
        merge("emil", "cleo", None, "merges10.csv"),
        merge("fritz", "fritz"),
        merge("gerd", "ben", "2025-01-01"),
        merge("gerd", "gerd", "2025-01-02"),
    ]
    found = newest_merges(rows_of(spark, IDENTITIES, delivered))
    assert_rows(found, [
        {"customer_id": "anna", "merged_into": "cleo", "valid_from": "2025-01-03"},
        {"customer_id": "emil", "merged_into": "cleo", "valid_from": None},
    ])  # fmt: skip


def links(spark, pairs):
    rows = [{"customer_id": old, "merged_into": new} for old, new in pairs]
    return rows_of(spark, MERGED_CUSTOMERS, rows)


@pytest.mark.parametrize("longest", [1, 2, 5, 33])
def test_chains_are_followed_to_their_end_as_sql_follows_them(spark, longest):
    ways = random.Random(longest)
    chain = [(f"a{place}", f"a{place + 1}") for place in range(longest)]
    ids = [f"b{place}" for place in range(60)]
    # Each into a later one, so that there is no circle.
    others = [(one, ways.choice(ids[place + 1 :])) for place, one in enumerate(ids[:-1])]
    pairs = [*chain, *(others if longest > 2 else [])]
    con = duckdb.connect()
    merges = pd.DataFrame([(*pair, None, "") for pair in pairs])
    con.register("merges", merges.set_axis(["old", "new", "since", "delivery"], axis=1))
    follow_merges(con)
    found = followed_to_the_end(links(spark, pairs)).collect()
    told = {row["customer_id"]: row["merged_into"] for row in found}
    assert told == dict(con.execute("FROM final").fetchall())
    assert told["a0"] == f"a{longest}"


@pytest.mark.parametrize(
    ("pairs", "ids"),
    [
        ([("a", "b"), ("b", "a"), ("c", "d")], 2),
        ([("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "f")], 4),
        ([("a", "a")], 1),
    ],
)
def test_a_circle_is_refused_by_the_number_of_ids_that_go_in_it(spark, pairs, ids):
    with pytest.raises(UserError) as caught:
        followed_to_the_end(links(spark, pairs))
    [problem] = caught.value.problems
    assert problem.startswith(f"[identities] {ids} customer ids are merged in a circle")


def test_guests_stay_guests_and_others_stay_themselves(spark):
    days = [{"customer_id": one, "day": "2025-01-01"} for one in ("anna", "ben", None)]
    found = as_merged(rows_of(spark, CUSTOMER_DAYS, days), links(spark, [("anna", "cleo")]))
    assert sorted(map(repr, (row["customer_id"] for row in found.collect()))) == [
        "'ben'", "'cleo'", "None",
    ]  # fmt: skip


EVENTS = ("customer_id", "day", "kind", "events", "value")
DAYS = ("customer_id", "day", "receipts", "visits", "returns", "net_cents")
FIRST = ("customer_id", "day", "first_store")

FACTS_BY_SQL = """
CREATE OR REPLACE TABLE receipts AS
SELECT coalesce(f.customer, r.customer) AS customer_id, r.*
FROM (
    SELECT receipt, nullif(max(customer), '0') AS customer, min(CAST(time AS TIMESTAMP)) AS began,
           CAST(sum(CAST(amount AS DECIMAL(9, 2)) * 100) AS BIGINT) AS net_cents,
           bool_or(CAST(quantity AS INT) > 0) AS is_visit,
           bool_or(CAST(quantity AS INT) < 0) AS is_return
    FROM lines GROUP BY receipt
) r LEFT JOIN final f ON f.old = r.customer
"""
DAYS_BY_SQL = """
SELECT customer_id, CAST(began AS DATE) AS day, count(*) AS receipts,
       count(*) FILTER (is_visit) AS visits, count(*) FILTER (is_return) AS returns,
       CAST(sum(net_cents) AS BIGINT) AS net_cents
FROM receipts GROUP BY ALL
"""
FIRST_BY_SQL = """
SELECT customer_id, CAST(began AS DATE) AS day, receipt AS first_store
FROM receipts WHERE is_visit AND customer_id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY began, receipt) = 1
"""
EVENTS_BY_SQL = """
SELECT coalesce(f.customer, c.customer) AS customer_id, CAST(time AS DATE) AS day, kind,
       count(*) AS events, sum(CAST(seconds AS DECIMAL(18, 6))) AS value
FROM clicks c LEFT JOIN final f ON f.old = c.customer GROUP BY ALL
"""

LINES = [
    *some_lines(),
    line("r00b", "c1", "2025-01-10", "1.00"),
    line("r93", "c1", "2024-11-02", "5"),
]
CLICKS = [
    click("1", "c1", "2025-01-03"), click("2", "c3", "2025-01-03"), click("3", "c7", "2025-01-04"),
]  # fmt: skip
LATE = [line("late", "c1", "2025-01-09", "3.00"), line("later", "c3", "2025-03-19", "4.00")]


def rows_by_sql(merges, lines=LINES):
    """Facts of delivered rows and merges, in DuckDB: days, first receipts, days of interactions."""
    con = duckdb.connect()
    con.register("lines", pd.DataFrame(lines))
    con.register("clicks", pd.DataFrame(CLICKS))
    con.execute("CREATE TABLE merges (old TEXT, new TEXT, since DATE, delivery TEXT)")
    rows = [(old, new, since or None, "merges1.csv") for old, new, since in merges]
    con.executemany("INSERT INTO merges VALUES (?, ?, ?, ?)", rows)
    follow_merges(con)
    con.execute(FACTS_BY_SQL)
    queries = (DAYS_BY_SQL, FIRST_BY_SQL, EVENTS_BY_SQL)
    return [sorted(con.execute(query).fetchall(), key=repr) for query in queries]


def stored_facts(shop):
    """The same facts of a warehouse."""
    tables = {"customer_days": DAYS, "first_receipts": FIRST, "customer_day_events": EVENTS}
    return [
        sorted(
            (tuple(row[one] for one in names) for row in stored(shop.warehouse, table)), key=repr
        )
        for table, names in tables.items()
    ]


def deliver_merges(shop, rows):
    shop.csv("merges1.csv", [dict(zip(("old", "new", "since"), row, strict=True)) for row in rows])


def results_of(warehouse):
    """All tables, of the last day, without those that go on from what was stored before."""
    others = ("deliveries", "micro_groups", "segment_moves")
    kept = {
        name: [row for row in rows if DAY_BEFORE not in (row.get("as_of"), row.get("version"))]
        for name, rows in stored_tables(warehouse).items()
        if "cluster" not in name and name not in others
    }
    of_clusters = ("cluster", "persona", "cluster_tier", "micro_group", "distance")
    for row in kept["customer_360"]:
        for name in of_clusters:
            row.pop(name, None)
    return kept


def rebuilt(run, shop, folder):
    """A warehouse built anew from what is delivered now."""
    other = Shop(folder)
    other.configure(shop.config.read_text())
    run(other.config, shop.raw, other.warehouse)
    return results_of(other.warehouse)


@pytest.fixture(scope="module")
def merged_shop(run, tmp_path_factory):
    """A shop before anybody was merged, after a night with merges, and what it held each time."""
    shop = Shop(tmp_path_factory.mktemp("merged"))
    shop.configure(EVERYTHING + SECTION, STORES)
    shop.csv("receipts1.csv", LINES)
    shop.csv("clicks1.csv", CLICKS)
    people = [person("c1", "Ulm"), person("c3", "Bonn"), person("c8", "Aix", "2025-01-01")]
    shop.csv("customers1.csv", people)
    deliver_merges(shop, NOBODY)
    run(shop.config, shop.raw, shop.warehouse)
    run(shop.config, shop.raw, shop.warehouse, "rfm", DAY_BEFORE)
    before = results_of(shop.warehouse)
    assert stored_facts(shop) == rows_by_sql(NOBODY)
    deliver_merges(shop, MERGES)
    run(shop.config, shop.raw, shop.warehouse)
    return shop, before, results_of(shop.warehouse)


def test_a_night_with_new_merges_has_the_facts_of_sql_and_is_as_if_built_anew(
    run, merged_shop, tmp_path
):
    shop, before, after = merged_shop
    assert stored_facts(shop) == rows_by_sql(MERGES)
    assert stored_facts(shop) != rows_by_sql(NOBODY)
    assert_same_tables(after, rebuilt(run, shop, tmp_path))
    raw = {row["customer_id"] for row in after["receipts"]}
    assert raw == {row["customer_id"] for row in before["receipts"]} >= {"c1", "c2", "c5"}


def test_who_was_merged_is_in_no_result_and_the_attributes_are_those_of_the_new_id(merged_shop):
    _, before, after = merged_shop
    known = {row["customer_id"]: row["attributes"] for row in after["customer_360"]}
    assert sorted(known) == ["c0", "c3", "c4", "new card"]
    assert dict(known["c3"]) == {"city": "Bonn"}
    assert {row["customer_id"] for row in before["customer_360"]} >= {"c1", "c2", "c5", "c7", "c8"}
    assert {row["customer_id"] for row in after["rfm"]} <= known.keys()
    money = [
        sum(row["lifetime_revenue_cents"] for row in of["customer_360"]) for of in (before, after)
    ]
    assert money[0] == money[1]


def test_moves_tell_who_left_under_an_old_id_and_who_came_under_a_new_one(merged_shop):
    shop, _, after = merged_shop
    final = {row["customer_id"]: row["merged_into"] for row in after["merged_customers"]}
    by_day = {DAY_BEFORE: {}, DAY: {}}
    for row in stored(shop.warehouse, "rfm"):
        by_day[row["as_of"]][row["profile"], row["customer_id"]] = row["segment"]
    old, new = by_day.values()
    took_over = {(profile, final.get(one)) for profile, one in old}
    expected = Counter(
        [(key[0], segment, None) for key, segment in old.items() if key[1] in final]
        + [(key[0], None, new[key]) for key in (new.keys() - old.keys()) & took_over]
    )
    found = Counter()
    for row in stored(shop.warehouse, "segment_moves"):
        if row["cause"] == "merged" and row["since"] == DAY_BEFORE:
            key = (row["profile"], row["segment_before"], row["segment_after"])
            found[key] += row["customers"]
    assert found == expected
    assert {None} < {before for _, before, _ in found}


def test_an_old_id_is_explained_as_who_it_is_now(cli, merged_shop, capfd):
    shop, _, _ = merged_shop
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("explain", "c7", *place) == 0
    told = " ".join(on_screen(capfd).split())
    assert "c7 is new card now" in told
    assert "Has what was done under another id, which was merged into it" in told
    assert "took over from who was merged" in told
    assert cli("explain", "c3", *place) == 0
    told = " ".join(on_screen(capfd).split())
    assert "under 3 other ids, which were merged into it" in told


def test_who_is_on_an_exclusion_list_is_so_under_every_id(cli, merged_shop, tmp_path, capfd):
    shop, _, _ = merged_shop
    listed, config = tmp_path / "listed.txt", tmp_path / "shop.toml"
    listed.write_text("c2\n")
    audience = f'[audiences.all]\nwhere = "lifetime_visits > 0"\nexclude = ["{listed}"]\n'
    config.write_text(shop.config.read_text() + audience)
    assert cli("audience", "preview", "all", "--config", config, "--warehouse", shop.warehouse) == 0
    assert "1 are on exclusion lists" in on_screen(capfd)


def test_what_has_not_changed_is_not_made_again(run, merged_shop):
    shop, _, _ = merged_shop
    again = run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert again.versions.written == {}


def test_merges_of_other_days_make_no_fact_again(run, merged_shop):
    """As in an export whose days are those of the export: who is who has not changed."""
    shop, _, _ = merged_shop
    deliver_merges(shop, [(old, new, since.replace("2025", "2026")) for old, new, since in MERGES])
    again = run(shop.config, shop.raw, shop.warehouse, "ingest")
    written = {"identities", "merged_customers", "deliveries"}
    assert written <= set(again.versions.written)
    assert not {"customer_days", "customer_years", "first_receipts"} & set(again.versions.written)
    assert stored_facts(shop) == rows_by_sql(MERGES)
    deliver_merges(shop, MERGES)  # written again, and the same
    again = run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert written <= set(again.versions.written)
    again = run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert again.versions.written == {}


def test_an_old_id_that_comes_again_counts_for_the_new_one_and_undoing_gives_all_back(
    run, merged_shop, tmp_path
):
    shop, before, _ = merged_shop
    shop.csv("receipts2.csv", LATE)
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert stored_facts(shop) == rows_by_sql(MERGES, [*LINES, *LATE])
    deliver_merges(shop, MERGES[2:])  # c1 and c2 are themselves again
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    assert stored_facts(shop) == rows_by_sql(MERGES[2:], [*LINES, *LATE])
    shop.csv("receipts2.csv", [line("r92", "c2", "2024-12-30 18:00:00", "12.00", category="milk")])
    deliver_merges(shop, NOBODY)
    run(shop.config, shop.raw, shop.warehouse)
    assert stored_facts(shop) == rows_by_sql(NOBODY)
    found = results_of(shop.warehouse)
    for table in (
        "rfm",
        "segments",
        "cohorts",
        "customer_360",
        "customer_rhythm",
        "customer_years",
    ):
        assert found[table] == before[table], table


def test_without_the_section_nobody_is_merged_and_a_killed_run_is_finished_by_the_next(
    run, merged_shop, tmp_path, monkeypatch
):
    shop, _, _ = merged_shop
    other = Shop(tmp_path)
    deliver_merges(shop, MERGES)
    run(shop.config, shop.raw, other.warehouse, "ingest")
    assert stored(other.warehouse, "merged_customers") != []
    other.configure(EVERYTHING, STORES)
    run(other.config, shop.raw, other.warehouse, "ingest")
    assert stored(other.warehouse, "merged_customers") == []
    assert stored_facts(other) == rows_by_sql(NOBODY)
    with monkeypatch.context() as killed:
        killed.setattr("rfm_spark.facts.job._refresh", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(shop.config, shop.raw, other.warehouse, "ingest")
    assert stored(other.warehouse, "merged_customers") != []
    assert stored_facts(other) == rows_by_sql(NOBODY)
    run(shop.config, shop.raw, other.warehouse, "ingest")
    assert stored_facts(other) == rows_by_sql(MERGES)


def customers_of(shop):
    return {row["customer_id"] for row in stored(shop.warehouse, "customer_days")}


def test_a_circle_stops_the_run_until_it_is_mended_and_a_file_of_merges_can_be_retracted(
    cli, tmp_path, capfd
):
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS + SECTION)
    shop.csv("receipts1.csv", some_lines())
    deliver_merges(shop, [("c1", "c2", ""), ("c2", "c1", "")])
    assert cli("ingest", *shop.arguments()) == 2
    [problem] = problems(capfd)
    assert problem.startswith("[identities] 2 customer ids are merged in a circle")
    assert not {"c1", "c2"} & set(re.findall(r"\w+", problem))
    assert not (shop.warehouse / "merged_customers").exists()
    deliver_merges(shop, [("c1", "c2", ""), ("c2", "c2", "")])
    assert cli("ingest", *shop.arguments()) == 0
    everybody = {"c0", "c1", "c2", "c3", "c4", "c5", None}
    assert customers_of(shop) == everybody - {"c1"}
    assert cli("retract", "merges1.csv", *shop.arguments()) == 0
    assert customers_of(shop) == everybody


def test_rows_that_nobody_can_follow_are_rejected(run, tmp_path):
    shop = Shop(tmp_path)
    shop.configure(RECEIPTS + SECTION)
    shop.csv("receipts1.csv", some_lines())
    rows = [
        ("c1", "c2", "2025-01-01"), ("c1", "c3", "2025-01-01"),
        ("c4", "c5", ""), ("c4", "c5", ""),
        ("c2", "", ""), ("", "c2", ""), ("0", "c2", ""), ("c2", "0", ""),
        ("c2", "c3", "tomorrow"), ("c2", "1.5E+11", ""),
        (" c3 ", "c0", ""), ("c0", "c0", ""),
    ]  # fmt: skip
    deliver_merges(shop, rows)
    run(shop.config, shop.raw, shop.warehouse, "ingest", overrides=("ingest.max_rejected_share=1",))
    reasons = Counter(
        reason
        for row in stored(shop.warehouse, "quarantine")
        if row["source"] == "identities"
        for reason in row["reasons"]
    )
    assert reasons == {
        "customer_repeated": 2, "equal_line_dropped": 1, "customer_missing": 4,
        "valid_from_unreadable": 1, "customer_id_inexact": 1,
    }  # fmt: skip
    rows = stored(shop.warehouse, "merged_customers")
    assert {row["customer_id"]: row["merged_into"] for row in rows} == {"c4": "c5", "c3": "c0"}


TOTALS = """
[customer_totals]
path = "totals.csv"
format = "csv"

[customer_totals.columns]
customer_id = "customer"
as_of = "day"
orders = "orders"
last_purchase = "last"
amount = "amount"
"""


def test_totals_of_customers_cannot_be_merged(refused):
    told = refused('[business]\ntime_zone = "UTC"\n' + TOTALS + SECTION)
    assert any("[identities] merge receipts" in one for one in told)


def naming(warehouse, text):
    """Tables of which a row holds a text, and files of their logs that do."""
    tables = [path.parent for path in warehouse.glob("*/_delta_log")]
    rows = [one.name for one in tables if text in repr(stored(warehouse, one.name))]
    logs = [str(one) for one in warehouse.glob("*/_delta_log/*.json") if text in one.read_text()]
    return rows + logs


def test_who_is_forgotten_is_so_under_every_id_and_stays_away(cli, tmp_path, capfd):
    shop, key = Shop(tmp_path / "shop"), f'[privacy]\nkey_file = "{tmp_path / "key"}"\n'
    shop.configure(EVERYTHING + SECTION + key, STORES)
    zelda = ["zelda-1", "zelda-2", "zelda-3"]
    own = [line(f"z{at}", one, f"2025-02-0{at + 1}", "9.00") for at, one in enumerate(zelda)]
    shop.csv("receipts1.csv", [*some_lines(), *own])
    shop.csv("clicks1.csv", [*CLICKS, click("9", "zelda-1", "2025-01-04")])
    shop.csv("customers1.csv", [person("zelda-3", "Ulm"), person("c1", "Ulm")])
    merges = [
        ("zelda-1", "zelda-2", ""), ("zelda-2", "zelda-3", "2025-01-02"),
        ("c1", "zelda-3", "2024-01-01"), ("c1", "c2", "2025-01-01"),
    ]  # fmt: skip
    deliver_merges(shop, merges)
    assert cli("ingest", *shop.arguments()) == 0
    ids = tmp_path / "ids.txt"
    ids.write_text("zelda-2\n")
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("forget", "--customer-file", ids, *place) == 0
    assert "2 more ids are of the same customers" in " ".join(on_screen(capfd).split())
    assert naming(shop.warehouse, "zelda") == []
    others = stored(shop.warehouse, "merged_customers")
    assert [(row["customer_id"], row["merged_into"]) for row in others] == [("c1", "c2")]
    # All of it comes again, and somebody is to become her.
    deliver_merges(shop, [*merges, ("c4", "zelda-1", ""), ("c5", "zelda-1", ""), ("c5", "c0", "")])
    shop.csv("receipts1.csv", [*some_lines(), *own, line("r99", "c4", "2025-02-08", "1.00")])
    more = ("--set", "ingest.max_rejected_share=1")
    assert cli("ingest", *shop.arguments(*more)) == 0
    assert naming(shop.warehouse, "zelda") == []
    assert customers_of(shop) == {"c0", "c2", "c3", "c4", "c5", None}


def test_who_was_left_behind_by_a_killed_forget_goes_with_the_next_one(
    cli, tmp_path, monkeypatch, capfd
):
    shop, key = Shop(tmp_path / "shop"), f'[privacy]\nkey_file = "{tmp_path / "key"}"\n'
    shop.configure(EVERYTHING + SECTION + key, STORES)
    own = [line(f"z{at}", f"zelda-{at}", f"2025-02-0{at}", "9.00") for at in (1, 2, 3)]
    shop.csv("receipts1.csv", [*some_lines(), *own])
    shop.csv("clicks1.csv", [click("1", "zelda-1", "2025-01-04")])
    shop.csv("customers1.csv", [person("zelda-1", "Ulm"), person("c1", "Ulm")])
    deliver_merges(shop, [("zelda-1", "zelda-2", ""), ("c1", "c2", "")])
    assert cli("ingest", *shop.arguments()) == 0
    ids = tmp_path / "ids.txt"
    ids.write_text("zelda-2\n")
    forget = ("--customer-file", ids, "--config", shop.config, "--warehouse", shop.warehouse)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # hashes are kept, and nobody has left
        patched.setattr("rfm_spark.app.forgetting.job.forget_receipts", killed)
        assert cli("forget", *forget) != 0
    assert "zelda-1" in {row["customer_id"] for row in stored(shop.warehouse, "receipts")}
    # Nothing tells any more that both were one.
    assert cli("retract", "merges1.csv", *shop.arguments()) == 0
    capfd.readouterr()
    assert cli("forget", *forget) == 0
    assert "1 more ids are of customers who were forgotten before" in " ".join(
        on_screen(capfd).split()
    )
    assert naming(shop.warehouse, "zelda-1") == naming(shop.warehouse, "zelda-2") == []
    assert "zelda-3" in customers_of(shop)


REAL = """
SELECT customer_id, purchase_date AS day, count(*) AS receipts,
       CAST(sum(CAST(amount AS DECIMAL(18, 2)) * 100) AS BIGINT) AS net_cents
FROM (
    SELECT coalesce(f.customer, CAST(p.customer_id AS TEXT)) AS customer_id, purchase_date, amount
    FROM purchases p LEFT JOIN final f ON f.old = CAST(p.customer_id AS TEXT)
) GROUP BY ALL
"""


def test_real_customers_merged_at_random_have_the_facts_of_sql(run, shared_data, tmp_path):
    shop, chance, con = Shop(tmp_path), random.Random(2026), duckdb.connect()
    shop.configure((ROOT / "conf" / "cdnow.toml").read_text(encoding="utf-8") + SECTION)
    file = shop.file("cdnow_master.parquet")
    shutil.copy(shared_data / "cdnow" / "cdnow_master.parquet", file)
    con.execute("CREATE TABLE purchases AS FROM read_parquet(?)", [str(file)])
    told = con.execute("SELECT DISTINCT CAST(customer_id AS TEXT) FROM purchases").fetchall()
    ids = sorted(one for (one,) in told)
    chance.shuffle(ids)
    # Each into one that comes later in the list: many of these were merged themselves.
    pairs = [
        (one, ids[at + 1 + int(chance.expovariate(0.01))]) for at, one in enumerate(ids[:2400])
    ]
    con.execute("CREATE TABLE merges (old TEXT, new TEXT, since DATE, delivery TEXT)")
    for count in (1200, 2400):
        con.execute("DELETE FROM merges")
        rows = [(*pair, None, "merges1.csv") for pair in pairs[:count]]
        con.executemany("INSERT INTO merges VALUES (?, ?, ?, ?)", rows)
        follow_merges(con)
        deliver_merges(shop, [(*pair, "") for pair in pairs[:count]])
        run(shop.config, shop.raw, shop.warehouse, "ingest")
        expected = con.execute(REAL).fetchall()
        days = DeltaTable(str(shop.warehouse / "customer_days")).to_pyarrow_table()  # noqa: F841
        found = duckdb.sql("SELECT customer_id, day, receipts, net_cents FROM days").fetchall()
        assert sorted(found) == sorted(expected)
    longer = "SELECT count(*) FROM final f JOIN merges m USING (old) WHERE customer <> new"
    assert con.execute(longer).fetchall()[0][0] > 1000
