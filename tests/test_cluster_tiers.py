"""Tiers of clusters and of micro-groups, on an example by hand."""

from __future__ import annotations

import pytest
from support import assert_rows

from rfm_spark.results.clusters.features.catalogue import HABIT_NAMES
from rfm_spark.results.clusters.tiers import (
    ClusterMeans,
    Tier,
    actionable,
    near_groups,
    tiers,
    with_tiers,
)

NAMES = ("frequency", "product_range", "basket_size", "monetary_cents")


def cluster(number, customers, euros_each, standard, halves=(50, 50), **natural):
    """A cluster whose means in standard units are in the order of NAMES."""
    at = dict(zip(NAMES, standard, strict=True))
    return ClusterMeans(number, customers, customers * euros_each * 100, halves, at, at | natural)


# 400 customers, 40,000 euros, 100 each: half the revenue is 20,000.
BEST = cluster(1, 50, 300, (1.0, 1.0, 1.0, 1.6), frequency=20.0, product_range=9.0)
GOOD = cluster(2, 50, 200, (0.9, -0.2, 1.2, 1.1), frequency=18.0, product_range=5.0)
NEAR = cluster(3, 100, 90, (0.2, 0.5, 0.9, -2.0), frequency=8.0, product_range=7.0)
POOR = cluster(4, 100, 40, (-1.0, -1.0, -1.0, -0.5), halves=(60, 40))
GROWING = cluster(5, 50, 30, (-1.0, -1.1, -1.2, -0.6), halves=(40, 60))
AVERAGE = cluster(6, 50, 10, (-0.9, -1.1, 0.0, -0.5), halves=(90, 10))
ALL = [NEAR, BEST, POOR, GOOD, AVERAGE, GROWING]


def test_each_cluster_has_the_first_tier_that_fits():
    found = tiers(ALL, ideal_share=0.6)
    assert {number: tier.name for number, tier in found.items()} == {
        1: "ideal",  # 15,000 of 24,000
        2: "ideal",  # and with these 25,000
        3: "near_ideal",
        4: "low_potential",
        5: "regular",  # as poor, but its second half is better
        6: "low_potential",
    }


def test_a_near_ideal_cluster_tells_what_it_lacks_and_what_half_of_it_is_worth():
    near = tiers(ALL, ideal_share=0.3)[3]
    # Only the first is ideal. Money is a result: that it is far off does not count.
    assert near == Tier("near_ideal", 1, {"frequency": 12.0}, 100 * (300_00 - 90_00) // 2)


def test_of_two_ideal_clusters_the_one_with_fewer_gaps_is_told():
    near = tiers(ALL, ideal_share=0.6)[3]
    assert (near.ideal_cluster, near.improve) == (1, {"frequency": 12.0})
    like_the_other = cluster(3, 100, 90, (0.8, -0.2, 0.3, 0.0), product_range=1.0)
    near = tiers([BEST, GOOD, like_the_other], ideal_share=0.7)[3]
    assert (near.ideal_cluster, sorted(near.improve)) == (2, ["basket_size"])


@pytest.mark.parametrize(
    ("standard", "tier"),
    [
        ((0.5, 0.5, 0.5, 0.0), "regular"),  # half a deviation is no gap, and there is no other
        ((0.49, 0.49, 0.5, 0.0), "near_ideal"),
        ((0.49, 0.49, 0.49, 0.0), "regular"),  # three gaps
    ],
)
def test_near_is_one_gap_or_two(standard, tier):
    other = cluster(2, 50, 200, standard)
    assert tiers([BEST, other], ideal_share=0.5)[2].name == tier


def test_without_revenue_there_is_no_ideal_cluster():
    nothing = [cluster(n, 10, 0, (n, 0, 0, 0), halves=(0, 0)) for n in (1, 2)]
    assert {tier.name for tier in tiers(nothing, 0.5).values()} == {"regular"}


def test_money_and_time_are_not_actionable():
    others = {"monetary_cents", "average_receipt_cents", "tenure_days"}
    assert set(actionable(HABIT_NAMES)) == set(HABIT_NAMES) - others


SCHEMA = (
    "micro_group string, cluster int, customers bigint, revenue_cents bigint, "
    "revenue_per_customer_cents double, means map<string,double>, "
    + ", ".join(f"{name}_standard double" for name in NAMES)
)


def group(name, cluster, standard, customers=10, euros_each=50):
    cents = euros_each * 100
    means = dict(zip(NAMES, standard, strict=True))
    return (name, cluster, customers, customers * cents, float(cents), means, *standard)


def test_micro_groups_inside_other_clusters_can_be_near_ideal_themselves(spark):
    groups = spark.createDataFrame(
        [
            group("3331", 4, (0.2, 0.6, 0.9, -1.0)),
            group("3332", 4, (-1.0, -1.0, 0.9, -1.0)),
            group("1111", 4, (-1.0, -1.0, -1.0, -1.0)),
            group("3321", 3, (0.2, 0.6, 0.9, -1.0)),
            group("3333", 1, (0.9, 0.9, 0.9, 1.0)),
            group("2221", 9, (1.0, 0.4, 0.3, 0.0), euros_each=400),  # a cluster nobody is in
        ],
        SCHEMA,
    )
    clusters = {one.cluster: one for one in ALL}
    found = with_tiers(groups, clusters, tiers(ALL, ideal_share=0.3)).persist()
    names = ("micro_group", "tier", "ideal_cluster", "improve", "half_way_cents")
    rows = [
        ("3331", "near_ideal", 1, {"frequency": 19.8}, 10 * 250_00 // 2),
        ("3332", "near_ideal", 1, {"frequency": 21.0, "product_range": 10.0}, 10 * 250_00 // 2),
        ("1111", "low_potential", None, {}, None),
        ("3321", "near_ideal", None, {}, None),  # as its cluster is
        ("3333", "ideal", None, {}, None),
        ("2221", "near_ideal", 1, {"product_range": 8.6, "basket_size": 0.7}, 0),
    ]
    assert_rows(
        found.select(*names).collect(),
        [dict(zip(names, row, strict=True)) for row in rows if row[0] != "2221"]
        + [dict(zip(names, rows[-1], strict=True))],
    )
    assert near_groups(found) == {
        "micro_groups": 3,
        "micro_group_customers": 30,
        "micro_group_revenue_cents": 10 * (50_00 + 50_00 + 400_00),
        "micro_group_half_way_cents": 2 * 10 * 250_00 // 2,
    }
    found.unpersist()
    assert not set(found.columns) & {f"{name}_standard" for name in NAMES}
