"""Segments: grids that are shipped, own grids, and what is said of wrong ones."""

from __future__ import annotations

from datetime import date
from itertools import product

import pytest
from pyspark.sql import functions as F
from support.configurations import BASE

from rfm_spark.core.look_back import LookBack
from rfm_spark.results.rfm.grid_checks import grid_problems
from rfm_spark.results.rfm.grids import GRIDS, LIFECYCLE_5, LIFECYCLE_11, R_FM
from rfm_spark.results.rfm.scores import weighted_total
from rfm_spark.results.rfm.scoring import first_visit_inside
from rfm_spark.results.rfm.segments import Cell, Grid, SegmentRule, cells, segment
from rfm_spark.results.rfm.values import Basis

SCORES = range(1, 6)
WEIGHTS = (100, 10, 1)
SIDES = ("inside", "before")
ALL_CELLS = cells(5, WEIGHTS)


def takers(grid: Grid) -> dict[tuple[int, int, int, str], list[str]]:
    """Names of the rules that take each cell; a name comes as often as it has such rules."""
    return {
        (one.r, one.f, one.m, one.first_visit): [
            rule.name for rule in grid.rules if rule.takes(one)
        ]
        for one in ALL_CELLS
    }


def test_there_is_each_cell_twice():
    found = [(one.r, one.f, one.m, one.first_visit) for one in ALL_CELLS]
    assert found == list(product(SCORES, SCORES, SCORES, SIDES))
    assert [one.total for one in ALL_CELLS] == [float(one.digits) for one in ALL_CELLS]


LIFECYCLE_11_BOXES = {
    "Champions": ([5], [4, 5]),
    "Loyal": ([3, 4], [4, 5]),
    "Potential Loyalist": ([4, 5], [2, 3]),
    "New": ([5], [1]),
    "Promising": ([4], [1]),
    "Need Attention": ([3], [3]),
    "About to Sleep": ([3], [1, 2]),
    "At Risk": ([1, 2], [3, 4]),
    "Can't Lose": ([1, 2], [5]),
    "Hibernating": ([1, 2], [1, 2]),
}


def test_each_cell_of_lifecycle_11_is_in_the_one_segment_of_the_definitions():
    expected = {}
    for name, (recency, frequency) in LIFECYCLE_11_BOXES.items():
        for r, f, m in product(recency, frequency, SCORES):
            expected[r, f, m, "inside"] = [name]
            expected[r, f, m, "before"] = ["Returned" if name == "New" else name]
    assert len(expected) == 250
    assert takers(LIFECYCLE_11) == expected


def test_each_cell_of_lifecycle_5_is_in_the_one_segment_of_the_definitions():
    def stage(r: int, f: int, side: str) -> str:
        if r >= 4:
            return "New" if f == 1 and side == "inside" else "Active"
        return {3: "At Risk", 2: "Lapsed", 1: "Lost"}[r]

    expected = {
        (r, f, m, side): [stage(r, f, side)]
        for r, f, m, side in product(SCORES, SCORES, SCORES, SIDES)
    }
    assert takers(LIFECYCLE_5) == expected


R_FM_DRAWN = """
5.0 C A L H H
4.5 C A L H H
4.0 C A L H H
3.5 A A L L L
3.0 A A T P P
2.5 A A T P P
2.0 X D S P P
1.5 X D S P P
1.0 X D S O N
"""
"""The plane of R, from 1 to 5, against FM."""

R_FM_NAMES = {
    "H": "Champions",
    "L": "Loyal Customers",
    "P": "Potential Loyalist",
    "N": "New Customers",
    "O": "Promising",
    "T": "Need Attention",
    "S": "About to Sleep",
    "A": "At Risk",
    "C": "Can't Lose Them",
    "D": "Hibernating",
    "X": "Lost",
}

PUBLISHED = {
    "Champions": (4, 5, 4, 5),
    "Loyal Customers": (2, 5, 3, 5),
    "Potential Loyalist": (3, 5, 1, 3),
    "New Customers": (4, 5, 1, 1),
    "Promising": (3, 4, 1, 1),
    "Need Attention": (2, 3, 2, 3),
    "About to Sleep": (2, 3, 1, 2),
    "At Risk": (1, 2, 2, 5),
    "Can't Lose Them": (1, 1, 4, 5),
    "Hibernating": (1, 2, 1, 2),
    "Lost": (1, 2, 1, 2),
}
"""Least and greatest R, least and greatest FM, as others show them: they overlap."""


