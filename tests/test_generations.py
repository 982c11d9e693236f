"""Files of several generations: what they have in common is read, what they lack is told."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from itertools import permutations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import (
    ByteType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    NullType,
    StringType,
    StructType,
    TimestampType,
)
from support.screen import on_screen, problems
from support.shop import RECEIPTS, Shop, line, stored, versions

from rfm_spark.core.folder_values import folder_values
from rfm_spark.ingest.files.united_columns import common_type, united_rows
from rfm_spark.storage.gateway import JvmError, first_lines

PARQUET = {"receipts*.csv": "*.parquet", '"csv"': '"parquet"'}
OLD = [line(f"a{n}", f"c{n}", f"2025-01-0{n}", f"{n}.00", category="tea") for n in range(1, 5)]
NEW = [line(f"b{n}", f"c{n}", f"2025-02-0{n}", f"{n}.50", category="oil") for n in range(1, 5)]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def content(shop, without=()):
    """Receipts as they are stored, whatever files they came in."""
    left_out = {"delivery", *without}
    return [
        {name: value for name, value in row.items() if name not in left_out}
        for row in stored(shop.warehouse, "receipts")
    ]


def test_csv_files_of_other_columns_are_read_by_name(cli, shop, capfd):
    """One export per year: a column more, others in another order and case, a quoted header."""
    without_category = [{k: v for k, v in row.items() if k != "category"} for row in OLD[:2]]
    shop.csv("receipts1.csv", without_category)
    shop.csv("receipts2.csv", [dict(reversed([*row.items(), ("till", "7")])) for row in OLD[2:]])
    names = ",".join(f'"{name.upper()}"' for name in NEW[0])
    rows = "".join(",".join(row.values()) + "\n" for row in NEW)
    shop.file("receipts3.csv").write_text(f"\n{names}\n{rows}")
    shop.configure()
    assert cli("check", *shop.arguments()) == 0
    capfd.readouterr()
    assert cli("ingest", *shop.arguments()) == 0
    told = "".join(on_screen(capfd).split())
    assert "[receipts.columns]category='category':isNULLin1ofthefiles,suchas" in told
    assert "receipts1.csv,whichlackcategory" in told

    alike = Shop(shop.folder / "alike")
    unknown = [row | {"category": ""} for row in OLD[:2]]
    alike.csv("receipts1.csv", [*unknown, *OLD[2:], *NEW])
    alike.configure()
    assert cli("ingest", *alike.arguments()) == 0
    assert content(shop) == content(alike)


def test_a_csv_file_that_lacks_what_every_receipt_needs_is_refused(cli, shop, capfd):
    shop.csv("receipts1.csv", OLD)
    for number, name in enumerate(("customer", "amount"), 2):
        called = [{f"{k}s" if k == name else k: v for k, v in row.items()} for row in NEW]
        shop.csv(f"receipts{number}.csv", called)
    shop.configure()
    for job in ("check", "ingest"):
        assert cli(job, *shop.arguments()) == 2
        assert problems(capfd) == [
            f"[receipts.columns] {name} = '{key}': {shop.raw}/receipts{number}.csv, unlike other "
            f"files, has no column '{key}'; did you mean '{key}s'?"
            for number, name, key in ((2, "customer_id", "customer"), (3, "amount", "amount"))
        ]
    assert versions(shop.warehouse) == {}


def test_a_title_above_the_header_is_told(cli, shop, capfd):
    shop.file("receipts1.csv").write_text("Sales of January,,,\nid,customer,at,total\n1,2,3,4\n")
    shop.configure()
    assert cli("check", *shop.arguments()) == 2
    [told] = problems(capfd)
    assert "receipts1.csv: its header has one value where other lines have more: a title" in told


def written(shop, name, rows, **columns):
    """A Parquet file of these rows, some of its columns of other types."""
    table = pa.Table.from_pylist(rows)
    for column, values in columns.items():
        if column in table.column_names:
            table = table.drop_columns([column])
        table = table.append_column(column, values)
    shop.raw.mkdir(exist_ok=True)
    pq.write_table(table, shop.raw / name)


def test_columns_of_parquet_may_change_their_types(cli, shop):
    """An id that pandas makes a float where one is missing, money of many types, empty columns."""
    empty = pa.nulls(4)
    ids = [1, 2, 3, 4]
    written(shop, "1.parquet", OLD, customer=pa.array(ids), amount=pa.array(ids), coupon=empty)
    written(
        shop, "2.parquet", [row | {"receipt": f"x{row['receipt']}"} for row in OLD],
        customer=pa.array([1.0, 2.0, 3.0, None]), amount=pa.array([1.0, 2.0, 3.0, 4.0]),
        coupon=pa.array(["A", None, "B", ""]),
    )  # fmt: skip
    written(
        shop, "3.parquet", NEW, customer=pa.array(ids, pa.int32()),
        amount=pa.array(["1.50", "2.50", "3.50", "4.50"]).cast(pa.decimal128(10, 2)),
        coupon=pa.array([{"a": 1}] * 4),
    )  # fmt: skip
    shop.configure(changes=PARQUET)
    assert cli("ingest", *shop.arguments()) == 0
    found = {row["receipt_id"]: (row["customer_id"], row["net_cents"]) for row in content(shop)}
    assert found == {
        **{f"a{n}": (str(n), n * 100) for n in ids},
        **{f"xa{n}": (str(n) if n < 4 else None, n * 100) for n in ids},
        **{f"b{n}": (str(n), n * 100 + 50) for n in ids},
    }


def test_an_expression_that_needs_a_column_of_types_that_differ_is_refused(cli, shop, capfd):
    instant = pa.array([datetime(2025, 1, 11, tzinfo=UTC)] * 4, pa.timestamp("us", tz="UTC"))
    written(shop, "1.parquet", OLD)
    written(shop, "2.parquet", NEW, time=instant)
    shop.configure(changes=PARQUET)
    assert cli("check", *shop.arguments()) == 2
    assert problems(capfd) == [
        f"[receipts.columns] time = 'time': column 'time' is string in {shop.raw}/1.parquet and "
        f"timestamp in {shop.raw}/2.parquet, which are not one type: write the files alike, or "
        "take in those of one type at a time"
    ]


def test_names_of_folders_are_columns(cli, shop):
    """As Spark and Hive write them; a column of the file itself counts before."""
    plain = [{k: v for k, v in row.items() if k != "time"} for row in OLD]
    shop.parquet("sales/time=2025-03-01/store=S%C3%BCd/part-0.parquet", plain[:2])
    shop.parquet("sales/time=2025-03-02/store=__HIVE_DEFAULT_PARTITION__/part-0.parquet", plain[2:])
    shop.parquet("sales/time=2025-03-03/store=x/part-0.parquet", [NEW[0] | {"store": "north"}])
    changes = {"receipts*.csv": "sales", '"csv"': '"parquet"', "[cohorts]": "", "grains = [": "#"}
    also = 'time = "time"\nstore_id = "store"\nchannel = "split(_rfm_file, \'/\')[0]"'
    shop.configure(RECEIPTS.replace('time = "time"', also), changes)
    assert cli("ingest", *shop.arguments()) == 0
    found = {
        row["receipt_id"]: (str(row["business_date"]), row["store_id"]) for row in content(shop)
    }
    assert {row["channel"] for row in content(shop)} == {"sales"}
    assert found == {
        "a1": ("2025-03-01", "Süd"), "a2": ("2025-03-01", "Süd"),
        "a3": ("2025-03-02", None), "a4": ("2025-03-02", None),
        "b1": ("2025-02-01", "north"),
    }  # fmt: skip


def test_folders_without_an_equals_sign_say_nothing():
    assert folder_values("sales/2025/=x/a.csv") == {}
    assert folder_values("dt=1/at=a%3Db=c/k=v.csv") == {"dt": "1", "at": "a=b=c"}


TYPES = [
    (IntegerType(), IntegerType(), IntegerType()),
    (NullType(), StringType(), StringType()),
    (ByteType(), LongType(), LongType()),
    (IntegerType(), FloatType(), DoubleType()),
    (LongType(), DoubleType(), DoubleType()),
    (LongType(), StringType(), StringType()),
    (IntegerType(), DecimalType(10, 2), DecimalType(12, 2)),
    (DecimalType(10, 2), DecimalType(5, 4), DecimalType(12, 4)),
    (DecimalType(38, 0), DecimalType(5, 4), None),
    (DecimalType(10, 2), FloatType(), DoubleType()),
    (DoubleType(), StringType(), None),
    (DateType(), TimestampType(), None),
    (DateType(), StringType(), None),
    (
        StructType().add("a", IntegerType()).add("b", StringType()),
        StructType().add("A", LongType()).add("c", DateType()),
        StructType().add("a", LongType()).add("b", StringType()).add("c", DateType()),
    ),
    (StructType().add("a", DateType()), StructType().add("a", StringType()), None),
]


@pytest.mark.parametrize(("first", "second", "common"), TYPES)
def test_the_type_of_two_holds_the_values_of_both(first, second, common):
    assert common_type(first, second) == common
    if not isinstance(first, StructType):
        assert common_type(second, first) == common


def test_rows_are_united_in_any_order_of_parts(spark):
    parts = {
        "a": spark.sql("SELECT 16777217 AS id, named_struct('x', 1) AS s, 'p' AS only_a"),
        "b": spark.sql("SELECT 0.5F AS id, named_struct('X', 2L, 'y', 'q') AS s"),
        "c": spark.sql("SELECT NULL AS ID, CAST(NULL AS STRUCT<x: INT>) AS s, DATE '2025-01-01' d"),
    }
    found = set()
    for order in permutations(parts):
        rows, conflicts = united_rows({name: parts[name] for name in order})
        assert conflicts == {}
        lowered = rows.toDF(*map(str.lower, rows.columns)).select("id", "s", "only_a", "d")
        found.add(tuple(sorted(repr(row).lower() for row in lowered.collect())))
    [rows] = found
    assert len(rows) == 3
    assert "16777217.0" in "".join(rows)


def test_the_first_line_of_a_file_is_what_stands_in_it(spark, tmp_path):
    texts = {"a.csv": b"x;y\n1;2\n", "b.csv": b"\n  \r\nz\r\n1", "c.csv": b"", "d.csv": b"only"}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "e.csv.gz").write_bytes(gzip.compress(b"packed\n1\n" * 1_000))
    (tmp_path / "f.csv").write_bytes("über\n1".encode("utf-16"))
    with pa.CompressedOutputStream(str(tmp_path / "g.csv.zst"), "zstd") as stream:
        stream.write(b"by Spark\n1\n")
    plain = [str(tmp_path / name) for name in (*texts, "e.csv.gz", "g.csv.zst")]
    assert first_lines(spark, plain, "UTF-8") == ["x;y", "z", "", "only", "packed", "by Spark"]
    assert first_lines(spark, [str(tmp_path / "f.csv")], "UTF-16") == ["über"]
    with pytest.raises(JvmError, match=r"missing\.csv cannot be read as text"):
        first_lines(spark, [str(tmp_path / "missing.csv")], "UTF-8")
    with pytest.raises(JvmError, match=r"a\.csv cannot be read as text"):
        first_lines(spark, plain[:1], "no such encoding")
