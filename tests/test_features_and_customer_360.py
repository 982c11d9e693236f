"""What is known of a customer: features for clustering, and customer 360."""

from __future__ import annotations

from datetime import date

from support import assert_rows, people, rows_of

from rfm_spark.core.look_back import EVER, LookBack
from rfm_spark.facts.asks import EVENT_COUNTS, Ask
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.history import event_history
from rfm_spark.facts.tables import (
    CUSTOMER_DAY_CATEGORIES,
    CUSTOMER_DAY_EVENTS,
    CUSTOMER_DAYS,
    FIRST_RECEIPTS,
)
from rfm_spark.facts.transforms import customer_year_events, customer_years
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.clusters.customer_columns import with_descriptions
from rfm_spark.results.clusters.features.values import customer_features, feature_asks
from rfm_spark.results.clusters.tables import CLUSTER_ASSIGNMENTS, CLUSTERS, CUSTOMER_FEATURES
from rfm_spark.results.customer_360.wide_rows import (
    known_customers,
    last_interactions,
    wide_rows,
)
from rfm_spark.results.lifetime.result import RESULT as LIFETIME
from rfm_spark.results.lifetime.tables import LIFETIME_VALUE
from rfm_spark.results.registry import CUSTOMER_360, RESULTS
from rfm_spark.results.rfm.customer_columns import scores_by_customer
from rfm_spark.results.rfm.grids import GRIDS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.results.rhythm.result import RESULT as RHYTHM
from rfm_spark.results.rhythm.tables import CUSTOMER_RHYTHM

AS_OF = date(2026, 1, 31)


def day(customer, on, visits=1, net_cents=10_00, items=1, returns=0, promo_visits=0):
    return {
        "customer_id": customer,
        "day": on,
        "receipts": max(visits, returns),
        "visits": visits,
        "returns": returns,
        "items": items,
        "net_cents": net_cents,
        "promo_visits": promo_visits,
    }


def a_return(customer, on, net_cents):
    return day(customer, on, visits=0, net_cents=net_cents, items=-1, returns=1)


HABITS = [
    day("anna", "2024-02-01"),  # before the window, but her first visit
    day("anna", "2026-01-02", visits=2, net_cents=30_00, items=7, promo_visits=1),
    day("anna", "2026-01-12", net_cents=20_00, items=3, returns=1),
    day("anna", "2026-01-22", net_cents=5_00, items=2, promo_visits=1),
    a_return("anna", "2026-01-30", -3_00),
    day("anna", "2026-02-01", visits=9),  # after as_of
    day("ben", "2026-01-31", net_cents=8_00, items=4),
    a_return("returner", "2026-01-05", -5_00),
    day("returner", "2026-02-02"),
    day("lapsed", "2025-01-05"),
    day(None, "2026-01-05", visits=50),
]
CATEGORIES = [
    {"customer_id": "anna", "day": "2026-01-02", "category": "tea"},
    {"customer_id": "anna", "day": "2026-01-12", "category": "tea"},
    {"customer_id": "anna", "day": "2026-01-12", "category": "cups"},
    {"customer_id": "anna", "day": "2025-12-01", "category": "pots"},
    {"customer_id": "anna", "day": "2026-02-01", "category": "spoons"},
]
EVENTS = [
    {"customer_id": "anna", "day": "2026-01-05", "kind": "click", "events": 3},
    {"customer_id": "anna", "day": "2026-01-06", "kind": "card", "events": 1},
    {"customer_id": "anna", "day": "2026-02-01", "kind": "click", "events": 5},
    {"customer_id": "known", "day": "2026-01-06", "kind": "card", "events": 1},
]


def sums_of(spark, days, as_of, window, events=EVENTS):
    """Sums of receipts and of all interactions."""
    event_days = rows_of(spark, CUSTOMER_DAY_EVENTS, events)
    facts = CustomerFacts(days, customer_years(days), event_days, customer_year_events(event_days))
    asks = [*feature_asks(window, False), Ask(window, EVENT_COUNTS, "interactions")]
    return customer_sums(facts, as_of, asks)


def features_of(spark, categories, events, window):
    days = rows_of(spark, CUSTOMER_DAYS, HABITS)
    table = None if categories is None else rows_of(spark, CUSTOMER_DAY_CATEGORIES, categories)
    sums = sums_of(spark, days, AS_OF, window, events or ())
    found = customer_features(sums, days, table, events is not None, AS_OF, window)
    assert set(found.columns) == set(CUSTOMER_FEATURES.column_names)
    return found