def test_each_of_the_45_pairs_of_r_fm_is_in_one_segment_and_in_its_published_range():
    drawn = {}
    for line in R_FM_DRAWN.split("\n")[1:-1]:
        fm, *letters = line.split()
        for r, letter in zip(SCORES, letters, strict=True):
            drawn[r, float(fm)] = R_FM_NAMES[letter]
    assert len(drawn) == 45
    found = takers(R_FM)
    assert found == {(r, f, m, side): [drawn[r, (f + m) / 2]] for r, f, m, side in found}
    for (r, fm), name in drawn.items():
        least_r, greatest_r, least_fm, greatest_fm = PUBLISHED[name]
        assert least_r <= r <= greatest_r, (r, fm)
        assert least_fm <= fm <= greatest_fm, (r, fm)


@pytest.mark.parametrize("name", list(GRIDS))
def test_a_shipped_grid_is_whole_and_says_what_to_do(name):
    grid = GRIDS[name]
    assert grid_problems(grid, 5, WEIGHTS) == []
    assert len(grid.actions) == {"lifecycle_11": 11, "lifecycle_5": 5, "r_fm": 11}[name]
    assert len(set(grid.actions.values())) == len(grid.actions)


def rule(name: str, action: str = "Write", **conditions) -> SegmentRule:
    scores = ("recency", "frequency", "monetary")
    return SegmentRule(
        name,
        action,
        **{key: frozenset(one) if key in scores else one for key, one in conditions.items()},
    )


BY_MONEY = Grid((rule("Big", monetary=[4, 5]), rule("Small", monetary=[1, 2, 3])))
BY_FM_AND_VISIT = Grid((
    rule("High", fm=(3.5, 5)),
    rule("Low, new", fm=(1, 3), first_visit="inside"),
    rule("Low, old", fm=(0, 3.4), first_visit="before"),
))  # fmt: skip
FIRST_MATCH = Grid(
    (
        rule("Old friend", recency=[4, 5], first_visit="before"),
        rule("Top", total=(4.2, 5)),
        rule("Good", recency=[3, 4, 5], fm=(2.5, 4.5)),
        rule("Spender", monetary=[5]),
        rule("Rest"),
    ),
    first_match_wins=True,
)


@pytest.mark.parametrize(
    ("grid", "weights"),
    [
        (LIFECYCLE_11, WEIGHTS),
        (LIFECYCLE_5, WEIGHTS),
        (R_FM, WEIGHTS),
        (BY_MONEY, WEIGHTS),
        (BY_FM_AND_VISIT, WEIGHTS),
        (FIRST_MATCH, (0.7, 0.2, 0.1)),
    ],
    ids=["lifecycle_11", "lifecycle_5", "r_fm", "money", "fm and first visit", "first match"],
)
def test_spark_names_every_cell_as_the_first_rule_that_takes_it(spark, grid, weights):
    wanted = [
        (one.r, one.f, one.m, one.first_visit == "inside",
         next(rule.name for rule in grid.rules if rule.takes(one)), one.total)
        for one in cells(5, weights)
    ]  # fmt: skip
    assert {row[4] for row in wanted} == set(grid.actions)
    rows = spark.createDataFrame(
        wanted,
        "r_score int, f_score int, m_score int, inside boolean, wanted string, total double",
    )
    total = weighted_total(F.col("r_score"), F.col("f_score"), F.col("m_score"), weights)
    found = rows.select(
        "*", segment(grid, total, F.col("inside")).alias("segment"), total.alias("total_by_spark")
    ).collect()
    assert len(found) == 250
    assert [row for row in found if row["segment"] != row["wanted"]] == []
    assert [row for row in found if row["total"] != row["total_by_spark"]] == []


def test_a_first_visit_that_never_was_is_not_inside(spark):
    days = spark.createDataFrame(
        [(date(2025, 3, 1), 30), (date(2025, 2, 1), 3), (None, None)],
        "first_visit date, recency_days int",
    )
    for window, found in ((31, [True, False, False]), (None, [True, True, False])):
        inside = first_visit_inside(Basis(LookBack(window)), date(2025, 3, 31))
        assert [row[0] for row in days.select(inside).collect()] == found


