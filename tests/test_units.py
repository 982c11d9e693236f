"""Units: cuts as people write them, and values as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.configurations import BASE

from rfm_spark.core.look_back import LookBack
from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.units import units_of
from rfm_spark.results.rfm.values import Basis, WeightedKinds

EUR, YEN = MoneyFormat("EUR", 2), MoneyFormat("JPY", 0)
BOUGHT = Basis(LookBack(30))
CLICKS = WeightedKinds(1, ("click",))
POINTS = Basis(LookBack(30), visit_weight=0, interactions=(CLICKS,), is_money=False)
MONEY_CUTS = "rfm.purchase.monetary={method='fixed', cuts=[%s]}"
POINT_CUTS = (
    "rfm.p={events={click=1}, window_days=30, monetary={method='fixed', cuts=[%s]}}",
    "interactions.web={path='c.csv', format='csv', columns={customer_id='a', kind='b', time='c'}}",
)


@given(st.integers(-(10**14), 10**14))
def test_what_is_written_with_a_points_decimals_is_that_many_units_exactly(amount):
    for unit in (units_of(BOUGHT, EUR)["monetary"], units_of(POINTS, EUR)["monetary"]):
        written = float(Decimal(amount).scaleb(-unit.digits))
        assert unit.parsed(written) == amount
        assert unit.parsed(float(unit.number(amount))) == amount


def test_each_dimension_has_the_unit_it_is_written_in_elsewhere():
    assert [unit.parsed(20) for unit in units_of(BOUGHT, EUR).values()] == [20, 20, 20_00]
    assert [unit.parsed(20) for unit in units_of(BOUGHT, YEN).values()] == [20, 20, 20]
    assert [unit.parsed(20) for unit in units_of(POINTS, EUR).values()] == [20, 20, 20_000_000]


@pytest.mark.parametrize(
    ("basis", "told"),
    [
        (BOUGHT, ["1 day", "1 visit", "0.01 EUR"]),
        (POINTS, ["1 day", "1 event", "0.000001 points"]),
        (
            Basis(LookBack(30), visit_weight=3, interactions=(CLICKS,)),
            ["1 day", "1 weighted event", "0.01 EUR"],
        ),
    ],
)
def test_values_are_told_in_the_profiles_words(basis, told):
    assert [unit.told(1) for unit in units_of(basis, EUR).values()] == told


def test_ranges_leave_no_value_out_and_take_none_twice():
    money, points = (units_of(basis, EUR)["monetary"] for basis in (BOUGHT, POINTS))
    ends = [(None, 100), (100, 200_000), (200_000, 200_001), (200_001, None), (None, None)]
    assert [money.range_told(*one) for one in ends] == [
        "up to 0.99 EUR", "1.00 to 1,999.99 EUR", "2,000.00 EUR", "2,000.01 EUR or more",
        "all values",
    ]  # fmt: skip
    assert [points.range_told(*one) for one in ((None, 500_000), (500_000, 1_000_000))] == [
        "below 0.5 points", "0.5 to below 1 point",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            (MONEY_CUTS % "5, 10, 19.905, 30",),
            "rfm.purchase.monetary.cuts: 19.905 is no number of USD, which have at most 2 decimals",
        ),
        (
            (MONEY_CUTS % "1, 2, 3, 12345678901234.56",),
            "rfm.purchase.monetary.cuts: 12345678901234.56 has more than the 15 digits that are "
            "exact",
        ),
        (
            (MONEY_CUTS % "1, 2, 3, 9223372036854775807",),
            "rfm.purchase.monetary.cuts: 9223372036854775807 USD are more than a table can hold",
        ),
        (
            ("rfm.purchase.recency={method='fixed', cuts=[7, 14.5, 30, 90]}",),
            "rfm.purchase.recency.cuts: 14.5 is no number of days, which have no decimals",
        ),
        (
            ("rfm.purchase.frequency={method='fixed', cuts=[1.5, 2, 3, 4]}",),
            "rfm.purchase.frequency.cuts: 1.5 is no number of visits, which have no decimals",
        ),
        (
            (POINT_CUTS[0] % "1, 2, 3, 4.0000001", POINT_CUTS[1]),
            "rfm.p.monetary.cuts: 4.0000001 is no number of points, which have at most 6 decimals",
        ),
    ],
)
def test_a_cut_that_is_no_number_of_its_unit_is_refused(refused, overrides, says):
    assert refused(BASE, *overrides) == [f"the file: {says}"]


@pytest.mark.parametrize("cut", ["nan", "inf", "true", "'5'"])
def test_what_is_no_number_is_no_cut(refused, cut):
    assert refused(BASE, MONEY_CUTS % f"{cut}, 2, 3, 4")


@pytest.mark.parametrize(
    "version", ["yesterday", "2025-3-1", "2025-03-01.1", "2025-03-01.0", "x.2"]
)
def test_what_is_no_version_cannot_be_pinned(refused, version):
    [problem] = refused(BASE, f"rfm.purchase.pinned='{version}'")
    assert problem == (
        f"rfm.purchase.pinned: give a version, such as 2011-11-30, or 2011-11-30.2, not '{version}'"
    )


def test_sets_that_were_cut_at_minor_units_are_let_go_and_others_stay(load):
    by_amounts, by_days = (
        load(BASE, MONEY_CUTS % "1, 2, 3, 4").rfm["purchase"],
        load(BASE, "rfm.purchase.recency={method='fixed', cuts=[1, 2, 3, 4]}").rfm["purchase"],
    )
    assert boundary_digest(by_amounts) != "dc284e22c5fa68f3", "as when they were minor units"
    assert boundary_digest(by_days) == "697e94c995ce7c50"
