"""The whole job on real receipts, against an independent computation from the definitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import deltalake
import duckdb
import numpy as np
import pandas as pd
import pytest
import reference
from conftest import ROOT, RunJob
from pyspark.sql import SparkSession
from reference.acquisition import first_receipts
from reference.bridge import bridge
from reference.events import event_rfm
from reference.followed import cohorts_by
from reference.lifetime import expected, lives, log_likelihood, visits_later
from reference.rhythm import rhythm
from sklearn.cluster import KMeans
from support.configurations import OWN_DAYS
from support.screen import on_screen
from support.sessions import as_in_use

CENT = 100


@dataclass(frozen=True)
class RealRun:
    dataset: str
    as_of: date
    warehouse: Path
    connection: duckdb.DuckDBPyConnection

    def table(self, name: str) -> pd.DataFrame:
        rows = deltalake.DeltaTable(str(self.warehouse / name)).to_pandas()
        return rows[rows["profile"] == "purchase"] if "profile" in rows.columns else rows


LAST_DAYS = {
    "complete_journey": date(2017, 12, 31),
    "online_retail_ii": date(2011, 12, 9),
    "cdnow": date(1998, 6, 30),
}


@pytest.fixture(scope="module", params=LAST_DAYS)
def real(
    request: pytest.FixtureRequest,
    spark: SparkSession,
    run: RunJob,
    tmp_path_factory: pytest.TempPathFactory,
) -> RealRun:
    dataset = request.param
    if dataset == "complete_journey":
        data = request.getfixturevalue("groceries").parent
        warehouse = request.getfixturevalue("groceries_warehouse")
    else:
        data = request.getfixturevalue("shared_data")
        warehouse = tmp_path_factory.mktemp(dataset)
        with as_in_use(spark):
            config = ROOT / "conf" / f"{dataset}.toml"
            run(config, data / dataset, warehouse, overrides=OWN_DAYS)
    connection = duckdb.connect()
    reference.receipts(connection, dataset, data)
    reference.customer_days(connection)
    return RealRun(dataset, LAST_DAYS[dataset], warehouse, connection)


def same(found: pd.DataFrame, expected: pd.DataFrame, key: list[str], loose: float = 1e-9) -> None:
    """Both hold the same rows, for all columns of `expected`; floats to a relative tolerance."""
    columns = list(expected.columns)
    missing = set(columns) - set(found.columns)
    assert not missing, f"no columns {missing}"
    one, other = (
        frame[columns].sort_values(key, na_position="first").reset_index(drop=True)
        for frame in (found, expected)
    )
    for name in columns:
        if pd.api.types.is_float_dtype(other[name]):
            one[name] = one[name].astype(float)
    one = one.astype(object).where(one.notna(), None)
    other = other.astype(object).where(other.notna(), None)
    pd.testing.assert_frame_equal(one, other, rtol=loose, atol=1e-9, check_dtype=False)


def test_the_day_described_is_the_last_business_day(real: RealRun) -> None:
    assert set(real.table("rfm")["as_of"]) == {real.as_of}


def test_receipts(real: RealRun) -> None:
    found = real.table("receipts")
    found = found[found["status"] == "current"]
    expected = real.connection.sql(
        "SELECT receipt_id, customer_id, business_date, net_cents, gross_cents, items, lines,"
        " is_visit, is_return, has_promotion FROM receipts"
    ).df()
    expected["business_date"] = expected["business_date"].dt.date
    if real.dataset == "cdnow":  # without ids of their own, receipts are compared as a multiset
        expected = expected.drop(columns="receipt_id")
        same(found, expected, list(expected.columns))
    else:
        same(found, expected, ["receipt_id"])


def test_customer_days(real: RealRun) -> None:
    expected = real.connection.sql("SELECT * FROM customer_days").df()
    expected["day"] = expected["day"].dt.date
    same(real.table("customer_days"), expected, ["customer_id", "day"])


def test_categories_add_up_to_days(real: RealRun) -> None:
    if real.dataset == "cdnow":
        pytest.skip("CDNOW has no categories")
    categories = real.table("customer_day_categories")
    days = real.table("customer_days")
    for measure in ("net_cents", "items"):
        by_day = categories.groupby("day")[measure].sum()
        assert by_day.equals(days.groupby("day")[measure].sum())
    expected = real.connection.sql(
        "SELECT r.customer_id, r.business_date AS day, l.category, count(*) AS n"
        " FROM lines l JOIN receipts r USING (receipt_id) GROUP BY ALL"
    ).df()
    assert len(categories) == len(expected)


def test_how_customers_were_won(real: RealRun) -> None:
    expected = first_receipts(real.connection)
    names = [name for name in expected.columns if name.startswith("first_")]
    if real.dataset == "cdnow":
        assert not (real.warehouse / "first_receipts").exists()
        assert real.table("customer_360")[names].isna().all(axis=None)
        return
    same(real.table("first_receipts"), expected, ["customer_id"])
    wide = real.table("customer_360").set_index("customer_id").loc[expected["customer_id"]]
    same(wide.reset_index(), expected[["customer_id", *names]], ["customer_id"])
    assert len(expected) > 2_000


@pytest.mark.parametrize("window_days", [365])
def test_rfm(real: RealRun, window_days: int) -> None:
    expected = reference.rfm(real.connection, real.as_of, window_days)
    exact = expected.drop(columns="rfmr_score")
    same(real.table("rfm"), exact, ["customer_id"], loose=1e-6)
    # The reference takes the mean of the ratios as stored, rounded to 6 decimals.
    ours = real.table("rfm").set_index("customer_id")["rfmr_score"].sort_index()
    theirs = expected.set_index("customer_id")["rfmr_score"].sort_index()
    pd.testing.assert_series_equal(ours, theirs, rtol=1e-4, check_names=False)


def test_engagement(real: RealRun) -> None:
    if real.dataset != "complete_journey":
        pytest.skip("no interactions")
    tables = {
        name: deltalake.DeltaTable(str(real.warehouse / name)).to_pyarrow_table()
        for name in ("receipts", "interactions", "customers", "rfm")
    }
    connection = duckdb.connect()
    for name, rows in tables.items():
        connection.register(name, rows)
    kinds = connection.sql("SELECT DISTINCT kind FROM interactions").fetchall()
    weights = dict.fromkeys(("receipts", *(kind for (kind,) in kinds)), 1)
    expected = event_rfm(connection, real.as_of, 90, weights, all_known=True)
    found = connection.sql("FROM rfm WHERE profile = 'engagement'").df()
    same(found, expected, ["customer_id"])
    rows = deltalake.DeltaTable(str(real.warehouse / "reconciliation")).to_pandas()
    events = rows[rows["profile"] == "engagement"].set_index("term")["events"]
    assert events["raw"] == events.drop("raw").sum() == tables["interactions"].num_rows


def test_segments_and_cells_hold_every_scored_customer(real: RealRun) -> None:
    scored = reference.rfm(real.connection, real.as_of, 365)
    segments = real.table("segments").set_index("segment")
    by_segment = scored.groupby("segment")
    assert segments["customers"].sum() == len(scored)
    for name, group in by_segment:
        assert segments.loc[name, "customers"] == len(group)
        assert segments.loc[name, "revenue_cents"] == group["monetary_cents"].sum()
        assert segments.loc[name, "average_frequency"] == pytest.approx(group["frequency"].mean())
    cells = real.table("rfm_cells").set_index("rfm_cell")
    assert len(cells) == 125
    for name, group in scored.groupby("rfm_cell"):
        assert cells.loc[name, "customers"] == len(group)
        assert cells.loc[name, "revenue_cents"] == group["monetary_cents"].sum()
    assert cells["customers"].sum() == len(scored)


def test_boundary_shares(real: RealRun) -> None:
    scored = reference.rfm(real.connection, real.as_of, 365)
    boundaries = real.table("rfm_boundaries")
    for dimension, score in (
        ("recency", "r_score"),
        ("frequency", "f_score"),
        ("monetary", "m_score"),
    ):
        rows = boundaries[boundaries["dimension"] == dimension].set_index("score")
        for value, count in scored[score].value_counts().items():
            assert rows.loc[value, "share"] == pytest.approx(count / len(scored))
        assert set(rows["rank_error"]) == {0.0}


def cohorts_of(
    real: RealRun, origin: str, grain: str = "month", kind: str = "calendar"
) -> pd.DataFrame:
    found = real.table("cohorts")
    own = (found["origin"] == origin) & (found["grain"] == grain) & (found["kind"] == kind)
    return found[own]


@pytest.mark.parametrize("grain", ["month", "week"])
def test_cohorts(real: RealRun, grain: str) -> None:
    expected = reference.cohorts(real.connection, real.as_of, grain)
    same(cohorts_of(real, "receipt", grain), expected, ["cohort", "period_index"])


def test_engagement_of_cohorts(real: RealRun) -> None:
    expected = real.connection.sql(f"""
        WITH lives AS (SELECT customer_id, min(day) AS first, max(day) AS last FROM customer_days
                       WHERE customer_id IS NOT NULL AND visits > 0 GROUP BY ALL)
        SELECT date_trunc('month', first)::DATE AS cohort, count(*) AS cohort_size,
               count(*) FILTER (DATE '{real.as_of}' - last <= 365) AS active,
               count(*) FILTER (DATE '{real.as_of}' - last > 365) AS lost, 0 AS never_active,
               median(last - first)::DOUBLE AS engagement_days_median,
               avg(last - first) AS engagement_days_mean
        FROM lives GROUP BY ALL
    """).df()
    expected["cohort"] = expected["cohort"].dt.date
    found = real.table("cohort_engagement")
    own = (found["origin"] == "receipt") & (found["grain"] == "month")
    same(found[own], expected, ["cohort"])


@pytest.mark.parametrize("days", [90, 365])
def test_revenue_bridge(real: RealRun, days: int) -> None:
    found = real.table("revenue_bridge")
    own = found[(found["window_days"] == days) & (found["breakdown"] == "all")]
    same(own, bridge(real.connection, real.as_of, days), ["cause"])
    assert found[found["cause"] == "guests"]["value"].isna().all()
    [(begin,)] = real.connection.execute("SELECT min(day) FROM customer_days").fetchall()
    assert set(own["is_whole"]) == {(real.as_of - begin).days + 1 >= 2 * days}


def test_clusters_by_segment_and_cohort(real: RealRun) -> None:
    customers = real.table("customer_features").merge(real.table("cluster_assignments"))
    scores = real.table("rfm")
    leading = scores[scores["profile"] == "purchase"][["customer_id", "segment"]]
    real.connection.register("clustered", customers.merge(leading, "left"))
    firsts = "SELECT customer_id, min(day) AS first FROM customer_days WHERE visits > 0 GROUP BY 1"
    expected = real.connection.sql(f"""
        WITH told AS (SELECT *, strftime(first, '%Y-%m') AS cohort
                      FROM clustered JOIN ({firsts}) USING (customer_id)),
             each AS (SELECT cluster, monetary_cents, 'segment' AS breakdown, segment AS value
                      FROM told UNION ALL
                      SELECT cluster, monetary_cents, 'cohort', cohort FROM told)
        SELECT cluster, breakdown, value, count(*) AS customers,
               sum(monetary_cents)::BIGINT AS revenue_cents,
               count(*) / sum(count(*)) OVER (PARTITION BY cluster, breakdown) AS cluster_share
        FROM each GROUP BY cluster, breakdown, value
    """).df()
    same(real.table("cluster_segments"), expected, ["cluster", "breakdown", "value"])


def test_rhythm(real: RealRun) -> None:
    expected = rhythm(real.connection, real.as_of, 365, 3.0, 14)
    same(real.table("customer_rhythm"), expected, ["customer_id"])


def parameters_of(real: RealRun, model: str) -> dict[str, float]:
    rows = real.table("lifetime_parameters")
    own = rows[rows["model"] == model]
    return dict(zip(own["parameter"], own["value"], strict=True))


def test_lifetime_value(real: RealRun) -> None:
    if real.dataset != "cdnow":
        pytest.skip("not asked for")
    visits, money = (parameters_of(real, model) for model in ("visits", "money"))
    known = lives(real.connection, real.as_of)
    told = expected(known, visits, money, 180)
    same(real.table("lifetime_value"), told, ["customer_id"], loose=1e-7)

    models = real.table("lifetime_models").set_index("model")
    assert models["refused"].isna().all()
    greatest = log_likelihood(known, visits)
    assert models["log_likelihood"]["visits"] == pytest.approx(greatest, rel=1e-9)
    for name, value in visits.items():
        for other in (0.98 * value, 1.02 * value):
            assert log_likelihood(known, {**visits, name: other}) < greatest
    totals = told[["expected_visits", "expected_value_cents"]].sum()
    assert list(models["expected_total"][["visits", "money"]]) == pytest.approx(list(totals))

    classes = told.assign(repeat_visit_days=told["repeat_visit_days"].clip(upper=7))
    grouped = classes.groupby("repeat_visit_days", as_index=False).agg(
        customers=("customer_id", "size"),
        customers_alive=("probability_alive", "sum"),
        expected_visits=("expected_visits", "sum"),
        expected_value_cents=("expected_value_cents", "sum"),
    )
    same(real.table("lifetime_classes"), grouped, ["repeat_visit_days"], loose=1e-7)


def test_a_model_of_half_a_year_ago_is_checked_by_what_came(real: RealRun) -> None:
    if real.dataset != "cdnow":
        pytest.skip("not asked for")
    then = real.as_of - timedelta(days=180)
    known = lives(real.connection, then)
    later = visits_later(real.connection, then, real.as_of)
    known["visits"] = known["customer_id"].map(later).fillna(0)
    known["repeat_visit_days"] = known["repeat_visit_days"].clip(upper=7)
    grouped = known.groupby("repeat_visit_days", as_index=False).agg(
        customers=("customer_id", "size"), visits=("visits", "sum")
    )
    checks = real.table("lifetime_checks")
    same(checks, grouped.astype({"visits": "int64"}), ["repeat_visit_days"])
    came, told = checks["visits"].sum(), checks["expected_visits"].sum()
    assert abs(told / came - 1) < 0.05


def test_lifetime_value_on_one_screen(real: RealRun, cli, capfd) -> None:
    if real.dataset != "cdnow":
        pytest.skip("not asked for")
    place = ("--config", ROOT / "conf" / "cdnow.toml", "--warehouse", real.warehouse)
    assert cli("lifetime show", *place) == 0
    shown = " ".join(on_screen(capfd).split())
    assert "Lifetime value as of 1998-06-30" in shown
    assert "11,079 visit days are expected (10,773 to 11,385), and 426,856 USD" in shown
    assert "it expected 11,853 visit days since, and 12,209 came" in shown
    assert "18.6% leave for ever after a repeat visit; 35.90 USD on a visit day" in shown
    assert "visits r 0.267 0.260 to 0.274" in shown


KINDS = {"calendar": {}, "rolling_28": {"rolling_days": 28}, "brackets": {"brackets": (0, 30, 90)}}


@pytest.mark.parametrize("kind", KINDS)
def test_cohorts_of_periods_from_the_customers_own_first_day(real: RealRun, kind: str) -> None:
    real.connection.execute(f"CREATE OR REPLACE TABLE events AS {VISITS}")
    real.connection.execute(
        "CREATE OR REPLACE TABLE origins AS SELECT customer_id, day FROM events WHERE visits > 0"
    )
    same_cohorts(cohorts_of(real, "receipt", kind=kind), real.connection, real.as_of, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_cohorts_by_the_first_campaign(real: RealRun, shared_data: Path, kind: str) -> None:
    if real.dataset != "complete_journey":
        pytest.skip("no interactions")
    folder = shared_data / "complete_journey"
    real.connection.execute(f"""
        CREATE OR REPLACE TABLE events AS {VISITS};
        CREATE OR REPLACE TABLE origins AS
        SELECT trim(household_id::VARCHAR) AS customer_id, start_date::DATE AS day
        FROM '{folder}/campaigns.parquet' JOIN '{folder}/campaign_descriptions.parquet'
        USING (campaign_id)
    """)
    same_cohorts(cohorts_of(real, "campaign", kind=kind), real.connection, real.as_of, kind)


VISITS = """
    SELECT customer_id, day, NULL::VARCHAR AS kind, visits, items, net_cents, returns,
           promo_visits, 0 AS n, true AS counts
    FROM customer_days WHERE customer_id IS NOT NULL