def test_both_ends_of_a_range_are_inside():
    taken = rule("Middle", fm=(2.5, 4), total=(300, 444))
    inside = [one.digits for one in ALL_CELLS if taken.takes(one) and one.first_visit == "inside"]
    by_hand = [
        f"{r}{f}{m}"
        for r, f, m in product(SCORES, repeat=3)
        if 5 <= f + m <= 8 and 300 <= int(f"{r}{f}{m}") <= 444
    ]
    assert inside == by_hand
    assert {"314", "444"} <= set(inside)
    assert not {"313", "451", "445"} & set(inside)


def test_where_the_first_match_wins_the_order_decides():
    here = Cell(5, 5, 5, 5.0, "before")
    assert FIRST_MATCH.takers(here) == ["Old friend", "Top", "Spender", "Rest"]
    assert FIRST_MATCH.segment_of(here) == "Old friend"


def problems(*rules: SegmentRule, first_match_wins: bool = False, scores: int = 5) -> list[str]:
    return grid_problems(Grid(rules, first_match_wins), scores, WEIGHTS)


HIGH, LOW = rule("High", recency=[3, 4, 5]), rule("Low", recency=[1, 2])


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([HIGH, LOW], []),
        ([HIGH, rule("Low", recency=[1])], ["no segment takes 211, nor 24 other cells"]),
        (
            [HIGH, LOW, rule("X", recency=[5], frequency=[4], monetary=[1])],
            ["High and X both take 541"],
        ),
        (
            [rule("High", recency=[3, 4, 5], first_visit="inside"), LOW],
            ["no segment takes 311 (first visit before the window), nor 74 other cells"],
        ),
        (
            [HIGH, LOW, rule("X", frequency=[5], monetary=[1, 2], first_visit="before")],
            [
                "Low and X both take 151 (first visit before the window), and 3 other cells; "
                "1 more pair overlaps"
            ],
        ),
        (
            [HIGH, LOW, rule("Any"), rule("All")],
            ["Low and Any both take 111, and 49 other cells; 4 more pairs overlap"],
        ),
        (
            [HIGH, rule("Low", recency=[1, 2], frequency=[2, 3, 4, 5]),
             rule("X", recency=[1], frequency=[1]),
             rule("Y", recency=[2], frequency=[1], monetary=[1, 2, 3, 4])],
            ["no segment takes 215"],
        ),
        (
            [HIGH, LOW, rule("Y", total=(400.5, 410)), rule("Z", frequency=[7])],
            ["no cell can reach 'Y'", "no cell can reach 'Z'"],
        ),
        ([HIGH, rule("Prospect", recency=[1, 2])], ["'Prospect' names customers outside the popu"]),
        ([HIGH, rule("High", recency=[2]), rule("Low", recency=[1])], []),
        (
            [HIGH, rule("High", "Call", recency=[1, 2])],
            ["'High' has 2 different actions: give it the same everywhere"],
        ),
    ],
    ids=["whole", "a gap", "one cell", "on one side", "overlaps", "pairs", "one gap",
         "never reached", "a reserved name", "one name twice", "two actions"],
)  # fmt: skip
def test_what_is_wrong_with_a_grid_is_told_in_a_line_each(rules, told):
    found = problems(*rules)
    assert len(found) == len(told)
    assert all(one.startswith(begin) for one, begin in zip(found, told, strict=True)), found
    if told and "names customers" not in told[0]:
        assert found == told


def test_lines_stay_short_where_everything_is_wrong():
    many = [rule(f"Segment {number}", recency=[2, 3]) for number in range(12)]
    found = problems(*many, scores=9)
    assert found == [
        "no segment takes 111, nor 566 other cells",
        "Segment 0 and Segment 1 both take 211, and 161 other cells; 65 more pairs overlap",
    ]


def test_where_the_first_match_wins_overlaps_are_right_and_the_last_takes_all():
    assert problems(HIGH, rule("Rest"), first_match_wins=True) == []
    assert grid_problems(FIRST_MATCH, 5, (0.7, 0.2, 0.1)) == []
    assert grid_problems(FIRST_MATCH, 5, (7, 2, 1)) == ["no cell can reach 'Top'"]
    assert problems(HIGH, LOW, first_match_wins=True) == [
        "the last segment, 'Low', must take all others where the first match wins: leave out its "
        "conditions"
    ]
    assert problems(HIGH, rule("X", recency=[4]), rule("Rest"), first_match_wins=True) == [
        "no cell can reach 'X'"
    ]
    assert problems(rule("All"), HIGH, rule("Rest"), first_match_wins=True) == [
        "no cell can reach 'High'",
        "no cell can reach 'Rest'",
    ]


