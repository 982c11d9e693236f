"""Audiences: who is in one, who is held out, and what writing to them brought."""

from __future__ import annotations

import csv
import math
import random
import shutil
from datetime import date, timedelta
from hashlib import sha256
from unittest.mock import Mock

import duckdb
import numpy as np
import pytest
from deltalake import DeltaTable
from support.screen import on_screen, problems
from support.sessions import without_session
from support.shop import Shop, line, person, stored

from rfm_spark.app.api import open_run
from rfm_spark.app.audiences.counts import _counted_by_spark, audience_counts
from rfm_spark.app.audiences.job import prepared
from rfm_spark.app.audiences.members import drawn
from rfm_spark.app.audiences.statistics import (
    Group,
    effect_of_addressing,
    response_difference,
    revenue_difference,
    smallest_effect,
)
from rfm_spark.app.audiences.tables import AUDIENCES
from rfm_spark.app.loading import load_settings
from rfm_spark.app.publishing import publish_again
from rfm_spark.storage.warehouse import Warehouse

BUILT, LAST = date(2025, 3, 31), date(2025, 4, 30)

CONFIGURATION = """
[business]
time_zone = "Europe/Berlin"

[receipts]
path = "receipts*.csv"
format = "csv"
grain = "receipt"

[receipts.columns]
receipt_id = "receipt"
customer_id = "customer"
time = "time"
amount = "amount"

[customers]
path = "people*.csv"
format = "csv"

[customers.columns]
customer_id = "customer"

[customers.columns.attributes]
city = "city"

[interactions.mail]
path = "mails*.csv"
format = "csv"

[interactions.mail.columns]
customer_id = "customer"
time = "time"
kind = "kind"

[clusters]
window_days = 90
k = 2
features = ["recency_days", "frequency"]

[audiences.spring]
where = "lifetime_visits >= 1 and city in ['Ulm', 'Aix']"
limit = 150
order = "lifetime_revenue_cents"
holdout = 0.3
exclude = ["EXCLUDED"]
columns = ["city", "last_visit", "lifetime_revenue_cents"]

[audiences.everybody]
where = "lifetime_visits >= 1"

[audiences.nobody]
where = "lifetime_visits > 1000"
holdout = 0.5
"""


@pytest.fixture(scope="module")
def shop(cli, tmp_path_factory):
    """Three hundred customers; receipts up to a month after the day that is described."""
    found = Shop(tmp_path_factory.mktemp("audiences"))
    excluded = found.folder / "excluded.txt"
    excluded.write_text("k7 \n k10\n\nnobody\n", encoding="utf-8")
    text = CONFIGURATION.replace("EXCLUDED", str(excluded))
    found.config.write_text(text, encoding="utf-8")
    pick, rows = random.Random(24), []
    for at in range(300):
        for _ in range(pick.randint(1, 4)):
            day = date(2024, 12, 1) + timedelta(days=pick.randint(0, 150))
            amount = f"{pick.choice([5, 5, 10, 20])}.00"  # many are equal
            rows.append(line(f"r{len(rows)}", f"k{at}", str(day), amount))
    rows.append(line("back", "k3", "2025-04-02", "-30.00"))
    found.csv("receipts1.csv", rows)
    found.csv(
        "people1.csv", [person(f"k{at}", ["Ulm", "Aix", "Bonn"][at % 3]) for at in range(300)]
    )
    mails = [(f"k{at}", "2025-04-02", "sent") for at in sent_to(pick)]
    mails += [("k5", "2025-04-03", "opened"), ("k5", "2025-03-31", "clicked")]
    keys = ("customer", "time", "kind")
    found.csv("mails1.csv", (dict(zip(keys, mail, strict=True)) for mail in mails))
    assert cli("run", *found.arguments("--as-of", BUILT)) == 0
    return found


def sent_to(pick):
    """Four of five who are not held out, and one of eight who are."""
    for at in range(300):
        share = 0.8 if draw_of("holdout", f"k{at}") >= 0.3 else 0.125
        if pick.random() < share:
            yield at


