"""The configuration: what loads, and what is said about everything that does not fit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from support.configurations import BASE

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError

CONF = Path(__file__).parents[1] / "conf"


@pytest.mark.parametrize("name", ["cdnow", "complete_journey", "online_retail_ii"])
def test_the_configurations_that_come_along_load(name):
    settings = load_settings(CONF / f"{name}.toml")
    assert settings.rfm["purchase"].window_days == 365
    assert len(settings.rfm["purchase"].segment_grid.rules) == 11


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
    known = "brackets, cuts, grains, max_cut_cells, origins, rolling_days, week_start"
    assert problem == f"cohorts.zzzzzz: unknown key; known here: {known}"


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
    assert settings.rfm["purchase"].look_back.days is None
    assert settings.receipts.columns.promotion == "coupon > 0 AND flag = 'y'"


@pytest.mark.parametrize("text", ["clusters.k", "=8", "clusters.=8", ".k=8", ""])
def test_an_override_of_another_form_is_refused(refused, text):
    assert refused(BASE, text) == [f"--set {text}: write it as section.key=value"]


def test_an_override_inside_a_value_is_refused(refused):
    assert refused(BASE, "receipts.grain.x=1") == [
        "--set receipts.grain.x=1: 'grain' is a value, not a section"
    ]


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