def test_each_feature_of_two_customers(spark):
    anna = {
        "customer_id": "anna",
        "window": "30",
        "as_of": "2026-01-31",
        "recency_days": 9.0,
        "frequency": 4.0,
        "monetary_cents": 52_00.0,
        "tenure_days": 730.0,
        "average_receipt_cents": 13_00.0,
        "product_range": 2.0,
        "basket_size": 11 / 4,
        "promotion_response": 0.5,
        "visit_gap_days": 10.0,
        "return_share": 2 / 5,
        "touch_points": 4.0,
        "first_half_cents": 30_00 + 20_00,  # up to 2026-01-16
        "second_half_cents": 5_00 - 3_00,
    }
    ben = {
        "customer_id": "ben",
        "window": "30",
        "as_of": "2026-01-31",
        "recency_days": 0.0,
        "frequency": 1.0,
        "monetary_cents": 8_00.0,
        "tenure_days": 0.0,
        "average_receipt_cents": 8_00.0,
        "product_range": 0.0,
        "basket_size": 4.0,
        "promotion_response": 0.0,
        "visit_gap_days": 30.0,  # one visit day: the window's length
        "return_share": 0.0,
        "touch_points": 0.0,
        "first_half_cents": 0,
        "second_half_cents": 8_00,
    }
    assert_rows(features_of(spark, CATEGORIES, EVENTS, LookBack(30)), [anna, ben])


def test_the_rhythm_is_the_mean_gap_between_visit_days(spark):
    habits = [
        day("twice", "2026-01-10"),
        day("twice", "2026-01-15", visits=3),
        day("one_day", "2026-01-10", visits=2),
        a_return("one_day", "2026-01-20", -1_00),
    ]
    days, month = rows_of(spark, CUSTOMER_DAYS, habits), LookBack(30)
    assert_rows(
        customer_features(sums_of(spark, days, AS_OF, month), days, None, False, AS_OF, month),
        [
            {"customer_id": "twice", "visit_gap_days": 5.0},
            {"customer_id": "one_day", "visit_gap_days": 30.0},
        ],
    )


def test_a_feature_that_the_input_does_not_allow_is_null(spark):
    assert_rows(
        features_of(spark, None, None, LookBack(30)),
        [
            {"customer_id": "anna", "product_range": None, "touch_points": None, "frequency": 4.0},
            {"customer_id": "ben", "product_range": None, "touch_points": None, "frequency": 1.0},
        ],
    )


def test_all_history_is_as_long_as_the_data(spark):
    # From 2024-02-01 to 2026-01-31, both included.
    names = (
        "customer_id",
        "window",
        "frequency",
        "visit_gap_days",
        "first_half_cents",
        "second_half_cents",
    )
    rows = [  # halves are the year before the last, and the last
        ("anna", "all", 5.0, 721 / 3, 0, 52_00),
        ("ben", "all", 1.0, 731.0, 0, 8_00),
        ("lapsed", "all", 1.0, 731.0, 10_00, 0),
    ]
    assert_rows(
        features_of(spark, None, None, LookBack(None)),
        [dict(zip(names, row, strict=True)) for row in rows],
    )


def test_a_lifetime_ends_at_as_of(spark):
    days = rows_of(spark, CUSTOMER_DAYS, HABITS)
    names = (
        "customer_id",
        "lifetime_visits",
        "lifetime_revenue_cents",
        "first_visit",
        "last_visit",
    )
    rows = [
        ("anna", 5, 62_00, "2024-02-01", "2026-01-22"),
        ("ben", 1, 8_00, "2026-01-31", "2026-01-31"),
        ("returner", 0, -5_00, None, None),
        ("lapsed", 1, 10_00, "2025-01-05", "2025-01-05"),
    ]
    found = known_customers(sums_of(spark, days, AS_OF, EVER, ()), people(spark), None, AS_OF)
    assert_rows(found, [dict(zip(names, row, strict=True)) for row in rows])


def customers_as_of(spark, as_of, attributes=(), profile=Profile()):  # noqa: B008
    """Customer 360 of HABITS and EVENTS, anna and ben being scored."""
    days = rows_of(spark, CUSTOMER_DAYS, HABITS)
    scored = [
        {"customer_id": "anna", "segment": "Loyal", "rfm_cell": "344", "recency_days": 9},
        {"customer_id": "ben", "segment": "New", "rfm_cell": "511", "recency_days": 0},
    ]
    assigned = [{"customer_id": "anna", "cluster": 2}, {"customer_id": "ben", "cluster": 1}]
    clusters = [
        {"cluster": 1, "persona": "Recent", "tier": "regular"},
        {"cluster": 2, "persona": "Wide range", "tier": "ideal"},
    ]
    nobody_yet = as_of < AS_OF
    event_days = rows_of(spark, CUSTOMER_DAY_EVENTS, EVENTS)
    events = event_history(event_days, customer_year_events(event_days), [as_of], [])
    known = known_customers(
        sums_of(spark, days, as_of, EVER),
        rows_of(spark, CUSTOMERS, attributes),
        last_interactions(events, as_of),
        as_of,
    )
    scored = [{"profile": "purchase", **row} for row in scored]
    rfm = rows_of(spark, RFM, [] if nobody_yet else scored)
    assignments = rows_of(spark, CLUSTER_ASSIGNMENTS, [] if nobody_yet else assigned)
    rows = {
        "rfm": scores_by_customer(rfm, ["purchase"], "purchase"),
        "clusters": with_descriptions(assignments, rows_of(spark, CLUSTERS, clusters)),
        "rhythm": rows_of(spark, CUSTOMER_RHYTHM, []).select(
            "customer_id", *[column.name for column in RHYTHM.customer_columns.columns]
        ),
        "lifetime": rows_of(spark, LIFETIME_VALUE, []).select(
            "customer_id", *[column.name for column in LIFETIME.customer_columns.columns]
        ),
        "cohorts": rows_of(
            spark,
            FIRST_RECEIPTS,
            [{"customer_id": "anna", "first_store": "north", "first_promotion": True}],
        ).drop("day", "year"),
    }
    added = [
        (
            result.customer_columns.selected({"purchase": profile, "other": Profile()}),
            rows.get(result.name),
        )
        for result in RESULTS
        if result.customer_columns is not None
    ]
    found = wide_rows(known, added, as_of)
    assert set(found.columns) == set(CUSTOMER_360.column_names)
    return found