"""


def same_cohorts(
    found: pd.DataFrame, con: duckdb.DuckDBPyConnection, as_of: date, kind: str
) -> None:
    expected = cohorts_by(con, as_of, "month", **KINDS[kind])
    expected["cohort"] = expected["cohort"].dt.date
    assert len(expected)
    same(found, expected, ["cohort", "period_index"])


def test_cohorts_of_touch_points(run: RunJob, shared_data: Path, tmp_path: Path) -> None:
    dataset = "retentioneering_ecom_synthetic"
    for job in ("ingest", "cohorts"):
        settings = OWN_DAYS if job == "cohorts" else ()
        config = ROOT / "conf" / "ecom_events.toml"
        run(config, shared_data / dataset, tmp_path, job, overrides=settings)
    con = duckdb.connect()
    con.execute(f"""
        CREATE TABLE events AS
        SELECT trim(user_id::VARCHAR) AS customer_id, event_ts::DATE AS day, event AS kind,
               0 AS visits, 0 AS items, 0 AS net_cents, 0 AS returns, 0 AS promo_visits,
               count(DISTINCT event_ts) AS n, true AS counts
        FROM '{shared_data / dataset}/events.parquet' GROUP BY ALL;
        CREATE TABLE origins AS SELECT customer_id, day FROM events
    """)
    [(as_of,)] = con.execute("SELECT max(day) FROM events").fetchall()
    real = RealRun(dataset, as_of, tmp_path, con)
    for kind in KINDS:
        same_cohorts(cohorts_of(real, "interaction", kind=kind), con, as_of, kind)


def test_features(real: RealRun) -> None:
    expected = reference.features(real.connection, real.as_of, 365)
    told = expected.drop(columns=["touch_points", "window", "as_of"], errors="ignore")
    same(real.table("customer_features"), told, ["customer_id"])


def test_every_receipt_and_every_cent_is_accounted_for(real: RealRun) -> None:
    expected = reference.reconciliation(real.connection, real.as_of, 365)
    rows = real.table("reconciliation")
    found = {r.term: (r.receipts, r.net_cents) for r in rows.itertuples()}
    assert found == expected


def test_clusters_hold_every_customer_once_and_their_money(real: RealRun) -> None:
    features = real.table("customer_features").set_index("customer_id")
    assigned = real.table("cluster_assignments").set_index("customer_id")
    clusters = real.table("clusters").set_index("cluster")
    assert assigned.index.is_unique
    assert set(assigned.index) == set(features.index)
    assert (assigned["distance"] <= assigned["runner_up_distance"]).all()
    money = features["monetary_cents"].groupby(assigned["cluster"]).agg(["sum", "size"])
    assert (money["sum"] == clusters["revenue_cents"]).all()
    assert (money["size"] == clusters["customers"]).all()
    assert clusters["revenue_per_customer_cents"].is_monotonic_decreasing
    assert clusters["persona"].is_unique
    model = real.table("cluster_models").iloc[0]
    cost = (assigned["distance"] ** 2).sum()
    assert model["cost"] == pytest.approx(cost, rel=1e-6)
    assert 0.3 < model["variance_explained"] < 1


def test_clusters_cost_no_more_than_those_of_scikit_learn_but_for_half_a_percent(
    real: RealRun,
) -> None:
    model = real.table("cluster_models").iloc[0]
    features = real.table("customer_features")
    points = []
    for scale in model["features"]:
        values = features[scale["feature"]].to_numpy()
        if scale["transform"] == "log1p":
            values = np.sign(values) * np.log1p(np.abs(values))
        clipped = np.clip(values, *np.quantile(values, [0.01, 0.99]))
        points.append((clipped - clipped.mean()) / clipped.std())
    fitted = KMeans(model["k"], n_init=10, random_state=1).fit(np.column_stack(points))
    assert model["cost"] <= 1.005 * fitted.inertia_


def test_customer_360_has_every_known_customer_once(real: RealRun) -> None:
    wide = real.table("customer_360")
    known = set(real.table("customer_days")["customer_id"].dropna())
    for name in ("customers", "customer_day_events"):
        if (real.warehouse / name).exists():
            known |= set(real.table(name)["customer_id"])
    assert wide["customer_id"].is_unique
    assert set(wide["customer_id"]) == known
    rfm = real.table("rfm").set_index("customer_id")
    inside = wide[wide["customer_id"].isin(rfm.index)].set_index("customer_id")
    assert (inside["segment"].sort_index() == rfm["segment"].sort_index()).all()
    outside = wide[~wide["customer_id"].isin(rfm.index)]
    visited = outside["lifetime_visits"] > 0
    assert set(outside[visited]["segment"]) <= {"Lapsed"}
    assert set(outside[~visited]["segment"]) <= {"Prospect"}
    days = real.table("customer_days")
    lifetime = days.groupby("customer_id")["net_cents"].sum()
    ours = wide.set_index("customer_id")["lifetime_revenue_cents"]
    assert (ours[ours.index.isin(lifetime.index)].sort_index() == lifetime.sort_index()).all()


@pytest.fixture
def of_the_groceries(real: RealRun, groceries: Path) -> RealRun:
    """The run whose input has interactions and attributes, with its files as views."""
    if real.dataset != "complete_journey":
        pytest.skip("receipts are all this data set has")
    for name in ("coupon_redemptions", "campaigns", "campaign_descriptions", "demographics"):
        real.connection.read_parquet(str(groceries / f"{name}.parquet")).create_view(
            name, replace=True
        )
    return real


EVENTS = """
    WITH events AS (
        SELECT DISTINCT household_id, redemption_date AS day, 'coupon_redemption' AS kind,
               coupon_upc AS what, campaign_id
        FROM coupon_redemptions
        UNION ALL
        SELECT DISTINCT household_id, start_date, 'campaign_mailed', NULL, campaign_id
        FROM campaigns JOIN campaign_descriptions USING (campaign_id)
    )
    SELECT CAST(household_id AS VARCHAR) AS customer_id, day, kind, count(*) AS events
    FROM events GROUP BY ALL
