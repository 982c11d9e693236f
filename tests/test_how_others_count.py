"""How others count: the page's forty customers, scored here, by other rules and by other tools."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping

import duckdb
import numpy as np
import pandas as pd
import pytest
import reference
from conftest import ROOT
from pyspark.ml.feature import QuantileDiscretizer
from support.shop import stored

PAGE = (ROOT / "docs" / "how_others_count.md").read_text(encoding="utf-8")
RECEIPTS = ROOT / "examples" / "forty_customers.csv"
VALUES = ["recency_days", "frequency", "monetary_cents"]
LAST_DAY = pd.Timestamp("2026-03-31")

Cells = Mapping[str, str]
"""Scores of R, F and M as one reads them, such as 545, by customer."""


def table_of(heading: str) -> list[str]:
    """The rows of a table of the page, under a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if re.match(r"\| c\d\d ", line)]


def cells(customers: Iterable[str], *scores: Iterable[int]) -> Cells:
    digits = zip(*scores, strict=True)
    return dict(zip(customers, ("".join(map(str, one)) for one in digits), strict=True))


def seen_by(finding: str) -> dict[str, list[str]]:
    """What a script of `findings/` sees of each of the forty, which it makes sure of."""
    text = (ROOT / "findings" / f"{finding}.sh").read_text(encoding="utf-8")
    lines = text.partition("<<'SEEN'\n")[2].partition("\nSEEN")[0].splitlines()
    return {words[0]: words[1:] for words in map(str.split, lines) if re.match(r"c\d\d", words[0])}


@pytest.fixture(scope="module")
def scored(cli, tmp_path_factory) -> dict[str, pd.DataFrame]:
    """Rows of `rfm`, by profile and in the order of customers, by the configuration of the page."""
    folder = tmp_path_factory.mktemp("forty")
    shutil.copy(RECEIPTS, folder)
    [block] = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (folder / "shop.toml").write_text(block, encoding="utf-8")
    place = ("--config", folder / "shop.toml", "--warehouse", folder / "warehouse")
    assert cli("ingest", *place, "--input", folder) == 0
    assert cli("rfm", *place) == 0
    rows = pd.DataFrame(stored(folder / "warehouse", "rfm")).sort_values("customer_id")
    return {name: of_profile.reset_index() for name, of_profile in rows.groupby("profile")}


@pytest.fixture(scope="module")
def customers(scored) -> pd.DataFrame:
    """The three values, as they are counted here."""
    return scored["purchase"][["customer_id", *VALUES]]


def cells_of(rows: pd.DataFrame) -> Cells:
    return cells(rows["customer_id"], rows["r_score"], rows["f_score"], rows["m_score"])


def by_r(customers: pd.DataFrame, euros: pd.Series) -> Cells:
    return cells(
        customers["customer_id"],
        reference.r_rfm_scores(customers["recency_days"].to_numpy(), 5, low_is_best=True),
        reference.r_rfm_scores(customers["frequency"].to_numpy(), 5),
        reference.r_rfm_scores(euros.to_numpy(), 5),
    )


def values_of_rows() -> pd.DataFrame:
    """As R's rfm counts: every row is a transaction, and any may be the last one."""
    rows = pd.read_csv(RECEIPTS, parse_dates=["day"])
    by_customer = rows.groupby("customer")
    days = (LAST_DAY - by_customer["day"].max()).dt.days
    counted = {"recency_days": days, "frequency": by_customer.size()}
    euros = by_customer["amount"].sum()
    return pd.DataFrame(counted | {"euros": euros}).reset_index(names="customer_id")


def by_ntile(customers: pd.DataFrame) -> Cells:
    found = duckdb.sql(
        "SELECT customer_id, ntile(5) OVER (ORDER BY recency_days DESC, customer_id),"
        " ntile(5) OVER (ORDER BY frequency, customer_id),"
        " ntile(5) OVER (ORDER BY monetary_cents, customer_id) FROM customers ORDER BY customer_id"
    ).fetchall()
    return cells(*zip(*found, strict=True))


