"""Category lift: what groups buy more often than all, held against counting and simulation."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import numpy as np
import pytest
from support import rows_of
from support.screen import on_screen, problems
from support.shop import stored

from rfm_spark.core.errors import UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES
from rfm_spark.results.category_lift.lift import (
    bought_categories,
    category_lift,
    group_counts,
    share_ratio,
)
from rfm_spark.results.category_lift.panels import compared_panel, lifted
from rfm_spark.results.category_lift.show import _breakdown_of_both

AS_OF, MONTH = date(2026, 1, 31), LookBack(30)
GROUPS = "customer_id string, breakdown string, value string"


def spent(customer, category, items=1, cents=100, day="2026-01-10"):
    told = {"customer_id": customer, "day": day, "year": int(day[:4]), "category": category}
    return told | {"items": items, "net_cents": cents}


def lifts(spark, groups, days):
    rows = spark.createDataFrame(groups, GROUPS)
    bought = bought_categories(rows_of(spark, CUSTOMER_DAY_CATEGORIES, days), AS_OF, MONTH)
    found = category_lift(*group_counts(rows, bought)).collect()
    return {(row["breakdown"], row["value"], row["category"]): row for row in found}


def test_lift_is_the_share_of_buyers_to_that_of_all(spark):
    random = np.random.default_rng(3)
    names = [f"c{n}" for n in range(90)]
    segment = {name: "ABC"[n % 3] for n, name in enumerate(names)}
    tier = {name: "high" if n < 20 else "low" for n, name in enumerate(names[:60])}
    days = [
        spent(name, category, int(items), int(items) * 250, day)
        for name in names
        for category in ("tea", "milk", "rice")
        for items, day in zip(random.integers(-1, 2, 2), ("2026-01-02", "2026-01-31"), strict=True)
        if random.random() < 0.6
    ]
    days += [spent(None, "tea"), spent("c0", "old", day="2026-01-01"), spent("stranger", "odd")]
    groups = [(name, "segment", of) for name, of in segment.items()]
    groups += [(name, "tier", of) for name, of in tier.items()]
    found = lifts(spark, groups, days)
    kept, cents = Counter(), Counter()
    for row in days:
        if row["customer_id"] in segment and row["category"] != "old":
            kept[row["customer_id"], row["category"]] += row["items"]
            cents[row["customer_id"], row["category"]] += row["net_cents"]
    assert {category for _, _, category in found} == {"tea", "milk", "rice"}
    for breakdown, of in (("segment", segment), ("tier", tier)):
        sizes = Counter(of.values())
        for category in ("tea", "milk", "rice"):
            buyers = Counter(of[name] for name in of if kept[name, category] > 0)
            money = defaultdict(int)
            for name in of:
                money[of[name]] += cents[name, category]
            share_of_all = buyers.total() / sizes.total()
            for value, size in sizes.items():
                row = found[breakdown, value, category]
                counted = (row["customers"], row["buyers"], row["net_cents"])
                assert counted == (size, buyers[value], money[value])
                assert row["buyer_share"] == pytest.approx(buyers[value] / size)
                assert row["lift"] == pytest.approx(buyers[value] / size / share_of_all)
                assert row["lift_low"] < row["lift"] < row["lift_high"]


def test_the_interval_is_as_wide_as_samples_waver(spark):
    own, others, share, rest = 400, 1600, 0.3, 0.15
    groups = [(f"c{n}", "segment", "own" if n < own else "other") for n in range(own + others)]
    buyers = [*range(int(own * share)), *range(own, own + int(others * rest))]
    row = lifts(spark, groups, [spent(f"c{n}", "tea") for n in buyers])["segment", "own", "tea"]
    random = np.random.default_rng(1)
    drawn, there = random.binomial(own, share, 40_000), random.binomial(others, rest, 40_000)
    logs = np.log(drawn / own / ((drawn + there) / (own + others)))
    width = (np.log(row["lift_high"]) - np.log(row["lift_low"])) / (2 * 1.959964)
    assert width == pytest.approx(logs.std(), rel=0.03)
    assert row["lift"] == pytest.approx(np.exp(logs.mean()), rel=0.01)


def test_a_group_of_nobody_who_buys_has_a_zero_and_a_group_of_all_no_lift(spark):
    groups = [("a", "segment", "one"), ("b", "segment", "two")]
    groups += [("a", "tier", "all"), ("b", "tier", "all")]
    found = lifts(spark, groups, [spent("a", "tea"), spent("b", "milk", items=0, cents=0)])
    assert {key: (row["lift"], row["lift_low"]) for key, row in found.items()} == {
        ("segment", "one", "tea"): (2.0, pytest.approx(2 / 2.44635)),
        ("segment", "two", "tea"): (0.0, None),
        ("tier", "all", "tea"): (1.0, pytest.approx(1.0)),
    }
    assert lifted([]) == {}


def test_two_groups_are_compared_where_they_differ_beyond_chance():
    def row(value, category, buyers):
        return {"value": value, "category": category, "customers": 100, "buyers": buyers,
                "buyer_share": buyers / 100}  # fmt: skip

    counts = {"tea": (30, 10), "milk": (50, 48), "rice": (5, 30), "oats": (0, 9), "figs": (3, 40)}
    rows = [
        row(value, category, buyers)
        for category, both in counts.items()
        for value, buyers in zip(("ideal", "regular"), both, strict=True)
    ]
    panel = compared_panel(rows, "ideal", "regular", AS_OF)
    assert [line[0] for line in panel.rows] == ["tea", "rice"]
    assert panel.rows[0][1:] == ("30.0%", "10.0%", "3.00", "1.57 to 5.71")
    assert "2 of 5 categories differ" in panel.note
    assert share_ratio(0, 5, 1, 5) is None
    assert share_ratio(5, 5, 5, 5) == (1.0, 1.0, 1.0)


def test_a_segment_may_be_called_like_a_tier():
    rows = [
        {"breakdown": breakdown, "value": value}
        for breakdown, values in (("segment", ("loyal", "regular")), ("tier", ("ideal", "regular")))
        for value in values
    ]
    assert _breakdown_of_both(rows, "regular", "loyal") == "segment"
    assert _breakdown_of_both(rows, "regular", "ideal") == "tier"
    with pytest.raises(UserError, match="loyal is a segment and ideal a tier"):
        _breakdown_of_both(rows, "loyal", "ideal")


def test_a_shop_is_told_what_its_groups_buy(cli, copied_shop, capfd):
    place = [*copied_shop.arguments(), "--set", "category_lift.window_days=all"]
    assert cli("category-lift", *place) == 0
    rows = stored(copied_shop.warehouse, "category_lift")
    segments = stored(copied_shop.warehouse, "segments")
    sizes = {row["segment"]: row["customers"] for row in segments if row["profile"] == "purchase"}
    found = {row["value"]: row["customers"] for row in rows if row["breakdown"] == "segment"}
    assert found == {segment: size for segment, size in sizes.items() if size}
    assert {row["breakdown"] for row in rows} == {"segment", "tier"}
    assert cli("category-lift", *place) == 0  # stands
    assert stored(copied_shop.warehouse, "category_lift") == rows
    reading = [*place[:2], *place[-2:], "--warehouse", copied_shop.warehouse]
    first, second = sorted(found)[:2]
    capfd.readouterr()
    assert cli("category-lift show", *reading, "--of", first, "--against", second) == 0
    assert f"What {first} buy, against {second}" in on_screen(capfd)
    for wrong, told in (
        (("--of", first), "give both --of and --against"),
        (("--of", first, "--against", "nobody"), "nobody: no such group"),
        (("--as-of", "2020-01-01"), "has no rows as of 2020-01-01"),
    ):
        assert cli("category-lift show", *reading, *wrong) == 2
        assert told in problems(capfd)[0]


def test_category_lift_needs_categories(refused, copied_shop):
    text = copied_shop.config.read_text(encoding="utf-8").replace('category = "category"\n', "")
    [told] = refused(text + "\n[category_lift]\n")
    assert told.endswith("category_lift: needs receipts.columns.category")