def place(shop):
    return ["--config", shop.config, "--warehouse", shop.warehouse]


@pytest.fixture(scope="module")
def built(cli, shop):
    """The shop with `spring` built and exported."""
    out = shop.folder / "spring.csv"
    assert cli("audience", "build", "spring", *place(shop), "--out", out) == 0
    return out


def draw_of(purpose, name):
    """By hand, as the definitions say."""
    digest = sha256(f"{purpose}:spring:{name}".encode()).hexdigest()
    return int(digest[:13], 16) / 16**13


def chosen(shop):
    """Who is in `spring`, by DuckDB and hashlib."""
    customers = DeltaTable(str(shop.warehouse / "customer_360")).to_pyarrow_table()  # noqa: F841
    rows = duckdb.sql(
        "SELECT customer_id, lifetime_revenue_cents, segment, last_visit FROM customers"
        " WHERE lifetime_visits >= 1 AND attributes['city'] IN ('Ulm', 'Aix')"
        " AND customer_id NOT IN ('k7', 'k10')"
    ).fetchall()
    rows.sort(key=lambda one: (-one[1], draw_of("order", one[0])))
    return {one[0]: one for one in rows[:150]}


def test_an_audience_is_the_first_by_its_order_and_its_holdout_can_be_recomputed(shop, built):
    expected = chosen(shop)
    found = {row["customer_id"]: row for row in stored(shop.warehouse, "audiences")}
    assert set(found) == set(expected)
    least = min(one[1] for one in expected.values())
    assert least > 0
    for name, row in found.items():
        group = "holdout" if draw_of("holdout", name) < 0.3 else "treated"
        assert row["audience_group"] == group
        assert drawn("holdout", "spring", name) == draw_of("holdout", name)
        assert (row["audience"], row["as_of"]) == ("spring", BUILT)
        assert row["segment"] == expected[name][2]
        assert dict(row["chosen"])["lifetime_revenue_cents"] == str(expected[name][1])
    held_out = [row for row in found.values() if row["audience_group"] == "holdout"]
    assert 25 < len(held_out) < 65
    tied = [name for name, one in expected.items() if one[1] == least]
    shares = [found[name]["audience_group"] == "holdout" for name in tied]
    assert 0 < sum(shares) < len(shares), "the draws of order and holdout depend on each other"


def test_only_who_is_to_be_written_to_is_exported_with_the_columns(shop, built):
    with built.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = stored(shop.warehouse, "audiences")
    treated = sorted(row["customer_id"] for row in found if row["audience_group"] == "treated")
    assert [row["customer_id"] for row in rows] == treated
    assert list(rows[0]) == ["customer_id", "city", "last_visit", "lifetime_revenue_cents"]
    expected = chosen(shop)
    for row in rows:
        assert row["last_visit"] == str(expected[row["customer_id"]][3])
        assert int(row["lifetime_revenue_cents"]) == expected[row["customer_id"]][1]


def test_what_was_built_stays_and_is_exported_again(cli, shop, built, tmp_path, capfd):
    again = tmp_path / "again.csv"
    assert cli("audience", "build", "spring", *place(shop), "--out", again) == 0
    assert again.read_bytes() == built.read_bytes()
    assert "as it was built before: 150 customers" in on_screen(capfd)
    changed = ("--set", "audiences.spring.limit=10")
    out = tmp_path / "other"
    assert cli("audience", "build", "spring", *place(shop), *changed, "--out", out) == 2
    assert "was built for 2025-03-31 by another definition" in problems(capfd)[0]
    assert list(tmp_path.iterdir()) == [again]
    assert cli("audience", "build", "nobody", *place(shop), "--out", out) == 0
    assert "nobody: nobody as of 2025-03-31; nothing was written" in on_screen(capfd)
    assert list(tmp_path.iterdir()) == [again]
    assert {row["audience"] for row in stored(shop.warehouse, "audiences")} == {"spring"}
    runs = [row for row in stored(shop.warehouse, "runs") if row["job"] == "audience build"]
    assert [row["outcome"] for row in runs] == ["succeeded"]


