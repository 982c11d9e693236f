"""Lists: who is picked, which columns, and files that others can read."""

from __future__ import annotations

import csv
import json
from datetime import date

import duckdb
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from support.screen import on_screen, problems
from support.shop import Shop, click, line, person, some_lines, stored

from rfm_spark.storage.session_settings import session_settings

AS_OF = date(2025, 3, 20)
FORMULA = '=HYPERLINK("http://x","y")'
SCRIPT = "<script>alert(1)</script>"
ODD = (
    'back\\slash"',
    "+49 30 1",
    "-123",
    "@home",
    "\tx",
    " =1+1",
    "a\rb",
    'a"b,c',
    " blanks ",
    "O'Neil; DROP--",
)
"""Texts of real exports: ids or attributes."""

CONFIGURATION = """
[business]
time_zone = "Europe/Berlin"

[receipts]
path = "receipts*.csv"
format = "csv"
grain = "line"

[receipts.columns]
receipt_id = "receipt"
customer_id = "customer"
time = "time"
quantity = "quantity"
amount = "amount"

[interactions.web]
path = "clicks*.csv"
format = "csv"

[interactions.web.columns]
customer_id = "customer"
kind = "kind"
time = "time"

[customers]
path = "people.parquet"
format = "parquet"

[customers.columns]
customer_id = "customer"

[customers.columns.attributes]
city = "city"
email = "email"
segment = "city"

[clusters]
window_days = 60
k = 2
features = ["recency_days", "frequency"]

[rfm.purchase]

[rfm.engagement]
events = "all"
window_days = 90

[rfm.odd]
first_match_wins = true

[[rfm.odd.segments]]
name = '=HYPERLINK("http://x","y")'
action = "<script>alert(1)</script>"
recency = [3, 4, 5]

[[rfm.odd.segments]]
name = "<script>alert(1)</script>"
action = "=1+1"
"""


@pytest.fixture(scope="module")
def shop(cli, tmp_path_factory):
    """A tiny shop with names that are made to do harm, after one whole run."""
    found = Shop(tmp_path_factory.mktemp("lists"))
    found.config.write_text(CONFIGURATION, encoding="utf-8")
    strange = [
        line(f"s{at}", name, "2025-03-01", "5.00") for at, name in enumerate([FORMULA, SCRIPT])
    ]
    long_ago = line("old", "gone", "2023-02-01", "9.00")
    found.csv("receipts1.csv", [*some_lines(), *strange, long_ago])
    found.csv(
        "clicks1.csv", [click("1", "c1", "2025-03-03", "open"), click("2", "c7", "2025-03-04")]
    )
    people = [person(f"p{at}", city) for at, city in enumerate(ODD)]
    people += [
        person("c1", FORMULA),
        person("c2", SCRIPT),
        person("c3", "Ulm"),
        person("gone", "Ulm"),
        person("semicolon", "x; =1+1;y"),
    ]
    found.parquet(
        "people.parquet",
        [{**one, "email": "a@b.de" if at % 2 else None} for at, one in enumerate(people)],
    )
    assert cli("run", *found.arguments()) == 0
    return found


@pytest.fixture
def listed(cli, shop, tmp_path, capfd):
    """Makes a list as CSV; its rows, in their order."""
    counter = iter(range(1000))

    def call(*options):
        out = tmp_path / f"{next(counter)}.csv"
        place = ["--config", shop.config, "--warehouse", shop.warehouse, "--out", out]
        assert cli("list", *place, *options) == 0, on_screen(capfd)
        if not out.exists():
            return []
        with out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return call


def expected(shop, where):
    """The ids that DuckDB finds, by a condition of its own."""
    customers = DeltaTable(str(shop.warehouse / "customer_360")).to_pyarrow_table()  # noqa: F841
    rows = duckdb.sql(f"SELECT customer_id FROM customers WHERE {where} ORDER BY 1").fetchall()
    return [row[0] for row in rows]


