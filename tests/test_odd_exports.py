"""What `rfm-spark init` says of exports with odd values, repeated ids and cents; without Spark."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from support.exports import SHOPIFY, SQUARE, STRIPE, WOOCOMMERCE, csv_text, written
from support.proposals import HEADER, doubts_of, loaded, one_of, orders, proposed, with_values

from rfm_spark.app.proposal.proposal import proposal
from rfm_spark.core.errors import UserError


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (3, "N/A", "total: {} no number"),
        (3, "x 5", "total: {} no number"),
        (3, "12 34 5", "total: {} no number"),
        (3, "١٢", "total: {} no number"),
        (2, "N/A", "created_at: {} no such time"),
        (2, "05/01/2026", "created_at: {} no such time"),
        (2, "2026-02-31 10:00:00", "created_at: {} no such time"),
    ],
)
@pytest.mark.parametrize("odd", [1, 2])
def test_odd_values_of_a_small_file_are_told_and_leave_receipts_what_they_are(
    tmp_path, column, value, told, odd
) -> None:
    rows = with_values(orders(), column, dict.fromkeys(range(3, 3 + odd), value))
    found = proposed(tmp_path, rows)
    receipts = loaded(found, tmp_path).receipts
    assert receipts is not None
    assert (receipts.columns.amount, receipts.columns.time) == ("total", "created_at")
    words = "1 of 10 values is" if odd == 1 else "2 of 10 values are"
    assert told.format(words) in doubts_of(found)
    assert "a run stops above ingest.max_rejected_share = 0.01" in doubts_of(found)


def test_odd_values_are_told_where_no_name_tells_a_column(tmp_path: Path) -> None:
    rows = with_values(with_values(orders(), 3, {4: "-"}), 2, {7: "?"})
    found = proposed(tmp_path, rows, ["c1", "c2", "c3", "c4"])
    columns = loaded(found, tmp_path).receipts.columns
    assert (columns.time, columns.amount) == ("c3", "c4")
    assert "c4: 1 of 10 values is no number" in doubts_of(found)
    assert "c3: 1 of 10 values is no such time" in doubts_of(found)


def test_an_odd_flag_is_told_and_amounts_are_no_flags(tmp_path: Path) -> None:
    header = [*HEADER, "voided", "refund"]
    rows = [[*row, "no", "0"] for row in orders()]
    odd = with_values(with_values(rows, 4, {2: "yes", 3: "?"}), 5, {5: "3.50"})
    found = proposed(tmp_path, odd, header)
    columns = loaded(found, tmp_path).receipts.columns
    assert "voided" in columns.is_void
    assert columns.is_return is None
    assert "1 of 10 values of voided are neither true nor false" in doubts_of(found)


def test_a_number_beyond_all_money_is_shown_as_none(tmp_path: Path) -> None:
    found = one_of(proposed(tmp_path, with_values(orders(), 3, {0: "1e999999"})))
    assert found.fields["amount"].read(found.group.sample.rows[0]) == ""


def test_an_odd_date_does_not_turn_day_and_month(tmp_path: Path) -> None:
    days = {at: f"{13 + at}/01/2026" for at in range(9)} | {9: "01/13/2026"}
    found = proposed(tmp_path, with_values(orders(), 2, days))
    assert one_of(found).settings["time_format"] == "d/M/yyyy"
    assert "created_at: 1 of 10 values is no such time" in doubts_of(found)


def test_odd_numbers_since_1970_are_told(tmp_path: Path) -> None:
    times = {at: str(1_767_655_800 + 3_600 * at) for at in range(9)} | {9: "never"}
    found = proposed(tmp_path, with_values(orders(), 2, times))
    assert "timestamp_seconds" in loaded(found, tmp_path).receipts.columns.time
    assert "created_at: 1 of 10 values is no such time" in doubts_of(found)


def test_what_is_money_by_name_alone_is_told_where_rows_become_interactions(tmp_path) -> None:
    rows = with_values(orders(), 3, dict.fromkeys(range(7), "see invoice"))
    found = proposed(tmp_path, rows)
    assert one_of(found).section == "interactions.o"
    assert "though total sounds like money" in doubts_of(found)


def test_half_of_the_values_decide_where_a_name_tells_money(tmp_path: Path) -> None:
    found = proposed(tmp_path, with_values(orders(), 3, dict.fromkeys(range(5), "open")))
    assert one_of(found).section == "receipts"
    assert "total: 5 of 10 values are no numbers" in doubts_of(found)


def test_blank_ids_do_not_make_lines_of_whole_receipts(tmp_path: Path) -> None:
    found = proposed(tmp_path, with_values(orders(), 0, {2: "", 5: " "}))
    assert one_of(found).settings["grain"] == "receipt"
    assert "2 of 10 rows have no order_id" in doubts_of(found)


STATES = [*HEADER, "status", "updated_at"]


def states() -> list[list[str]]:
    """Orders that come once more when they are paid."""
    return [
        [*row, state, f"{row[2][:11]}{hour}:00:00"]
        for row in orders(6)
        for state, hour in (("pending", 10), ("paid", 11))
    ]


def test_states_of_orders_are_versions_and_the_last_change_counts(tmp_path: Path) -> None:
    found = proposed(tmp_path, states(), STATES)
    receipts = loaded(found, tmp_path).receipts
    assert (receipts.grain, receipts.columns.version) == ("receipt", "updated_at")
    assert "states of one receipt" in doubts_of(found)


def test_equal_rows_and_a_correction_are_versions_as_well(tmp_path: Path) -> None:
    first, second, third = orders(3)
    rows = [
        [*first, "paid", "1"],
        [*second, "paid", "1"],
        [*second, "paid", "1"],
        [*third, "paid", "1"],
        [*third[:3], "2.00", "paid", "2"],
    ]
    receipts = loaded(proposed(tmp_path, rows, [*HEADER, "state", "revision"]), tmp_path).receipts
    assert (receipts.grain, receipts.columns.version) == ("receipt", "revision")


def test_states_without_a_last_change_have_the_time_of_each_or_are_turned_away(tmp_path) -> None:
    timed = [[*row[:2], row[5], row[3], row[4]] for row in states()]
    found = proposed(tmp_path, timed, [*HEADER, "status"])
    assert loaded(found, tmp_path).receipts.columns.version == "created_at"
    found = proposed(tmp_path, [row[:5] for row in states()], [*HEADER, "status"], "untold.csv")
    receipts = loaded(found, tmp_path).receipts
    assert (receipts.grain, receipts.columns.version) == ("receipt", None)
    assert "so such receipts are turned away: map version" in doubts_of(found)


def test_copies_are_no_lines_where_no_column_tells_products(tmp_path: Path) -> None:
    found = proposed(tmp_path, [*orders(), *orders(2)])
    assert one_of(found).settings["grain"] == "receipt"
    assert "taken for copies of a receipt" in doubts_of(found)
    with_sku = [[*row, "sku-1"] for row in [*orders(), *orders(2)]]
    found = proposed(tmp_path, with_sku, [*HEADER, "sku"], "lines.csv")
    assert one_of(found).settings["grain"] == "line"
    assert "write drop_equal_lines = true" in doubts_of(found)


def test_lines_that_no_product_tells_apart_are_told(tmp_path: Path) -> None:
    rows = [*orders(), *[[*row[:3], "7.00"] for row in orders(5)]]
    found = proposed(tmp_path, rows)
    assert one_of(found).settings["grain"] == "line"
    assert "though no column tells products" in doubts_of(found)


def test_lines_that_come_again_in_another_state_are_told(tmp_path: Path) -> None:
    rows = [[*row[:4], sku, *row[4:]] for row in states() for sku in ("sku-1", "sku-2")]
    found = proposed(tmp_path, rows, [*HEADER, "sku", *STATES[4:]])
    assert one_of(found).settings["grain"] == "line"
    assert "come again with another status, updated_at, and all are added up" in doubts_of(found)
    once = [row for row in rows if row[5] == "paid"]
    found = proposed(tmp_path, once, [*HEADER, "sku", *STATES[4:]], "once.csv")
    assert "come again" not in doubts_of(found)


def test_exports_that_grow_hold_whole_receipts_and_say_whose_rows_count(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        written(tmp_path / f"until-{day}.csv", csv_text(HEADER, orders(4 * day)))
    found = proposal([tmp_path])
    assert one_of(found).settings["grain"] == "receipt"
    assert "8 values of order_id come in several files: the rows of the last" in doubts_of(found)


def test_exports_of_the_last_days_are_seen_to_overlap_though_the_first_and_last_do_not(
    tmp_path: Path,
) -> None:
    for day in range(4):
        rows = orders(20)[4 * day : 4 * day + 6]
        written(tmp_path / f"until-{day}.csv", csv_text(HEADER, rows))
    assert "2 values of order_id come in several files" in doubts_of(proposal([tmp_path]))


@pytest.mark.parametrize("name", ["total_cents", "Amount (minor units)", "price_in_pence"])
def test_whole_numbers_of_minor_units_become_units_of_money(tmp_path: Path, name: str) -> None:
    cents = {at: str(999 + 100 * at) for at in range(10)}
    found = proposed(tmp_path, with_values(orders(), 3, cents), [*HEADER[:3], name])
    written_amount = loaded(found, tmp_path).receipts.columns.amount
    assert written_amount.endswith(" AS DECIMAL(30,6)) / 100")
    amount = one_of(found).fields["amount"]
    assert amount.read(one_of(found).group.sample.rows[1]) == "10.99"
    assert f"{name} is divided by 100" in doubts_of(found)


def test_minor_units_follow_the_currency_and_decimals_are_none(tmp_path: Path) -> None:
    cents = with_values(orders(), 3, {at: str(999 + at) for at in range(10)})
    header = [*HEADER[:3], "total_cents", "currency"]
    for currency, text in (("JPY", "total_cents"), ("KWD", "/ 1000"), ("EUR", "/ 100")):
        found = proposed(tmp_path, [[*row, currency] for row in cents], header, f"{currency}.csv")
        assert loaded(found, tmp_path).receipts.columns.amount.endswith(text)
    found = proposed(tmp_path, orders(), [*HEADER[:3], "total_cents"], "decimals.csv")
    assert loaded(found, tmp_path).receipts.columns.amount == "total_cents"


def test_large_whole_numbers_may_be_cents_and_it_is_told(tmp_path: Path) -> None:
    whole = with_values(orders(), 3, {at: str(1999 + at) for at in range(10)})
    assert "if they are minor units such as cents" in doubts_of(proposed(tmp_path, whole))
    small = with_values(orders(), 3, {at: str(1 + at) for at in range(10)})
    assert "minor units" not in doubts_of(proposed(tmp_path, small, name="small.csv"))


def test_several_currency_signs_in_one_column_are_told(tmp_path: Path) -> None:
    signs = {at: f"{'€' if at % 2 else '$'}{at}.50" for at in range(10)}
    found = proposed(tmp_path, with_values(orders(), 3, signs))
    assert "total: has several currencies (USD, EUR)" in doubts_of(found)
    many = {at: f"{sign}{at}.50" for at, sign in enumerate("€$£¥₹₽₩₺₪₫")}
    found = proposed(tmp_path, with_values(orders(), 3, many), name="many.csv")
    assert "total: has several currencies (EUR, USD, GBP" in doubts_of(found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SHOPIFY, "1 of 6 rows have the Financial Status partially_refunded: what was given"),
        (SHOPIFY.replace("2001,ada@shop.test,paid", "2001,ada@shop.test,pending"),
         "1 of 6 rows have the Financial Status pending: it is not paid"),
        (SHOPIFY.replace(",EUR,9.00", ",USD,9.00"), "Currency has 2 currencies (EUR, USD)"),
        (SHOPIFY, "1 of 6 rows have no customer: they count as those of guests"),
        (STRIPE, "1 of 3 rows have the Status partial refund: what was given back"),
        (STRIPE.replace("usd,0.60", "eur,0.60"), "Converted Currency has 2 currencies (EUR, USD)"),
        (WOOCOMMERCE.replace("completed", "wc-custom"), "2 of 3 rows have the Status wc-custom"),
        (SQUARE.replace("$40.00,$0.00,T2", "€40.00,$0.00,T2"), "Net Sales: has several currencies"),
        (SQUARE.replace("$40.00,$0.00,T2", "free,$0.00,T2"), "Net Sales: 1 of 4 values is no"),
    ],
)  # fmt: skip
def test_presets_tell_what_their_export_cannot(tmp_path: Path, text: str, told: str) -> None:
    found = proposal([written(tmp_path / "o.csv", text)])
    assert one_of(found).title
    assert told in doubts_of(found)
    assert f"# ? {told[:20]}" in found.text


def test_numbers_that_begin_again_in_each_file_are_told(tmp_path: Path) -> None:
    for day in (5, 6):
        rows = [[str(n), f"k{n}", f"2026-01-0{day}", f"{day + n}.50"] for n in range(1, 9)]
        written(tmp_path / f"{day}.csv", csv_text(HEADER, rows))
    told = doubts_of(proposal([tmp_path]))
    assert "8 values of order_id come in several files" in told
    assert "or where numbers begin again in each" in told


def test_what_is_said_of_states_is_not_contradicted(tmp_path: Path) -> None:
    assert "a row is taken for a whole receipt" not in doubts_of(
        proposed(tmp_path, states(), STATES)
    )


@pytest.mark.parametrize(
    ("day", "side"), [("2062-01-05 10:00:00", "after"), ("1970-01-01", "before")]
)
def test_a_day_far_from_all_others_is_told(tmp_path: Path, day: str, side: str) -> None:
    found = proposed(tmp_path, with_values(orders(20), 2, {7: day}))
    assert f"created_at: {day[:10]} lies far {side} all other days" in doubts_of(found)
    assert "lies far" not in doubts_of(proposed(tmp_path, orders(20), name="usual.csv"))


def test_a_time_in_a_form_that_is_not_known_is_named(tmp_path: Path) -> None:
    rows = [[*row[:2], f"Ordered {row[2]}", row[3]] for row in orders()]
    with pytest.raises(UserError, match="created_at sounds like a time, but too few of its values"):
        proposed(tmp_path, rows)


def test_customers_that_come_twice_are_customers_where_nothing_tells_a_time(tmp_path) -> None:
    written(tmp_path / "orders.csv", csv_text(HEADER, orders()))
    people = [["k0", "Ulm"], ["k1", "Kiel"], ["k0", "Bonn"]]
    written(tmp_path / "people.csv", csv_text(["customer", "city"], people))
    found = proposal([tmp_path])
    assert [one.section for one in found.findings] == ["receipts", "customers"]
    assert "1 of 3 rows have a customer that is there already" in doubts_of(found)


def test_shopifys_further_lines_are_no_receipts_though_they_have_a_time(tmp_path: Path) -> None:
    line = "#2001,ada@shop.test,,,,,,,,,,,2,Bulb"
    assert line in SHOPIFY
    timed = SHOPIFY.replace(line, line.replace(",,2,Bulb", ",2026-01-03 09:05:00 +0100,2,Bulb"))
    for text in (SHOPIFY, timed):
        found = one_of(proposal([written(tmp_path / "o.csv", text)]))
        kept = [row for row in found.group.sample.rows if found.keep and found.keep.holds(row)]
        assert [row["Name"] for row in kept] == [f"#200{n}" for n in range(1, 7)]


def test_woocommerces_earlier_name_of_net_sales_is_known(tmp_path: Path) -> None:
    text = WOOCOMMERCE.replace("Net Sales", "N. Revenue")
    found = one_of(proposal([written(tmp_path / "o.csv", text)]))
    assert found.fields["amount"].names() == ("N. Revenue",)


@pytest.mark.parametrize("has_column", [True, False])
def test_a_refund_that_is_not_converted_is_no_silent_part_of_an_amount(
    tmp_path: Path, has_column: bool
) -> None:
    text = STRIPE.replace("1500,0,jpy,true,10.11,0.00", "1500,700,jpy,true,10.11,0.00")
    if not has_column:
        text = "\n".join(
            ",".join(fields[:7] + fields[8:])
            for fields in csv.reader(text.replace('"1,019.99"', "1019.99").splitlines())
        )
    found = proposal([written(tmp_path / "o.csv", text)])
    amount, rows = one_of(found).fields["amount"], one_of(found).group.sample.rows
    assert amount.read(rows[0]) == "1019.99"
    assert [amount.read(row) for row in rows[1:]] == (
        ["15.00", "7.00", ""] if has_column else ["", "7.00", ""]
    )
    told = "1 of 3 rows have" if has_column else "2 of 3 rows have"
    assert f"{told} Amount Refunded in other money than their amount" in doubts_of(found)


def test_charges_of_a_stripe_account_of_one_currency_are_read_as_they_are(tmp_path: Path) -> None:
    rows = [[*row[:6], *row[9:]] for row in csv.reader(STRIPE.splitlines())]
    found = one_of(proposal([written(tmp_path / "o.csv", csv_text(rows[0], rows[1:]))]))
    assert [found.fields["amount"].read(row) for row in found.group.sample.rows] == [
        "1019.99", "15.00", "7.00", "1500",
    ]  # fmt: skip