def test_who_has_opted_out_since_is_not_written_to(cli, shop, built, tmp_path, capfd):
    with built.open(encoding="utf-8", newline="") as file:
        first, second, *others = [row["customer_id"] for row in csv.DictReader(file)]
    listed = shop.folder / "excluded.txt"
    before = listed.read_text(encoding="utf-8")
    listed.write_text(f"{before}{first}\t\n{second}\n", encoding="utf-8")
    out = tmp_path / "again.csv"
    try:
        assert cli("audience", "build", "spring", *place(shop), "--out", out) == 0
    finally:
        listed.write_text(before, encoding="utf-8")
    told = " ".join(on_screen(capfd).split())
    assert "4 customers of 2025-03-31 are on the exclusion lists" in told
    assert "2 of them have come onto an exclusion list or agree no longer, and are left out" in told
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["customer_id"] for row in csv.DictReader(file)] == others


def test_lists_of_which_no_line_is_a_customer_are_told(cli, shop, capfd, tmp_path):
    listed = tmp_path / "optout.csv"
    listed.write_text("customer_id,email\nk1,k1@x\n", encoding="utf-8")
    exclude = ("--set", f"audiences.nobody.exclude=['{listed}']")
    assert cli("audience", "build", "nobody", *place(shop), *exclude) == 0
    told = " ".join(on_screen(capfd).split())
    assert "none of the customers of 2025-03-31 is on the exclusion lists" in told


def test_a_preview_tells_size_mix_and_what_the_holdout_can_show(cli, shop, capfd):
    assert cli("audience", "preview", "spring", *place(shop)) == 0
    lines = on_screen(capfd).splitlines()
    told = " ".join(" ".join(lines).split())
    expected = chosen(shop)
    held_out = sum(draw_of("holdout", name) < 0.3 for name in expected)
    spent = sum(one[1] for one in expected.values()) / 100
    assert f"spring: 150 customers as of 2025-03-31, {held_out} of them held out" in told
    assert f"who have spent {spent:,.0f} USD" in told
    assert "2 are on exclusion lists" in told
    for segment in {one[2] for one in expected.values()}:
        share = sum(one[2] == segment for one in expected.values()) / 150
        assert any(segment in text and f"{share:.1%}" in text for text in lines)
    rise = smallest_effect(0.1, 150 - held_out, held_out)
    assert any("10.0%" in text and f"{100 * rise:.1f} points" in text for text in lines)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"holdout": 0.5},
        {"where": "profiles['purchase'].value > 20"},
        {"where": "not city == 'Ulm' and first_visit > '2025-01-05'"},
        {"where": "number(city) > 1"},
    ],
)
def test_a_preview_without_spark_tells_what_spark_tells(spark, shop, changed):
    settings = load_settings(shop.config)
    all_who_meet = {"exclude": [], "order": None, "limit": None, **changed}
    rules = settings.audiences["spring"].model_copy(update=all_who_meet)
    settings.audiences["spring"] = rules
    without = open_run(without_session(), settings, ".", shop.warehouse)
    definition, day = prepared(without, "spring", None)
    told = audience_counts(without, definition, day)
    by_spark = open_run(spark, settings, ".", shop.warehouse)
    assert told == _counted_by_spark(by_spark, definition, day)
    assert told.segments or "number" in rules.where


@pytest.mark.parametrize(("few", "name"), [(299, "everybody"), (300, "spring")])
def test_a_preview_of_many_or_with_a_limit_is_by_spark(shop, monkeypatch, few, name):
    monkeypatch.setattr("rfm_spark.app.audiences.counts.FEW_CUSTOMERS", few)
    run = open_run(without_session(), load_settings(shop.config), ".", shop.warehouse)
    with pytest.raises(AssertionError, match="Spark was started"):
        audience_counts(run, *prepared(run, name, None))


