"""The configuration: what cannot be true together, though each key is right by itself."""

from __future__ import annotations

import pytest
from support.configurations import BASE

MONEY_TWICE = ("receipts.columns.amount=paid",)
NO_TYPES = ("receipts.format=json",)
OWN_TYPES = ("receipts.format=parquet", 'receipts.types={units="int"}')
FIXED = "rfm.purchase.frequency.method=fixed"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (MONEY_TWICE, "receipts.columns: map either `amount` or `unit_price`, not both"),
        (NO_TYPES, "receipts: JSON names no columns up front: list them under `types`"),
        (OWN_TYPES, "receipts: parquet carries its own types: remove `types`"),
        ((FIXED,), "rfm.purchase.frequency: give `cuts` with the method `fixed`, and only there"),
        (("rfm.purchase.monetary={method='quantile', cuts=[1, 2, 3, 4]}",), "rfm.purchase.mone"),
        (
            ("rfm.purchase.monetary={method='balanced', transform='none'}",),
            "rfm.purchase.monetary: give `transform` with the method `natural` only",
        ),
        ((FIXED, "rfm.purchase.frequency.cuts=[4, 3, 2, 1]"), "rfm.purchase.frequency: `cuts` mu"),
        (
            (FIXED, "rfm.purchase.frequency.cuts=[2, 3, 4]"),
            "rfm.purchase: frequency.cuts: 5 scores need 4 cuts, not 3",
        ),
        (
            ("rfm.purchase.scores=4",),
            "rfm.purchase: the grid lifecycle_11 is for 5 scores: write your own `segments`",
        ),
        (
            ("rfm.purchase.ratio_weights=[0, 0, 0]",),
            "rfm.purchase.ratio_weights: at least one weight must be above 0",
        ),
        (("cohorts.grains=['week', 'week']",), "cohorts.grains: week is named twice"),
        (("business.earliest_date=2101-01-01",), "business: earliest_date is after latest_date"),
        (("receipts.path=../other/*.csv",), "receipts.path: give a path below the input"),
        (("receipts.path=2026/../../*.csv",), "receipts.path: give a path below the input"),
        (("receipts.path=/etc/*.csv",), "receipts.path: give a path below the input"),
        (("receipts.path={a,..}/b.csv",), "receipts.path: give a path below the input"),
        (("receipts.path={a/..,b}/../c.csv",), "receipts.path: give a path below the input"),
        ((r"receipts.path=\.\./b.csv",), "receipts.path: give a path below the input"),
        (("receipts.path=s3a://other/a.csv",), "receipts.path: give a path below the input"),
        (("business.time_zone=Madrid",), "business.time_zone: 'Madrid' is no time zone"),
        (("receipts.time_zone=Mars/Base",), "receipts.time_zone: 'Mars/Base' is no time zone"),
    ],
)
def test_what_cannot_be_true_together_is_refused(refused, overrides, says):
    (problem,) = refused(BASE, *overrides)
    assert problem.startswith(says)


def test_only_a_path_of_files_that_come_names_the_day(refused):
    lookup = "receipts.lookups.products={path='{date}.csv', format='csv', on='product'}"
    assert "in a source's path only" in refused(BASE, lookup)[0]
    delta = BASE.replace('format = "csv"', 'format = "delta"')
    assert "a Delta table is read as a whole" in refused(delta, "receipts.path='{date}'")[0]


@pytest.mark.parametrize("path", ["../products.csv", "/etc/products.csv", "s3a://x/products.csv"])
def test_a_lookup_stays_below_the_input_too(refused, path):
    (problem,) = refused(
        BASE, f"receipts.lookups.products={{path='{path}', format='csv', on='product'}}"
    )
    assert problem.startswith("receipts.lookups.products.path: give a path below the input")


def test_lines_need_a_receipt_id_but_whole_receipts_do_not(refused, load):
    without = BASE.replace('receipt_id = "id"\n', "")
    (problem,) = refused(without)
    assert problem == "receipts: lines need columns.receipt_id, to be added up to receipts"
    assert load(without, "receipts.grain=receipt").receipts.columns.receipt_id is None


@pytest.mark.parametrize("missing", ['quantity = "units"\n', 'unit_price = "price"\n'])
def test_money_must_be_known(refused, missing):
    (problem,) = refused(BASE.replace(missing, ""))
    assert problem == "receipts.columns: map `amount`, or both `quantity` and `unit_price`"


def test_what_keys_say_together_is_told_beside_what_is_wrong_with_one(refused):
    wrong = ['clusters.features=["touch_points", "promotion_response"]', "business.guest_idss=1"]
    one, two, three, four = refused(BASE, *wrong, "clusters.k")
    assert one == "--set clusters.k: write it as section.key=value"
    assert two.startswith("business.guest_idss: unknown key")
    assert "touch_points needs a section [interactions.<name>]" in three
    assert "promotion_response needs receipts.columns.promotion" in four
    one, two = refused(BASE.replace('receipt_id = "id"', 'foo = "id"'))
    assert one.startswith("receipts.columns.foo: unknown key")
    assert two == "receipts: lines need columns.receipt_id, to be added up to receipts"


@pytest.mark.parametrize(
    ("taken_out", "overrides", "told"),
    [
        (
            'receipt_id = "id"\n',
            ["receipts.drop_equal_lines=true"],
            ["receipts: lines need", "receipts: drop_equal_lines needs"],
        ),
        (
            "",
            ["rfm.purchase.monetary={method='quantile', cuts=[4, 3, 2, 1]}"],
            ["rfm.purchase.monetary: give `cuts`", "rfm.purchase.monetary: `cuts` must be"],
        ),
        (
            "",
            [
                "rfm.purchase.scores=4",
                "rfm.purchase.monetary={method='fixed', cuts=[1]}",
                "rfm.purchase.frequency={method='fixed', cuts=[1, 2]}",
            ],
            ["rfm.purchase: frequency.cuts", "rfm.purchase: monetary.cuts", "rfm.purchase: the"],
        ),
    ],
)
def test_all_that_does_not_go_together_in_a_section_is_told(refused, taken_out, overrides, told):
    problems = refused(BASE.replace(taken_out, ""), *overrides)
    assert len(problems) == len(told)
    assert all(one.startswith(begin) for one, begin in zip(problems, told, strict=True))
