"""Versions: which delivery of a receipt wins, whatever the order of arrival."""

from __future__ import annotations

import random
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from support import assert_rows, rows_of

from rfm_spark.core.natural_order import natural_key, natural_order
from rfm_spark.ingest.tables.receipts import RECEIPTS
from rfm_spark.ingest.versions.delivery_order import delivery_places
from rfm_spark.ingest.versions.merging import DECIDED_COLUMNS, merged_versions, with_status


def version(receipt, delivery, net_cents=1_00, status="current", on="2026-01-15", **fields):
    """A stored or incoming version of a receipt."""
    return {
        "receipt_id": receipt,
        "delivery": delivery,
        "net_cents": net_cents,
        "status": status,
        "business_date": on,
        "month": on[:7],
    } | fields


def merged(spark, stored, incoming, came):
    known = rows_of(spark, RECEIPTS, stored)
    new = rows_of(spark, RECEIPTS, incoming).drop(*DECIDED_COLUMNS)
    of_these = F.col("delivery").isin(*came)
    names = [one["delivery"] for one in (*stored, *incoming)]
    places = delivery_places(spark, names)
    parts = merged_versions(known, new, of_these, "receipt_id", places, broadcast_keys=True)
    return reduce(DataFrame.unionByName, parts)


def test_the_newest_delivery_wins_whole(spark):
    stored = [version("r1", "a", 1_00)]
    assert_rows(
        merged(spark, stored, [version("r1", "b", 2_00)], ["b"]),
        [version("r1", "a", 1_00, "superseded"), version("r1", "b", 2_00, "current")],
    )


def test_a_first_delivery_is_current_and_of_several_the_last_by_name(spark):
    incoming = [version("r1", "b", 2_00), version("r1", "c", 3_00), version("r2", "b", 4_00)]
    assert_rows(
        merged(spark, [], incoming, ["b", "c"]),
        [
            version("r1", "b", 2_00, "superseded"),
            version("r1", "c", 3_00, "current"),
            version("r2", "b", 4_00, "current"),
        ],
    )


def test_numbers_in_the_names_of_deliveries_count_as_numbers(spark):
    names = ["export_9.csv", "export_10.csv", "export_2.csv"]
    rows = [version("r1", name, cents) for cents, name in enumerate(names)]
    expected = [one | {"status": "superseded"} for one in rows]
    expected[1]["status"] = "current"
    assert_rows(merged(spark, rows[:1], rows[1:], names[1:]), expected)


def test_names_have_one_natural_order_in_python_and_in_spark(spark):
    names = ["a", "a1", "a01", "a10", "a2", "a2b", "2026-01-05/p", "2026-1-10/p", "10", "9",
             "orders (1).csv", "orders.csv", "x" + "9" * 41, "é3", "é12"]  # fmt: skip
    rows = spark.createDataFrame([(name,) for name in names], "name string")
    found = rows.orderBy(natural_order(F.col("name"))).collect()
    assert [row["name"] for row in found] == sorted(names, key=natural_key)
    assert sorted(["d10", "d9", "d100"], key=natural_key) == ["d9", "d10", "d100"]


def test_a_version_of_a_forgotten_customer_replaces_others_and_counts_as_forgotten(spark):
    first = [version("r1", "a", 1_00), version("r2", "a", status="forgotten", is_forgotten=True)]
    second = [version("r1", "b", 2_00, is_forgotten=True), version("r2", "b", 3_00)]
    assert_rows(
        merged(spark, first, second, ["b"]),
        [
            version("r1", "a", 1_00, "superseded"),
            version("r1", "b", 2_00, "forgotten"),
            version("r2", "a", status="forgotten"),
            version("r2", "b", 3_00),
        ],
    )


def test_a_void_version_removes_the_receipt(spark):
    found = merged(spark, [version("r1", "a")], [version("r1", "b", is_void=True)], ["b"])
    assert_rows(found, [version("r1", "a", status="superseded"), version("r1", "b", status="void")])


