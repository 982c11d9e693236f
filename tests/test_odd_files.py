"""What `rfm-spark init` does with files that are broken, empty or unlike the others."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.exports import csv_text, written
from support.proposals import HEADER, doubts_of, loaded, one_of, orders, proposed, with_values

from rfm_spark.app.proposal import line_breaks, raw_text
from rfm_spark.app.proposal.proposal import proposal
from rfm_spark.cli import exit_code
from rfm_spark.core.errors import UserError


def test_line_breaks_in_quotes_are_seen_far_behind_the_beginning(tmp_path: Path) -> None:
    rows = [[f"A{n}", f"k{n % 9}", "2026-01-05", "1.50", 'a 5" nail'] for n in range(10_000)]
    rows[9_000][4] = "two\nlines"
    header = [*HEADER, "note"]
    found = proposed(tmp_path, rows, header)
    assert loaded(found, tmp_path).receipts.multiline
    rows[9_000][4] = "one line"
    found = proposed(tmp_path, rows, header, "single.csv")
    assert not loaded(found, tmp_path).receipts.multiline


@pytest.mark.parametrize("delimiter", [",", ";", "||"])
def test_line_breaks_are_looked_for_in_all_files_and_beyond_what_is_sampled(
    tmp_path, monkeypatch, delimiter
) -> None:
    monkeypatch.setattr(raw_text, "MAX_BYTES", 1_000)
    note = [[*row, "plain"] for row in orders(30)]
    broken = [*note[:25], [*note[25][:4], "two\nlines"], *note[26:]]
    for day, rows in enumerate([note, note, broken, note]):
        text = csv_text([*HEADER, "note"], rows).replace(",", delimiter)
        written(tmp_path / f"day-{day}.csv", text)
    found = proposal([tmp_path])
    assert loaded(found, tmp_path).receipts.multiline
    assert loaded(found, tmp_path).receipts.delimiter == delimiter


@pytest.mark.parametrize(
    ("above", "delimiter"),
    [
        ("Sales report January 2026,,,\n", ","),
        ("Report\r\n\r\nStore: Berlin\r\n\r\n", ";"),
        ("sep=;\n", ";"),
        ("sep=,\nReport, by month\n", ","),
        ("\n\n", ","),
    ],
)
def test_lines_above_the_header_are_seen_and_counted(tmp_path, above, delimiter) -> None:
    body = csv_text(HEADER, orders()).replace(",", delimiter)
    if delimiter == ";":
        body = body.replace(".50", ",50")
    found = proposal([written(tmp_path / "o.csv", above + body)])
    told = loaded(found, tmp_path).receipts
    has_titles = bool(above.strip())
    assert told.skip_lines == (above.count("\n") if has_titles else 0)
    assert ("not read, in any of the files" in doubts_of(found)) == has_titles
    assert (told.delimiter, told.grain, told.columns.amount is None) == (
        delimiter,
        "receipt",
        False,
    )


def test_files_with_other_lines_above_their_header_are_told(tmp_path: Path) -> None:
    body = csv_text(HEADER, orders())
    for day, above in enumerate(["Report\n", "Another\n", "Report\nof a day\n"]):
        written(tmp_path / f"day-{day}.csv", above + body)
    found = proposal([tmp_path])
    assert loaded(found, tmp_path).receipts.skip_lines == 1
    assert "day-2.csv: other columns than day-0.csv" in doubts_of(found)


def test_a_quote_that_never_closes_is_no_line_break(tmp_path: Path) -> None:
    rows = [[*row, "note"] for row in orders(200)]
    text = csv_text([*HEADER, "note"], rows).replace("A150,", '"A150,')
    written(tmp_path / "o.csv", text)
    assert not loaded(proposal([tmp_path / "o.csv"]), tmp_path).receipts.multiline


def test_where_not_all_was_looked_through_for_line_breaks_it_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(line_breaks, "MAX_BYTES", 200)
    assert "multiline = true" not in doubts_of(proposed(tmp_path, orders()))
    quoted = with_values(orders(), 1, {0: "k,0"})
    assert "multiline = true reads them" in doubts_of(proposed(tmp_path, quoted))


def test_files_that_only_the_pattern_knows_are_told_where_they_differ(tmp_path: Path) -> None:
    for day in range(1, 4):
        written(tmp_path / f"till-{day}.csv", csv_text(HEADER, orders(day + 3)))
    written(tmp_path / "till-2.csv", csv_text([*HEADER, "gift"], [[*orders(1)[0], "no"]]))
    found = proposal([tmp_path])
    assert "till-2.csv: other columns than till-1.csv (gift)" in doubts_of(found)
    written(tmp_path / "till-notes.csv", "a\nb\n")
    written(tmp_path / "till-notes.pdf", "%PDF")
    found = proposal([tmp_path / f"till-{day}.csv" for day in (1, 3)])
    assert loaded(found, tmp_path).receipts.path == "{till-1.csv,till-3.csv}"
    assert "path fits" not in doubts_of(found)


def test_files_that_fit_the_pattern_and_nobody_named_are_told(tmp_path: Path) -> None:
    for day in range(1, 4):
        written(tmp_path / f"till-{day}.csv", csv_text(HEADER, orders()))
    found = proposal([tmp_path / f"till-{day}.csv" for day in (1, 3)])
    assert loaded(found, tmp_path).receipts.path == "till-*.csv"
    assert "path fits till-2.csv as well, which nobody named" in doubts_of(found)
    written(tmp_path / "a[1].csv", csv_text(HEADER, orders()))
    written(tmp_path / "a(1).csv", csv_text(["x", "y"], [["1", "2"]]))
    found = proposal([tmp_path / "a[1].csv"])
    assert "path fits a(1).csv as well: other columns than a[1].csv" in doubts_of(found)


def test_json_keys_that_come_later_are_told_and_read(tmp_path: Path) -> None:
    written(
        tmp_path / "d1.json",
        '{"order_id": "1", "customer": "a", "at": "2026-01-05", "total": 1.5}\n',
    )
    written(
        tmp_path / "d2.json", '{"order_id": "2", "client": "a", "at": "2026-01-06", "total": 2.5}\n'
    )
    found = proposal([tmp_path])
    assert "keys that are not both in d1.json and in d2.json: client, customer" in doubts_of(found)
    assert set(loaded(found, tmp_path).receipts.types) >= {"customer", "client"}


def test_days_without_a_row_are_told_and_the_others_are_read(tmp_path: Path) -> None:
    for day in range(1, 6):
        written(tmp_path / f"day-{day}.csv", csv_text(HEADER, orders()))
    written(tmp_path / "day-1.csv", "\n")
    written(tmp_path / "day-3.csv", csv_text(HEADER, []))
    written(tmp_path / "day-5.csv", "")
    written(tmp_path / "closed.csv", "")
    found = proposal([tmp_path])
    assert loaded(found, tmp_path).receipts.path == "day-*.csv"
    assert "day-1.csv, day-3.csv, day-5.csv: has no row" in doubts_of(found)
    assert [told.rpartition("/")[2] for told in found.left_out] == ["closed.csv: is empty"]
    with pytest.raises(UserError) as caught:
        proposal([tmp_path / "closed.csv", tmp_path / "day-3.csv"])
    assert len(caught.value.problems) == 2


def test_other_separators_of_lines_in_json_texts_end_no_line(tmp_path: Path) -> None:
    usual = {"at": "2026-01-05", "total": 1.5}
    orders = [{"order_id": f"A{n}", "customer": f"k\u2028{n % 3}\x85", **usual} for n in range(9)]
    lines = [json.dumps(one, ensure_ascii=False) for one in orders]
    file = written(tmp_path / "o.jsonl", "\r\n".join(lines))
    rows = one_of(proposal([file])).group.sample.rows
    assert [row["customer"] for row in rows[:2]] == ["k\u20280\x85", "k\u20281\x85"]


def deep(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("o.json", deep(100_000).encode(), "has values that cannot be looked at (RecursionError"),
        ("o.json", b'{"a": ' + b"9" * 5_000 + b"}", "has values that cannot be looked at"),
        ("o.csv.gz", b"not gzip", "cannot be read"),
        ("o.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("o.csv", b"\x00\x01\x02" * 99, "is no text"),
    ],
)
def test_a_broken_file_is_refused_by_its_name(tmp_path, capsys, name, data, told) -> None:
    (tmp_path / name).write_bytes(data)
    out = tmp_path / "shop.toml"
    assert exit_code(["init", str(tmp_path / name), "--out", str(out)]) == 2
    assert f"{name}: {told}" in capsys.readouterr().err.replace("\n", "")
    assert not out.exists()


def test_parquet_values_that_python_has_no_place_for_are_refused(tmp_path: Path) -> None:
    years = pa.array([2**60], pa.timestamp("us"))
    file = tmp_path / "o.parquet"
    pq.write_table(pa.table({"order_id": [1], "at": years}), file)
    with pytest.raises(UserError, match=r"o\.parquet: has values that cannot be looked at"):
        proposal([file])
    pq.write_table(pa.table({"order_id": pa.array([], pa.int64())}), file)
    with pytest.raises(UserError, match=r"o\.parquet: has columns and no row"):
        proposal([file])


def test_names_that_are_no_utf_8_leave_nothing_behind(tmp_path, capsys) -> None:
    file = tmp_path / "o.jsonl"
    file.write_text(
        '{"order_id": "1", "customer": "a", "at": "2026-01-05", "total": 1.5, "\\ud800": 1}\n'
    )
    assert exit_code(["init", str(file), "--out", str(tmp_path / "shop.toml")]) == 2
    assert "has \\ud800, which is no letter in UTF-8" in capsys.readouterr().err.replace("\n", " ")
    assert [one.name for one in tmp_path.iterdir()] == ["o.jsonl"]


def test_a_file_that_is_looked_into_is_never_written_over(tmp_path, capsys) -> None:
    file = written(tmp_path / "o.csv", csv_text(HEADER, orders()))
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    before = file.read_bytes()
    for out in (file, link):
        for place in (file, tmp_path):
            assert exit_code(["init", str(place), "--out", str(out), "--force"]) == 2
            assert "is one of the files to be looked into" in capsys.readouterr().err
    other = tmp_path / "other.csv"
    other.symlink_to(file)
    assert exit_code(["init", str(other), "--out", str(file), "--force"]) == 2
    assert file.read_bytes() == before


@pytest.mark.parametrize("has_time", [True, False])
def test_names_of_folders_are_columns(tmp_path: Path, has_time: bool) -> None:
    header = HEADER if has_time else [name for name in HEADER if name != "created_at"]
    for day in (5, 6):
        rows = [[one for one, name in zip(row, HEADER, strict=True) if name in header]
                for row in orders()]  # fmt: skip
        written(tmp_path / f"dt=2026-01-0{day}" / "o.csv", csv_text(header, rows))
    found = one_of(proposal([tmp_path]))
    assert (found.section, found.group.pattern) == ("receipts", "dt=*/o.csv")
    assert found.fields["time"].written() == ("created_at" if has_time else "dt")


def test_parquet_times_in_nanoseconds_are_refused_as_spark_does(tmp_path: Path) -> None:
    times = pa.array([1_767_600_000 * 10**9], pa.timestamp("ns", "Europe/Berlin"))
    table = pa.table({"order_id": ["1"], "customer": ["a"], "at": times, "total": [1.5]})
    pq.write_table(table, tmp_path / "o.parquet")
    with pytest.raises(UserError, match="has times in nanoseconds"):
        proposal([tmp_path / "o.parquet"])
    pq.write_table(table, tmp_path / "o.parquet", coerce_timestamps="us")
    assert one_of(proposal([tmp_path / "o.parquet"])).section == "receipts"


def test_a_broken_line_of_json_is_told_and_many_are_refused(tmp_path: Path) -> None:
    lines = [json.dumps(dict(zip(HEADER, row, strict=True))) for row in orders()]
    file = written(tmp_path / "o.jsonl", "\n".join([*lines[:9], lines[9][:-9]]))
    assert "1 of 10 lines is no JSON object: its row is turned away" in doubts_of(proposal([file]))
    written(file, json.dumps({"orders": [json.loads(line) for line in lines]}, indent=1))
    with pytest.raises(UserError, match="write each object on a line of its own"):
        proposal([file])


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_array_is_looked_into_as_lines_are(tmp_path: Path, monkeypatch, indent) -> None:
    objects = [dict(zip(HEADER, row, strict=True)) for row in orders(40)]
    file = written(tmp_path / "o.json", json.dumps(objects, indent=indent))
    lines = written(tmp_path / "lines.json", "\n".join(map(json.dumps, objects)))
    found, expected = one_of(proposal([file])), one_of(proposal([lines]))
    assert found.group.sample.rows == expected.group.sample.rows
    assert found.fields == expected.fields
    monkeypatch.setattr(raw_text, "MAX_BYTES", 1_000)
    cut = one_of(proposal([file])).group.sample
    assert not cut.is_whole
    assert 3 < len(cut.rows) < 40
    assert cut.rows == expected.group.sample.rows[: len(cut.rows)]


def test_keys_inside_of_objects_may_have_spaces_and_those_of_no_path_are_told(tmp_path) -> None:
    lines = [
        {"Order": {"Order No": row[0], "who": {"Client": row[1]}},
         "at": row[2], "money": {"Total (net)": row[3], "v.a.t": 1}}
        for row in orders()
    ]  # fmt: skip
    file = written(tmp_path / "o.jsonl", "\n".join(map(json.dumps, lines)))
    found = proposal([file])
    columns = loaded(found, tmp_path).receipts.columns
    assert columns.receipt_id == "get_json_object(Order, '$.Order No')"
    assert columns.amount == "get_json_object(money, '$.Total (net)')"
    assert "keys inside of objects that are not looked at: v.a.t" in doubts_of(found)
