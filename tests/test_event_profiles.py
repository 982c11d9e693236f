"""Profiles over events: weighted interactions and visits, points, and who is known."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from deltalake import DeltaTable
from reference.events import COLUMNS, event_rfm
from support import assert_rows, rows_of
from support.shop import EVERYTHING, Shop, click, person, some_lines, stored

from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import UserError
from rfm_spark.core.look_back import LookBack
from rfm_spark.facts.asks import united
from rfm_spark.facts.customer_sums import CustomerFacts, customer_sums
from rfm_spark.facts.tables import CUSTOMER_DAY_EVENTS, CUSTOMER_DAYS
from rfm_spark.facts.transforms import customer_year_events, customer_years
from rfm_spark.ingest.tables.customers import CUSTOMERS
from rfm_spark.results.rfm.values import Basis, WeightedKinds, rfm_values

AS_OF = date(2026, 1, 31)
OPENS = Basis(
    LookBack(30), visit_weight=0, interactions=(WeightedKinds(1, ("open",)),), is_money=False
)
ALL = Basis(LookBack(30), 1, (WeightedKinds(1, None),), is_money=False, has_all_known=True)


def bought(customer, on, visits=1, net_cents=10_00):
    return {"customer_id": customer, "day": on, "receipts": 1, "visits": visits,
            "net_cents": net_cents}  # fmt: skip


def did(customer, on, kind="click", events=1, points=1):
    return {
        "customer_id": customer,
        "day": on,
        "kind": kind,
        "events": events,
        "points": Decimal(points),
    }


def values_of(spark, basis, days=(), events=(), known=()):
    tables = (rows_of(spark, CUSTOMER_DAYS, days), rows_of(spark, CUSTOMER_DAY_EVENTS, events))
    facts = CustomerFacts(
        tables[0], customer_years(tables[0]), tables[1], customer_year_events(tables[1]),
        rows_of(spark, CUSTOMERS, known),
    )  # fmt: skip
    sums = customer_sums(facts, AS_OF, united(basis.asks()))
    return rfm_values(sums, AS_OF, basis)


def test_an_event_counts_its_weight_and_its_value_as_often(spark):
    basis = Basis(
        LookBack(30),
        visit_weight=5,
        interactions=(WeightedKinds(1, ("open", "click")), WeightedKinds(3, ("share",))),
        is_money=False,
    )
    events = [
        did("anna", "2026-01-10", "open", events=2, points=2),
        did("anna", "2026-01-12", "share", points=7),
        did("anna", "2026-01-30", "mailed", events=9, points=9),
        did("anna", "2026-01-01", "open", events=50, points=50),  # as_of - 30
    ]
    assert_rows(
        values_of(spark, basis, [bought("anna", "2026-01-11", visits=2)], events),
        [
            {
                "customer_id": "anna",
                "recency_days": 19,
                "frequency": 2 + 3 + 5 * 2,
                "value_units": (2 + 3 * 7 + 5 * 2) * 1_000_000,
                "monetary_cents": 10_00,
                "first_visit": "2026-01-01",
                "last_visit": "2026-01-12",
            }
        ],
    )


def test_visits_do_not_hide_that_somebody_stopped_opening(spark):
    days = [bought("anna", "2026-01-30"), bought("ben", "2026-01-30")]
    events = [did("anna", "2026-01-05", "open"), did("ben", "2025-12-24", "open")]
    found = values_of(spark, OPENS, days, events)
    assert_rows(found, [{"customer_id": "anna", "recency_days": 26, "frequency": 1}])


def test_everybody_known_by_then_is_scored_and_nobody_who_came_later(spark):
    days = [bought("anna", "2026-01-30"), bought("old", "2020-01-01"), bought(None, "2026-01-30")]
    events = [did("clicker", "2026-01-31"), did("tomorrow", "2026-02-01")]
    known = [
        {"customer_id": "resident"},
        {"customer_id": "since_today", "valid_from": "2026-01-31"},
        {"customer_id": "since_tomorrow", "valid_from": "2026-02-01"},
    ]
    found = values_of(spark, ALL, days, events, known)
    nothing = {"recency_days": None, "frequency": 0, "value_units": 0, "monetary_cents": 0}
    assert_rows(
        found.select("customer_id", *nothing),
        [
            {"customer_id": "anna", "recency_days": 1, "frequency": 1, "monetary_cents": 10_00},
            {"customer_id": "clicker", "recency_days": 0, "frequency": 1, "monetary_cents": 0},
            *[{"customer_id": one} | nothing for one in ("old", "resident", "since_today")],
        ],
    )


def test_returns_lower_money_and_are_no_event(spark):
    days = [bought("anna", "2026-01-30", visits=0, net_cents=-5_00), bought("anna", "2026-01-02")]
    assert_rows(
        values_of(spark, ALL, days),
        [{"recency_days": 29, "frequency": 1, "value_units": 1_000_000, "monetary_cents": 5_00}],
    )


WEIGHTS = {"receipts": 3, "click": 1, "share": 2}
PROFILES = {
    "engagement": ({"receipts": 1, "click": 1, "share": 1}, 90, True),
    "weighted": (WEIGHTS, 400, False),
    "ever": ({"click": 1, "share": 1}, None, True),
}
SECTIONS = """
[rfm.engagement]
events = "all"
window_days = 90
[rfm.weighted]
events = { receipts = 3, click = 1, share = 2 }
window_days = 400
population = "active"
[rfm.ever]
events = { click = 1, share = 1 }
window_days = "all"
"""


CITIES = {"c0": "Ulm", "c1": "Bonn", "c2": "O'Fallon", "c3": "12"}


@pytest.fixture(scope="module")
def clicking_shop(cli, tmp_path_factory):
    """A shop whose customers click, taken in."""
    shop = Shop(tmp_path_factory.mktemp("clicking"))
    shop.configure(EVERYTHING + SECTIONS)
    shop.csv("receipts1.csv", some_lines())
    clicks = [
        click(f"k{n}", f"c{n % 8}", f"2025-0{1 + n % 4}-1{n % 9}", ("click", "share")[n % 3 == 0],
              seconds=("", "0.25", "7")[n % 3])
        for n in range(40)
    ]  # fmt: skip
    shop.csv("clicks1.csv", clicks)
    known = [person(customer, city) for customer, city in CITIES.items()]
    shop.csv("customers1.csv", [*known, person("silent", "Bonn", "2025-02-01")])
    assert cli("ingest", *of(shop), "--input", shop.raw) == 0
    return shop


def of(shop):
    return ["--config", shop.config, "--warehouse", shop.warehouse]


def of_warehouse(warehouse):
    con = duckdb.connect()
    for table in ("receipts", "interactions", "customers"):
        con.register(table, DeltaTable(str(warehouse / table)).to_pyarrow_table())
    return con


def scored(warehouse, profile, as_of):
    rows = stored(warehouse, "rfm")
    rows = [row for row in rows if (row["profile"], row["as_of"]) == (profile, as_of)]
    return sorted(rows, key=_customer)


def assert_no_better_value_scores_lower(rows):
    """Equal values have equal scores, too."""
    for value, score, better in (
        ("recency_days", "r_score", -1),
        ("frequency", "f_score", 1),
        ("value", "m_score", 1),
    ):
        where = [COLUMNS.index(value), COLUMNS.index(score)]
        pairs = {tuple(row[place] for place in where) for row in rows if row[where[0]] is not None}
        ordered = sorted((one * better, scored) for one, scored in pairs)
        assert len({one for one, _ in ordered}) == len(ordered), value
        assert [scored for _, scored in ordered] == sorted(scored for _, scored in ordered), value


def _customer(row):
    return row["customer_id"]


def test_scores_are_those_of_an_independent_computation(cli, clicking_shop):
    days = (date(2025, 4, 18), date(2025, 2, 10), date(2024, 12, 30))
    run = of(clicking_shop)
    con = of_warehouse(clicking_shop.warehouse)
    for day in days:
        assert cli("rfm", *run, "--as-of", day) == 0
        for profile, (weights, window, all_known) in PROFILES.items():
            frame = event_rfm(con, day, window, weights, all_known=all_known)
            expected = frame.astype(object).where(frame.notna(), None)
            rows = scored(clicking_shop.warehouse, profile, day)
            found = [tuple(row[name] for name in COLUMNS) for row in rows]
            assert found == list(expected.itertuples(index=False, name=None)), (day, profile)
            assert_no_better_value_scores_lower(found)
    terms = {}
    for row in stored(clicking_shop.warehouse, "reconciliation"):
        terms.setdefault((row["profile"], row["as_of"]), {})[row["term"]] = row["events"]
    for (profile, _), events in terms.items():
        raw = events.pop("raw")
        assert raw == sum(events.values()) == 40, profile
    first = terms["engagement", days[0]]
    assert (first["scored"], first["unscored"], first["other_kinds"]) == (30, 0, 0)
    assert first["outside_window"] == 10
    assert terms["engagement", days[2]]["outside_window"] == 40


FILTERS = {
    "frequency < 3": lambda one: one["frequency"] < 3,
    "value >= 4.5 or monetary_cents > 3000": lambda one: (
        one["value"] >= 4.5 or one["monetary_cents"] > 3000
    ),
    "city != 'Ulm'": lambda one: one["city"] not in (None, "Ulm"),
    "not (city in ['Ulm', 'Bonn'])": lambda one: one["city"] not in (None, "Ulm", "Bonn"),
    "number(city) >= 9": lambda one: one["city"] == "12",
    "attributes['city'] in ('Ulm', '12')": lambda one: one["city"] in ("Ulm", "12"),
    "recency_days <= 60 and city not in ['Bonn']": lambda one: (
        one["recency_days"] is not None
        and one["recency_days"] <= 60
        and one["city"] not in (None, "Bonn")
    ),
}


def test_a_filter_leaves_out_who_does_not_meet_it_or_cannot_be_told(cli, clicking_shop):
    day = date(2025, 4, 18)
    profiles = {f"filtered_{number}": text for number, text in enumerate(FILTERS)}
    filters = [f'rfm.{name}={{ events = "all", window_days = 90, filter = "{text}" }}'
               for name, text in profiles.items()]  # fmt: skip
    overrides = [word for one in filters for word in ("--set", one)]
    assert cli("rfm", *of(clicking_shop), "--as-of", day, *overrides) == 0
    everybody = scored(clicking_shop.warehouse, "engagement", day)
    cities = CITIES | {"silent": "Bonn"}
    for name, text in profiles.items():
        expected = [
            row
            for row in everybody
            if FILTERS[text](row | {"city": cities.get(row["customer_id"])})
        ]
        assert 0 < len(expected) < len(everybody), text
        found = {row["customer_id"] for row in scored(clicking_shop.warehouse, name, day)}
        assert found == {row["customer_id"] for row in expected}, text


def problems_of(tmp_path, text):
    file = tmp_path / "shop.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as raised:
        load_settings(file)
    return "\n".join(raised.value.problems)


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ("events = { click = 0 }", "rfm.x.events.click: input should be greater than or equal"),
        ("events = { click = -1 }", "rfm.x.events.click: input should be greater than or equal"),
        ("events = { click = 0.5 }", "rfm.x.events.click: input should be a valid integer"),
        ("events = {}", "rfm.x.events: value should have at least 1 item"),
        ("events = { click = 1 }\nvalue = 'money'", "rfm.x: value: money is of receipts"),
        ("events = 'some'", "rfm.x.events: input should be"),
        ("filter = 'frequency <'", "rfm.x.filter: cannot be read as a condition"),
        ("filter = 'frequenzy < 3'", "'frequenzy' is neither a value nor an attribute; did you"),
        ("filter = \"frequency < 'many'\"", "'frequency' is a number, and is compared with a text"),
        ("filter = 'city == 3'", "'city' is a text, and is compared with a number"),
        ("filter = 'city == true'", "rfm.x.filter: 'city == true': 'city' is to be compared"),
        ("filter = '1 < frequency'", "'1 < frequency' is no comparison of a name with a value"),
        ("filter = '1 < 2'", "is no comparison of a name with a value"),
        ("filter = \"city < 'M'\"", "'city' is a text, which is not more or less: write number"),
        ("filter = \"number(city) < 'M'\"", "'city' is a number, and is compared with a text"),
        ("filter = 'number(frequency) < 3'", "is no comparison of a name with a value"),
        ("filter = \"attributes['town'] == 'M'\"", "'town' is neither a value nor an attribute"),
        ("filter = 'frequency == {[]: 1}'", "'frequency' is to be compared with a value"),
        ("filter = 'frequency < 9223372036854775808'", "a number that has more than 64 bits"),
        ("filter = 'value < 1e999'", "a number that has more than 64 bits"),
        (f"filter = '{'not ' * 400}frequency < 1'", "is longer than 1,000 values or 300 names"),
        (f"filter = '{'(' * 400}1'", "cannot be read as a condition"),
        ("filter = 'frequency in 3'", "a list goes with `in`"),
        ("filter = \"__import__('os').system('true')\"", "is no comparison of a name with a value"),
        ("population = 'everybody'", "rfm.x.population: input should be 'active' or 'known'"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(tmp_path, profile, told):
    assert told in problems_of(tmp_path, f"{EVERYTHING}\n[rfm.x]\n{profile}\n")


def test_kinds_need_a_source_of_interactions(tmp_path):
    receipts_only = EVERYTHING.partition("[interactions.web]")[0]
    told = problems_of(tmp_path, f"{receipts_only}\n[rfm.x]\nevents = {{ click = 1 }}\n")
    assert "rfm.x.events: click: no [interactions] are configured" in told


def test_events_that_cannot_be_counted_are_refused_before_anything_is_written(
    cli, clicking_shop, tmp_path, capsys
):
    shutil.copytree(clicking_shop.folder, tmp_path, dirs_exist_ok=True)
    clicking_shop = Shop(tmp_path)
    shutil.rmtree(clicking_shop.warehouse / "rfm", ignore_errors=True)
    many = [click(f"m{n}", "c1", "2025-03-01", "stay", seconds="999999999999") for n in range(9)]
    clicking_shop.csv("clicks2.csv", [*many, click("m10", "c1", "2025-03-01", "receipts")])
    run = of(clicking_shop)
    assert cli("ingest", *run, "--input", clicking_shop.raw) == 0
    assert cli("rfm", *run, "--set", "rfm.weighted.events={ clik = 1 }") == 2
    told = " ".join(capsys.readouterr().err.split())
    wanted = "[rfm.weighted] events: there is no interaction of the kind 'clik'; did you mean"
    assert f"{wanted} 'click'?" in told
    clash = "[rfm.weighted] events: `receipts` are visits, and there are interactions of a"
    assert clash not in told
    assert cli("rfm", *run) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert clash in told
    assert cli("rfm", *run, "--set", "rfm.weighted.events={ click = 1 }") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "[rfm.engagement] 1 customers have more points in the window than can be" in told
    assert not (clicking_shop.warehouse / "rfm").exists()


def test_without_a_word_interactions_bring_a_second_profile(tmp_path):
    file = tmp_path / "shop.toml"
    file.write_text(EVERYTHING, encoding="utf-8")
    profiles = load_settings(file).rfm
    assert list(profiles) == ["purchase", "engagement"]
    assert profiles["engagement"].basis == Basis(
        LookBack(90), 1, (WeightedKinds(1, None),), is_money=False, has_all_known=True
    )
    file.write_text(EVERYTHING.partition("[interactions.web]")[0], encoding="utf-8")
    assert list(load_settings(file).rfm) == ["purchase"]
    file.write_text(EVERYTHING + "\n[rfm.mine]\n", encoding="utf-8")
    assert list(load_settings(file).rfm) == ["mine"]
