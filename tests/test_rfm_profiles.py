"""RFM of several profiles on a day: what is held, what is refused, what does not add up."""

from __future__ import annotations

from datetime import date
from math import log

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from support.shop import stored, versions

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.facts.kept_sums import sums_of_customers
from rfm_spark.results.declaration import Request
from rfm_spark.results.rfm import job as rfm
from rfm_spark.results.rfm.customer_columns import scores_of_customers
from rfm_spark.results.rfm.job import profile_asks, score_profiles
from rfm_spark.run import Run
from rfm_spark.storage.locations import location
from rfm_spark.storage.warehouse import Warehouse

EARLIER, LATER = date(2025, 3, 1), date(2025, 3, 20)
MONTH, EVER = "rfm.month.window_days=60", "rfm.ever.window_days=all"
DRIFTING = (MONTH, "rfm.month.refit=drift", EVER)
HELD = (MONTH, "rfm.month.refit=hold", EVER)
RFM_TABLES = ("rfm", "rfm_boundaries", "rfm_cells", "segments", "reconciliation")
OWN_GRID = "[{name='All', action='Greet them'}]"


@pytest.fixture
def score(spark, copied_shop):
    def score_as_of(as_of, *overrides):
        settings = load_settings(copied_shop.config, overrides)
        warehouse = Warehouse(spark, location(spark, str(copied_shop.warehouse)))
        job = Run(spark, settings, warehouse, str(copied_shop.raw))
        asks = profile_asks(settings.rfm, settings)
        with sums_of_customers(job, as_of, asks, kept=True) as sums:
            score_profiles(Request(job, settings.rfm, as_of), sums)

    return score_as_of


def rows_of_profile(shop, table, profile, day=LATER):
    found = stored(shop.warehouse, table)
    of = "version" if table == "rfm_boundaries" else "as_of"
    return [row for row in found if (row["profile"], row[of]) == (profile, day)]


def test_profiles_scored_together_are_as_each_alone(score, copied_shop):
    score(LATER, MONTH, EVER)
    together = {
        (table, profile): rows_of_profile(copied_shop, table, profile)
        for table in RFM_TABLES
        for profile in ("month", "ever")
    }
    assert len({len(together["rfm", profile]) for profile in ("month", "ever")}) == 2
    for alone in (MONTH, EVER):
        score(LATER, alone)
    for (table, profile), rows in together.items():
        assert rows, (table, profile)
        assert rows_of_profile(copied_shop, table, profile) == rows, (table, profile)


def test_customer_360_leads_with_the_profile_that_says_so(score, copied_shop, spark):
    leads = (MONTH, "rfm.month.leads=true", EVER)
    score(LATER, EVER, MONTH)
    settings = load_settings(copied_shop.config, (EVER, *leads))
    assert next(iter(settings.rfm)) == "ever"
    warehouse = Warehouse(spark, location(spark, str(copied_shop.warehouse)))
    job = Run(spark, settings, warehouse, str(copied_shop.raw))
    rows = scores_of_customers(Request(job, settings.rfm, LATER)).collect()
    of_month = {row["customer_id"]: row for row in rows_of_profile(copied_shop, "rfm", "month")}
    assert {row["customer_id"] for row in rows if row["segment"]} == set(of_month)
    for row in rows:
        if row["segment"]:
            assert row["frequency"] == of_month[row["customer_id"]]["frequency"]
    with pytest.raises(UserError) as raised:
        load_settings(copied_shop.config, (*leads, "rfm.ever.leads=true"))
    assert "rfm: month and ever cannot lead customer_360 together" in raised.value.problems[0]


def test_scores_lie_in_the_order_of_customers(score, copied_shop):
    score(LATER, MONTH, EVER)
    files = DeltaTable(str(copied_shop.warehouse / "rfm")).file_uris(
        file_pruning_predicate=[("as_of", "=", str(LATER))]
    )
    assert len(files) == 4, "one of each profile, and of the two that were there"
    for file in files:
        customers = pq.read_table(file, columns=["customer_id"], partitioning=None)["customer_id"]
        assert customers.to_pylist() == sorted(customers.to_pylist())


