"""The configuration: what loads, and what is said about everything that does not fit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rfm_spark.errors import UserError
from rfm_spark.settings import Settings, load_settings

CONF = Path(__file__).parents[1] / "conf"

BASE = """
[business]
time_zone = "Europe/Madrid"

[receipts]
path = "*.csv"
format = "csv"
grain = "line"

[receipts.columns]
receipt_id = "id"
customer_id = "customer"
time = "at"
quantity = "units"
unit_price = "price"
"""

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


@pytest.fixture
def load(tmp_path):
    """Loads a text as a configuration file."""

    def load_text(text: str, *overrides: str) -> Settings:
        file = tmp_path / "shop.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, overrides)

    return load_text


@pytest.fixture
def refused(load, tmp_path):
    """What is said about a configuration that does not load, without the file's name."""

    def problems(text: str, *overrides: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            load(text, *overrides)
        return [line.removeprefix(f"{tmp_path / 'shop.toml'}: ") for line in caught.value.problems]

    return problems


@pytest.mark.parametrize("name", ["cdnow", "complete_journey", "online_retail_ii"])
def test_the_configurations_that_come_along_load(name):
    settings = load_settings(CONF / f"{name}.toml")
    assert settings.rfm["purchase"].window_days == 365
    assert len(settings.rfm["purchase"].grid) == 11


def test_what_is_not_given_has_the_default_of_the_definitions(load):
    settings = load(BASE)
    purchase = settings.rfm["purchase"]
    methods = [purchase.recency.method, purchase.frequency.method, purchase.monetary.method]
    assert (purchase.window_days, purchase.scores) == (365, 5)
    assert methods == ["quantile", "balanced", "quantile"]
    assert purchase.total_weights == [100, 10, 1]
    assert len(set(purchase.ratio_weights)) == 1
    assert purchase.max_rank_error == 0.001
    assert settings.receipts.zero_is_visit
    assert settings.cohorts.week_start == "monday"
    assert (settings.business.day_start_hour, settings.business.guest_ids) == (0, [])


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("business.timezone", "time_zone"),
        ("receipts.columns.unit_prices", "unit_price"),
        ("rfm.purchase.window_day", "window_days"),
        ("rfm.purchase.recency.cut", "cuts"),
        ("cluster.k", "clusters"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest_known_one(refused, key, nearest):
    (problem,) = [line for line in refused(BASE, f"{key}=1") if "unknown key" in line]
    assert problem.startswith(key.removesuffix(".k"))
    assert problem.endswith(f"did you mean '{nearest}'?")


def test_an_unknown_key_like_no_other_is_answered_with_all_of_them(refused):
    (problem,) = refused(BASE, "cohorts.zzzzzz=1")
    assert problem == "cohorts.zzzzzz: unknown key; known here: grains, week_start"


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ('clusters.k="six"', "clusters.k: input should be a valid integer, not 'six'"),
        ("clusters.k=1", "clusters.k: input should be greater than or equal to 2, not 1"),
        ('receipts.zero_is_visit="no"', "receipts.zero_is_visit"),
        ("business.currency=7", "business.currency: input should be a valid string, not 7"),
        ("business.guest_ids=[0]", "business.guest_ids.0: input should be a valid string, not 0"),
        ("rfm.purchase.window_days=0", "rfm.purchase.window_days"),
        ("rfm.purchase.window_days=30.5", "rfm.purchase.window_days"),
        ("rfm.purchase.window_days=10000000", "rfm.purchase.window_days"),
        ("ingest.correction_days=1000000", "ingest.correction_days"),
        ("clusters.seed=9223372036854775808", "clusters.seed"),
        ("rfm.purchase.total_weights=[inf, 1.0, 1.0]", "rfm.purchase.total_weights.0"),
        ("rfm.purchase.scores=2", "rfm.purchase.scores"),
        ("rfm.purchase.scores=10", "rfm.purchase.scores"),
        ("cohorts.week_start=funday", "cohorts.week_start"),
        ("receipts.format=xlsx", "receipts.format"),
        ("business.day_start_hour=-1", "business.day_start_hour"),
    ],
)
def test_a_value_of_the_wrong_type_or_size_is_named_with_its_key(refused, override, says):
    assert any(line.startswith(says) for line in refused(BASE, override))