PICKS = {
    ("--segment", "Hibernating"): "segment = 'Hibernating'",
    ("--segment", "New", "--segment", "Lapsed"): "segment IN ('New', 'Lapsed')",
    ("--segment", "Hibernating", "--profile", "engagement"): (
        "profiles['engagement'].segment = 'Hibernating'"
    ),
    ("--cell", "111", "--cell", "511"): "rfm_cell IN ('111', '511')",
    ("--r-score", "3-5", "--f-score", "1"): "r_score BETWEEN 3 AND 5 AND f_score = 1",
    ("--cluster", "1", "--cohort", "2025-01"): ("cluster = 1 AND cohort_month = DATE '2025-01-01'"),
    ("--tier", "ideal", "--tier", "regular"): "cluster_tier IN ('ideal', 'regular')",
    ("--lost", "--where", "city == 'Ulm' or city == 'Aix'"): (
        "attributes['city'] IN ('Ulm', 'Aix') AND last_visit < DATE '2024-03-20'"
    ),
    ("--where", "city is not None and not (lifetime_visits >= 2)"): (
        "attributes['city'] IS NOT NULL AND lifetime_visits < 2"
    ),
    ("--where", "attributes['segment'] == 'Ulm' or last_interactions['open'] >= '2025-03-01'"): (
        "attributes['segment'] = 'Ulm' OR last_interactions['open'] >= DATE '2025-03-01'"
    ),
    ("--where", "first_visit in ['2023-02-01'] or cluster is None and frequency > 1"): (
        "first_visit = DATE '2023-02-01' OR (cluster IS NULL AND frequency > 1)"
    ),
    ("--segment", FORMULA, "--profile", "odd"): f"profiles['odd'].segment = '{FORMULA}'",
    ("--where", f"customer_id == {SCRIPT!r}"): f"customer_id = '{SCRIPT}'",
    (): "true",
}


def test_a_list_holds_whom_an_independent_query_finds(listed, shop):
    found = {}
    for options, where in PICKS.items():
        ids = expected(shop, where)
        found[options] = [row["customer_id"].removeprefix("'") for row in listed(*options)]
        assert sorted(found[options]) == ids, options
        assert found[options] == sorted(found[options]) or FORMULA in found[options]
    assert sum(map(bool, found.values())) >= len(PICKS) - 2


def test_texts_of_a_csv_do_no_harm_and_are_otherwise_as_they_were(listed, shop, cli, capfd):
    columns = "city,email,lifetime_visits,profiles['odd'].segment"
    rows = {row["customer_id"]: row for row in listed("--columns", columns)}
    assert {row["profiles_odd_segment"] for row in rows.values()} == {f"'{FORMULA}", SCRIPT, ""}
    assert "an apostrophe stands before what" in " ".join(on_screen(capfd).split())
    assert f"'{FORMULA}" in rows
    assert rows["c1"]["city"] == f"'{FORMULA}"
    assert rows["c2"]["city"] == SCRIPT
    assert rows["semicolon"]["city"] == "x; '=1+1;y"
    for at, text in enumerate(ODD):
        kept = text.strip()  # as attributes are taken in
        assert rows[f"p{at}"]["city"] == ("'" if kept[0] in "=+-@" else "") + kept
    assert rows["c1"]["lifetime_visits"] == "2"
    assert {row["email"] for row in rows.values()} == {"", "a@b.de"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("json", "l.jsonl"), ("parquet", "l.parquet"), ("parquet", "l"), ("delta", "l"), ("csv", "l")],
)
def test_every_format_holds_the_same(cli, shop, tmp_path, kind, name):
    out = tmp_path / name
    place = ["--config", shop.config, "--warehouse", shop.warehouse, "--out", out]
    columns = "city,first_visit,lifetime_revenue_cents,profiles['engagement'].segment"
    assert cli("list", *place, "--columns", columns, "--format", kind) == 0
    if kind == "json":
        rows = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    elif kind == "csv":
        [file] = out.glob("part-*.csv")
        with file.open(encoding="utf-8", newline="") as opened:
            rows = list(csv.DictReader(opened))
    elif kind == "delta":
        rows = DeltaTable(str(out)).to_pyarrow_table().to_pylist()
    else:
        rows = pq.read_table(out).to_pylist()
    given = {row["customer_id"]: row for row in stored(shop.warehouse, "customer_360")}
    assert len(rows) == len(given)
    assert list(rows[0]) == [
        "customer_id", "city", "first_visit", "lifetime_revenue_cents",
        "profiles_engagement_segment",
    ]  # fmt: skip
    for row in rows:
        whole = given[row["customer_id"].removeprefix("'") if kind == "csv" else row["customer_id"]]
        assert int(row["lifetime_revenue_cents"]) == whole["lifetime_revenue_cents"]
        assert str(row["first_visit"] or "None") == str(whole["first_visit"])
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_one_file_has_all_rows_whatever_the_session_has_as_its_limit(listed, shop, spark):
    with session_settings(spark, {"spark.sql.files.maxRecordsPerFile": "2"}):
        assert len(listed()) == len(stored(shop.warehouse, "customer_360"))


