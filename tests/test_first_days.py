"""The first days of a shop: what cannot be told yet keeps nothing else from being told."""

from __future__ import annotations

import pytest
from support.screen import on_screen
from support.shop import Shop, line, stored

FEATURES = {'"recency_days", "frequency", "monetary_cents"': '"recency_days", "frequency"'}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_night_on_which_all_customers_are_alike_has_no_clusters_and_all_else(cli, shop, capfd):
    shop.csv("receipts1.csv", [line(f"r{n}", f"c{n}", "2025-01-10", f"{n}.00") for n in (1, 2, 3)])
    shop.configure(changes=FEATURES)
    night = ("--date", "2025-01-10")
    assert cli("nightly", *shop.arguments(*night)) == 0
    told = " ".join(on_screen(capfd).split())
    assert "no feature of recency_days, frequency differs between customers" in told
    assert "nobody has a cluster of habits" in told
    found = stored(shop.warehouse, "customer_360")
    assert {(row["customer_id"], row["cluster"]) for row in found} == {
        ("c1", None), ("c2", None), ("c3", None),
    }  # fmt: skip
    assert len(stored(shop.warehouse, "rfm")) == 3
    assert len(stored(shop.warehouse, "cohorts")) > 0
    [model] = stored(shop.warehouse, "cluster_models")
    assert (model["k"], model["version"], model["is_whole"]) == (0, None, True)
    for name in ("clusters", "cluster_assignments", "cluster_segments", "cluster_tiers"):
        assert stored(shop.warehouse, name) == []
    # The next day somebody comes again: now there are two sorts of customers, with new numbers.
    shop.csv("receipts2.csv", [line("r4", "c1", "2025-01-11", "4.00")])
    assert cli("ingest", *shop.arguments()) == 0
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    for command in ("clusters", "cluster-segments"):
        assert cli(command, *place, "--as-of", "2025-01-11") == 0
    assert [row["cluster"] for row in stored(shop.warehouse, "clusters")] == [1, 2]
    # Where a day that had clusters has none any more, those are gone.
    (shop.raw / "receipts2.csv").write_text((shop.raw / "receipts2.csv").read_text().split("\n")[0])
    shop.touch("receipts2.csv")
    assert cli("ingest", *shop.arguments()) == 0
    assert cli("clusters", *place, "--as-of", "2025-01-11") == 0
    assert stored(shop.warehouse, "clusters") == []