IDENTITIES = """
[identities]
path = "merges.csv"
format = "csv"

[identities.columns]
old_id = "old"
new_id = "new"
"""


def outcome_by_customer(shop, where=""):
    """By DuckDB, of each member: id, group, whether there was a visit, and cents."""
    con = duckdb.connect()
    for name in ("audiences", "receipts"):
        con.register(name, DeltaTable(str(shop.warehouse / name)).to_pyarrow_table())
    return con.sql(
        "WITH after AS (SELECT customer_id, count(*) FILTER (net_cents >= 0) AS visits,"
        " sum(net_cents) AS cents FROM receipts WHERE status = 'current'"
        " AND business_date > DATE '2025-03-31' AND business_date <= DATE '2025-04-30' GROUP BY 1)"
        " SELECT customer_id, audience_group, coalesce(visits, 0) > 0, coalesce(cents, 0)::DOUBLE"
        f" FROM audiences LEFT JOIN after USING (customer_id) {where} ORDER BY customer_id"
    ).fetchall()


def outcome_of(shop, segment):
    """Treated and holdout: whether there was a visit, and cents, of each member."""
    where = "" if segment is None else f"WHERE segment = '{segment.replace(chr(39), chr(39) * 2)}'"
    rows, groups = outcome_by_customer(shop, where), {}
    for group in ("treated", "holdout"):
        groups[group] = [(came, cents) for _, name, came, cents in rows if name == group]
    return groups


def test_a_result_is_that_of_an_independent_computation(cli, shop, built, capfd):
    assert cli("audience", "result", "spring", *place(shop), "--until", LAST) == 0
    told = on_screen(capfd)
    rows = {row["segment"]: row for row in stored(shop.warehouse, "audience_results")}
    assert len(rows) > 3
    for segment, row in rows.items():
        assert (row["audience"], row["as_of"], row["until"]) == ("spring", BUILT, LAST)
        groups = outcome_of(shop, segment)
        means, errors = {}, {}
        for name, customers in groups.items():
            cents = np.array([one[1] for one in customers])
            assert row[f"{name}_customers"] == len(customers)
            assert row[f"{name}_responders"] == sum(one[0] for one in customers)
            assert row[f"{name}_revenue_cents"] == cents.sum()
            means[name] = cents.mean() if len(cents) else None
            errors[name] = cents.var(ddof=1) / len(cents) if len(cents) > 1 else None
        if None in means.values():
            assert row["extra_revenue_cents"] is None
            continue
        difference = means["treated"] - means["holdout"]
        treated = len(groups["treated"])
        assert row["revenue_difference_cents"] == pytest.approx(difference)
        assert row["extra_revenue_cents"] == pytest.approx(difference * treated)
        if None in errors.values():
            assert row["extra_revenue_cents_low"] is None
            continue
        half = 1.959964 * math.sqrt(errors["treated"] + errors["holdout"])
        assert row["extra_revenue_cents_low"] == pytest.approx((difference - half) * treated)
        assert row["revenue_difference_cents_high"] == pytest.approx(difference + half)
    total = rows[None]
    assert total["treated_customers"] + total["holdout_customers"] == 150
    assert f"{total['extra_revenue_cents'] / 100:,.0f} (" in told
    assert "sample ratio" not in told
    assert cli("audience", "result", "spring", *place(shop), "--until", "2025-04-10") == 0
    assert {row["until"] for row in stored(shop.warehouse, "audience_results")} == {
        LAST, date(2025, 4, 10)
    }  # fmt: skip


