"""Moves: causes by hand and at random, days, balance and what is shown."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
import reference
from pyspark.sql import functions as F
from support import rows_of

from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.tables import MERGED_CUSTOMERS
from rfm_spark.results.declaration import Made
from rfm_spark.results.moves.balance import require_balance
from rfm_spark.results.moves.causes import ScoredDay, TwoDays, segment_moves
from rfm_spark.results.moves.days import StoredDay, require_before, usual_days
from rfm_spark.results.moves.one_customer import cause_of
from rfm_spark.results.moves.rules import score_alike
from rfm_spark.results.moves.words import move_words
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.cut_points import CutPoints
from rfm_spark.results.rfm.filters import Filter
from rfm_spark.results.rfm.grids import GRIDS
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.results.rfm.tables import RFM
from rfm_spark.results.rfm.values import Basis, WeightedKinds

SINCE, AS_OF = date(2026, 1, 1), date(2026, 1, 31)
OLD = {"recency": [5, 10, 20, 60], "frequency": [2, 3, 4, 5], "monetary": [1, 2, 3, 4]}
NEW = {"recency": [5, 10, 40, 60], "frequency": [2, 3, 5, 9], "monetary": [1, 2, 3, 4]}
WEIGHTS, LIFECYCLE = (100.0, 10.0, 1.0), GRIDS["lifecycle_11"]


def two_days(old, new, window=365):
    """The rules of two days, which differ in cuts alone."""
    basis = Basis(LookBack(window))
    return TwoDays(
        ScoredDay(SINCE, CutPoints.plain(old)),
        ScoredDay(AS_OF, CutPoints.plain(new)),
        basis,
        5,
        WEIGHTS,
        LIFECYCLE,
    )


DAYS = two_days(OLD, NEW)
FEW = Filter("frequency < 200")


def scored(customer, as_of, cuts, recency_days, frequency, first_visit="2025-06-01", cents=10_00):
    """A row of `rfm`; its segment is that of the reference."""
    row = {
        "customer_id": customer,
        "recency_days": recency_days,
        "frequency": frequency,
        "monetary_cents": cents,
        "first_visit": date.fromisoformat(first_visit),
        "last_visit": as_of - timedelta(days=recency_days),
    }
    return {**row, "segment": reference.segment_by(row, cuts, as_of, 365)}


def before(customer, recency_days, frequency, **fields):
    return scored(customer, SINCE, OLD, recency_days, frequency, **fields)


def after(customer, recency_days, frequency, **fields):
    return scored(customer, AS_OF, NEW, recency_days, frequency, **fields)


def told(spark, old, new, days=DAYS, today=None, merged=None):
    """Customers and money by segments and cause."""
    rows = [None if rows is None else rows_of(spark, RFM, rows) for rows in (old, new, today)]
    if rows[2] is not None:  # values as they are worked out, not as they are stored
        rows[2] = rows[2].withColumn("value_units", F.col("monetary_cents"))
    return {
        (row["segment_before"], row["segment_after"], row["cause"]): (
            row["customers"],
            row["revenue_cents"],
        )
        for row in segment_moves(rows[0], rows[1], days, rows[2], merged).collect()
    }


def test_every_cause_of_values_and_cuts(spark):
    old = [
        before("stayed", 3, 4),
        before("came", 30, 4, cents=20_00),
        before("did not come", 19, 2, cents=30_00),
        # Four visits were a Champion's; now five would be.
        before("met a cut of visits", 3, 4),
        before("met a cut of days", 25, 2),
        before("came, and met a cut", 25, 3, cents=-5_00),
        before("did not come, and met a cut", 3, 4),
        before("left", 200, 1, cents=7_00),
    ]
    new = [
        after("stayed", 3, 5),
        after("came", 3, 5, cents=99_00),
        after("did not come", 49, 2),
        after("met a cut of visits", 3, 4),
        after("met a cut of days", 25, 2),
        after("came, and met a cut", 8, 4),
        after("did not come, and met a cut", 33, 4),
        after("first", 3, 1, first_visit="2026-01-28"),
        after("returned", 3, 1, first_visit="2024-01-01"),
    ]
    assert told(spark, old, new) == {
        ("Champions", "Champions", "stayed"): (1, 10_00),
        ("At Risk", "Champions", "activity"): (1, 20_00),
        ("About to Sleep", "Hibernating", "inactivity"): (1, 30_00),
        ("Champions", "Potential Loyalist", "boundary"): (1, 10_00),
        ("Hibernating", "About to Sleep", "boundary"): (1, 10_00),
        ("At Risk", "Potential Loyalist", "both"): (1, -5_00),
        ("Champions", "Need Attention", "both"): (1, 10_00),
        ("Hibernating", None, "left"): (1, 7_00),
        (None, "New", "first"): (1, 0),
        (None, "Returned", "returned"): (1, 0),
    }


def test_a_day_of_more_scores_is_told_by_its_rules():
    cuts = {"recency": [5, 10, 20, 30, 40, 60], "frequency": [1, 2, 3, 4, 5, 6],
            "monetary": [1, 2, 3, 4, 5, 6]}  # fmt: skip
    days = replace(two_days(cuts, NEW), have_rules_changed=True)
    row = {"value": None, "recency_days": 80, "frequency": 9, "monetary_cents": 10_00,
           "first_visit": date(2025, 6, 1)}  # fmt: skip
    old, new = {**row, "segment": "Gold"}, {**row, "segment": "Loyal"}
    assert cause_of(old, new, days) == "rules"


def test_where_values_and_cuts_would_each_do_it_is_the_values(spark):
    cuts = {**OLD, "recency": [0, 1, 2, 60]}
    days = two_days(OLD, cuts)
    old, new = before("anna", 2, 1), scored("anna", AS_OF, cuts, 32, 1)
    assert reference.segment_by(old, cuts, SINCE, 365) == new["segment"] == "Hibernating"
    assert told(spark, [old], [new], days) == {("New", "Hibernating", "inactivity"): (1, 10_00)}


def test_the_window_of_a_first_visit_moves_with_the_values_and_not_with_the_cuts(spark):
    """Of one visit long ago and one now: it left the window, and no cut has to do with it."""
    days = two_days(OLD, OLD, 20)
    old = {**before("anna", 3, 1, first_visit="2025-12-29"), "segment": "New"}
    new = {**after("anna", 3, 1, first_visit="2025-12-29"), "segment": "Returned"}
    assert told(spark, [old], [new], days) == {("New", "Returned", "activity"): (1, 10_00)}


@pytest.mark.parametrize(("recency_days", "cause"), [(29, "activity"), (30, "inactivity")])
def test_a_visit_on_the_earlier_day_itself_is_not_after_it(spark, recency_days, cause):
    days = two_days(OLD, OLD)
    old = before("anna", 0, 4)
    new = scored("anna", AS_OF, OLD, recency_days, 4)
    assert told(spark, [old], [new], days) == {("Champions", "At Risk", cause): (1, 10_00)}


def test_rules_come_before_corrections_and_these_before_all_else(spark):
    old = [before("moved", 30, 4), before("stayed", 3, 5), before("left", 3, 5)]
    new = [after("moved", 3, 5), after("stayed", 3, 5), after("returned", 3, 1)]
    today = [before("moved", 29, 4), before("stayed", 2, 5), before("returned", 40, 1)]
    assert set(told(spark, old, new, DAYS, today)) == {
        ("At Risk", "Champions", "correction"),
        ("Champions", "Champions", "stayed"),
        ("Champions", None, "left"),
        (None, "New", "returned"),
    }
    ruled = replace(DAYS, have_rules_changed=True)
    causes = {cause for _, _, cause in told(spark, old, new, ruled, today)}
    assert causes == {"rules", "stayed", "left", "returned"}


def test_who_was_merged_left_under_the_old_id_and_came_under_the_new_one(spark):
    old = [
        before("old card", 3, 4), before("second id", 3, 4), before("kept id", 3, 4),
        before("left", 3, 4), before("unmerged", 3, 4),
    ]  # fmt: skip
    new = [
        after("new card", 3, 5), after("kept id", 3, 5), after("unmerged", 3, 5),
        after("first", 3, 5, first_visit="2026-01-28"),
    ]  # fmt: skip
    pairs = [("old card", "new card"), ("second id", "kept id"), ("nobody", "first")]
    rows = [{"customer_id": one, "merged_into": other} for one, other in pairs]
    merged = rows_of(spark, MERGED_CUSTOMERS, rows)
    assert told(spark, old, new, merged=merged) == {
        ("Champions", None, "merged"): (2, 20_00),
        (None, "Champions", "merged"): (1, 0),
        ("Champions", "Champions", "stayed"): (2, 20_00),
        ("Champions", None, "left"): (1, 10_00),
        (None, "Champions", "first"): (1, 0),
    }
    assert cause_of(None, new[0] | {"value": None}, DAYS, is_merged=True) == "merged"


@pytest.mark.parametrize(
    "changes",
    [
        {"recency_days": 29},
        {"frequency": 3},
        {"monetary_cents": 9_99},
        {"first_visit": date(2025, 5, 31)},
    ],
)
def test_any_value_that_facts_now_tell_otherwise_is_a_correction(spark, changes):
    old, new = before("anna", 30, 4), after("anna", 3, 5)
    key = ("At Risk", "Champions")
    same = told(spark, [old], [new], DAYS, [old])
    assert same == {(*key, "activity"): (1, 10_00)}
    assert told(spark, [old], [new], DAYS, [{**old, **changes}]) == {
        (*key, "correction"): (1, 10_00)
    }
    assert told(spark, [old], [new], DAYS, []) == {(*key, "correction"): (1, 10_00)}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("window", [365, None])
def test_moves_at_random_are_those_of_the_reference(spark, seed, window):
    chance = random.Random(seed)

    def cuts():
        return {
            "recency": sorted(chance.randrange(60) for _ in range(4)),
            "frequency": [*sorted(chance.randrange(1, 7) for _ in range(3)), None],
            "monetary": [None] * 4,
        }

    def day(as_of):
        by = cuts()
        customers = {}
        for number in range(600):
            if chance.random() < 0.9:
                first = date(2024, 12, 1) + timedelta(days=chance.randrange(420))
                row = scored(
                    f"c{number}", as_of, by, chance.randrange(60), chance.randrange(1, 8),
                    first.isoformat(), chance.randrange(-500, 9_000),
                )  # fmt: skip
                row["segment"] = reference.segment_by(row, by, as_of, window)
                customers[row["customer_id"]] = row
        return reference.Day(as_of, customers, by)

    one, other = day(SINCE), day(AS_OF)
    days = two_days(one.cuts, other.cuts, window)
    found = told(spark, one.customers.values(), other.customers.values(), days)
    assert found == reference.moves(one, other, window)
    causes = {cause for _, _, cause in found}
    assert causes == {
        "stayed", "activity", "inactivity", "boundary", "both", "first", "returned", "left",
    }  # fmt: skip
    assert sum(customers for customers, _ in found.values()) == len(
        one.customers.keys() | other.customers.keys()
    )


def test_who_is_new_and_has_done_nothing_yet_is_first_and_did_not_return(spark):
    """Known by attributes, by a return, or to a profile of clicks by a receipt."""
    days = replace(DAYS, basis=replace(DAYS.basis, has_all_known=True))
    nothing = {"recency_days": None, "frequency": 0, "first_visit": None}
    new = {**after("anna", 3, 1), **nothing, "segment": "Hibernating"}
    old = {**after("ben", 3, 1), **nothing, "first_visit": SINCE, "segment": "Hibernating"}
    assert told(spark, [], [new, old], days) == {
        (None, "Hibernating", "first"): (1, 0),
        (None, "Hibernating", "returned"): (1, 0),
    }


KNOWN = Basis(LookBack(90), 1, (WeightedKinds(1, None),), is_money=False, has_all_known=True)
BUYERS = Basis(LookBack(365))


@pytest.mark.parametrize(
    ("basis", "cause", "words"),
    [
        (BUYERS, "activity", "A became B: by their visits"),
        (BUYERS, "left", "A left: no longer in the window"),
        (BUYERS, "returned", "came back: B"),
        (KNOWN, "activity", "A became B: by what they did"),
        (KNOWN, "inactivity", "A became B: they were not active"),
        (KNOWN, "correction", "A became B: records were corrected"),
        (KNOWN, "first", "became known: B"),
        (KNOWN, "left", "A left: no longer known"),
        (replace(BUYERS, filter=FEW), "first", "came for the first time: B"),
        (replace(BUYERS, filter=FEW), "returned", "came back, or meets the filter now: B"),
        (
            replace(BUYERS, filter=FEW),
            "left",
            "A left: no longer in the window, or no longer meets the filter",
        ),
        (replace(KNOWN, filter=FEW), "first", "became known, or meets the filter now: B"),
        (replace(KNOWN, filter=FEW), "returned", "meets the filter now: B"),
        (replace(KNOWN, filter=FEW), "left", "A left: no longer meets the filter"),
        (KNOWN, "stayed", "stayed B"),
        (KNOWN, "both", "A became B: they changed, and boundaries moved"),
    ],
)
def test_a_move_is_told_in_the_words_of_what_its_profile_counts(basis, cause, words):
    move = {"segment_before": "A", "segment_after": "B", "cause": cause}
    assert move_words(move, basis) == words


def test_a_default_that_is_written_out_is_no_other_rule():
    plain, fixed = Profile(), {"method": "fixed", "cuts": [1, 5, 20, 50]}
    for same in ({"value": "money"}, {"population": "active"}, {"events": {"receipts": 1}}):
        written = Profile(**same)
        assert score_alike(plain, written)
        assert boundary_digest(plain) == boundary_digest(written)
    whole, decimal = (
        Profile(monetary={**fixed, "cuts": cuts}) for cuts in ([1, 5, 20, 50], [1.0, 5, 20, 50.0])
    )
    assert score_alike(whole, decimal)
    assert boundary_digest(whole) == boundary_digest(decimal)
    for other in ({"value": "points"}, {"population": "known"}):
        assert not score_alike(plain, Profile(**other))
        assert boundary_digest(plain) != boundary_digest(Profile(**other))


def test_of_nobody_there_are_no_moves(spark):
    assert told(spark, [], []) == {}


def test_a_month_before_a_long_months_end_is_the_last_day():
    for day, month_before in (
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2024, 3, 30), date(2024, 2, 29)),
        (date(2026, 1, 15), date(2025, 12, 15)),
    ):
        assert usual_days(day) == [
            day - timedelta(days=1),
            day - timedelta(days=7),
            month_before,
        ]


@pytest.mark.parametrize("since", [AS_OF, date(2026, 2, 1)])
def test_the_earlier_day_must_be_earlier(since):
    with pytest.raises(UserError, match=f"--since {since}: must be a day before 2026-01-31"):
        require_before(since, AS_OF)
    require_before(SINCE, AS_OF)


MOVES = [
    {"segment_before": "A", "segment_after": "A", "customers": 3, "revenue_cents": 30},
    {"segment_before": "A", "segment_after": None, "customers": 1, "revenue_cents": -5},
    {"segment_before": None, "segment_after": "B", "customers": 2, "revenue_cents": 0},
]
BEFORE = StoredDay(SINCE, SINCE, {"A": 4}, {"A": 25})
AFTER = StoredDay(AS_OF, AS_OF, {"A": 3, "B": 2}, {"A": 44, "B": 9})


def test_moves_that_are_all_customers_of_both_days_balance():
    require_balance("purchase", MOVES, BEFORE, AFTER)


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        (MOVES[1:], "customers of A as of 2026-01-01 are 4 in segments and 1 in moves"),
        (MOVES[:2], "customers of B as of 2026-01-31 are 2 in segments and 0 in moves"),
        ([*MOVES[:2], {**MOVES[2], "segment_after": "C"}], "customers of B as of 2026-01-31"),
        (
            [{**MOVES[0], "revenue_cents": 31}, *MOVES[1:]],
            "revenue_cents of A as of 2026-01-01 are 25 in segments and 26 in moves",
        ),
    ],
)
def test_a_customer_or_a_cent_that_is_lost_between_two_days_fails_the_run(moves, told):
    with pytest.raises(RunFailure, match=told):
        require_balance("purchase", moves, BEFORE, AFTER)


GRID = [
    {"name": "Top", "action": "Greet", "recency": [4, 5]},
    {"name": "Rest", "action": "Write", "recency": [1, 2, 3]},
]


@pytest.mark.parametrize(
    ("changes", "is_alike"),
    [
        ({"total_weights": [1.0, 1.0, 1.0]}, True),
        ({"ratio_weights": [1.0, 0.0, 0.0]}, True),
        ({"refit": "hold"}, True),
        ({"segments": [{**GRID[0], "action": "Call"}, GRID[1]]}, True),
        ({"segments": GRID[::-1]}, True),
        ({"segments": [{**GRID[0], "name": "Best"}, GRID[1]]}, False),
        ({"segments": None}, False),
        ({"window_days": 90}, False),
        ({"recency": {"method": "fixed", "cuts": [1, 2, 3, 4]}}, False),
        ({"max_rank_error": 0.01}, False),
    ],
)
def test_rules_are_others_where_they_change_a_score_or_a_segment(changes, is_alike):
    given = {"segments": GRID}
    one, other = (Profile.model_validate(rules) for rules in (given, given | changes))
    assert score_alike(one, other) is is_alike


def made(profiles):
    return Made({"rfm": profiles}, {})


def test_a_profile_is_read_back_as_it_was_when_the_day_was_scored():
    kept = Profile.model_validate({"window_days": 90, "segments": GRID})
    assert profile_of(made({"purchase": kept.model_dump(mode="json")}), "purchase") == kept
    # Of an earlier release, which did not have all keys: they have their defaults.
    assert profile_of(made({"purchase": {"window_days": 90}}), "purchase").scores == 5


def test_a_profile_that_no_record_tells_of_is_none():
    assert profile_of(None, "purchase") is None
    assert profile_of(made({}), "purchase") is None
    assert profile_of(made({"purchase": {"key_of_a_later_release": 1}}), "purchase") is None
