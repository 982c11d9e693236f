"""Models of lifetime value: published fits, simulated customers, and integrals worked out apart."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy.integrate import quad
from scipy.special import roots_legendre
from scipy.stats import beta, gamma

from rfm_spark.results.lifetime.cells import AgePairs, CheckedCells
from rfm_spark.results.lifetime.fitting import (
    Refused,
    expected_visits,
    fitted_spending,
    outlook,
    relative_error_of_money,
)
from rfm_spark.results.lifetime.maximum_likelihood import added_up
from rfm_spark.results.lifetime.money_model import MoneyCells, fitted_money
from rfm_spark.results.lifetime.rows import check_rows, interval_around
from rfm_spark.results.lifetime.suitability import why_no_money, why_no_visits
from rfm_spark.results.lifetime.visits_model import (
    VisitCells,
    fitted_visits,
    probability_alive,
    variance_of_visits,
    visits_if_alive,
)

pytestmark = pytest.mark.quick

END = date(1997, 9, 30)
"""The last day of the first 39 weeks: what the published models are fitted on."""

PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}


class Cdnow:
    """The published sample, by customer: x, t_x and T in weeks, later visit days, and money."""

    def __init__(self, days: dict[int, dict[date, float]]) -> None:
        so_far = [sorted(day for day in one if day <= END) for one in days.values()]
        self.cells = VisitCells(
            np.array([len(one) - 1.0 for one in so_far]),
            np.array([(one[-1] - one[0]).days / 7 for one in so_far]),
            np.array([(END - one[0]).days / 7 for one in so_far]),
            np.ones(len(so_far)),
        )
        self.later = np.array([sum(day > END for day in one) for one in days.values()])
        repeats = [
            [one[day] for day in known[1:]]
            for one, known in zip(days.values(), so_far, strict=True)
            if len(known) > 1
        ]
        self.spent = MoneyCells(
            np.array([float(len(one)) for one in repeats]),
            np.array([sum(one) / len(one) for one in repeats]),
            np.ones(len(repeats)),
        )


@pytest.fixture(scope="module")
def cdnow(shared_data) -> Cdnow:
    rows = pq.read_table(shared_data / "cdnow" / "cdnow_sample.parquet")
    rows = rows.set_column(2, "day", pc.cast(rows["purchase_date"], "date32"))
    days: dict[int, dict[date, float]] = {}
    for row in rows.select(["customer_id", "day", "amount"]).to_pylist():
        own = days.setdefault(row["customer_id"], {})
        own[row["day"]] = own.get(row["day"], 0.0) + row["amount"]
    return Cdnow(days)


def test_the_published_fit_of_visits_is_found(cdnow):
    fit = fitted_visits(cdnow.cells)
    assert len(cdnow.cells.age) == 2_357
    assert {name: round(value, 3) for name, value in fit.values.items()} == PUBLISHED
    assert round(fit.log_likelihood, 1) == -9_582.4


def test_the_published_expectations_and_counts_of_the_next_39_weeks_are_found(cdnow):
    """Fader, Hardie and Lee 2005, figure 4; the counts and means are those of R's BTYD."""
    expected = expected_visits(fitted_visits(cdnow.cells).values, cdnow.cells, 39)
    classes = np.minimum(cdnow.cells.repeats, 7)
    told = [
        (int((classes == x).sum()), expected[classes == x].mean(), cdnow.later[classes == x].mean())
        for x in range(8)
    ]
    assert [count for count, _, _ in told] == [1411, 439, 214, 100, 62, 38, 29, 64]
    seen = [0.2367, 0.6970, 1.3925, 1.5600, 2.5323, 2.9474, 3.8621, 6.3594]
    assert [round(mean, 4) for _, _, mean in told] == seen
    by_model = [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157]
    assert [round(mean, 3) for _, mean, _ in told] == pytest.approx(by_model, abs=0.0015)


def test_a_customer_of_the_paper_is_expected_to_come_as_it_says(cdnow):
    """Two repeat visits, the last after 30.43 of 38.86 weeks: 1.226 in the next 39."""
    one = VisitCells(np.array([2.0]), np.array([30.43]), np.array([38.86]), np.array([1.0]))
    assert round(float(expected_visits(PUBLISHED, one, 39)[0]), 3) == 1.226


def test_the_published_fit_of_money_is_found(cdnow):
    fit = fitted_money(cdnow.spent)
    assert len(cdnow.spent.mean) == 946
    assert [round(value, 2) for value in fit.values.values()] == [6.25, 3.74, 15.44]
    cents = MoneyCells(cdnow.spent.amounts, cdnow.spent.mean * 100, cdnow.spent.customers)
    assert fitted_money(cents).values["gamma"] == pytest.approx(fit.values["gamma"] * 100, rel=1e-5)