def two_stage_least_squares(outcome, is_addressed, is_treated):
    """Effect and standard error, with a variance for each group, by matrices."""
    drawn = np.column_stack([np.ones(len(outcome)), is_treated])
    known = np.column_stack([np.ones(len(outcome)), is_addressed])
    inverse = np.linalg.inv(drawn.T @ known)
    found = inverse @ drawn.T @ outcome
    left = outcome - known @ found
    sizes = {group: (is_treated == group).sum() for group in (0, 1)}
    weights = np.array([sizes[one] / (sizes[one] - 1) for one in is_treated])
    middle = drawn.T @ (drawn * (left**2 * weights)[:, None])
    return found[1], math.sqrt((inverse @ middle @ inverse.T)[1, 1])


def test_what_being_addressed_changed_is_that_of_an_independent_computation(
    cli, shop, built, capfd
):
    until = "2025-04-29"
    command = ("audience", "result", "spring", *place(shop), "--until", until)
    assert cli(*command, "--addressed-by", "sent") == 0
    told = " ".join(on_screen(capfd).split())
    con = duckdb.connect()
    for name in ("audiences", "receipts", "interactions"):
        con.register(name, DeltaTable(str(shop.warehouse / name)).to_pyarrow_table())
    rows = con.sql(
        "WITH after AS (SELECT customer_id, count(*) FILTER (net_cents >= 0) AS visits,"
        " sum(net_cents) AS cents FROM receipts WHERE status = 'current'"
        " AND business_date BETWEEN '2025-04-01' AND '2025-04-29' GROUP BY 1),"
        " sent AS (SELECT DISTINCT customer_id FROM interactions WHERE kind = 'sent'"
        " AND business_date BETWEEN '2025-04-01' AND '2025-04-29')"
        " SELECT (audience_group = 'treated')::INT, (s.customer_id IS NOT NULL)::INT,"
        " (coalesce(visits, 0) > 0)::INT, coalesce(cents, 0)::DOUBLE FROM audiences a"
        " LEFT JOIN after USING (customer_id) LEFT JOIN sent s ON s.customer_id = a.customer_id"
        " WHERE a.audience = 'spring'"
    ).fetchall()
    is_treated, is_addressed, came, cents = (np.array(one) for one in zip(*rows, strict=True))
    [found] = [
        row
        for row in stored(shop.warehouse, "audience_results")
        if row["segment"] is None and row["addressed_by"] == "sent"
    ]
    assert found["treated_addressed"] == is_addressed[is_treated == 1].sum() > 50
    assert found["holdout_addressed"] == is_addressed[is_treated == 0].sum() > 0
    for name, outcome in (
        ("addressed_response_effect", came),
        ("addressed_revenue_effect_cents", cents),
    ):
        effect, error = two_stage_least_squares(outcome, is_addressed, is_treated)
        assert found[name] == pytest.approx(effect)
        assert found[f"{name}_low"] == pytest.approx(effect - 1.959964 * error)
        assert found[f"{name}_high"] == pytest.approx(effect + 1.959964 * error)
    assert f"by sent, {found['treated_addressed']} of" in told
    assert f"{found['addressed_revenue_effect_cents'] / 100:,.2f} (" in told
    assert cli(*command, "--addressed-by", "opened") == 0
    assert "what being addressed changed cannot be told" in " ".join(on_screen(capfd).split())
    assert {
        (row["addressed_by"], row["addressed_response_effect"])
        for row in stored(shop.warehouse, "audience_results")
        if str(row["until"]) == until
    } == {("opened", None)}


def test_the_effect_of_addressing_is_found_in_its_interval():
    """Customers of whom those who open letters also buy more, by themselves."""
    pick, held = np.random.default_rng(28), 0
    for _ in range(200):
        is_treated = pick.random(4000) < 0.8
        reads = pick.random(4000) < 0.4
        is_addressed = is_treated & reads
        cents = np.where(reads, 900, 500) + pick.integers(-300, 300, 4000) + 120 * is_addressed
        groups = [
            Group(
                customers=int(of_it.sum()),
                cents=int(cents[of_it].sum()),
                squared_cents=int((cents[of_it] ** 2).sum()),
                addressed=int(is_addressed[of_it].sum()),
                addressed_cents=int((cents * is_addressed)[of_it].sum()),
            )
            for of_it in (is_treated, ~is_treated)
        ]
        found = effect_of_addressing(*groups, is_money=True)
        held += found.low <= 120 <= found.high
    assert 180 <= held <= 199  # 190 of 200 are to be expected; below or above is 1 in 1,000