WHOLE_GRID = """
[[rfm.purchase.segments]]
name = "Recent"
action = "Thank them"
recency = [3, 4, 5]

[[rfm.purchase.segments]]
name = "Away"
action = "Write to them"
recency = [1, 2]
"""


def test_an_own_grid_is_taken(load):
    grid = load(BASE + WHOLE_GRID).rfm["purchase"].segment_grid
    assert [rule.name for rule in grid.rules] == ["Recent", "Away"]
    assert [rule.recency for rule in grid.rules] == [{3, 4, 5}, {1, 2}]
    assert not grid.first_match_wins


def test_an_own_grid_makes_another_number_of_scores_possible(load):
    four = WHOLE_GRID.replace("[3, 4, 5]", "[3, 4]")
    assert load(BASE + four, "rfm.purchase.scores=4").rfm["purchase"].scores == 4


def test_an_own_grid_can_be_of_ranges_and_read_in_order(load):
    text = WHOLE_GRID.replace("recency = [3, 4, 5]", "fm = [2.5, 5]\ntotal = [8, 15]")
    text = text.replace("recency = [1, 2]\n", "")
    weights = "rfm.purchase.total_weights=[1, 1, 1]"
    profile = load(BASE + text, weights, "rfm.purchase.first_match_wins=true").rfm["purchase"]
    recent, away = profile.segment_grid.rules
    assert (recent.fm, recent.total) == ((2.5, 5.0), (8.0, 15.0))
    assert away.takes_all
    assert profile.segment_grid.first_match_wins


def test_a_shipped_grid_is_chosen_by_its_name(load):
    assert load(BASE).rfm["purchase"].segment_grid is LIFECYCLE_11
    for name, grid in GRIDS.items():
        assert load(BASE, f"rfm.purchase.grid={name}").rfm["purchase"].segment_grid is grid


GRID = "rfm.purchase.grid=r_fm"
FIRST = "rfm.purchase.first_match_wins=true"


@pytest.mark.parametrize(
    ("was", "now", "overrides", "told"),
    [
        ("[1, 2]", "[1]", (), ": segments: no segment takes 211, nor 24 other cells"),
        ("[1, 2]", "[1, 2, 3]", (), ": segments: Recent and Away both take 311, and 24 other cel"),
        ('"Away"', '"Lapsed"', (), ": segments: 'Lapsed' names customers outside the population"),
        ("[1, 2]", "[1, 2]", (GRID,), ": give either `grid` or your own `segments`, not both"),
        ("[1, 2]", "[1, 2]", (FIRST,), ": segments: the last segment, 'Away', must take all oth"),
        ("[1, 2]", "[1, 2]\nfm = [5, 2.5]", (), ".segments.1: fm = [5.0, 2.5]: the least comes f"),
        ("[1, 2]", "[1, 2]\ntotal = [9, 1]", (), ".segments.1: total = [9.0, 1.0]: the least co"),
        ("[1, 2]", "[1, 2]\nfm = [1]", (), ".segments.1.fm: list should have at least 2 items"),
        (WHOLE_GRID, "", ("rfm.purchase.grid=rfm",), ".grid: input should be 'lifecycle_11', 'l"),
        (WHOLE_GRID, "", (GRID, "rfm.purchase.scores=4"), ": the grid r_fm is for 5 scores: wri"),
        (WHOLE_GRID, "", (FIRST,), ": first_match_wins is about your own `segments`"),
        (WHOLE_GRID, "", ("rfm.purchase.segments=[]",), ".segments: list should have at least 1"),
    ],
    ids=["a gap", "an overlap", "a reserved name", "grid and segments", "no last for all",
         "fm reversed", "total reversed", "one end", "an unknown grid", "other scores",
         "first match of nothing", "no segments"],
)  # fmt: skip
def test_settings_of_segments_that_are_wrong_are_refused(refused, was, now, overrides, told):
    (problem,) = refused(BASE + WHOLE_GRID.replace(was, now), *overrides)
    assert problem.startswith(f"rfm.purchase{told}")
