"""Further features: attributes, interactions of a kind and shares of categories, in all layers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import functions as F
from support import assert_rows, rows_of
from support.clusters import further_customers, sample
from support.screen import on_screen, problems
from support.shop import CUSTOMERS as CUSTOMERS_SECTION
from support.shop import INTERACTIONS, RECEIPTS, Shop, click, line, stored

from rfm_spark.app.run_record import rules_digest
from rfm_spark.core.errors import UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAY_CATEGORIES, CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.facts.transforms import customer_year_events, customer_years
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.clusters.data_check import feature_notes
from rfm_spark.results.clusters.features.names import feature
from rfm_spark.results.clusters.features.one_hot import MOST_VALUES, with_values
from rfm_spark.results.clusters.features.values import customer_features, feature_asks
from rfm_spark.results.clusters.personas import persona
from rfm_spark.results.clusters.standard_units import fitted_scales
from rfm_spark.results.registry import BY_COMMAND, RESULTS, tables_read
from rfm_spark.results.rfm.customer_numbers import numbers_by_customer
from rfm_spark.results.rfm.tables import RFM

AS_OF, MONTH = date(2026, 1, 31), LookBack(30)
NAMED = [
    "attribute:age", "one_hot:home_town", "touch_points:click", "category_share:tea, green",
]  # fmt: skip


def bought(customer, day="2026-01-10", **sums):
    return {"customer_id": customer, "day": day, "receipts": 1, "visits": 1} | sums


def told(customer, valid_from=None, **attributes):
    row = {"customer_id": customer, "delivery": "d", "valid_from": valid_from}
    return row | {"attributes": attributes}


def spent(customer, category, cents, day="2026-01-10"):
    return {"customer_id": customer, "day": day, "category": category, "net_cents": cents}


def clicked(customer, events, kind="click", day="2026-01-05"):
    return {"customer_id": customer, "day": day, "kind": kind, "events": events}


def test_further_features_are_what_is_known_of_a_customer_by_name(spark):
    days = rows_of(spark, CUSTOMER_DAYS, [bought("anna"), bought("ben"), bought("cleo")])
    events = [clicked("anna", 3), clicked("anna", 4, "card"), clicked("anna", 9, day="2025-06-01"),
              clicked("cleo", 5, "card"), clicked("cleo", 2, day="2026-02-01")]  # fmt: skip
    people = [
        told("anna", "2025-01-01", age="20", home_town="Ulm"),
        told("anna", "2026-01-20", age="41.5", home_town="St. Gall"),
        told("anna", "2026-02-20", age="90", home_town="Aix"),  # not yet
        told("ben", age="old", home_town="Ulm"),
        told("cleo", age="1e13"),
        told("nobody", age="7", home_town="Bonn"),
    ]
    categories = [
        spent("anna", "tea, green", 300), spent("anna", "cups", 100),
        spent("anna", "cups", 900, "2025-06-01"),
        spent("ben", "tea, green", 300), spent("ben", "cups", -300),
        spent("cleo", "cups", 100),
    ]  # fmt: skip
    event_days = rows_of(spark, CUSTOMER_DAY_EVENTS, events)
    facts = CustomerFacts(
        days,
        customer_years(days),
        event_days,
        customer_year_events(event_days),
        rows_of(spark, CUSTOMERS, people),
    )
    sums = customer_sums(facts, AS_OF, feature_asks(MONTH, True, NAMED))
    table = rows_of(spark, CUSTOMER_DAY_CATEGORIES, categories)
    found = customer_features(sums, days, table, True, AS_OF, MONTH, NAMED)
    known = {
        "anna": {"attribute:age": 41.5, "one_hot:home_town=St. Gall": 1.0,
                 "touch_points:click": 3.0, "category_share:tea, green": 0.75},
        "ben": {"one_hot:home_town=Ulm": 1.0},  # no number, no click, and nothing spent in all
        "cleo": {"one_hot:home_town=": 1.0},  # all but numbers up to a trillion are unknown
    }  # fmt: skip
    assert_rows(found, [{"customer_id": one, "further": known[one]} for one in known])


def scored(customer, profile, **values):
    return {"customer_id": customer, "profile": profile, "as_of": AS_OF} | values


def test_numbers_of_profiles_are_those_of_the_day_by_name(spark):
    rows = rows_of(spark, RFM, [
        scored("anna", "purchase", recency_days=3, frequency=2, value=400.0, m_score=5),
        scored("anna", "engagement", recency_days=1, frequency=7, value=2.5),
        scored("ben", "engagement", recency_days=None, frequency=0, value=0.0),
        scored("cleo", "purchase", monetary_cents=120),  # as release 0.1.0 wrote it
    ])  # fmt: skip
    names = ["purchase.m_score", "purchase.value", "engagement.recency_days",
             "engagement.frequency"]  # fmt: skip
    found = numbers_by_customer(rows, names)
    known = {
        "anna": {"purchase.m_score": 5.0, "purchase.value": 400.0, "engagement.recency_days": 1.0,
                 "engagement.frequency": 7.0},
        "ben": {"engagement.frequency": 0.0},
        "cleo": {"purchase.value": 120.0},
    }  # fmt: skip
    assert_rows(found, [{"customer_id": one, "numbers": known[one]} for one in known])
    days = rows_of(spark, CUSTOMER_DAYS, [bought("anna"), bought("ben"), bought("dora")])
    facts = CustomerFacts(days, customer_years(days))
    sums = customer_sums(facts, AS_OF, feature_asks(MONTH, False)).join(
        found, "customer_id", "left"
    )
    features = customer_features(
        sums, days, None, False, AS_OF, MONTH,
        ["profile:engagement.recency_days", "profile:purchase.value"],
    )  # fmt: skip
    further = {
        "anna": {"profile:engagement.recency_days": 1.0, "profile:purchase.value": 400.0},
        "ben": {},
        "dora": {},
    }
    assert_rows(features, [{"customer_id": one, "further": further[one]} for one in further])


def test_without_further_features_there_is_no_map(spark):
    days = rows_of(spark, CUSTOMER_DAYS, [bought("anna")])
    sums = customer_sums(
        CustomerFacts(days, customer_years(days)), AS_OF, feature_asks(MONTH, False)
    )
    found = customer_features(sums, days, None, False, AS_OF, MONTH)
    assert_rows(found, [{"customer_id": "anna", "further": None}])


def test_who_has_no_number_counts_as_the_median_and_who_has_no_value_as_none(spark):
    ages = [10, 20, 30, 90, None, None]
    features = further_customers(
        spark,
        **{"attribute:age": ages, "touch_points:click": [0, 1, None, 3, 4, None]},
    )
    age, clicks = fitted_scales(sample(features), ["attribute:age", "touch_points:click"], 0.0)
    assert (age.missing, clicks.missing) == (25.0, 0.0)
    values = np.array([10, 20, 30, 90, 25, 25])
    assert (age.mean, age.sd) == pytest.approx((values.mean(), values.std()))
    shown = features.orderBy("customer_id").select(
        age.standardised().alias("z"), clicks.value().alias("clicks")
    )
    rows = shown.collect()
    assert [row["z"] for row in rows] == pytest.approx((values - age.mean) / age.sd)
    assert [row["clicks"] for row in rows] == [0, 1, 0, 3, 4, 0]


def test_an_attribute_becomes_a_feature_of_each_value_and_of_who_is_unknown(spark):
    features = further_customers(
        spark, **{"one_hot:town=Ulm": [1, None, None], "one_hot:town=St. Gall": [None, 1, None],
                  "one_hot:town=": [None, None, 1], "one_hot:town_hall=yes": [1, 1, 1]}
    )  # fmt: skip
    names = ["one_hot:town", "frequency"]
    expected = ["one_hot:town=", "one_hot:town=St. Gall", "one_hot:town=Ulm", "frequency"]
    assert with_values(features, names) == expected


def test_an_attribute_of_too_many_values_is_refused(spark):
    rows = spark.range(10_000).select(
        F.create_map(F.concat(F.lit("one_hot:zip="), "id"), F.lit(1.0)).alias("further")
    )
    with pytest.raises(UserError) as caught:
        with_values(rows, ["frequency", "one_hot:zip"])
    [problem] = caught.value.problems
    assert "one_hot:zip: the attribute has more than 20 values" in problem
    few = rows.limit(MOST_VALUES)
    assert len(with_values(few, ["one_hot:zip"])) == MOST_VALUES


def test_what_is_worth_a_look_at_further_features_is_told(spark):
    random = np.random.default_rng(7)
    half = random.integers(0, 2, 200)
    ages = random.integers(20, 80, 200).tolist()
    features = further_customers(
        spark,
        **{
            "attribute:age": ages,
            "attribute:months": [12 * one for one in ages],
            "attribute:income": [None] * 200,
            "attribute:kids": [n % 5 if n < 60 else None for n in range(200)],
            "one_hot:home=Owner": [one or None for one in half.tolist()],
            "one_hot:home=Renter": [(1 - one) or None for one in half.tolist()],
            "one_hot:home=Other": [1, *[None] * 199],
        },
    )
    names = ["attribute:age", "attribute:months", "attribute:income", "attribute:kids",
             "one_hot:home=Other", "one_hot:home=Owner", "one_hot:home=Renter"]  # fmt: skip
    scales = fitted_scales(sample(features), names, 0.01)
    assert [scale.feature for scale in scales] == [names[place] for place in (0, 1, 3, 5, 6)]
    nobody, few, guessed, equal = feature_notes(sample(features), names, scales)
    assert nobody == "attribute:income is a number of nobody: it is left out"
    assert few.startswith("one_hot:home: 1 of 3 values are left out")
    assert guessed.startswith("attribute:kids is unknown of 70% of the customers")
    # Owners are those who do not rent, which is no news.
    assert equal.startswith("attribute:age and attribute:months tell the same (correlation 1")


def test_personas_have_words_for_further_features():
    centre = {"one_hot:home_town=St. Gall": 2.0, "attribute:kids": -1.5, "one_hot:age=": -0.6}
    assert persona(centre) == "Home town St. Gall, low kids, known age"
    centre = {"touch_points:click": 3.0, "category_share:TEA": 2.0, "one_hot:age=": 1.0}
    assert persona(centre) == "Many touch points click, much of TEA, unknown age"
    centre = {"profile:engagement.recency_days": -2.0, "profile:purchase.f_score": 1.0}
    assert persona(centre) == "Recent in engagement, high frequency score in purchase"
    assert not feature("profile:purchase.value").is_actionable
    assert feature("profile:purchase.frequency").transform == "log1p"
    assert not feature("attribute:kids").is_actionable
    assert feature("touch_points:click").is_actionable


CONFIGURATION = RECEIPTS + INTERACTIONS + CUSTOMERS_SECTION + 'children = "children"\n'
FEATURES = """features = ["frequency", "attribute:children", "one_hot:city", "touch_points:click",
            "category_share:milk", "profile:engagement.frequency"]"""


def test_a_feature_needs_what_it_is_made_of(refused):
    plain = 'features = ["recency_days", "frequency", "monetary_cents"]'
    assert plain in RECEIPTS
    without = RECEIPTS.replace(plain, FEATURES).replace('category = "category"\n', "")
    found = [one.removeprefix("the file: ") for one in refused(without)]
    assert found == [
        "clusters.features: attribute:children needs customers.columns.attributes.children",
        "clusters.features: one_hot:city needs customers.columns.attributes.city",
        "clusters.features: touch_points:click needs a section [interactions.<name>]",
        "clusters.features: category_share:milk needs receipts.columns.category",
        # Where there are interactions, there is such a profile.
        "clusters.features: profile:engagement.frequency: there is no engagement.frequency among "
        "the numbers of rfm; did you mean 'purchase.frequency'?",
    ]
    [unknown] = refused(RECEIPTS.replace(plain, 'features = ["profile:purchase.revenue"]'))
    assert "profile:NAME.NUMBER, a number of recency_days, frequency, value, r_score" in unknown
    [unknown] = refused(RECEIPTS.replace(plain, 'features = ["recencydays"]'))
    assert "'recencydays' is no feature; did you mean 'recency_days'?" in unknown
    habits = 'transforms = { recency_days = "none", tenure_days = "log1p" }'
    [other] = refused(RECEIPTS.replace(plain, f"{plain}\n{habits}"))
    assert other.endswith("clusters.transforms: tenure_days is none of the features of the model")
    cities = FEATURES + '\ntransforms = { "one_hot:city" = "log1p" }'
    [no_number] = refused(CONFIGURATION.replace(plain, cities))
    assert "one_hot:city has indicators, which no transform changes" in no_number
    [no_transform] = refused(RECEIPTS, "clusters.transforms={ frequency = 'sqrt' }")
    assert "'none', 'log1p' or 'rank'" in no_transform
    [twice] = refused(RECEIPTS.replace(plain, 'features = ["frequency", "frequency"]'))
    assert "frequency is named twice" in twice


def test_clusters_depend_on_scores_where_features_are_numbers_of_these(load):
    clusters, rfm = BY_COMMAND["clusters"], BY_COMMAND["rfm"]
    plain = load(CONFIGURATION)
    plainly = 'features = ["recency_days", "frequency", "monetary_cents"]'
    used = load(CONFIGURATION.replace(plainly, FEATURES))
    assert tables_read(clusters, used) - tables_read(clusters, plain) == {
        table.name for table in rfm.tables
    }
    short = "rfm.engagement={events='all', window_days=30}"
    digests = {
        name: {
            rules_digest(load(text, *overrides), clusters)
            for overrides in ([], ["rfm.purchase.window_days=90", short])
        }
        for name, text in (("plain", CONFIGURATION),
                           ("used", CONFIGURATION.replace(plainly, FEATURES)))
    }  # fmt: skip
    assert {name: len(found) for name, found in digests.items()} == {"plain": 1, "used": 2}
    for result in RESULTS:
        made_before = RESULTS[: RESULTS.index(result)]
        assert {use.result for use in result.used(used)} <= {one.name for one in made_before}


DAY = date(2025, 3, 20)
ODD = "St. John's = a`b\\c __THIS__"
CITIES = ["Ulm", ODD, ODD, "Ulm", "", ODD, "", "Ulm", "", "Ulm"]


@pytest.fixture(scope="module")
def shop(cli, tmp_path_factory):
    """Ten customers in cities with awkward names, clustered by what is known of them."""
    shop = Shop(tmp_path_factory.mktemp("further"))
    plain = 'features = ["recency_days", "frequency", "monetary_cents"]'
    transforms = (
        'transforms = { "touch_points:click" = "none", "attribute:children" = "log1p", '
        'frequency = "rank", "category_share:milk" = "rank" }'
    )
    shop.configure(CONFIGURATION, {plain: f"{FEATURES}\n{transforms}"})
    shop.csv("receipts1.csv", [
        line(f"r{n}-{visit}", f"c{n}", f"2025-03-{3 + visit + n} 10:00:00", "5.00",
             category="milk" if visit % 2 else "bread")
        for n in range(10)
        for visit in range(1 + n % 4)
    ] + [line("last", "c1", f"{DAY} 10:00:00", "9.00")])  # fmt: skip
    shop.csv("clicks1.csv", [click(str(n), f"c{n}", "2025-03-02") for n in range(4)])
    shop.csv("customers1.csv", [
        {"customer": f"c{n}", "since": "", "city": city, "children": str(n % 3) if n < 7 else "?"}
        for n, city in enumerate(CITIES)
    ])  # fmt: skip
    assert cli("ingest", *shop.arguments()) == 0
    assert cli("rfm", *shop.arguments(), "--as-of", DAY) == 0
    assert clusters(cli, shop, "--as-of", DAY) == 0
    return shop


def clusters(cli, shop, *arguments):
    places = ["--config", shop.config, "--warehouse", shop.warehouse]
    first = [one for one in arguments[:1] if one in ("show", "score", "export")]
    return cli("clusters", *first, *places, *arguments[len(first) :])


def test_a_model_of_further_features_is_stored_described_and_told(cli, shop, capfd):
    [model] = stored(shop.warehouse, "cluster_models")
    names = [one["feature"] for one in model["features"]]
    transforms = {one["feature"]: one["transform"] for one in model["features"]}
    assert (transforms["touch_points:click"], transforms["frequency"]) == ("none", "rank")
    assert transforms["attribute:children"] == transforms["profile:engagement.frequency"] == "log1p"
    missing = dict(zip(names, model["missing_values"], strict=True))
    assert missing["frequency"] is None
    assert missing[f"one_hot:city={ODD}"] == 0.0
    ranked = dict(zip(names, model["ranked_values"], strict=True))
    assert [name for name in names if ranked[name]] == ["frequency", "category_share:milk"]
    assert set(ranked["frequency"]) == {1, 2, 3, 4}
    assert ranked["frequency"] == sorted(ranked["frequency"])
    assert missing["attribute:children"] == np.median([n % 3 for n in range(7)])
    assert {"one_hot:city=", "one_hot:city=Ulm", "category_share:milk"} <= set(names)
    events = {
        row["customer_id"]: dict(row["further"])["profile:engagement.frequency"]
        for row in stored(shop.warehouse, "customer_features")
    }
    clicks = [n < 4 for n in range(10)]
    assert events == {f"c{n}": 1 + n % 4 + clicks[n] + (n == 1) for n in range(10)}
    for table in ("clusters", "micro_groups"):
        for row in stored(shop.warehouse, table):
            assert {name for name, _ in row["means"]} == set(names)
    sizes = {row["cluster"]: row["customers"] for row in stored(shop.warehouse, "clusters")}
    assert sum(sizes.values()) == len(stored(shop.warehouse, "cluster_assignments")) == 10
    assert clusters(cli, shop, "show") == 0
    assert "Clusters" in on_screen(capfd)


def test_an_exported_model_finds_the_same_clusters_by_further_features(cli, spark, shop, tmp_path):
    assert clusters(cli, shop, "export", "--out", tmp_path / "model") == 0
    features = spark.read.format("delta").load(str(shop.warehouse / "customer_features"))
    pipeline = PipelineModel.load(str(tmp_path / "model" / "pipeline"))
    found = pipeline.transform(features).collect()
    assigned = {
        row["customer_id"]: row["cluster"] for row in stored(shop.warehouse, "cluster_assignments")
    }
    assert {row["customer_id"]: row["cluster"] for row in found} == assigned


def test_a_stored_model_needs_its_further_features_to_be_named(cli, shop, capfd):
    fewer = (
        *("--set", 'clusters.features=["frequency", "one_hot:city"]'),
        *("--set", "clusters.transforms={}"),
    )
    assert clusters(cli, shop, "score", "--as-of", DAY, "--version", DAY, *fewer) == 2
    [problem] = problems(capfd)
    assert "it looks at attribute:children, which `features` does not name" in problem
    assert clusters(cli, shop, "--as-of", "2025-03-19") == 2
    [problem] = problems(capfd)
    assert "has no rows of the profile engagement as of 2025-03-19: run `rfm-spark rfm`" in problem