def test_what_is_told_is_who_how_many_their_revenue_and_where(cli, shop, tmp_path, capfd):
    out = tmp_path / "new.csv"
    place = ["--config", shop.config, "--warehouse", shop.warehouse, "--out", out]
    assert cli("list", *place, "--where", "lifetime_revenue_cents > 0") == 0
    given = [row["lifetime_revenue_cents"] for row in stored(shop.warehouse, "customer_360")]
    paid = [cents for cents in given if cents > 0]
    told = on_screen(capfd)
    assert (
        f"{len(paid)} customers as of 2025-03-20, who have spent {sum(paid) / 100:,.0f} USD" in told
    )
    assert f"written to {out}" in told
    assert FORMULA not in told
    nobody = tmp_path / "nobody.csv"
    place[-1] = nobody
    assert cli("list", *place, "--segment", "Can't Lose") == 0
    assert 'nobody as of 2025-03-20: segment == "Can\'t Lose"' in on_screen(capfd)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--segment", "Hibernate"), "purchase has no such segment on 2025-03-20"),
        (("--segment", "Hibernate"), "did you mean 'Hibernating'?"),
        (("--segment", "Lapsed", "--profile", "engagement"), "engagement has no such segment"),
        (("--tier", "idael"), "--tier idael: there is no such tier; did you mean 'ideal'?"),
        (("--profile", "engagment"), "there is no such profile; did you mean 'engagement'?"),
        (("--columns", "emial"), "did you mean 'email'?"),
        (("--columns", "city,attributes['city']"), "'city' would be there twice"),
        (("--columns", "attributes"), "CSV cannot hold maps"),
        (("--columns", "city)--"), "--columns: 'city)--' is neither a column of customer_360 nor"),
        (("--where", "recency_day > 3"), "did you mean 'recency_days'?"),
        (("--where", "first_visit < 'January'"), "'first_visit' is a day, and 'January' is none"),
        (("--where", "first_visit < 3"), "'first_visit' is a day, and is compared with a number"),
        (("--where", "cluster == None"), "write `cluster is None`"),
        (("--where", "1 == 1"), "--where: '1 == 1' is no comparison of a name with a value"),
        (("--where", "city == 'x' or exec('y')"), "'exec('y')' is no comparison"),
        (("--where", "city == 'a'; DROP TABLE rfm"), "cannot be read as a condition"),
        (("--where", "profiles['engagment'].segment == 'x'"), "mean 'profiles['engagement']"),
        (("--where", "city.upper == 'X'"), "'city['upper']' is neither"),
        (("--where", "__class__ == 'x'"), "'__class__' is neither a column"),
        (("--cell", "5", "--r-score", "5-4"), "--r-score 5-4: write one score, or a range"),
        (("--cohort", "Jan"), "--cohort Jan: write the month"),
        (("--as-of", "2024-01-01"), "no customers are stored of that day (near it: 2025-03-20)"),
        (("--format", "parquet"), "is the name of a csv file, and the format parquet"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(cli, shop, tmp_path, capfd, options, told):
    place = ["--config", shop.config, "--warehouse", shop.warehouse, "--out", tmp_path / "l.csv"]
    assert cli("list", *place, *options) == 2
    assert told in "\n".join(problems(capfd))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_taken_or_cannot_be_written_is_told(cli, shop, tmp_path, capfd):
    place = ["--config", shop.config, "--warehouse", shop.warehouse]
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    assert cli("list", *place, "--out", taken) == 2
    assert "is there already: name another place, or remove it" in problems(capfd)[0]
    assert cli("list", *place, "--out", taken / "below.csv") == 2
    assert "cannot be written" in problems(capfd)[0]
    assert taken.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [taken]