def test_times_rounded_to_weeks_hardly_move_the_fit(cdnow):
    cells = cdnow.cells
    keys = np.stack([cells.repeats, np.floor(cells.last), np.floor(cells.age)])
    _, at, counts = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    means = [
        np.bincount(at.ravel(), each) / counts for each in (cells.repeats, cells.last, cells.age)
    ]
    rounded = VisitCells(*means, counts.astype(float))
    assert len(rounded.age) < len(cells.age) / 3
    fit, exact = fitted_visits(rounded), fitted_visits(cells)
    for name in PUBLISHED:
        error = abs(fit.values[name] - exact.values[name])
        assert error < exact.standard_error(name) / 50, name


def simulated(customers: int, weeks: float, values: dict[str, float], seed: int) -> VisitCells:
    """Customers of the model's story, told visit by visit; all begin in the first half."""
    draw = np.random.default_rng(seed)
    rates = draw.gamma(values["r"], 1 / values["alpha"], customers)
    chances = draw.beta(values["a"], values["b"], customers)
    ages = weeks - draw.uniform(0, weeks / 2, customers)
    repeats, last = np.zeros(customers), np.zeros(customers)
    for at, (rate, chance, age) in enumerate(zip(rates, chances, ages, strict=True)):
        time = draw.exponential(1 / rate) if rate > 0 else np.inf
        while time <= age:
            repeats[at] += 1
            last[at] = time
            if draw.random() < chance:
                break
            time += draw.exponential(1 / rate)
    return VisitCells(repeats, last, ages, np.ones(customers))


@pytest.mark.parametrize(
    "values",
    [
        {"r": 0.6, "alpha": 6.0, "a": 0.8, "b": 2.5},
        {"r": 2.0, "alpha": 3.0, "a": 1.0, "b": 9.0},
    ],
)
def test_simulated_customers_are_recovered_within_the_interval(values):
    fit = fitted_visits(simulated(20_000, 80, values, seed=11))
    for name, true in values.items():
        low, high = fit.interval(name)
        assert low < true < high, (name, low, high)
        assert high / low < 1.5, name


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    values = {"r": 1.5, "alpha": 5.0, "a": 0.9, "b": 4.0}
    held = 0
    for seed in range(12):
        fit = fitted_visits(simulated(1_500, 60, values, seed))
        held += sum(
            low < values[name] < high for name in values for low, high in [fit.interval(name)]
        )
    assert held / 48 > 0.85


def test_simulated_spending_is_recovered_within_the_interval():
    draw, true = np.random.default_rng(5), {"p": 6.0, "q": 4.0, "gamma": 1_500.0}
    amounts = draw.integers(2, 9, 20_000).astype(float)
    rates = draw.gamma(true["q"], 1 / true["gamma"], 20_000)
    means = draw.gamma(true["p"] * amounts) / rates / amounts
    cells = MoneyCells(amounts, means, np.ones(20_000))
    fit = fitted_spending(cells)
    for name, value in true.items():
        low, high = fit.interval(name)
        assert low < value < high, name
    mean = true["p"] * true["gamma"] / (true["q"] - 1)
    told = fit.values["p"] * fit.values["gamma"] / (fit.values["q"] - 1)
    assert abs(told / mean - 1) < 3 * relative_error_of_money(fit) < 0.03


def by_integration(values: dict[str, float], x: int, last: float, age: float, weeks: float):
    """Probability alive and expected visits, over a grid of rates and chances to leave.

    From the story alone: what was seen of a customer weighs the grid, and what follows is that of a
    Poisson process that ends at each visit by chance.
    """
    nodes, weights = roots_legendre(600)
    share, weights = (nodes + 1) / 2, weights / 2
    rate = gamma.ppf(share, values["r"] + x, scale=1 / (values["alpha"] + last))[:, None]
    leave = beta.ppf(share, values["a"], values["b"])[None, :]
    # Weights of the rate's grid take in rate^x exp(-rate * last); what is left is of who stayed.
    stayed = (1 - leave) ** x * np.exp(-rate * (age - last))
    left = leave * (1 - leave) ** (x - 1) if x else np.zeros_like(leave)
    grid = weights[:, None] * weights[None, :]
    seen = (grid * (stayed + left)).sum()
    alive = (grid * stayed).sum() / seen
    visits = -np.expm1(-rate * leave * weeks) / leave
    return alive, (grid * stayed * visits).sum() / seen


