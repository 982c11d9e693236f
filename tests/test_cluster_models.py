"""Stored models: kept, scored with, shown; several side by side. On the finished shop."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.clustering import KMeansModel
from support.screen import on_screen, problems
from support.shop import Shop, stored

from rfm_spark.app.publishing import publish_again
from rfm_spark.core.errors import RunFailure
from rfm_spark.results.cluster_segments.crossing import crossing_problems
from rfm_spark.results.cluster_segments.panels import segments_of_clusters
from rfm_spark.results.clusters import one_model
from rfm_spark.results.clusters.model_history import ModelHistory
from rfm_spark.results.clusters.settings import Clusters, models_of
from rfm_spark.results.clusters.tables import CLUSTERS, TRAINED
from rfm_spark.settings.shop import ShopSettings
from rfm_spark.storage.warehouse import Warehouse, as_of_slice

DAY, EARLIER = date(2025, 3, 20), date(2025, 3, 1)


def rows_of_day(shop, table, day=DAY, model="habits"):
    return [
        row for row in stored(shop.warehouse, table) if (row["as_of"], row["model"]) == (day, model)
    ]


def clusters_of(shop, day=DAY):
    return {row["customer_id"]: row for row in rows_of_day(shop, "cluster_assignments", day)}


@pytest.fixture(scope="module")
def two_days(cli, finished_shop, tmp_path_factory):
    """The finished shop, clustered for an earlier day as well, and anew since."""
    folder = tmp_path_factory.mktemp("two days")
    without = shutil.ignore_patterns("snapshots")
    shutil.copytree(finished_shop.folder, folder, dirs_exist_ok=True, ignore=without)
    shop = Shop(folder)
    for day, seed in ((EARLIER, 1), (DAY, 2)):
        assert call(cli, shop, "--as-of", day, "--set", f"clusters.seed={seed}") == 0
    return shop


def call(cli, shop, *arguments):
    """rfm-spark clusters ARGUMENTS."""
    first = [one for one in arguments[:1] if one in ("show", "score", "export")]
    places = ["--config", shop.config, "--warehouse", shop.warehouse]
    return cli("clusters", *first, *places, *arguments[len(first) :])


@pytest.fixture
def shop(two_days, tmp_path):
    shutil.copytree(two_days.folder, tmp_path, dirs_exist_ok=True)
    return Shop(tmp_path)


def test_a_day_tells_its_model_and_the_moves_since_the_day_before(two_days):
    [model] = rows_of_day(two_days, "cluster_models")
    assert (model["version"], model["drift"], model["k"]) == (DAY, None, 2)
    assert model["last_number"] >= max(one["cluster"] for one in model["centres"])
    moves = rows_of_day(two_days, "cluster_moves")
    assert {row["since"] for row in moves} == {EARLIER}
    for day, side in ((EARLIER, "from_cluster"), (DAY, "to_cluster")):
        told = {}
        for row in moves:
            told[row[side]] = told.get(row[side], 0) + row["customers"]
        told.pop(0, None)
        sizes = {row["cluster"]: row["customers"] for row in rows_of_day(two_days, "clusters", day)}
        assert told == sizes


def test_tiers_micro_groups_and_clusters_hold_the_same_customers_and_money(two_days):
    for table in ("clusters", "micro_groups", "cluster_tiers"):
        rows = rows_of_day(two_days, table)
        assert sum(row["customers"] for row in rows) == len(clusters_of(two_days))
        money = {sum(r["revenue_cents"] for r in rows_of_day(two_days, one))
                 for one in ("clusters", table)}  # fmt: skip
        assert len(money) == 1
    [model] = rows_of_day(two_days, "cluster_models")
    assert model["micro_groups"] == len(rows_of_day(two_days, "micro_groups"))
    assert model["possible_micro_groups"] == 3 ** len(model["features"])


def test_a_cluster_is_pictured_by_the_customers_nearest_to_its_centre(two_days):
    nearest = {}
    for row in clusters_of(two_days).values():
        nearest.setdefault(row["cluster"], []).append((row["distance"], row["customer_id"]))
    rows = rows_of_day(two_days, "cluster_representatives")
    assert sorted((row["cluster"], row["place"], row["distance"], row["customer_id"])
                  for row in rows) == [
        (cluster, place, *one)
        for cluster, found in sorted(nearest.items())
        for place, one in enumerate(sorted(found)[:5], start=1)
    ]  # fmt: skip


def test_a_model_that_is_held_assigns_the_customers_of_another_day(cli, shop, capfd):
    hold = ("--set", "clusters.refit=hold", "--set", "clusters.seed=1")
    assert call(cli, shop, "--as-of", DAY, *hold) == 0
    [kept], [first] = (rows_of_day(shop, "cluster_models", day) for day in (DAY, EARLIER))
    assert kept["version"] == EARLIER
    assert kept["drift"] is not None
    for name in ("features", "centres", "outlier_distance", "group_cuts", "rules_digest"):
        assert kept[name] == first[name]
    causes = {row["cause"] for row in rows_of_day(shop, "cluster_moves")}
    assert not causes & {"model", "both"}
    # Trained again by other rules, the day it is of has another model beside it.
    fewer = ("--set", "clusters.features=['frequency']", "--set", "clusters.seed=1")
    assert call(cli, shop, "--as-of", EARLIER, *fewer) == 0
    [again] = rows_of_day(shop, "cluster_models", EARLIER)
    assert (again["version"], again["edition"], len(again["features"])) == (EARLIER, 2, 1)
    assert rows_of_day(shop, "cluster_models") == [kept]
    before = clusters_of(shop)
    assert call(cli, shop, "score", "--as-of", DAY, "--version", EARLIER) == 0
    assert clusters_of(shop) == before
    assert call(cli, shop, "score", "--as-of", DAY, "--version", f"{EARLIER}.2") == 0
    [scored] = rows_of_day(shop, "cluster_models")
    assert (scored["edition"], scored["centres"]) == (2, again["centres"])
    assert call(cli, shop, "show") == 0
    assert f"{DAY} {EARLIER}.2" in " ".join(on_screen(capfd).split())


def test_a_day_that_was_not_made_again_to_the_end_is_none_to_use(cli, shop, capfd, monkeypatch):
    [model] = rows_of_day(shop, "cluster_models")
    with monkeypatch.context() as patch:
        patch.setattr(one_model, "_describe", Mock(side_effect=RunFailure("killed")))
        assert call(cli, shop, "--as-of", DAY, "--set", "clusters.features=['frequency']") == 1
    [left] = rows_of_day(shop, "cluster_models")
    assert left == {**model, "is_whole": False}  # the model itself can still be used
    assert call(cli, shop, "show", "--as-of", DAY) == 0  # as they were published before
    capfd.readouterr()
    assert cli("customer-360", *shop.arguments(), "--as-of", DAY) == 2
    assert f"has no whole clusters habits as of {DAY}" in problems(capfd)[0]
    assert call(cli, shop, "--as-of", DAY, "--set", "clusters.seed=2") == 0
    assert rows_of_day(shop, "cluster_models") == [model]


def test_scoring_is_assigning_by_the_stored_model(cli, shop, capfd):
    trained = clusters_of(shop)
    assert call(cli, shop, "score", "--as-of", DAY) == 0  # by the newest, that of the day
    assert clusters_of(shop) == trained
    assert call(cli, shop, "score", "--as-of", DAY, "--version", EARLIER) == 0
    assert f"the model of {EARLIER}" in capfd.readouterr().err
    assert rows_of_day(shop, "cluster_models")[0]["version"] == EARLIER
    window = ("--set", "clusters.window_days=30")
    assert call(cli, shop, "score", "--as-of", DAY, "--version", EARLIER, *window) == 2
    [problem] = problems(capfd)
    assert "it looks at 60 days, and window_days is 30" in problem
    assert call(cli, shop, "score", "--as-of", DAY, "--version", "2025-01-01") == 2
    assert f"no such model is stored; stored: {EARLIER}" in problems(capfd)[0]


def test_an_exported_model_predicts_the_stored_clusters(cli, spark, two_days, tmp_path, capfd):
    out = tmp_path / "model"
    assert call(cli, two_days, "export", "--out", out) == 0
    features = spark.read.format("delta").load(str(two_days.warehouse / "customer_features"))
    of_day = features.where(f"as_of = DATE '{DAY}' AND window = '60'")
    rows = PipelineModel.load(str(out / "pipeline")).transform(of_day).collect()
    assigned = clusters_of(two_days)
    assert {row["customer_id"]: row["cluster"] for row in rows} == {
        customer: row["cluster"] for customer, row in assigned.items()
    }
    [model] = rows_of_day(two_days, "cluster_models")
    centres = [centre.tolist() for centre in KMeansModel.load(str(out / "kmeans")).clusterCenters()]
    assert centres == [one["position"] for one in model["centres"]]
    assert call(cli, two_days, "export", "--out", out) == 2
    assert "is not empty" in problems(capfd)[0]


def test_show_tells_clusters_tiers_and_models_of_a_stored_day(cli, two_days, capfd):
    assert call(cli, two_days, "show") == 0
    shown = on_screen(capfd)
    for told in (f"habits as of {DAY}", "Tiers of clusters", "possible micro-groups are occupied",
                 f"Since {EARLIER}", "Models of habits", "nearest to the centres"):  # fmt: skip
        assert told in shown
    assert call(cli, two_days, "show", "--as-of", EARLIER) == 0
    assert "Since" not in on_screen(capfd)
    assert call(cli, two_days, "show", "--as-of", "2025-03-02") == 2
    assert f"near it: {EARLIER}, {DAY}" in problems(capfd)[0]
    assert call(cli, two_days, "show", "--model", "habit") == 2
    assert "did you mean 'habits'?" in problems(capfd)[0]


def drop_published(warehouse, day):
    """As maintenance does."""
    warehouse.delete(CLUSTERS, as_of_slice(day))
    publish_again(Mock(warehouse=warehouse), [CLUSTERS])


def test_days_that_maintenance_has_dropped_are_not_shown(cli, spark, shop, capfd):
    warehouse = Warehouse(spark, str(shop.warehouse))
    drop_published(warehouse, EARLIER)
    assert call(cli, shop, "show") == 0
    assert f"{EARLIER} {EARLIER}" not in " ".join(on_screen(capfd).split())
    assert call(cli, shop, "show", "--as-of", EARLIER) == 2
    assert f"no clusters of habits are stored of that day (near it: {DAY})" in problems(capfd)[0]
    drop_published(warehouse, DAY)
    assert call(cli, shop, "show") == 2
    assert "has no clusters of habits: run `rfm-spark clusters` first" in problems(capfd)[0]


def test_clusters_by_segment_and_cohort_add_up_to_the_clusters(cli, finished_shop, capfd):
    rows = rows_of_day(finished_shop, "cluster_segments")
    clusters = rows_of_day(finished_shop, "clusters")
    assert not list(crossing_problems(rows, clusters))
    customers, revenue = crossing_problems(rows[1:], clusters)
    assert customers.startswith(f"cluster {rows[0]['cluster']} by {rows[0]['breakdown']}: ")
    assert (customers.endswith(" customers"), revenue.endswith(" revenue_cents")) == (True, True)
    assert call(cli, finished_shop, "show") == 0
    assert "Clusters by segment" in on_screen(capfd)


@pytest.mark.parametrize(("customers", "shown"), [(3, ["most 66.7%, not scored 33.3%"]), (4, [])])
def test_segments_of_clusters_that_were_made_again_since_are_not_shown(customers, shown):
    sums = [("segment", "most", 2), ("segment", None, 1), ("cohort", "2025-01", 3)]
    tables = {
        "clusters": [{"cluster": 1, "customers": customers, "revenue_cents": 3}],
        "cluster_segments": [
            {"cluster": 1, "breakdown": breakdown, "value": value, "customers": count,
             "revenue_cents": count, "cluster_share": count / 3}
            for breakdown, value, count in sums
        ],
    }  # fmt: skip
    run = SimpleNamespace(warehouse=SimpleNamespace(rows=lambda table, _: tables[table.name]))
    panels = list(segments_of_clusters(run, "habits", DAY))
    assert [row[1] for panel in panels for row in panel.rows] == shown


def test_several_models_stand_side_by_side(cli, shop, capfd):
    text = shop.config.read_text()
    named = (
        text.replace("[clusters]", "[clusters.money]") + "\n[clusters.often]\nk = 3\nstarts = 1\n"
    )
    shop.config.write_text(named + 'window_days = 90\nfeatures = ["frequency", "tenure_days"]\n')
    assert call(cli, shop, "--as-of", DAY) == 0
    shown = on_screen(capfd)
    assert "Clusters of money, the largest first" in shown
    assert "Clusters of often, the largest first" in shown
    found = {
        name: rows_of_day(shop, "cluster_models", model=name)[0] for name in ("money", "often")
    }
    assert {name: (row["window"], row["k"]) for name, row in found.items()} == {
        "money": ("60", 2),
        "often": ("90", 3),
    }
    assert rows_of_day(shop, "cluster_models")  # what the one model of before made stays
    assert call(cli, shop, "score", "--as-of", DAY) == 2
    assert "name one of money, often with --model" in problems(capfd)[0]


PLAIN = """
[business]
time_zone = "UTC"