def test_a_held_set_of_boundaries_is_used_until_its_rules_change(score, copied_shop):
    for day in (EARLIER, LATER):
        score(day, *HELD)
    assert rows_of_profile(copied_shop, "rfm_boundaries", "month", EARLIER)
    assert not rows_of_profile(copied_shop, "rfm_boundaries", "month", LATER)
    for profile, fitted in (("month", EARLIER), ("ever", LATER)):
        cuts = [
            row["value"]
            for row in rows_of_profile(copied_shop, "rfm_boundaries", profile, fitted)
            if row["dimension"] == "recency" and row["value"] is not None
        ]
        scored = rows_of_profile(copied_shop, "rfm", profile)
        assert {row["boundary_version"] for row in scored} == {fitted}
        for row in scored:
            assert row["r_score"] == 5 - sum(row["recency_days"] >= cut for cut in cuts)
    score(LATER, *HELD, "rfm.month.scores=3", f"rfm.month.segments={OWN_GRID}")
    assert rows_of_profile(copied_shop, "rfm_boundaries", "month", LATER)
    assert len(rows_of_profile(copied_shop, "rfm_cells", "month")) == 27
    assert len(rows_of_profile(copied_shop, "rfm_cells", "ever")) == 125


def test_fixed_cuts_are_in_the_unit_that_people_write(score, copied_shop):
    money, points = [10.5, 20, 36, 50.25], [0.5, 1, 2.5, 6]
    cut_at = "monetary={{method='fixed', cuts={}}}"
    score(
        LATER,
        f"rfm.month.{cut_at.format(money)}",
        "rfm.did={events='all', window_days='all', " + cut_at.format(points) + "}",
    )
    for profile, cuts in (("month", [cut * 100 for cut in money]), ("did", points)):
        scored = rows_of_profile(copied_shop, "rfm", profile)
        assert len({row["m_score"] for row in scored}) > 2
        for row in scored:
            assert row["m_score"] == 1 + sum(cut <= row["value"] for cut in cuts), row


def cut_points(shop, profile, version, edition):
    rows = rows_of_profile(shop, "rfm_boundaries", profile, version)
    return {
        (row["dimension"], row["cut"]): row["value"] for row in rows if row["edition"] == edition
    }


def score_by(cuts, dimension, value):
    passed = sum(
        cut is not None and cut <= value for (name, _), cut in cuts.items() if name == dimension
    )
    return 5 - passed if dimension == "recency" else 1 + passed


def assert_scored_by_what_is_referred_to(shop, day):
    scored = rows_of_profile(shop, "rfm", "month", day)
    assert scored
    for row in scored:
        cuts = cut_points(shop, "month", row["boundary_version"], row["boundary_edition"])
        for dimension, value in VALUES.items():
            assert row[f"{dimension[0]}_score"] == score_by(cuts, dimension, row[value])


OTHER = "rfm.month.monetary={method='fixed', cuts=[1, 11, 20, 21]}"


def test_a_set_of_other_rules_stands_beside_the_one_that_scores_refer_to(score, copied_shop):
    for day in (EARLIER, LATER):
        score(day, *HELD)
    first = cut_points(copied_shop, "month", EARLIER, None)
    score(EARLIER, *HELD, OTHER)
    assert cut_points(copied_shop, "month", EARLIER, None) == first
    assert cut_points(copied_shop, "month", EARLIER, 2)["monetary", 4] == 21_00
    for day in (EARLIER, LATER):
        assert_scored_by_what_is_referred_to(copied_shop, day)
    for table in ("rfm", "segments"):
        of_day = rows_of_profile(copied_shop, table, "month", EARLIER)
        assert {row["boundary_edition"] for row in of_day} == {2}, table
    score(EARLIER, *HELD)
    assert cut_points(copied_shop, "month", EARLIER, None) == first
    assert not cut_points(copied_shop, "month", EARLIER, 3)
    score(EARLIER, *HELD, OTHER.replace("21]", "22]"))
    assert cut_points(copied_shop, "month", EARLIER, None) == first
    assert cut_points(copied_shop, "month", EARLIER, 2)["monetary", 4] == 22_00, "nobody needed it"