@pytest.mark.parametrize(
    ("values", "x", "last", "age", "weeks"),
    [
        (PUBLISHED, 2, 30.43, 38.86, 39),
        (PUBLISHED, 0, 0.0, 20.0, 52),
        (PUBLISHED, 26, 30.86, 31.0, 39),
        ({"r": 1.4, "alpha": 9.0, "a": 1.0, "b": 3.0}, 4, 10.0, 40.0, 104),
        ({"r": 5.0, "alpha": 3.0, "a": 2.5, "b": 60.0}, 150, 100.0, 101.0, 52),
    ],
)
def test_what_is_expected_is_the_mean_over_rates_and_chances(values, x, last, age, weeks):
    one = [np.array([float(each)]) for each in (x, last, age)]
    alive, visits = by_integration(values, x, last, age, weeks)
    assert probability_alive(values, *one)[0] == pytest.approx(alive, rel=2e-4)
    told = expected_visits(values, VisitCells(*one, np.ones(1)), weeks)[0]
    assert told == pytest.approx(visits, rel=2e-4)


def test_who_came_a_thousand_times_overflows_nothing():
    x, age = np.array([1_000.0, 3_000.0]), np.array([600.0, 520.0])
    for values in (PUBLISHED, {"r": 12.0, "alpha": 2.0, "a": 0.1, "b": 40.0}):
        assert np.isfinite(visits_if_alive(values, x, age, 52)).all()
        late, early = (
            probability_alive(values, x, age - 0.1, age),
            probability_alive(values, x, age / 2, age),
        )
        assert (late > 0.5).all()
        assert (early < 1e-6).all()


def test_chance_alone_varies_as_simulated_futures_do():
    values, weeks = {"r": 1.2, "alpha": 6.0, "a": 0.8, "b": 3.0}, 52
    draw = np.random.default_rng(3)
    rates = draw.gamma(values["r"] + 3, 1 / (values["alpha"] + 30), 200_000)
    leaves = draw.beta(values["a"], values["b"] + 3, 200_000)
    # Visits while alive: a Poisson number, cut short by the first that is the last.
    came = draw.poisson(rates * weeks)
    until = draw.geometric(leaves)
    visits = np.minimum(came, until)
    # Seen this instant at a third repeat visit after 30 weeks, and known to have stayed.
    cell = VisitCells(np.array([3.0]), np.array([0.0]), np.array([30.0]), np.ones(1))
    alive = probability_alive(values, cell.repeats, cell.last, cell.age)[0]
    assert visits_if_alive(values, cell.repeats, cell.age, weeks)[0] == pytest.approx(
        visits.mean(), rel=0.01
    )
    mean, square = alive * visits.mean(), alive * (visits.astype(float) ** 2).mean()
    assert variance_of_visits(values, cell, weeks)[0] == pytest.approx(square - mean**2, rel=0.02)


@pytest.mark.parametrize(("weeks", "ahead"), [(30, 60), (60, 4)])
def test_all_visits_miss_what_is_expected_by_as_much_as_is_said(weeks, ahead):
    """Far ahead of a short history parameters are what is not known; of the next month, chance."""
    values = {"r": 1.0, "alpha": 8.0, "a": 0.7, "b": 3.0}
    squares, inside = [], 0
    for seed in range(24):
        whole = futures(values, 1_000, weeks, ahead, seed)
        cells, came = whole.cells, whole.visits.sum()
        told = outlook(cells, pairs_of(cells), weeks * 7, ahead)
        total = added_up(cells.customers, expected_visits(told.fit.values, cells, ahead))
        error = np.hypot(told.relative_error, told.relative_chance)
        squares.append(((came - total) / (error * total)) ** 2)
        low, high = interval_around(total, error)
        inside += low <= came <= high
    assert 0.5 < np.mean(squares) < 1.7
    assert inside >= 21


def futures(
    values: dict[str, float], n: int, weeks: float, ahead: float, seed: int
) -> CheckedCells:
    draw = np.random.default_rng(seed)
    rates = draw.gamma(values["r"], 1 / values["alpha"], n)
    chances = draw.beta(values["a"], values["b"], n)
    ages = weeks - draw.uniform(0, weeks / 2, n)
    repeats, last, later = np.zeros(n), np.zeros(n), np.zeros(n)
    for at in range(n):
        time = 0.0
        while (time := time + draw.exponential(1 / max(rates[at], 1e-12))) <= ages[at] + ahead:
            if time <= ages[at]:
                repeats[at] += 1
                last[at] = time
            else:
                later[at] += 1
            if draw.random() < chances[at]:
                break
    return CheckedCells(VisitCells(repeats, last, ages, np.ones(n)), later)


def pairs_of(cells: VisitCells) -> AgePairs:
    return AgePairs(cells.repeats, cells.age, cells.repeats, cells.age)