[receipts]
path = "*.csv"
format = "csv"
grain = "receipt"
columns = { receipt_id = "r", customer_id = "c", time = "t", amount = "a" }
"""


def test_one_model_or_several_can_be_configured_and_not_both(load, refused):
    assert list(models_of(load(PLAIN).clusters)) == ["habits"]
    assert models_of(load(PLAIN, "clusters.k=4").clusters)["habits"].k == 4
    two = PLAIN + "[clusters.a]\nk = 3\n[clusters.b]\nk = 5\n"
    assert {name: one.k for name, one in models_of(load(two).clusters).items()} == {"a": 3, "b": 5}
    assert models_of(load(two, "clusters.b.k=7").clusters)["b"].k == 7
    [mixed] = refused(two, "clusters.k=4")
    assert mixed.startswith("clusters: k beside [clusters.<name>]: where there are several")
    for text in (PLAIN + "[clusters.transforms]\n", PLAIN + "[clusters.a.transforms]\n"):
        [rules] = models_of(load(text + 'frequency = "none"\n').clusters).values()
        assert rules.transforms == {"frequency": "none"}
    [mixed] = refused(two, "clusters.transforms={frequency='none'}")
    assert mixed.startswith("clusters: transforms beside [clusters.<name>]")
    [unknown] = refused(two, "clusters.a.kk=4")
    assert unknown == "clusters.a.kk: unknown key; did you mean 'k'?"
    [lacking] = refused(two.replace("k = 5", 'features = ["touch_points"]'))
    assert "clusters.b.features: touch_points needs" in lacking


DRIFTING = Clusters(refit="drift")


SCALE = {"transform": "none", "low": 0.0, "high": 1.0, "mean": 0.0, "sd": 1.0}
SHOP = ShopSettings.model_validate(tomllib.loads(PLAIN))


def history_of(days, as_of, rules=DRIFTING, feature="recency_days", **others):
    """The history of a model as of a day: stored days, each with the day its model is of.

    `others` are columns of all days, a value for each.
    """
    rows = [
        dict.fromkeys(TRAINED)
        | {
            "as_of": date.fromisoformat(day),
            "version": date.fromisoformat(version),
            "rules_digest": rules.trained_by,
            "is_whole": True,
            "last_number": 2,
            "window": rules.look_back.label,
            "features": [{**SCALE, "feature": feature}],
            "shares": [0.5, 0.5],
            "centres": [{"cluster": number, "position": [0.0]} for number in (1, 2)],
        }
        for day, version in days
    ]
    for name, values in others.items():
        rows = [row | {name: value} for row, value in zip(rows, values, strict=True)]

    def found(_, where, columns=None):
        return [row for row in rows if row["as_of"] == where.get("as_of", row["as_of"])]

    warehouse = SimpleNamespace(is_there=lambda _: False, rows=found)
    run = SimpleNamespace(warehouse=warehouse, settings=SHOP)
    return ModelHistory(run, "habits", date.fromisoformat(as_of))


def test_a_model_goes_when_what_it_looks_at_no_longer_comes_in():
    days = [("2026-01-09", "2026-01-09")]
    assert history_of(days, "2026-02-03").kept(DRIFTING) is not None
    assert history_of(days, "2026-02-03", feature="touch_points").kept(DRIFTING) is None


def test_a_model_that_has_drifted_goes_on_the_first_day_described_of_a_month():
    january = [("2026-01-09", "2026-01-09"), ("2026-01-31", "2026-01-09")]
    first = history_of(january, "2026-02-03")
    kept = first.kept(DRIFTING)
    assert kept.version.day == date(2026, 1, 9)
    assert first.has_drifted(DRIFTING, kept, 0.21)
    assert not first.has_drifted(DRIFTING, kept, 0.2)
    assert not first.has_drifted(Clusters(refit="hold"), kept, 9.0)
    assert not history_of(january, "2026-01-31").has_drifted(DRIFTING, kept, 0.3)
    second = history_of([*january, ("2026-02-01", "2026-01-09")], "2026-02-03")
    assert not second.has_drifted(DRIFTING, kept, 0.3)


THREE_DAYS = [(day, day) for day in ("2026-01-09", "2026-02-03", "2026-03-02")]


def test_a_number_is_never_given_again_on_whatever_day_it_was_given():
    numbers = {"last_number": [2, 7, 4]}
    for day in ("2026-01-31", "2026-02-03", "2026-02-28", "2026-04-01"):
        assert history_of(THREE_DAYS, day, **numbers).last_number == 7
    # A first model that is made again is a first model.
    assert history_of(THREE_DAYS[:1], "2026-01-09").last_number == 0


@pytest.mark.parametrize(
    ("as_of", "asked"),
    [
        ("2026-04-01", ["2026-03-02"]),
        ("2026-03-02", ["2026-02-03", "2026-03-02"]),
        ("2026-02-03", ["2026-01-09", "2026-02-03", "2026-03-02"]),
        ("2026-02-10", ["2026-02-03", "2026-03-02"]),
        ("2026-01-01", ["2026-01-09"]),
    ],
)
def test_numbers_are_those_of_the_day_before_the_same_day_and_the_day_after(as_of, asked):
    history = history_of(THREE_DAYS, as_of)
    known = history.known(DRIFTING, history.before(DRIFTING))
    assert [str(one.as_of) for one in known] == asked


def test_a_day_that_is_not_whole_is_no_day_before():
    history = history_of(THREE_DAYS[:2], "2026-03-02", is_whole=[None, False])
    assert history.before(DRIFTING).as_of == date(2026, 1, 9)
    assert history.kept(DRIFTING).as_of == date(2026, 2, 3)  # its model is there all the same


def test_a_model_is_of_its_day_and_another_edition_where_days_use_the_first():
    first, again = [("2026-01-09", "2026-01-09")], "2026-01-09"
    kept = [*first, ("2026-01-31", "2026-01-09"), ("2026-02-01", "2026-01-09")]
    stored = history_of(first, again).kept(DRIFTING)
    new = replace(stored, columns={**stored.columns, "shares": [0.9, 0.1]})
    assert str(history_of(first, again).placed(new).version) == again
    assert str(history_of(kept, again).placed(new).version) == f"{again}.2"
    third = history_of(kept, again, edition=[2, None, 2]).placed(new)
    assert str(third.version) == f"{again}.3"
    # The same model is the same edition.
    assert str(history_of(kept, again, edition=[2, None, 2]).placed(stored).version) == again


def test_a_day_that_is_made_again_finds_what_was_decided_on_it():
    days = [("2026-01-09", "2026-01-09"), ("2026-02-03", "2026-02-03")]
    again = history_of(days, "2026-02-03")
    kept = again.kept(DRIFTING)
    assert kept.version.day == date(2026, 2, 3)
    assert not again.has_drifted(DRIFTING, kept, 9.0)
    assert history_of(days, "2026-01-31").kept(DRIFTING).version.day == date(2026, 1, 9)
    assert again.kept(Clusters()) is None  # always trained
    assert again.kept(Clusters(refit="hold", k=9)) is None  # other rules
    assert again.kept(Clusters(refit="hold", ideal_revenue_share=0.9)) is not None


def test_drift_is_the_stability_index_of_the_shares_of_clusters():
    kept = history_of([("2026-01-09", "2026-01-09")], "2026-02-03").kept(DRIFTING)
    assert kept.drift({1: 60, 2: 40}) == pytest.approx(0.040547, abs=1e-6)
    assert kept.drift({1: 5, 2: 5}) == 0.0
    assert kept.drift({2: 10}) > 1