def test_an_older_delivery_that_comes_later_brings_nothing_back(spark):
    stored = [
        version("voided", "c", status="void", is_void=True),
        version("changed", "c", 3_00),
    ]
    incoming = [version("voided", "b", 2_00), version("changed", "b", 2_00)]
    assert_rows(
        merged(spark, stored, incoming, ["b"]),
        [
            version("voided", "b", 2_00, "superseded"),
            version("voided", "c", status="void"),
            version("changed", "b", 2_00, "superseded"),
            version("changed", "c", 3_00, "current"),
        ],
    )


def test_a_later_delivery_can_bring_a_void_receipt_back(spark):
    stored = [
        version("r1", "a", status="superseded"),
        version("r1", "b", status="void", is_void=True),
    ]
    assert_rows(
        merged(spark, stored, [version("r1", "c", 9_00)], ["c"]),
        [
            version("r1", "a", status="superseded"),
            version("r1", "b", status="superseded"),
            version("r1", "c", 9_00, "current"),
        ],
    )


def test_a_delivery_that_comes_again_replaces_what_it_brought(spark):
    stored = [version("gone", "b"), version("fewer", "a", 1_00, "superseded"),
              version("fewer", "b", 2_00), version("kept", "b", 3_00)]  # fmt: skip
    assert_rows(
        merged(spark, stored, [version("kept", "b", 4_00)], ["b"]),
        [version("fewer", "a", 1_00, "current"), version("kept", "b", 4_00, "current")],
    )


def test_the_same_delivery_again_changes_nothing(spark):
    stored = [version("r1", "a", 1_00, "superseded"), version("r1", "b", 2_00), version("r2", "a")]
    again = [one for one in stored if one["delivery"] == "b"]
    assert_rows(merged(spark, stored, again, ["b"]), stored)


def test_rows_that_are_not_touched_stay_as_they_are(spark):
    # The newer version of `elsewhere` lies on a day that is not read.
    stored = [version("elsewhere", "a", status="superseded"), version("r1", "a")]
    found = merged(spark, stored, [version("r2", "b")], ["b"])
    assert_rows(found, [*stored, version("r2", "b")])


def test_a_receipt_can_move_to_another_day_and_customer(spark):
    stored = [version("r1", "a", customer_id="anna", on="2026-01-15")]
    moved = version("r1", "b", customer_id="ben", on="2026-02-03")
    assert_rows(
        merged(spark, stored, [moved], ["b"]),
        [version("r1", "a", status="superseded", customer_id="anna"), moved],
    )


def test_the_stored_columns_keep_their_order(spark):
    assert merged(spark, [], [version("r1", "a")], ["a"]).columns == RECEIPTS.column_names


def assert_statuses(found, expected):
    """The rows are the expected versions with these statuses."""
    names = ("receipt_id", "delivery", "business_date", "net_cents", "status")
    assert_rows(found, [{name: row[name] for name in names} for row in expected])


def back(receipt, delivery, net_cents=-1_00, on="2026-02-14", **fields):
    """A version that only takes things back."""
    return version(receipt, delivery, net_cents, on=on, is_return=True,
                   receipt_ts=datetime.fromisoformat(on), **fields)  # fmt: skip


def test_a_return_stands_beside_its_purchase_whichever_came_first(spark):
    purchase, refund = version("r1", "a", 40_00, is_visit=True), back("r1", "b", -12_00)
    expected = [purchase, refund]
    assert_statuses(merged(spark, [purchase], [refund], ["b"]), expected)
    late = version("r1", "c", 40_00, is_visit=True)
    assert_statuses(merged(spark, [refund], [late], ["c"]), [refund, late])