MONEY_TWICE = ("receipts.columns.amount=paid",)
NO_TYPES = ("receipts.format=json",)
OWN_TYPES = ("receipts.format=parquet", 'receipts.types={units="int"}')
FIXED = "rfm.purchase.frequency.method=fixed"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (MONEY_TWICE, "receipts.columns: map either `amount` or `unit_price`, not both"),
        (NO_TYPES, "receipts: JSON lines name no columns up front: list them under `types`"),
        (OWN_TYPES, "receipts: parquet carries its own types: remove `types`"),
        ((FIXED,), "rfm.purchase.frequency: give `cuts` with the method `fixed`, and only there"),
        (("rfm.purchase.monetary={method='quantile', cuts=[1, 2, 3, 4]}",), "rfm.purchase.mone"),
        ((FIXED, "rfm.purchase.frequency.cuts=[4, 3, 2, 1]"), "rfm.purchase.frequency: `cuts` mu"),
        (
            (FIXED, "rfm.purchase.frequency.cuts=[2, 3, 4]"),
            "rfm.purchase: frequency.cuts: 5 scores need 4 cuts, not 3",
        ),
        (
            ("rfm.purchase.scores=4",),
            "rfm.purchase: the default segments are for 5 scores: write your own `segments`",
        ),
        (
            ("rfm.purchase.ratio_weights=[0, 0, 0]",),
            "rfm.purchase.ratio_weights: at least one weight must be above 0",
        ),
        (("cohorts.grains=['week', 'week']",), "cohorts.grains: a length of a period is named tw"),
        (("business.earliest_date=2101-01-01",), "business: earliest_date is after latest_date"),
        (("receipts.path=../other/*.csv",), "receipts.path: give a path below the input"),
        (("receipts.path=2026/../../*.csv",), "receipts.path: give a path below the input"),
        (("receipts.path=/etc/*.csv",), "receipts.path: give a path below the input"),
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


def test_what_must_be_given_is_named(refused):
    lines = refused("[receipts.columns]\ncustomer_id = 'customer'\n")
    assert "business: missing; it must be given" in lines
    assert "receipts.path: missing; it must be given" in lines
    assert "receipts.columns.time: missing; it must be given" in lines


def test_several_problems_are_reported_at_once(refused):
    problems = refused(BASE, "business.time_zone=Madrid", "clusters.q=1", "receipts.grain=page")
    assert sorted(line.partition(":")[0] for line in problems) == [
        "business.time_zone",
        "clusters.q",
        "receipts.grain",
    ]


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


def test_an_own_grid_is_taken(load):
    grid = load(BASE + WHOLE_GRID).rfm["purchase"].grid
    assert [rule.name for rule in grid] == ["Recent", "Away"]
    assert [rule.recency for rule in grid] == [{3, 4, 5}, {1, 2}]


def test_an_own_grid_makes_another_number_of_scores_possible(load):
    four = WHOLE_GRID.replace("[3, 4, 5]", "[3, 4]")
    assert load(BASE + four, "rfm.purchase.scores=4").rfm["purchase"].scores == 4


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("[1, 2]", "[1]", "no segment takes 211 (first visit inside the window), 211 (first"),
        ("[1, 2]", "[1, 2, 3]", "Recent and Away both take 311 (first visit inside"),
        ("[1, 2]", "[1, 2]\nfrequency = [7]", "no cell can reach 'Away'"),
        ('"Away"', '"Lapsed"', "'Lapsed' names customers outside the population"),
    ],
    ids=["a gap", "an overlap", "a name never reached", "a reserved name"],
)
def test_a_grid_that_is_not_whole_is_refused_with_its_cells(refused, was, now, says):
    (problem,) = refused(BASE + WHOLE_GRID.replace(was, now))
    assert problem.startswith("rfm.purchase: segments: ")
    assert says in problem


def test_an_override_is_a_toml_value_or_else_plain_text(load):
    settings = load(
        BASE,
        "clusters.k=8",
        "business.time_zone=UTC",
        "business.earliest_date=2001-02-03",
        'business.guest_ids=["0", "x"]',
        "receipts.zero_is_visit=false",
        "rfm.purchase.window_days=all",
        "receipts.columns.promotion=coupon > 0 AND flag = 'y'",
    )
    assert settings.clusters.k == 8
    assert settings.business.time_zone == "UTC"
    assert settings.business.earliest_date == date(2001, 2, 3)
    assert settings.business.guest_ids == ["0", "x"]
    assert settings.receipts.zero_is_visit is False
    assert settings.rfm["purchase"].window.days is None
    assert settings.receipts.columns.promotion == "coupon > 0 AND flag = 'y'"


@pytest.mark.parametrize("text", ["clusters.k", "=8", "clusters.=8", ".k=8", ""])
def test_an_override_of_another_form_is_refused(refused, text):
    assert refused(BASE, text) == [f"--set {text}: write it as section.key=value"]


def test_an_override_inside_a_value_is_refused(refused):
    assert refused(BASE, "receipts.grain.x=1") == [
        "--set receipts.grain.x=1: 'grain' is a value, not a section"
    ]


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


def test_a_file_that_is_not_toml_is_named_with_the_place(refused):
    (problem,) = refused("[business\n")
    assert problem.startswith("is not TOML: ")
    assert "line 1" in problem


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(UserError, match=r"gone\.toml: there is no such configuration file"):
        load_settings(tmp_path / "gone.toml")
    (tmp_path / "picture.toml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match=r"picture\.toml: cannot be read as a text file"):
        load_settings(tmp_path / "picture.toml")
