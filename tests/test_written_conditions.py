"""Written conditions: whatever is written is read as meant, or refused; nothing of it is run."""

from __future__ import annotations

from datetime import date
from functools import reduce

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from rfm_spark.core.condition_terms import SparkTerms, java_number
from rfm_spark.core.written_conditions import Vocabulary, WrittenCondition, path_of

NAMES = Vocabulary(
    {
        ("visits",): "number",
        ("spent",): "number",
        ("name",): "text",
        ("first",): "day",
        ("is_new",): "truth",
        ("attributes", "city"): "text",
        ("attributes", "age"): "text",
        ("last", "*"): "day",
        ("profiles", "web", "score"): "number",
    },
    "not known",
)
TEXTS = [
    "Ulm",
    "O'Neil",
    '"',
    "\\",
    "%",
    "'; DROP TABLE t --",
    "12",
    "1e3",
    "",
    "ß\u2028",
    "NaN",
    None,
]
DAYS = [date(2025, 1, 1), date(2024, 2, 29), None]
ROWS = [
    {
        "visits": [0, 3, 2**62, None][at % 4],
        "spent": [2.5, float("nan"), None, -2.0, 1e300, 0.0][at % 6],
        "name": TEXTS[at % len(TEXTS)],
        "first": DAYS[at % 3],
        "is_new": [True, False, None][at % 3],
        "city": TEXTS[(at * 7 + 3) % len(TEXTS)],
        "age": TEXTS[(at * 5 + 6) % len(TEXTS)],
        "opened": DAYS[(at + 1) % 3],
        "score": [5, None, 1][(at // 2) % 3],
    }
    for at in range(24)
]
PLACES = {
    "visits": ("visits", "number"),
    "spent": ("spent", "number"),
    "name": ("name", "text"),
    "first": ("first", "day"),
    "city": ("city", "text"),
    "attributes['city']": ("city", "text"),
    "number(age)": (
        "CASE WHEN isfinite(TRY_CAST(age AS DOUBLE)) THEN TRY_CAST(age AS DOUBLE) END",
        "number",
    ),
    "last['opened']": ("opened", "day"),
    "profiles['web'].score": ("score", "number"),
}
"""As a condition names them: as DuckDB does, and what they are compared with."""


def sql_text(value):
    return "'" + value.replace("'", "''") + "'"


def values(kind):
    if kind == "number":
        return st.sampled_from([0, 1, 3, 5, 12, 1000, -2, 2**62, 2.5]).map(
            lambda v: (repr(v), str(v))
        )
    if kind == "day":
        days = st.sampled_from([one for one in DAYS if one] + [date(2025, 6, 1)])
        return days.map(lambda v: (f"'{v}'", f"DATE '{v}'"))
    return st.sampled_from([one for one in TEXTS if one is not None] + ["Köln"]).map(
        lambda v: (repr(v), sql_text(v))
    )


@st.composite
def comparisons(draw):
    written, (sql, kind) = draw(st.sampled_from(sorted(PLACES.items())))
    how = draw(st.sampled_from(["=", "in", "none"] + (["<"] if kind != "text" else [])))
    if how == "none":
        word = draw(st.sampled_from(["is", "is not"]))
        return f"{written} {word} None", f"({sql} {word.upper()} NULL)"
    if how == "in":
        chosen = draw(st.lists(values(kind), min_size=1, max_size=3))
        word = draw(st.sampled_from(["in", "not in"]))
        inside, of_sql = (", ".join(one[at] for one in chosen) for at in (0, 1))
        return f"{written} {word} [{inside}]", f"({sql} {word.upper()} ({of_sql}))"
    sign = draw(st.sampled_from(["==", "!="] if how == "=" else ["<", "<=", ">", ">="]))
    one, of_sql = draw(values(kind))
    return f"{written} {sign} {one}", f"({sql} {sign} {of_sql})"


def joined(parts):
    both = st.tuples(parts, st.sampled_from(["and", "or"]), parts)
    of_two = both.map(lambda p: (f"({p[0][0]} {p[1]} {p[2][0]})", f"({p[0][1]} {p[1]} {p[2][1]})"))
    negated = parts.map(lambda p: (f"(not {p[0]})", f"(NOT {p[1]})"))
    return of_two | negated


CONDITIONS = st.recursive(comparisons() | st.just(("is_new", "is_new")), joined, max_leaves=6)


def nested(table):
    """The same rows in Arrow, with maps."""
    texts, days = pa.map_(pa.string(), pa.string()), pa.map_(pa.string(), pa.date32())
    scores = pa.map_(pa.string(), pa.struct([("score", pa.int32())]))
    return table.select(["visits", "spent", "name", "first", "is_new"]).append_column(
        "attributes",
        pa.array([[("city", row["city"]), ("age", row["age"])] for row in ROWS], texts),
    ).append_column(
        "last", pa.array([[("opened", row["opened"])] for row in ROWS], days),
    ).append_column(
        "profiles", pa.array([[("web", {"score": row["score"]})] for row in ROWS], scores),
    )  # fmt: skip


WRITTEN_NUMBERS = (
    None, "", " ", "1", " 1\t", "\x001\x1f", "\u00a01", "\u20031", "1\u2028", "+1", "-.5", "5.",
    ".", "1e3", "1E+3", "1e",
    "1e999", "-1e999", "1e-999", "1_000", "1,5", "12 000", "2d", "2F", "2fd",
    "0x10", "0x1p4", "0X.8P-1d", "0x1p99999", "1p4", "inf", "+Infinity", "nan", "NaN",
    "\u0663", "\uff11", "0.1", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
    "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993", "1l", "1" * 400,
)  # fmt: skip
NUMBERS = st.text(alphabet="0123456789+-.eExXpPdDfF_ \n", max_size=8) | st.floats().map(repr)


@pytest.fixture(scope="module")
def rows(spark):
    table = pa.Table.from_pylist(ROWS)
    flat = spark.createDataFrame(table)
    return table, flat.select(
        "visits", "spent", "name", "first", "is_new",
        F.create_map(F.lit("city"), "city", F.lit("age"), "age").alias("attributes"),
        F.create_map(F.lit("opened"), "opened").alias("last"),
        F.create_map(F.lit("web"), F.struct("score")).alias("profiles"),
    ).coalesce(1).cache()  # fmt: skip


def column_at(path):
    return reduce(lambda column, key: column[key], path[1:], F.col(path[0]))


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(conditions=st.lists(CONDITIONS, min_size=40, max_size=60))
def test_a_condition_takes_the_rows_that_the_same_condition_in_sql_takes(rows, conditions):
    table, spark_rows = rows
    connection = duckdb.connect()
    connection.register("rows", table)
    assert [WrittenCondition(one).problems(NAMES) for one, _ in conditions] == [[]] * len(
        conditions
    )
    found = spark_rows.select(
        *[
            WrittenCondition(text).column(NAMES, column_at).alias(f"c{at}")
            for at, (text, _) in enumerate(conditions)
        ]
    ).toArrow()
    of_sql = ", ".join(f"coalesce({sql}, false) AS c{at}" for at, (_, sql) in enumerate(conditions))
    wanted = connection.sql(f"SELECT {of_sql} FROM rows").fetchall()
    here = nested(table)
    for at, (text, _) in enumerate(conditions):
        expected = [row[at] for row in wanted]
        assert found[f"c{at}"].to_pylist() == expected, text
        assert WrittenCondition(text).mask(NAMES, here).to_pylist() == expected, text


@pytest.mark.parametrize(
    "text",
    [
        "name in []",
        "not name in []",
        "last['none'] is None and not profiles['web'].score in []",
        "attributes['city'] not in ['Ulm'] or last['none'] == '2025-01-01'",
        f"visits in {[*range(20), 2**62 - 1]}",
        f"visits in {[*range(20), 2.0**62]}",
        f"visits == {2**62 - 1} or visits > {2.0**62 - 2048}",
    ],
)
def test_rows_that_are_here_are_taken_as_by_spark(rows, text):
    table, spark_rows = rows
    found = spark_rows.select(WrittenCondition(text).column(NAMES, column_at).alias("is_met"))
    assert WrittenCondition(text).problems(NAMES) == []
    mask = WrittenCondition(text).mask(NAMES, nested(table))
    assert mask.to_pylist() == found.toArrow()["is_met"].to_pylist()


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(NUMBERS, min_size=200, max_size=400))
def test_a_text_is_the_number_that_it_is_for_spark(spark, drawn):
    texts = [*WRITTEN_NUMBERS, *drawn]
    column = spark.createDataFrame(pa.table({"text": pa.array(texts, pa.string())}))
    found = column.coalesce(1).select(SparkTerms(F.col).number(F.col("text")).alias("number"))
    for text, number in zip(texts, found.toArrow()["number"].to_pylist(), strict=True):
        assert java_number(text) == number, repr(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=st.text(alphabet=st.sampled_from("visitsnamecity_.()[]'\"=<>!+-*/:;,@~ \n\\0123abλ&|%"))
       | st.text())  # fmt: skip
def test_whatever_is_written_is_told_in_lines_and_never_raises(text):
    problems = WrittenCondition(text).problems(NAMES)
    assert all(isinstance(one, str) and one for one in problems)
    if not problems:
        assert WrittenCondition(text).paths(NAMES)
    path_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "visits == 1; DROP TABLE rfm",
        "name == 'a' -- ",
        "name == 'a' or 1 == 1",
        "name == (lambda: 'a')()",
        "name == f'{visits}'",
        "visits == __import__('os')",
        "visits == [x for x in (1,)]",
        "(visits := 3) == 3",
        "visits.__class__ == 3",
        "name.upper() == 'A'",
        "eval('1') == 1",
        "attributes[name] == 'a'",
        "attributes['city'][0] == 'a'",
        "last['*'] == '2025-01-01' and profiles['*'].score == 1",
        "visits if name else name",
        "visits",
        "is_new == True",
        "not name",
        "visits + 1 == 2",
        "-visits == 2",
        "name == b'a'",
        "visits == 1j",
        "visits == True",
        "name in ['a', 1]",
        "first > '2025-1-1x'",
        "first == name",
        "name == None",
        "`visits` == 1",
        "visits == 1 #\n and exit()",
        "*",
        "",
    ],
)
def test_what_is_no_condition_is_refused(text):
    assert WrittenCondition(text).problems(NAMES)


def test_values_of_texts_reach_sql_as_values(rows):
    _, spark_rows = rows
    told = WrittenCondition("name == \"'; DROP TABLE t --\" and city != 'x'").column(
        NAMES, column_at
    )
    assert spark_rows.where(told).count() == 2
