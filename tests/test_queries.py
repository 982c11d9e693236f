"""SQL over the tables by name, and the ways of others to them that the documents show."""

from __future__ import annotations

import pytest
from support.documents import DOCS, python_examples
from support.screen import on_screen, problems
from support.shop import stored

# Whatever asks a server is in test_serving.
READERS = {
    title: code
    for title, code in python_examples(DOCS / "analysts.md").items()
    if "impala" not in code
}


@pytest.fixture
def asked(cli, finished_shop, capfd):
    """What is shown of a query."""

    def call(text, *options):
        place = ["--config", finished_shop.config, "--warehouse", finished_shop.warehouse]
        assert cli("sql", text, *place, *options) == 0, on_screen(capfd)
        return capfd.readouterr().out

    return call


def test_tables_are_asked_by_name_and_nothing_of_them_stays(asked, finished_shop, spark):
    segments = stored(finished_shop.warehouse, "segments")
    shown = asked("SELECT profile, sum(customers) AS n FROM segments GROUP BY 1 ORDER BY 1 DESC;")
    found = [line.split() for line in shown.splitlines() if line.startswith(("purch", "engag"))]
    assert found == [
        [name, str(sum(row["customers"] for row in segments if row["profile"] == name))]
        for name in ("purchase", "engagement")
    ]
    assert "2 rows" in shown
    assert spark.catalog.listTables() == []


def test_two_columns_of_one_name_are_both_shown(asked):
    shown = asked("SELECT 11 AS a, 22 AS a")
    assert [line.split() for line in shown.splitlines() if "11" in line] == [["11", "22"]]


def test_attributes_are_columns_of_the_newest_day(asked, finished_shop):
    shown = asked(
        "WITH known AS (SELECT * FROM customer_360_latest WHERE city IS NOT NULL)\n"
        "SELECT city, customer_id, segment FROM known ORDER BY city -- the end",
        "--limit", 1,
    )  # fmt: skip
    assert "1 row, and there are more: --limit shows them" in " ".join(shown.split())
    assert any(line.split()[:2] == ["Aix", "c8"] for line in shown.splitlines())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT * FROM segment", "segment: there is no such table; did you mean 'segments'?"),
        ("SELECT customer FROM segments", "A column, variable, or function parameter"),
        ("DROP TABLE segments", "sql: [PARSE_SYNTAX_ERROR]"),
        ("DELETE FROM segments", "sql: [PARSE_SYNTAX_ERROR]"),
        ("CREATE VIEW x AS SELECT 1", "sql: [PARSE_SYNTAX_ERROR]"),
        ("INSERT INTO segments SELECT * FROM segments", "sql: [PARSE_SYNTAX_ERROR]"),
        ("SELECT 1; SELECT 2", "sql: [PARSE_SYNTAX_ERROR]"),
        ("", "sql: [PARSE_SYNTAX_ERROR]"),
    ],
)
def test_what_is_no_query_is_one_line(cli, finished_shop, capfd, text, told):
    place = ["--config", finished_shop.config, "--warehouse", finished_shop.warehouse]
    before = stored(finished_shop.warehouse, "segments")
    assert cli("sql", text, *place) == 2
    [line] = problems(capfd)
    assert told in line
    assert stored(finished_shop.warehouse, "segments") == before


@pytest.mark.parametrize("title", READERS)
def test_the_ways_that_are_shown_lead_to_the_rows(finished_shop, monkeypatch, title):
    folder = finished_shop.folder / f"demo of {title}"
    (folder / ".demo").mkdir(parents=True)
    (folder / ".demo" / "warehouse").symlink_to(finished_shop.warehouse)
    monkeypatch.chdir(folder)
    found = {}
    exec(READERS[title].replace("age", "city"), found)  # the attribute that this shop has
    day = max(row["as_of"] for row in stored(finished_shop.warehouse, "customer_360"))
    rows = [r for r in stored(finished_shop.warehouse, "customer_360") if r["as_of"] == day]
    wanted = sorted((r["customer_id"], dict(r["attributes"] or {}).get("city")) for r in rows)
    assert sorted(found["rows"]) == wanted