def test_no_set_takes_the_number_of_one_that_is_gone(score, copied_shop):
    for day in (EARLIER, LATER):
        score(day, *HELD)
    sets = DeltaTable(str(copied_shop.warehouse / "rfm_boundaries"))
    sets.delete(f"version = '{EARLIER}'")  # as after a RESTORE to a day before
    score(EARLIER, *HELD)
    assert not cut_points(copied_shop, "month", EARLIER, None)
    assert cut_points(copied_shop, "month", EARLIER, 2)
    assert {
        row["boundary_edition"] for row in rows_of_profile(copied_shop, "rfm", "month", EARLIER)
    } == {2}


def test_a_set_fitted_to_other_facts_replaces_none_that_other_days_were_scored_by(
    score, copied_shop
):
    for day in (EARLIER, LATER):
        score(day, *HELD)
    sold = DeltaTable(str(copied_shop.warehouse / "customer_days"))
    sold.update(updates={"net_cents": "2 * net_cents"}, predicate="day < '2025-03-01'")
    changed = (MONTH, EVER)
    for _ in range(2):
        with pytest.raises(RunFailure, match="do not add up"):
            score(EARLIER, *changed)
        assert_scored_by_what_is_referred_to(copied_shop, EARLIER)
        # Facts were changed behind the run's back: the money of LATER is not what was scored.
        used = {row["boundary_edition"] for row in rows_of_profile(copied_shop, "rfm", "month")}
        assert used == {None}
        one, two = (cut_points(copied_shop, "month", EARLIER, edition) for edition in (None, 2))
        assert one.keys() == two.keys()
        assert one != two
        assert not cut_points(copied_shop, "month", EARLIER, 3)
        assert {row["edition"] for row in rows_of_profile(
            copied_shop, "rfm_boundaries", "ever", EARLIER
        )} == {None}, "no other day was scored by it"  # fmt: skip


def test_no_scores_are_left_beside_a_set_that_did_not_give_them(score, copied_shop, monkeypatch):
    """A run that ends between boundaries and scores, of rules or facts that have changed."""
    score(LATER, *HELD)
    kept = rows_of_profile(copied_shop, "rfm", "ever")

    def ends(*_):
        raise RuntimeError("the machine went down")

    with monkeypatch.context() as patch:
        patch.setattr(rfm, "_score", ends)
        with pytest.raises(RuntimeError, match="went down"):
            score(LATER, *HELD, OTHER)
    assert cut_points(copied_shop, "month", LATER, None)["monetary", 4] == 21_00
    for table in ("rfm", "segments"):
        assert not rows_of_profile(copied_shop, table, "month")
    assert rows_of_profile(copied_shop, "rfm", "ever") == kept
    score(LATER, *HELD, OTHER)
    assert_scored_by_what_is_referred_to(copied_shop, LATER)


