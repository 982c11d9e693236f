"""Rankings: gains and Ginis, by hand and customer by customer, and what chance would give."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from rfm_spark.app.backtest.counts import SCORE
from rfm_spark.app.backtest.logistic import logits_of_others
from rfm_spark.app.backtest.panels import chance_warning
from rfm_spark.app.backtest.ranking import Ranking, gains, ginis
from rfm_spark.app.backtest.resampling import DRAWS, chance, gini_interval
from rfm_spark.app.backtest.results import ranking_rows

TENTHS = [tenth / 10 for tenth in range(11)]


def ranking(*blocks):
    customers, responders = np.array(blocks, dtype=np.int64).T
    return Ranking(customers, responders)


def one_by_one(some):
    """The score of each customer, and whether it came."""
    scores, came = [], []
    for place, (customers, responders) in enumerate(
        zip(some.customers, some.responders, strict=True)
    ):
        scores += [-place] * customers
        came += [True] * responders + [False] * (customers - responders)
    return np.array(scores), np.array(came)


def somers(scores, came):
    """How much more often a responder has the higher score of a pair: the same Gini by pairs."""
    return np.sign(scores[came][:, None] - scores[~came][None, :]).mean()


BLOCKS = st.lists(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=1,
    max_size=8,
)


@given(BLOCKS)
@example([(1, 0), (1, 1), (1, 1), (21, 21)])  # by shares of customers it was below -1
def test_a_gini_is_told_by_pairs_of_customers(blocks):
    some = ranking(*blocks)
    scores, came = one_by_one(some)
    if came.all() or not came.any():
        assert some.gini is None
    else:
        assert some.gini == pytest.approx(somers(scores, came), abs=1e-12)
        assert -1 <= some.gini <= 1


@given(BLOCKS)
def test_gains_rise_from_none_to_all(blocks):
    some = ranking(*blocks)
    found = some.gains(TENTHS)
    if not some.responders.any():
        assert found is None
        return
    assert found[0] == 0
    assert found[-1] == 1
    assert found == sorted(found)


def test_gains_go_straight_through_a_block():
    some = ranking((2, 2), (4, 1), (4, 1))
    expected = [0, 0.25, 0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.875, 0.9375, 1]
    assert some.gains(TENTHS) == pytest.approx(expected)


def test_the_best_order_has_a_gini_of_1_the_worst_of_minus_1_and_one_block_0():
    assert ranking((3, 3), (7, 0)).gini == pytest.approx(1)
    assert ranking((7, 0), (3, 3)).gini == pytest.approx(-1)
    assert ranking((10, 3)).gini == pytest.approx(0)


def test_equal_scores_are_one_block_whatever_order_they_come_in():
    scores = np.array([1.0, 3.0, 1.0, -np.inf, 3.0])
    some = Ranking.by(scores, np.array([1, 2, 3, 4, 5]), np.array([1, 0, 2, 1, 3]))
    assert some.customers.tolist() == [7, 4, 4]
    assert some.responders.tolist() == [3, 3, 1]


@given(BLOCKS)
def test_a_block_is_in_the_tenth_of_its_middle(blocks):
    some = ranking(*blocks)
    whole, before = sum(n for n, _ in blocks), 0
    for (customers, _), decile in zip(blocks, some.deciles(), strict=True):
        middle = (before + customers / 2) / whole
        assert (decile - 1) / 10 - 1e-12 <= middle <= decile / 10 + 1e-12
        before += customers


SOME = ranking((60, 30), (90, 27), (150, 25), (100, 8))


def test_an_interval_is_that_of_customers_drawn_one_by_one():
    scores, came = one_by_one(SOME)
    pick = np.random.default_rng(5)
    draws = []
    for _ in range(3000):
        at = pick.integers(len(scores), size=len(scores))
        draws.append(somers(scores[at], came[at]))
    found = gini_interval(SOME, "some")
    assert found == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.025)
    assert found == gini_interval(SOME, "some")
    assert found != gini_interval(SOME, "others")


def test_chance_is_that_of_scores_shuffled_one_by_one():
    scores, came = one_by_one(SOME)
    pick = np.random.default_rng(6)
    draws = [somers(pick.permutation(scores), came) for _ in range(3000)]
    found = chance(SOME, "some", TENTHS)
    assert found.interval == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)
    assert found.gini == pytest.approx(0, abs=4 * np.std(draws) / DRAWS**0.5)
    assert found.gains[0] == (0, 0)
    assert found.gains[-1] == (1, 1)
    assert all(low <= share <= high for share, (low, high) in zip(TENTHS, found.gains, strict=True))
    first_block = SOME.customers[0] / SOME.customers.sum()
    [(low, high)] = chance(SOME, "some", [first_block]).gains
    assert low < first_block < high, "a lift of 1 lies in its band"


def test_chance_of_billions_is_that_of_a_part_of_them():
    many = Ranking(np.full(4, 10**9), np.array([3, 1, 2, 4]) * 10**8)
    found = chance(many, "many", TENTHS)
    assert abs(found.gini) < 1e-4
    low, high = found.interval
    assert -1e-3 < low < 0 < high < 1e-3


@pytest.mark.parametrize("blocks", [[(5, 0), (3, 0)], [(5, 5), (3, 3)], [(1, 0)], [(1, 1)]])
def test_where_nobody_came_or_everybody_no_order_is_told(blocks):
    some = ranking(*blocks)
    assert some.gini is None
    assert gini_interval(some, "some") is None
    told = chance(some, "some", TENTHS)
    assert (told.gini, told.interval) == (None, None)


def test_many_draws_are_told_at_once():
    both = [SOME.responders, SOME.responders[::-1].clip(max=SOME.customers)]
    together = ginis(np.stack([SOME.customers] * 2), np.stack(both))
    assert together.tolist() == [Ranking(SOME.customers, one).gini for one in both]
    assert gains(SOME.customers, SOME.responders, [1.0]).tolist() == [1.0]


def test_logits_are_those_of_a_library_fitted_to_the_other_half():
    pick = np.random.default_rng(7)
    values = pick.integers(0, 33, size=(400, 3)).astype(float)
    customers = pick.integers(1, 20, size=400)
    chances = 1 / (1 + np.exp(-(values @ [-0.1, 0.06, 0.02] - 0.5)))
    responders = pick.binomial(customers, chances)
    half = pick.random(400) < 0.5
    found = logits_of_others(values, customers, responders, half)

    mean = np.average(values, axis=0, weights=customers)
    spread = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=customers))
    standard = (values - mean) / spread
    for one in (half, ~half):
        rows = np.repeat(standard[~one], 2, axis=0)
        came = np.tile([1, 0], (~one).sum())
        weights = np.ravel(np.column_stack([responders[~one], customers[~one] - responders[~one]]))
        library = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
        library.fit(rows, came, sample_weight=weights)
        assert found[one] == pytest.approx(library.decision_function(standard[one]), abs=0.006)


@pytest.mark.parametrize("came", [0, 1])
def test_logits_of_customers_who_all_do_the_same_are_finite(came):
    customers = np.array([3, 4, 5])
    found = logits_of_others(
        np.arange(9.0).reshape(3, 3), customers, customers * came, np.array([True, False, True])
    )
    assert np.isfinite(found).all()
    alone = logits_of_others(np.zeros((1, 3)), np.array([1]), np.array([came]), np.array([True]))
    assert alone.tolist() == [0]


def test_logits_of_separated_responders_are_finite_and_rank_them_first():
    values = np.array([[float(n), 0.0, 0.0] for n in range(20)] * 2)
    responders = (values[:, 0] > 9).astype(int) * 5
    half = np.arange(40) < 20
    found = logits_of_others(values, np.full(40, 5), responders, half)
    assert Ranking.by(found, np.full(40, 5), responders).gini == pytest.approx(1)


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ([(100, 21), (100, 19), (100, 20)], "ranks no better than chance"),
        ([(100, 20), (100, 19), (100, 60)], "ranks no better than chance"),
        ([(100, 60), (100, 20), (100, 10)], None),
        ([(100, 0), (100, 0)], "nobody of 200 came"),
        ([(100, 100), (1, 1)], "everybody of 101 came"),
    ],
)
def test_a_profile_that_ranks_no_better_than_chance_is_warned_of(blocks, told):
    key = {"as_of": date(2025, 1, 1), "days": 30, "profile": "purchase"}
    rows, _ = ranking_rows(key, {SCORE: ranking(*blocks)})
    warning = chance_warning(rows)
    assert warning is None if told is None else told in warning
