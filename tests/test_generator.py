"""Made-up receipts: exactly as many as asked for, the same from the same seed, and lifelike."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError
from pyspark.sql import functions as F
from support.screen import on_screen
from support.shop import Shop, stored

from rfm_spark.generator.deliveries import Files, configuration, write_deliveries
from rfm_spark.generator.details import as_lines, interactions
from rfm_spark.generator.market import Market
from rfm_spark.generator.receipts import GUEST, delivered_receipts

MARKET = Market(
    receipts=40_000, customers=3_000, days=365, duplicate_share=0.01, correction_share=0.02
)
ORIGINALS = {"duplicate_share": 0, "correction_share": 0}


@pytest.fixture(scope="module")
def receipts(spark):
    """What is delivered once, as pandas."""
    return delivered_receipts(spark, MARKET.model_copy(update=ORIGINALS)).toPandas()


def test_there_are_as_many_receipts_as_asked_for_each_with_an_id(receipts):
    assert sorted(receipts["receipt_id"]) == list(range(40_000))


def test_the_same_seed_gives_the_same_rows_and_another_one_others(spark, receipts):
    small = Market(receipts=500, customers=50, days=30)
    first, again = (delivered_receipts(spark, small).toPandas() for _ in range(2))
    assert first.equals(again)
    other = delivered_receipts(spark, small.model_copy(update={"seed": 1})).toPandas()
    assert not first["amount"].equals(other["amount"])


def test_receipts_lie_on_every_day_and_follow_week_and_year(receipts):
    timed = receipts.dropna(subset="time")
    days = timed["time"].dt.normalize()
    assert days.nunique() == 365
    by_weekday = days.dt.dayofweek.value_counts()
    assert by_weekday.idxmax() == 5
    assert by_weekday.idxmin() == 6
    assert (days.dt.month == 12).sum() > 1.15 * (days.dt.month == 3).sum()


def test_shares_are_as_asked_for(receipts):
    n = len(receipts)
    assert (receipts["customer_id"] == GUEST).mean() == pytest.approx(0.1, abs=0.01)
    assert (receipts["amount"] < 0).mean() == pytest.approx(0.03, abs=0.005)
    assert receipts["time"].isna().mean() == pytest.approx(0.0002, abs=0.0003)
    days_late = (
        receipts["delivered"].astype("datetime64[ns]") - receipts["time"].dt.normalize()
    ).dt.days.dropna()
    assert days_late.between(0, 30).all()
    assert (days_late > 0).sum() / n == pytest.approx(0.005, abs=0.002)


def test_few_customers_make_much_of_the_trade_and_customers_come_and_go(receipts):
    known = receipts[receipts["customer_id"] != GUEST].dropna(subset="time")
    sizes = known["customer_id"].value_counts()
    assert sizes.iloc[: len(sizes) // 100].sum() / len(known) > 0.1
    months = known.groupby("customer_id")["time"].agg(["min", "max"])
    assert (months["max"] < "2022-07-01").sum() > 100
    assert (months["min"] > "2022-07-01").sum() > 100


def test_repeated_deliveries_carry_the_same_id_and_corrections_another_amount(spark, receipts):
    whole = delivered_receipts(spark, MARKET).toPandas()
    again = whole["receipt_id"].value_counts()
    assert (again > 1).mean() == pytest.approx(0.03, abs=0.006)
    versions = whole[whole["receipt_id"].isin(again[again > 1].index)]
    amounts = versions.groupby("receipt_id")["amount"].nunique()
    assert (amounts == 2).sum() == pytest.approx(800, abs=200)
    assert whole["delivered"].max() == date(2022, 12, 31)


def test_no_delivery_holds_a_receipt_twice(spark):
    often = Market(
        receipts=3_000,
        customers=100,
        days=20,
        late_share=0.3,
        duplicate_share=0.3,
        correction_share=0.3,
    )
    delivered = delivered_receipts(spark, often).groupBy("delivered", "receipt_id").count()
    assert delivered.agg(F.max("count")).collect()[0][0] == 1


def test_guests_and_the_largest_customer_can_be_made_as_large_as_wanted(spark):
    skewed = Market(
        receipts=20_000,
        customers=100_000,
        days=90,
        guest_share=0.3,
        largest_customer_receipts=5_000,
        **ORIGINALS,
    )
    by_customer = delivered_receipts(spark, skewed).groupBy("customer_id").count().toPandas()
    sizes = by_customer.set_index("customer_id")["count"].sort_values(ascending=False)
    assert sizes.index[0] == GUEST
    assert sizes.iloc[0] == pytest.approx(6_000, rel=0.05)
    assert sizes.iloc[1] == pytest.approx(5_000, rel=0.1)


def test_lines_add_up_to_their_receipts(spark):
    market = Market(receipts=2_000, customers=100, days=30, lines_per_receipt=4)
    whole = delivered_receipts(spark, market)
    lines = as_lines(whole, market).groupBy("receipt_id", "delivered").agg(
        F.sum("amount").alias("sum"), F.count(F.lit(1)).alias("lines"), F.max("line").alias("last")
    )  # fmt: skip
    found = whole.join(lines, ["receipt_id", "delivered"]).toPandas()
    assert (found["sum"] == found["amount"]).all()
    assert (found["lines"] == found["last"]).all()
    assert found["lines"].mean() == pytest.approx(4, abs=0.2)


def test_interactions_are_of_the_same_customers_and_days(spark):
    market = Market(receipts=2_000, customers=100, days=30, interactions_per_receipt=1.5)
    found = interactions(spark, market).toPandas()
    assert len(found) == 3_000
    assert found["customer_id"].between(1, 100).all()
    assert (found["time"].dt.date == found["delivered"]).all()
    assert {"click", "visit"} <= set(found["kind"])


@pytest.mark.parametrize("kind", ["csv", "json", "delta"])
def test_every_format_is_read_by_its_configuration(spark, run, tmp_path, from_parquet, kind):
    assert ingested(spark, run, Shop(tmp_path), kind) == from_parquet


@pytest.fixture(scope="module")
def from_parquet(spark, run, tmp_path_factory):
    return ingested(spark, run, Shop(tmp_path_factory.mktemp("parquet")), "parquet")


def ingested(spark, run, shop, kind):
    """Current receipts of a month of made-up ones, without what tells how they came."""
    market = Market(
        receipts=300, customers=40, days=30, late_share=0.1, broken_share=0.01, **ORIGINALS
    )
    files = Files(str(shop.raw), kind, "daily")
    write_deliveries(spark, market, files)
    shop.configure(configuration(market, files))
    bad = ("ingest.max_rejected_share=0.1",)
    run(shop.config, shop.raw, shop.warehouse, "ingest", overrides=bad)
    return [
        {name: value for name, value in row.items() if name != "delivery"}
        for row in stored(shop.warehouse, "receipts")
    ]


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(ValidationError, match="leave no receipt"):
        Market(receipts=10, customers=5, days=3, guest_share=0.5, largest_customer_receipts=9)


def test_the_command_prints_the_configuration_and_writes_nothing_twice(cli, capfd, tmp_path):
    asked = ["generate", "--receipts", "1e2", "--customers", "10", "--days", "5"]
    out = ["--out", tmp_path / "raw"]
    assert cli(*asked, *out, "--layout", "bulk", "--set", "lines_per_receipt=3") == 0
    told = capfd.readouterr().out
    assert 'path = "receipts/*.parquet"' in told
    assert 'grain = "line"' in told
    assert cli(*asked, *out) == 2
    assert "is there already" in capfd.readouterr().err
    (tmp_path / "other" / "interactions").mkdir(parents=True)
    asked += ["--out", tmp_path / "other", "--set", "interactions_per_receipt=1"]
    assert cli(*asked) == 2
    assert "interactions is there already" in on_screen(capfd)
    assert not (tmp_path / "other" / "receipts").exists()
    assert cli(*asked[:-4], "--out", "hfds://somewhere/raw") == 2
    assert "hfds://somewhere/raw: cannot be reached" in on_screen(capfd)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--receipts", "1.5"), "no whole number"),
        (("--receipts", "0"), "receipts"),
        (("--set", "guest_shar=1"), "guest_share"),
        (("--set", "guest_share"), "KEY=VALUE"),
        (("--set", "guest_share=2"), "guest_share"),
        (("--format", "xlsx"), "xlsx"),
        (("--days", "36000"), "give --first-day 19"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(cli, capfd, tmp_path, options, told):
    asked = {"--receipts": "100", "--customers": "10", "--days": "5", "--out": str(tmp_path / "o")}
    if options[0] != "--set":
        asked[options[0]] = options[1]
        options = ()
    flat = [word for pair in asked.items() for word in pair]
    assert cli("generate", *flat, *options) == 2
    assert told in capfd.readouterr().err
    assert not (tmp_path / "o").exists()