def test_scores_of_release_one_have_a_value_of_money(spark):
    rows = rows_of(
        spark, RFM, [{"profile": "purchase", "customer_id": "anna", "monetary_cents": 12_50}]
    )
    [row] = scores_by_customer(rows, ["purchase"], "purchase").collect()
    told = row["profiles"]["purchase"]
    assert (told["value"], told["value_unit"]) == (1250.0, "cents")


def test_every_known_customer_has_one_row(spark):
    attributes = [
        {"customer_id": "anna", "attributes": {"age": "40"}},
        {"customer_id": "prospect", "attributes": {"age": "19"}},
    ]
    names = ("customer_id", "segment", "rfm_cell", "cluster", "persona", "cluster_tier",
             "cohort_month", "first_store",
             "lifetime_visits", "interactions", "last_interaction", "attributes")  # fmt: skip
    rows = [
        (
            "anna",
            "Loyal",
            "344",
            2,
            "Wide range",
            "ideal",
            "2024-02-01",
            "north",
            5,
            4,
            "2026-01-06",
            {"age": "40"},
        ),
        ("ben", "New", "511", 1, "Recent", "regular", "2026-01-01", None, 1, 0, None, None),
        ("lapsed", "Lapsed", None, None, None, None, "2025-01-01", None, 1, 0, None, None),
        ("returner", "Prospect", None, None, None, None, None, None, 0, 0, None, None),
        ("known", "Prospect", None, None, None, None, None, None, 0, 1, "2026-01-06", None),
        ("prospect", "Prospect", None, None, None, None, None, None, 0, 0, None, {"age": "19"}),
    ]
    assert_rows(
        customers_as_of(spark, AS_OF, attributes),
        [dict(zip(names, row, strict=True)) | {"as_of": "2026-01-31"} for row in rows],
    )


def test_the_last_interaction_of_each_kind_is_known(spark):
    found = customers_as_of(spark, AS_OF).collect()
    assert {row["customer_id"]: row["last_interactions"] for row in found} == {
        "anna": {"click": date(2026, 1, 5), "card": date(2026, 1, 6)},
        "known": {"card": date(2026, 1, 6)},
        **dict.fromkeys(("ben", "lapsed", "returner")),
    }
    later = customers_as_of(spark, date(2026, 2, 1)).where("customer_id = 'anna'").first()
    assert later["last_interactions"]["click"] == date(2026, 2, 1)


def test_a_customer_outside_the_window_has_a_name_that_no_segment_has(spark):
    found = customers_as_of(spark, AS_OF, profile=Profile(grid="lifecycle_5")).collect()
    outside = {row["customer_id"]: row["segment"] for row in found if row["rfm_cell"] is None}
    assert outside == {"lapsed": "Gone", "returner": "Prospect", "known": "Prospect"}
    for grid in GRIDS.values():
        assert not {grid.lapsed, "Prospect"} & set(grid.actions)
    assert "Lapsed" in GRIDS["lifecycle_5"].actions


def test_the_average_receipt_of_a_customer_without_visits_is_unknown(spark):
    averages = {
        r["customer_id"]: r["average_receipt_cents"]
        for r in customers_as_of(spark, AS_OF).collect()
    }
    assert averages == {
        "anna": 12_40.0,
        "ben": 8_00.0,
        "lapsed": 10_00.0,
        "returner": None,
        "known": None,
    }


def test_customers_are_as_they_were_known_on_the_day(spark):
    assert_rows(
        customers_as_of(spark, date(2025, 6, 30)),
        [
            {"customer_id": "anna", "segment": "Lapsed", "lifetime_visits": 1, "interactions": 0},
            {"customer_id": "lapsed", "segment": "Lapsed", "lifetime_visits": 1, "interactions": 0},
        ],
    )


def test_attributes_that_hold_only_later_are_not_known_yet(spark):
    attributes = [
        {"customer_id": "ben", "valid_from": "2026-01-31", "attributes": {"age": "30"}},
        {"customer_id": "anna", "valid_from": "2026-02-01", "attributes": {"age": "41"}},
        {"customer_id": "stranger", "valid_from": "2026-02-01", "attributes": {"age": "20"}},
    ]
    found = {
        r["customer_id"]: r["attributes"]
        for r in customers_as_of(spark, AS_OF, attributes).collect()
    }
    assert "stranger" not in found
    assert (found["ben"], found["anna"]) == ({"age": "30"}, None)