"""


def test_interactions_by_day(of_the_groceries: RealRun) -> None:
    expected = of_the_groceries.connection.sql(EVENTS).df()
    expected["day"] = expected["day"].dt.date
    same(of_the_groceries.table("customer_day_events"), expected, ["customer_id", "day", "kind"])


def test_touch_points_are_interactions_of_the_window(of_the_groceries: RealRun) -> None:
    as_of = of_the_groceries.as_of
    touches = of_the_groceries.connection.execute(
        f"SELECT customer_id, sum(events) AS n FROM ({EVENTS})"
        " WHERE day <= $as_of AND day > $as_of - 365 GROUP BY customer_id",
        {"as_of": as_of},
    ).df()
    expected = touches.set_index("customer_id")["n"]
    found = of_the_groceries.table("customer_features").set_index("customer_id")["touch_points"]
    assert (found == expected.reindex(found.index).fillna(0)).all()
    assert found.sum() > 0


def test_attributes_are_those_of_the_demographics(of_the_groceries: RealRun) -> None:
    renamed = {"household_comp": "household_composition", "kids_count": "kids"}
    listed = of_the_groceries.connection.sql("SELECT * FROM demographics").df()
    listed = listed.rename(columns=renamed).set_index("household_id")
    expected = {
        str(household): {name: value for name, value in row.items() if pd.notna(value)}
        for household, row in listed.to_dict("index").items()
    }
    wide = of_the_groceries.table("customer_360").set_index("customer_id")["attributes"]
    found = {customer: dict(told) for customer, told in wide.items() if told is not None}
    assert found == expected