def test_a_check_tells_visits_of_each_class_and_leaves_nobody_out():
    before = futures({"r": 1.0, "alpha": 4.0, "a": 0.7, "b": 3.0}, 3_000, 60, 26, seed=2)
    rows = check_rows(before, 420, 26)
    assert [row["repeat_visit_days"] for row in rows] == list(range(8))
    assert sum(row["customers"] for row in rows) == 3_000
    assert sum(row["visits"] for row in rows) == before.visits.sum()
    assert sum(row["expected_visits"] for row in rows) == pytest.approx(
        before.visits.sum(), rel=0.1
    )
    assert check_rows(before, 80, 26) == []


def test_contracts_are_refused():
    """A year of paying every thirty days, give or take two, from different months on."""
    draw = np.random.default_rng(1)
    ages = np.repeat(np.arange(200, 400, 10), 20).astype(float)
    repeats = np.floor(ages / 30)
    last = np.minimum(repeats * 30 + draw.integers(-2, 3, len(ages)), ages)
    cells = VisitCells(repeats, last / 7, ages / 7, np.ones(len(ages)))
    assert why_no_visits(cells, 400).startswith(
        "visits look like those of contracts: 100% of who came on four days or more come every 30"
    )
    assert why_no_visits(simulated(2_000, 60, PUBLISHED, 4), 420) is None


@pytest.mark.parametrize(
    ("repeats", "history", "why"),
    [
        ([], 400, "too few came again: 0 of 0 customers on a second day, 30 are needed"),
        ([0.0] * 500, 400, "too few came again: 0 of 500 customers on a second day"),
        ([1.0] * 29 + [0.0] * 9, 400, "too few came again: 29 of 38 customers"),
        ([1.0] * 50, 83, "the history is too short: 83 days from the first visit of anybody, 84"),
    ],
)
def test_data_that_tell_too_little_are_refused(repeats, history, why):
    x = np.array(repeats)
    cells = VisitCells(x, x, x + 9, np.ones(len(x)))
    with pytest.raises(Refused, match=why.replace("(", r"\(")):
        outlook(cells, pairs_of(cells), history, 26)


@pytest.mark.parametrize("left", [0.0, 20.0])
def test_customers_who_are_all_alike_are_refused_and_not_fitted_to_nonsense(left):
    cells = VisitCells(np.full(90, 2.0), np.full(90, 5.0), np.full(90, 5.0 + left), np.ones(90))
    with pytest.raises(Refused, match=r"no maximum|tell the parameters apart|contracts"):
        outlook(cells, pairs_of(cells), 400, 26)


def test_money_that_goes_with_frequency_is_refused():
    amounts = np.repeat(np.arange(2.0, 12.0), 10)
    cells = MoneyCells(amounts, 100 * amounts, np.ones(100))
    assert why_no_money(cells).startswith("money goes with frequency: the correlation of repeat")
    few = MoneyCells(amounts[:29], np.full(29, 5.0), np.ones(29))
    assert why_no_money(few).startswith("too few customers with a second visit day and money")


def test_money_that_is_the_same_for_all_is_refused():
    cells = MoneyCells(np.full(100, 3.0), np.full(100, 999.0), np.ones(100))
    with pytest.raises(Refused, match=r"no maximum|tell the parameters apart"):
        fitted_spending(cells)


def test_money_without_a_finite_mean_is_refused():
    draw = np.random.default_rng(9)
    amounts = draw.integers(2, 6, 5_000).astype(float)
    rates = draw.gamma(0.6, 1.0, 5_000)
    means = draw.gamma(4.0 * amounts) / rates / amounts
    cells = MoneyCells(amounts, means, np.ones(5_000))
    with pytest.raises(Refused, match=r"its mean over all is not finite|money goes with"):
        fitted_spending(cells)


@pytest.mark.parametrize(
    ("r", "alpha", "a", "b", "repeats", "weeks"),
    [
        (5.84, 0.473, 6.006, 176.4, 0, 156),
        (0.8, 0.12, 1.05, 282.7, 0, 52),
        (0.8, 0.12, 1.05, 282.7, 3, 52),
    ],
)
def test_newcomers_of_a_shop_that_is_visited_often_have_expected_visits(
    r, alpha, a, b, repeats, weeks
):
    parameters = {"r": r, "alpha": alpha, "a": a, "b": b}
    found = visits_if_alive(parameters, np.array([float(repeats)]), np.array([0.0]), weeks)
    density = beta(a, b + repeats).pdf

    def of_logarithm(u):
        p = np.exp(u)
        return -np.expm1(-(r + repeats) * np.log1p(p * weeks / alpha)) * density(p)

    ends = np.linspace(-80, 0, 41)
    wanted = sum(quad(of_logarithm, *span)[0] for span in pairwise(ends))
    assert found[0] == pytest.approx(wanted, rel=1e-9)