def test_a_pinned_set_is_used_as_it_is(score, copied_shop):
    score(EARLIER, *HELD)
    score(LATER, *HELD, "rfm.month.refit=always", f"rfm.month.pinned='{EARLIER}'")
    scored = rows_of_profile(copied_shop, "rfm", "month")
    assert {row["boundary_version"] for row in scored} == {EARLIER}
    assert_scored_by_what_is_referred_to(copied_shop, LATER)
    assert not rows_of_profile(copied_shop, "rfm_boundaries", "month", LATER)
    assert rows_of_profile(copied_shop, "rfm_drift", "month"), "it is told how far it is away"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (
            ("rfm.month.pinned='2025-03-02'",),
            "2025-03-02 is not stored; stored of these rules: 2025-03-01",
        ),
        (
            ("rfm.month.pinned='2025-03-01.2'",),
            "2025-03-01.2 is not stored; stored of these rules: 2025-03-01",
        ),
        (
            (
                "rfm.month.pinned='2025-03-01'",
                "rfm.month.scores=4",
                f"rfm.month.segments={OWN_GRID}",
                OTHER.replace(", 21]", "]"),
            ),
            "2025-03-01 was fitted by other rules: 5 scores, not 4, monetary by quantile, not "
            "fixed; none of these rules is stored: run `rfm-spark rfm` without the pin first",
        ),
        (
            ("rfm.month.pinned='2025-03-01'", "rfm.month.window_days=61"),
            "2025-03-01 was fitted by other rules: another window, population, filter or cuts; "
            "none of these rules is stored: run `rfm-spark rfm` without the pin first",
        ),
    ],
    ids=["another day", "another of the day", "scores", "window"],
)  # fmt: skip
def test_a_pin_that_does_not_fit_is_one_line_and_nothing_is_written(
    score, copied_shop, overrides, says
):
    score(EARLIER, *HELD)
    before = versions(copied_shop.warehouse)
    with pytest.raises(UserError) as caught:
        score(LATER, *HELD, *overrides)
    assert caught.value.problems == [f"[rfm.month] pinned: the set {says}"]
    assert versions(copied_shop.warehouse) == before


JANUARY, END_OF_JANUARY = date(2025, 1, 20), date(2025, 1, 31)
FEBRUARY, END_OF_FEBRUARY = date(2025, 2, 3), date(2025, 2, 28)
DESCRIBED = (JANUARY, END_OF_JANUARY, FEBRUARY, END_OF_FEBRUARY, LATER)
VALUES = {"recency": "recency_days", "frequency": "frequency", "monetary": "monetary_cents"}


def fitted_on(shop):
    """The days on which boundaries of `month` were fitted."""
    rows = stored(shop.warehouse, "rfm_boundaries")
    return sorted({row["version"] for row in rows if row["profile"] == "month"})


def index_by_hand(shop, drift):
    """The population stability index, of scored customers and stored boundaries."""
    bins = [
        row
        for row in rows_of_profile(shop, "rfm_boundaries", "month", drift["version"])
        if row["dimension"] == drift["dimension"]
    ]
    cuts = [row["value"] for row in bins if row["value"] is not None]
    scored = rows_of_profile(shop, "rfm", "month", drift["as_of"])
    passed = [sum(row[VALUES[drift["dimension"]]] >= cut for cut in cuts) for row in scored]
    index = 0.0
    for row in bins:
        before = max(row["share"], 0.0001)
        now = max(passed.count(row["cut"]) / len(passed), 0.0001)
        index += (now - before) * log(now / before)
    return index


def test_boundaries_that_customers_drift_from_are_fitted_again_by_the_calendar(score, copied_shop):
    for day in DESCRIBED:
        score(day, *DRIFTING)
    assert fitted_on(copied_shop) == [JANUARY, FEBRUARY, LATER]
    used = [
        {row["boundary_version"] for row in rows_of_profile(copied_shop, "rfm", "month", day)}
        for day in DESCRIBED
    ]
    assert used == [{JANUARY}, {JANUARY}, {FEBRUARY}, {FEBRUARY}, {LATER}]
    drift = stored(copied_shop.warehouse, "rfm_drift")
    compared = {(row["as_of"], row["version"]) for row in drift}
    before = (JANUARY, JANUARY, FEBRUARY, FEBRUARY)
    assert compared == set(zip(DESCRIBED[1:], before, strict=True))
    for row in drift:
        assert row["psi"] == pytest.approx(index_by_hand(copied_shop, row))
    [end] = [
        row["psi"]
        for row in drift
        if (row["as_of"], row["dimension"]) == (END_OF_JANUARY, "recency")
    ]
    assert end > 0.2, "it had drifted in January already"


def test_a_day_that_is_made_again_finds_what_was_decided_on_it(score, copied_shop):
    days = (JANUARY, END_OF_JANUARY, FEBRUARY)
    for day in days:
        score(day, *DRIFTING)
    tables = ("rfm", "rfm_boundaries", "rfm_drift")
    before = {name: stored(copied_shop.warehouse, name) for name in tables}
    for day in reversed(days):
        score(day, *DRIFTING)
    for name in tables:
        assert stored(copied_shop.warehouse, name) == before[name], name