def by_qcut(customers: pd.DataFrame) -> Cells:
    ascending = [1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="Bin edges must be unique"):
        pd.qcut(customers["frequency"], 5, labels=ascending)
    return cells(
        customers["customer_id"],
        pd.qcut(customers["recency_days"], 5, labels=ascending[::-1]),
        pd.qcut(customers["frequency"].rank(method="first"), 5, labels=ascending),
        pd.qcut(customers["monetary_cents"], 5, labels=ascending),
    )


def by_discretizer(spark, customers: pd.DataFrame) -> Cells:
    buckets = [f"{name}_bucket" for name in VALUES]
    discretizer = QuantileDiscretizer(
        inputCols=VALUES, outputCols=buckets, numBuckets=5, relativeError=0.0
    )
    rows = spark.createDataFrame(customers)
    found = discretizer.fit(rows).transform(rows).orderBy("customer_id").toPandas()
    days, *others = (found[name].astype(int) for name in buckets)
    return cells(found["customer_id"], 5 - days, *(one + 1 for one in others))


def test_the_page_has_the_scores_of_the_forty_by_every_rule(spark, scored, customers):
    rows = values_of_rows()
    columns = [
        cells_of(scored["purchase"]),
        cells_of(scored["as_r"]),
        by_ntile(customers),
        by_qcut(customers),
        by_discretizer(spark, customers),
        by_r(rows, rows["euros"]),
        {name: words[-1] for name, words in seen_by("openretailscience_equal_customers").items()},
    ]
    expected = []
    for name, days, visits, cents in customers.itertuples(index=False):
        found = [str(days), str(visits), f"{cents / 100:.2f}", *(one[name] for one in columns)]
        expected.append(f"| {' | '.join([name, *found])} |")
    assert len(expected) == 40
    assert table_of("Scores") == expected, "\n".join(["the page should have", *expected])


def test_scores_as_r_are_those_of_its_rule_from_our_values(scored, customers):
    euros = customers["monetary_cents"] / 100
    assert cells_of(scored["as_r"]) == by_r(customers, euros)
    moved = [
        (one, other)
        for one, other in zip(
            cells_of(scored["purchase"]).values(), cells_of(scored["as_r"]).values(), strict=True
        )
        if one != other
    ]
    assert len(moved) == 14
    assert all((one[0], one[2]) == (other[0], other[2]) for one, other in moved)
    in_thousands = by_r(customers, euros / 1_000)
    assert {one[2] for one in in_thousands.values()} == {"1"}


def test_the_page_tells_what_models_are_given_by_others(customers):
    lifetimes, pymc = map(
        seen_by, ("lifetimes_refund_is_a_purchase", "pymc_marketing_recency_turns")
    )
    expected = [
        f"| {' | '.join([name, str(days), str(visits), *lifetimes[name], *pymc[name]])} |"
        for name, days, visits, _ in customers.itertuples(index=False)
    ]
    assert table_of("What models are given") == expected, "\n".join(["should be", *expected])


def test_equal_customers_have_equal_scores_here_and_by_ntile_they_have_not(scored, customers):
    for column, place in (("frequency", 1), ("recency_days", 0), ("monetary_cents", 2)):
        by_value = {
            name: scored_by.groupby(column)[score].nunique().max()
            for name, scored_by in scored.items()
            for score in [("r_score", "f_score", "m_score")[place]]
        }
        assert set(by_value.values()) == {1}
        digits = pd.Series(by_ntile(customers)).str[place].to_numpy()
        assert pd.Series(digits).groupby(customers[column].to_numpy()).nunique().max() > 1


def test_the_forty_are_what_the_page_says_of_them(customers):
    rows = pd.read_csv(RECEIPTS)
    refunded = rows.loc[rows["amount"] < 0, "customer"]
    assert sorted(refunded) == ["c05", "c06", "c12", "c20", "c29", "c33"]
    assert (customers["frequency"] == 1).sum() == 18
    newcomer = customers[customers["customer_id"] == "c40"]
    assert newcomer[VALUES].to_numpy().tolist() == [[0, 1, 19_90]]
    assert customers["monetary_cents"].min() == -4_00
    assert np.array_equal(np.unique(customers["customer_id"]), customers["customer_id"])
