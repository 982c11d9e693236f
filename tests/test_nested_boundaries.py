"""Nested boundaries: F cut within each R, M within each R and F."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date

import numpy as np
import pytest
import reference
from pyspark.sql import functions as F
from support import rows_of
from support.screen import on_screen, problems
from support.shop import stored

from rfm_spark.core.money import MoneyFormat
from rfm_spark.results.moves.causes import ScoredDay, TwoDays, segment_moves
from rfm_spark.results.moves.one_customer import cause_of
from rfm_spark.results.rfm.boundaries.boundary_set import sets_of_rows
from rfm_spark.results.rfm.boundaries.fits import fitted_bins, value_column
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.cut_points import CutPoints, nests
from rfm_spark.results.rfm.grids import GRIDS
from rfm_spark.results.rfm.populations import ProfileDay, population_aggregates, population_of
from rfm_spark.results.rfm.scoring import DIMENSIONS, score_columns
from rfm_spark.results.rfm.segments import Cell
from rfm_spark.results.rfm.settings import Dimension, Profile
from rfm_spark.results.rfm.tables import RFM, WITHIN

EARLIER, DAY = date(2025, 3, 1), date(2025, 3, 20)
VALUES = [value for value, _ in DIMENSIONS.values()]
DIGITS = [score for _, score in DIMENSIONS.values()]
EURO = MoneyFormat("EUR", 2)


def customers_at_random(seed, count):
    """Rows of recency, frequency and value; many ties, and money below 0."""
    chance = random.Random(seed)
    return [
        (
            chance.choice([0, 1, 3, 7, 20, chance.randrange(300)]),
            min(1 + int(chance.expovariate(0.7)), 40),
            chance.choice([500, 999, chance.randrange(-2_000, 90_000)]),
        )
        for _ in range(count)
    ]


def fitted(spark, rows, profiles):
    """The set of each profile, of `customers_at_random`; and who has done nothing, of all."""
    values = spark.createDataFrame(rows, "recency_days int, frequency bigint, value_units bigint")
    population = population_of(values.agg(*population_aggregates()).first())
    columns = [
        F.col(DIMENSIONS[one][0]).alias(value_column(name, one))
        for name in profiles
        for one in DIMENSIONS
    ]
    nobody = spark.createDataFrame([(None, None, None)] * 3, values.schema)
    of_profiles = values.unionByName(nobody).select(*columns)
    populations = {ProfileDay(name, DAY): population for name in profiles}
    found = fitted_bins(profiles, {DAY: of_profiles}, populations, EURO)
    return {
        one.profile: [{**row, "edition": None, "settings_digest": "x"} for row in rows]
        for one, rows in found.items()
    }


def scores_within(rows, methods, scores):
    """By the definition: R of all, F of those with the same R, M of those with the same R and F."""
    r, f, m = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    of_r = reference.score_descending(r, reference.cut_points(r, methods[0], scores))
    of_f, of_m = np.zeros_like(of_r), np.zeros_like(of_r)
    inner = (f, of_f, methods[1], [of_r]), (m, of_m, methods[2], [of_r, of_f])
    for values, found, method, outer in inner:
        keys = np.stack(outer, axis=1)
        for key in np.unique(keys, axis=0):
            same = (keys == key).all(axis=1)
            cuts = reference.cut_points(values[same], method, scores)
            found[same] = reference.score_ascending(values[same], cuts)
    return list(zip(of_r.tolist(), of_f.tolist(), of_m.tolist(), strict=True))


@pytest.mark.parametrize(
    ("seed", "count", "methods", "scores"),
    [
        (1, 900, ("quantile", "balanced", "quantile"), 5),
        (2, 400, ("balanced", "quantile", "balanced"), 3),
        (3, 12, ("quantile", "balanced", "quantile"), 5),
        (4, 1, ("quantile", "balanced", "quantile"), 5),
    ],
)
def test_scores_are_those_of_cutting_each_part_by_itself(spark, seed, count, methods, scores):
    rows = customers_at_random(seed, count)
    rules = dict(zip(DIMENSIONS, (Dimension(method=one) for one in methods), strict=True))
    grid = {} if scores == 5 else {"segments": [{"name": "All", "action": "Greet"}]}
    profile = Profile(nested=True, scores=scores, **rules, **grid)
    plain = profile.model_copy(update={"nested": False})
    bins = fitted(spark, rows, {"nested": profile, "plain": plain})
    if seed == 2:
        alone = fitted(spark, random.Random(seed).sample(rows, count), {"nested": profile})
        assert alone["nested"] == bins["nested"], "neither order nor other profiles matter"
    [found] = sets_of_rows(random.Random(seed).sample(bins["nested"], len(bins["nested"])))
    assert found.customers == count
    values = spark.createDataFrame(rows, "recency_days int, frequency bigint, value_units bigint")
    scored = values.select(*VALUES, *score_columns(profile.basis, found.cuts, scores)).collect()
    expected = scores_within(rows, methods, scores)
    by_row = dict(zip(rows, expected, strict=True))
    assert len(scored) == count
    for row in scored:
        values_of_row = tuple(row[name] for name in VALUES)
        assert tuple(row[name] for name in DIGITS) == by_row[values_of_row]
        one = found.cuts.ranges(dict(zip(DIMENSIONS, values_of_row, strict=True)), scores)
        assert tuple(each.score for each in one.values()) == by_row[values_of_row]
    for place, dimension in enumerate(DIMENSIONS):
        had = [one[place] for one in by_row.values()]
        assert set(had) <= set(range(1, scores + 1))
        sizes = [sum(score[place] == one for score in expected) for one in range(1, scores + 1)]
        shares = found.shares[dimension]
        ascending = shares[::-1] if dimension == "recency" else shares
        assert ascending == pytest.approx([size / count for size in sizes])


def test_every_nest_has_its_bins_and_they_add_up(spark):
    rows = customers_at_random(5, 300)
    profile = Profile(nested=True, recency=Dimension(method="natural"))
    bins = fitted(spark, rows, {"nested": profile})["nested"]
    assert len(bins) == 5 + 5 * 5 + 25 * 5
    key = ("dimension", *WITHIN, "cut")
    assert len({tuple(row[name] for name in key) for row in bins}) == len(bins)
    for dimension, depth in zip(DIMENSIONS, range(3), strict=True):
        own = [row for row in bins if row["dimension"] == dimension]
        within = {
            tuple(one for one in (row[name] for name in WITHIN) if one): row["customers"]
            for row in own
        }
        assert sorted(within) == nests(5, depth)
        assert sum(within.values()) == 300
    empty = [row for row in bins if row["customers"] == 0]
    assert all(row["share"] is None and row["value"] is None for row in empty)
    [one] = sets_of_rows(bins)
    assert one.collapsed["monetary"].startswith("within R ")
    assert "and so in " in one.collapsed["monetary"]


def test_a_part_that_nobody_was_in_scores_one():
    cuts = CutPoints({"recency": {(): [9, None]}, "frequency": {(1,): [2, 4]}, "monetary": {}})
    assert cuts.within("frequency", (3,)) == ()
    assert cuts.within("frequency", (1,)) == [2, 4]


def test_one_customer_and_all_of_them_have_the_same_causes(spark):
    chance = random.Random(7)
    since, as_of = date(2026, 1, 1), date(2026, 1, 31)

    def cuts_at_random():
        ends = zip(DIMENSIONS, (60, 8, 9_000), range(3), strict=True)
        return CutPoints(
            {
                dimension: {
                    nest: sorted(chance.randrange(end) for _ in range(4))
                    for nest in nests(5, depth)
                }
                for dimension, end, depth in ends
            }
        )

    sides = [ScoredDay(day, cuts_at_random()) for day in (since, as_of)]
    days = TwoDays(*sides, Profile(nested=True).basis, 5, (100.0, 10.0, 1.0), GRIDS["r_fm"])

    def customers_of(day):
        found = {}
        for number in range(500):
            values = [chance.randrange(60), chance.randrange(1, 8), chance.randrange(9_000)]
            r, f, m = (
                one.score
                for one in day.cuts.ranges(dict(zip(DIMENSIONS, values, strict=True)), 5).values()
            )
            cell = Cell(r, f, m, 100.0 * r + 10 * f + m, "inside")
            if chance.random() < 0.9:
                found[f"c{number}"] = {
                    "customer_id": f"c{number}",
                    **dict(
                        zip(("recency_days", "frequency", "monetary_cents"), values, strict=True)
                    ),
                    "value": float(values[2]),
                    "first_visit": date(2025, 12, 1),
                    "segment": days.grid.segment_of(cell),
                }
        return found

    old, new = (customers_of(day) for day in sides)
    moves = segment_moves(*[rows_of(spark, RFM, one.values()) for one in (old, new)], days)
    told = {
        (row["segment_before"], row["segment_after"], row["cause"]): row["customers"]
        for row in moves.collect()
    }
    expected = Counter(
        (
            one and one["segment"],
            other and other["segment"],
            cause_of(one, other, days),
        )
        for one, other in ((old.get(key), new.get(key)) for key in old.keys() | new.keys())
    )
    assert told == expected
    assert len({cause for _, _, cause in told}) == 7


@pytest.mark.parametrize("dimension", ["frequency", "monetary"])
def test_cuts_that_are_fixed_cannot_be_nested(dimension):
    fixed = Dimension(method="fixed", cuts=[1, 2, 3, 4])
    assert Profile(nested=True, recency=fixed)
    with pytest.raises(ValueError, match=f"{dimension} are fixed, the same within every score"):
        Profile(nested=True, **{dimension: fixed})


def test_nested_sets_are_of_other_rules():
    assert boundary_digest(Profile(nested=True)) != boundary_digest(Profile())
    assert boundary_digest(Profile(nested=False)) == boundary_digest(Profile())


def test_a_shop_is_scored_shown_and_compared_by_nested_cuts(cli, copied_shop, capfd):
    """From the command line, on two days: a set that is kept, its drift, moves and explanation."""
    places = ["--config", copied_shop.config, "--warehouse", copied_shop.warehouse]
    nested = ["--set", "rfm.purchase.nested=true", "--set", "rfm.purchase.refit=hold"]
    for day in (EARLIER, DAY):
        assert cli("rfm", *places, *nested, "--as-of", day) == 0
    bins = stored(copied_shop.warehouse, "rfm_boundaries")
    own = [row for row in bins if (row["profile"], row["version"]) == ("purchase", EARLIER)]
    assert len(own) == 5 + 5 * 5 + 25 * 5
    cuts = {
        (row["dimension"], row["within_r_score"], row["within_f_score"], row["cut"]): row["value"]
        for row in own
    }
    scored = [
        row
        for row in stored(copied_shop.warehouse, "rfm")
        if row["profile"] == "purchase" and row["as_of"] in (EARLIER, DAY)
    ]
    assert {row["boundary_version"] for row in scored} == {EARLIER}
    for row in scored:
        r, f = row["r_score"], row["f_score"]

        def passed(value, *key):
            of_score = [cuts[*key, cut] for cut in range(1, 5)]
            return sum(cut is not None and value >= cut for cut in of_score)

        assert r == 5 - passed(row["recency_days"], "recency", None, None)
        assert f == 1 + passed(row["frequency"], "frequency", r, None)
        assert row["m_score"] == 1 + passed(row["monetary_cents"], "monetary", r, f)
    drift = [row for row in stored(copied_shop.warehouse, "rfm_drift") if row["as_of"] == DAY]
    assert {row["dimension"] for row in drift if row["version"] == EARLIER} == set(DIMENSIONS)

    capfd.readouterr()
    assert cli("moves", *places, *nested, "--as-of", DAY, "--since", EARLIER) == 0
    capfd.readouterr()
    assert cli("boundaries", *places, *nested, "--profile", "purchase") == 0
    shown = " ".join(on_screen(capfd).split())
    assert "frequency: what each score takes" in shown
    assert "R 5, F 5" in shown
    plain = DAY.replace(day=19)
    assert cli("rfm", *places, "--as-of", plain) == 0
    assert cli("boundaries", "compare", EARLIER, plain, *places, "--profile", "purchase") == 2
    assert "5 scores, nested, and 2025-03-19 has 5 scores, cut for everybody" in problems(capfd)[0]
    assert cli("boundaries", "compare", EARLIER, EARLIER, *places, "--profile", "purchase") == 0
    assert "5 within R 5, F 5" in on_screen(capfd)
    pinned = ["--set", f'rfm.purchase.pinned="{EARLIER}"']
    assert cli("rfm", *places, *pinned, "--as-of", plain) == 2
    assert "was fitted by other rules: nested" in problems(capfd)[0]
    customer = scored[0]["customer_id"]
    assert cli("explain", customer, *places, *nested) == 0
    assert f"boundaries of {EARLIER}" in on_screen(capfd)