def test_a_period_has_one_day_of_decision(score, copied_shop):
    for day in (JANUARY, FEBRUARY):
        score(day, *HELD)
    score(LATER, *DRIFTING, "rfm.month.refit_on=quarter")
    assert fitted_on(copied_shop) == [JANUARY], "it is the quarter of the fit"
    for day in (FEBRUARY, END_OF_FEBRUARY):
        score(day, *DRIFTING)
    assert fitted_on(copied_shop) == [JANUARY], "on February 3rd it was kept"
    score(EARLIER, *DRIFTING)
    assert fitted_on(copied_shop) == [JANUARY, EARLIER]


def test_drift_of_a_set_that_is_held_is_worked_out_and_changes_nothing(score, copied_shop):
    for day in (JANUARY, FEBRUARY):
        score(day, *HELD)
    assert fitted_on(copied_shop) == [JANUARY]
    indices = rows_of_profile(copied_shop, "rfm_drift", "month", FEBRUARY)
    assert {row["dimension"] for row in indices} == set(VALUES)
    assert max(row["psi"] for row in indices) > 0.2
    score(FEBRUARY, MONTH, EVER)
    assert not rows_of_profile(copied_shop, "rfm_drift", "month", FEBRUARY)


def test_scores_that_nobody_has_are_told(cli, copied_shop, capfd):
    told = "scores 2 and 4 are empty: there are only 3 different values"
    natural = "rfm.purchase.frequency={method='natural'}"
    assert cli("rfm", *copied_shop.arguments("--set", natural)) == 0
    out, err = capfd.readouterr()
    assert f"purchase: frequency {told}" in err
    shown = " ".join(out.split())
    assert "Scores that nobody had when the boundaries were fitted" in shown
    assert f"purchase frequency {told}" in shown
    bins = rows_of_profile(copied_shop, "rfm_boundaries", "purchase")
    empty = {row["score"]: row["collapsed"] for row in bins if row["dimension"] == "frequency"}
    assert empty == {1: None, 2: told, 3: None, 4: told, 5: None}


def test_every_profile_of_nobody_is_named_and_nothing_is_written(score, copied_shop):
    before = versions(copied_shop.warehouse)
    with pytest.raises(UserError) as caught:
        score(
            date(2025, 2, 27),
            EVER,
            "rfm.day.window_days=1",
            "rfm.two.window_days=2",
            "rfm.few.window_days='all'",
            "rfm.few.filter='frequency > 99'",
        )
    longer = "choose another --as-of or a longer window_days"
    assert caught.value.problems == [
        f"[rfm.day] nobody bought in the 1 days up to 2025-02-27: {longer}",
        f"[rfm.two] nobody bought in the 2 days up to 2025-02-27: {longer}",
        "[rfm.few] nobody bought and meets the filter by 2025-02-27: choose "
        "another --as-of or another filter",
    ]
    assert versions(copied_shop.warehouse) == before


def test_a_cent_too_many_fails_the_run(score, copied_shop):
    deliveries = DeltaTable(str(copied_shop.warehouse / "deliveries"))
    deliveries.update(updates={"net_cents": "net_cents + 1"}, predicate="source = 'receipts'")
    with pytest.raises(RunFailure, match="net_cents of purchase do not add up as of 2025-03-20"):
        score(LATER)
    terms = {
        row["term"]: row["net_cents"] for row in stored(copied_shop.warehouse, "reconciliation")
    }
    assert terms.pop("raw") == sum(terms.values()) + 1


def test_a_customer_who_is_not_scored_once_fails_the_run(score, copied_shop, monkeypatch):
    original = rfm.scored_customers

    def twice(*arguments):
        rows = original(*arguments)
        return rows.unionByName(rows.limit(1))

    monkeypatch.setattr(rfm, "scored_customers", twice)
    with pytest.raises(RunFailure, match="6 customers were to be scored, 7 were"):
        score(LATER)