def test_a_correction_replaces_the_purchase_and_the_return_it_brings_again(spark):
    stored = [version("r1", "a", 40_00, is_visit=True), back("r1", "a", -12_00),
              back("r1", "b", -5_00, on="2026-02-20")]  # fmt: skip
    again = [version("r1", "c", 35_00, is_visit=True), back("r1", "c", -10_00)]
    assert_statuses(
        merged(spark, stored, again, ["c"]),
        [
            stored[0] | {"status": "superseded"},
            stored[1] | {"status": "superseded"},
            stored[2],
            *again,
        ],
    )


def test_a_return_with_a_number_of_its_own_is_corrected_and_cancelled_like_any_receipt(spark):
    moved = back("r1", "b", -2_00, on="2026-02-15")
    first = back("r1", "a", -1_00)
    assert_statuses(
        merged(spark, [first], [moved], ["b"]), [first | {"status": "superseded"}, moved]
    )
    void = version("r1", "b", 0, is_void=True)
    assert_statuses(
        merged(spark, [first], [void], ["b"]),
        [first | {"status": "superseded"}, void | {"status": "void"}],
    )


def _expected_statuses(versions):
    """Of one receipt, from the definitions: what counts for each purchase and each return."""
    returned_at = [None if v.get("is_visit") or not v.get("is_return") else v["receipt_ts"]
                   for v in versions]  # fmt: skip
    pairs = list(zip(versions, returned_at, strict=True))
    purchases = [v for v, at in pairs if at is None and not v.get("is_void")]
    purchase = max(purchases, key=lambda one: one["delivery"], default=None)
    told = {at for v, at in pairs if at is not None and not v.get("is_void")}
    cancels = [v.get("is_void") and at not in told for v, at in pairs]
    cancelled = max((v["delivery"] for (v, _), one in zip(pairs, cancels, strict=True) if one),
                    default="")  # fmt: skip
    statuses = []
    for (one, at), is_cancelling in zip(pairs, cancels, strict=True):
        rivals = [v["delivery"] for v, other in pairs if not purchases or other == at]
        is_cancelled = not is_cancelling and one["delivery"] <= cancelled
        is_told_again = (
            at is not None and purchase is not None and purchase.get("is_return", False)
            and one["delivery"] < purchase["delivery"]
            and one["business_date"] <= purchase["business_date"]
        )  # fmt: skip
        if one["delivery"] < max(rivals) or is_cancelled or is_told_again:
            statuses.append("superseded")
        else:
            statuses.append("void" if one.get("is_void") else "current")
    return statuses


def test_of_random_histories_of_purchases_returns_and_cancellations_the_right_ones_count(spark):
    chance = random.Random(7)
    histories = {}
    for number in range(150):
        found = {}
        for _ in range(chance.randrange(1, 7)):
            delivery, day = chance.choice("abcd"), f"2026-02-1{chance.randrange(3)}"
            is_void = chance.random() < 0.2
            if chance.random() < 0.5:
                found[delivery, day] = back(f"r{number}", delivery, on=day, is_void=is_void)
            else:
                found[delivery, None] = version(
                    f"r{number}", delivery, on=day, is_visit=True, is_void=is_void,
                    is_return=chance.random() < 0.3,
                )  # fmt: skip
        histories[number] = list(found.values())
    rows = [one for history in histories.values() for one in history]
    statuses = [told for history in histories.values() for told in _expected_statuses(history)]
    undecided = rows_of(spark, RECEIPTS, rows).drop(*DECIDED_COLUMNS)
    decided = with_status(undecided, "receipt_id", delivery_places(spark, "abcd"))
    names = ("receipt_id", "delivery", "receipt_ts", "status")
    assert_rows(
        decided,
        [
            {name: ({"receipt_ts": None} | row | {"status": told})[name] for name in names}
            for row, told in zip(rows, statuses, strict=True)
        ],
    )
    plan = decided._jdf.queryExecution().executedPlan().toString()
    assert plan.count("Exchange hashpartitioning") == 1
    assert plan.count("Sort [") == 1