def test_where_nobody_or_anybody_is_addressed_its_effect_cannot_be_told():
    treated, holdout = Group(100, 20, 5000, 400_000), Group(100, 10, 4000, 300_000)
    assert effect_of_addressing(treated, holdout, is_money=True) is None
    everybody = [Group(100, 20, 5000, 400_000, 100, 20, 5000)] * 2
    assert effect_of_addressing(*everybody, is_money=False) is None
    assert effect_of_addressing(Group(), holdout, is_money=True) is None


def test_one_price_that_only_the_addressed_pay_leaves_nothing_to_chance():
    treated = Group(5, 3, 3 * 1999, 3 * 1999**2, 3, 3, 3 * 1999)
    found = effect_of_addressing(treated, Group(10), is_money=True)
    assert found.value == pytest.approx(1999)
    assert (found.low, found.high) == pytest.approx((1999, 1999))


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("preview", "sprung"), "no [audiences.sprung] is configured; did you mean 'spring'?"),
        (("result", "spring", "--until", "2025-03-31"), "no day has passed"),
        (("result", "spring", "--until", "2025-05-01"), "the data end on 2025-04-30"),
        (("result", "sprung", "--until", "2025-04-30"), "did you mean 'spring'?"),
        (("result", "spring", "--until", "2025-04-30", "--as-of", "2025-01-01"), "it was for"),
        (("preview", "spring", "--as-of", "2025-01-01"), "near it: 2025-03-31"),
        (("result", "spring", "--until", "2025-04-30", "--addressed-by", "send"), "'sent'?"),
        (("result", "spring", "--until", "2025-04-30", "--addressed-by", "clicked"), "no such"),
        (("preview", "spring", "--set", "audiences.spring.exclude=['/no/such']"), "cannot be read"),
        (("preview", "spring", "--set", "audiences.spring.where='citi == 1'"), "mean 'city'?"),
        (("preview", "spring", "--set", "audiences.spring.order=city"), "neither a number nor"),
        (("preview", "spring", "--set", "audiences.spring.columns=['attributes']"), "is a map"),
        (("preview", "everybody", "--set", "audiences.everybody.order=frequency"), "is about"),
        (("preview", "spring", "--set", "audiences.spring.holdout=1"), "less than or equal to 0.9"),
        (("preview", "spring", "--set", "audiences.Sp ring.where=x"), "audiences.Sp ring"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(cli, shop, built, capfd, command, told):
    assert cli("audience", *command[:2], *place(shop), *command[2:]) == 2
    assert told in "\n".join(problems(capfd))


def test_a_list_that_would_leave_nobody_out_is_refused(cli, shop, capfd, tmp_path):
    nobody = tmp_path / "nobody.txt"
    nobody.write_text("", encoding="utf-8")
    exclude = f"audiences.spring.exclude=['{nobody}']"
    assert cli("audience", "preview", "spring", *place(shop), "--set", exclude) == 2
    assert "the exclusion list has no line" in "\n".join(problems(capfd))


def test_a_group_that_has_lost_customers_is_told(cli, spark, shop, built, tmp_path, capfd):
    other = Shop(tmp_path)
    shutil.copytree(shop.folder, other.folder, dirs_exist_ok=True)
    table = DeltaTable(str(other.warehouse / "audiences"))
    table.delete("audience_group = 'holdout' AND customer_id > 'k2'")
    publish_again(Mock(warehouse=Warehouse(spark, str(other.warehouse))), [AUDIENCES])
    assert cli("audience", "result", "spring", *place(other), "--until", LAST) == 0
    rows = stored(other.warehouse, "audience_results")
    [all_of_it] = [row for row in rows if row["segment"] is None and row["until"] == LAST]
    held_out, treated = all_of_it["holdout_customers"], all_of_it["treated_customers"]
    told = " ".join(on_screen(capfd).split())
    assert (
        f"sample ratio mismatch: {held_out} of {held_out + treated} customers are held out, "
        "where 30.0% were to be"
    ) in told


def test_members_who_became_one_count_once_or_in_no_group(cli, shop, built, tmp_path, capfd):
    other = Shop(tmp_path)
    shutil.copytree(shop.folder, other.folder, dirs_exist_ok=True)
    members = outcome_by_customer(shop)
    cents = {one: value for one, _, _, value in members}
    held_out, treated = (
        [one for one, group, _, _ in members if group == wanted]
        for wanted in ("holdout", "treated")
    )
    pairs = [(held_out[0], treated[0]), (held_out[1], held_out[2]), (treated[1], treated[2])]
    other.config.write_text(other.config.read_text() + IDENTITIES, encoding="utf-8")
    other.csv("merges.csv", [{"old": old, "new": new} for old, new in pairs])
    assert cli("ingest", *other.arguments()) == 0
    capfd.readouterr()
    assert cli("audience", "result", "spring", *place(other), "--until", LAST) == 0
    told = " ".join(on_screen(capfd).split())
    assert "1 customers were merged who had been treated under one id and held out" in told
    rows = stored(other.warehouse, "audience_results")
    [all_of_it] = [row for row in rows if row["segment"] is None and row["until"] == LAST]
    for group, ids in (("holdout", held_out), ("treated", treated)):
        assert all_of_it[f"{group}_customers"] == len(ids) - 2
        assert all_of_it[f"{group}_revenue_cents"] == sum(cents[one] for one in ids[1:])


def test_without_a_holdout_nothing_is_told(cli, shop, built, capfd):
    assert cli("audience", "preview", "everybody", *place(shop)) == 0
    assert "what it brings could not be told; set `holdout`" in " ".join(on_screen(capfd).split())
    assert cli("audience", "build", "everybody", *place(shop)) == 0
    assert cli("audience", "result", "everybody", *place(shop), "--until", LAST) == 2
    assert "everybody: nobody was held out on 2025-03-31" in problems(capfd)[-1]
    assert {row["audience"] for row in stored(shop.warehouse, "audience_results")} <= {"spring"}


@pytest.mark.parametrize(("share", "treated", "holdout"), [(0.1, 900, 100), (0.02, 5000, 5000)])
def test_the_smallest_effect_is_seen_in_four_of_five_trials(share, treated, holdout):
    rise = smallest_effect(share, treated, holdout)
    draw = np.random.default_rng(24)
    p = draw.binomial(treated, share + rise, 200_000) / treated
    q = draw.binomial(holdout, share, 200_000) / holdout
    mean = (p * treated + q * holdout) / (treated + holdout)
    error = np.sqrt(mean * (1 - mean) * (1 / treated + 1 / holdout))
    assert abs(((p - q) / error > 1.959964).mean() - 0.8) < 0.025


def test_no_effect_can_be_seen_with_too_few():
    assert smallest_effect(0.5, 3, 2) is None
    assert smallest_effect(0.1, 100, 0) is None


def test_the_intervals_are_those_of_the_literature():
    # Newcombe 1998, table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 0/10 - 0/20.
    for (a, m, b, n), ends in {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (0, 10, 0, 20): (-0.1611, 0.2775),
    }.items():
        found = response_difference(Group(m, a), Group(n, b))
        assert (round(found.low, 4), round(found.high, 4)) == ends
    assert response_difference(Group(), Group(3, 1)) is None
    alone = revenue_difference(Group(1, 1, 500, 250_000), Group(2, 0, 0, 0))
    assert (alone.value, alone.low, alone.high) == (500, None, None)
