"""Rejected rows are taken in again after the rule was mended, as if they had come so at first."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from support.crashes import snapshots
from support.screen import on_screen, problems
from support.shop import (
    CUSTOMERS,
    RECEIPTS,
    Shop,
    assert_same_tables,
    line,
    person,
    stored,
    stored_tables,
    versions,
    whole_shop,
)

import rfm_spark
from rfm_spark.app.loading import load_settings

WRONG, MENDED = (
    {'grain = "line"': f'grain = "line"\ntime_format = "{pattern}"'}
    for pattern in ("yyyy-MM-dd", "yyyy-M-d")
)
"""Patterns of times: by the first one, 2025-1-9 is none."""


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


def deliveries(shop: Shop) -> None:
    shop.csv("receipts1.csv", [line("older", "c1", "2025-01-05", "1.00"),
                               line("good", "c2", "2025-01-06", "2.00")])  # fmt: skip
    shop.csv(
        "receipts2.csv",
        [
            line("good", "c2", "2025-01-06", "2.50"),
            line("older", "c1", "2025-1-5", "1.50"),
            line("new", "c3", "2025-1-9", "3.00"),
            line("corrected", "c4", "2025-1-9", "4.00"),
            line("two lines", "c5", "2025-01-09", "5.00"),
            line("two lines", "c5", "2025-1-9", "5.10"),
            line("still bad", "c6", "2025-1-9", "ten"),
        ],
    )
    shop.csv("receipts3.csv", [line("corrected", "c4", "2025-01-10", "4.40")])
    shop.csv("customers1.csv", [person("c1", "Ulm")])


def content(shop: Shop) -> dict[str, list[dict[str, object]]]:
    """All that is stored but what tells of runs, of settings and of versions of tables."""
    return {
        name: [
            {key: value for key, value in row.items() if key not in ("version", "fingerprint")}
            for row in rows
        ]
        for name, rows in stored_tables(shop.warehouse).items()
    }


def test_a_replayed_delivery_is_as_if_it_had_been_read_so_at_first(cli, shop, tmp_path, capfd):
    deliveries(shop)
    shop.configure(RECEIPTS + CUSTOMERS, {**WRONG, "share = 0.5": "share = 0.9"})
    assert cli("ingest", *shop.arguments()) == 0
    assert len(stored(shop.warehouse, "quarantine")) == 6
    shop.configure(RECEIPTS + CUSTOMERS, MENDED)
    capfd.readouterr()
    assert cli("replay", "receipts2.csv", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    assert (
        "[receipts] receipts2.csv read again: 6 rows taken in, 1 before; 1 rejected, 6 before: "
        "amount_not_a_number (1)" in told
    )
    assert "[receipts] 2 other deliveries were taken in by other settings" in told

    anew = Shop(tmp_path / "anew")
    deliveries(anew)
    anew.configure(RECEIPTS + CUSTOMERS, MENDED)
    assert cli("ingest", *anew.arguments()) == 0
    for one in (shop, anew):
        assert cli("rfm", *one.arguments()) == 0, "every cent is accounted for"
    assert content(shop) == content(anew)
    # A later correction still wins, and what corrects an older delivery counts.
    current = [row for row in stored(shop.warehouse, "receipts") if row["status"] == "current"]
    counted = {row["receipt_id"]: row["net_cents"] for row in current}
    assert counted == {
        "good": 2_50, "older": 1_50, "new": 3_00, "corrected": 4_40, "two lines": 10_10,
    }  # fmt: skip
    last = max(stored(shop.warehouse, "runs"), key=lambda run: run["started_at"])
    jobs = sorted(run["job"] for run in stored(shop.warehouse, "runs"))
    assert (jobs, last["outcome"]) == (["ingest", "replay", "rfm"], "succeeded")

    # Once more changes nothing, and what the next run takes in again is the same too.
    assert cli("replay", "--all", *shop.arguments()) == 0
    assert content(shop) == content(anew)
    assert cli("ingest", *shop.arguments()) == 0
    assert content(shop) == content(anew)


def test_what_cannot_be_read_again_is_refused_and_nothing_is_written(cli, shop, capfd):
    deliveries(shop)
    shop.csv("receipts4.csv", [line("a", "c1", "2025-1-5", "1.00")])
    shop.csv("receipts5.csv", [line("b", "c1", "2025-1-5", "1.00")])
    shop.configure(RECEIPTS + CUSTOMERS, {**WRONG, "share = 0.5": "share = 0.9"})
    assert cli("replay", "receipts2.csv", *shop.arguments()) == 2
    assert problems(capfd)[0].startswith("receipts2.csv: no such delivery has been taken in")
    assert cli("ingest", *shop.arguments()) == 0
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("retract", "receipts3.csv", *place) == 0
    before = versions(shop.warehouse)
    shop.file("receipts4.csv").unlink()
    shop.touch("receipts5.csv")
    capfd.readouterr()

    assert cli("replay", "receipt2.csv", "receipts1.csv", "receipts3.csv", *shop.arguments()) == 2
    unknown, nothing, taken_back = problems(capfd)
    assert unknown == (
        "receipt2.csv: no such delivery has been taken in; did you mean 'receipts2.csv'?"
    )
    assert nothing.startswith("receipts1.csv: none of its rows is in quarantine")
    assert taken_back.startswith("receipts3.csv: has been taken back")
    assert cli("replay", "receipts4.csv", "receipts5.csv", *shop.arguments()) == 2
    gone, changed = problems(capfd)
    assert gone.startswith("[receipts] receipts4.csv: is not there any more")
    assert changed.startswith("[receipts] receipts5.csv: has changed since it was taken in")
    shop.configure(RECEIPTS + CUSTOMERS, {**WRONG, "share = 0.5": "share = 0.85"})
    assert cli("replay", "receipts2.csv", *shop.arguments()) == 2
    [too_many] = problems(capfd)
    assert "6 of 7 rows are rejected, more than ingest.max_rejected_share = 0.85" in too_many
    for names in ([], ["--all", "receipts2.csv"]):
        assert cli("replay", *names, *shop.arguments()) == 2
        assert problems(capfd) == [
            "replay: name deliveries, or give --all for all with rejected rows"
        ]
    shop.file("receipts2.csv").unlink()
    assert cli("replay", "--all", *shop.arguments()) == 2
    assert [one.split(": ")[0].split()[1] for one in problems(capfd)] == [
        "receipts2.csv", "receipts4.csv", "receipts5.csv",
    ]  # fmt: skip
    assert {**versions(shop.warehouse), "runs": 0} == {**before, "runs": 0}


def test_all_that_can_be_are_read_again_and_forgotten_customers_stay_out(cli, shop, capfd):
    deliveries(shop)
    shop.csv("receipts4.csv", [line("gone", "c1", "2025-1-5", "1.00")])
    shop.csv("customers2.csv", [person("c2", "Aix", "2025-1-6"), person("c3", "Rome", "2025-1-6")])
    text = RECEIPTS + CUSTOMERS + f'[privacy]\nkey_file = "{shop.folder / "key"}"\n'
    of_customers = {"[customers.columns]": 'time_format = "yyyy-MM-dd"\n\n[customers.columns]'}
    shop.configure(text, {**WRONG, **of_customers, "share = 0.5": "share = 0.9"})
    assert cli("ingest", *shop.arguments()) == 0
    (shop.folder / "ids").write_text("c3\n")
    place = ("--config", shop.config, "--warehouse", shop.warehouse)
    assert cli("forget", "--customer-file", shop.folder / "ids", *place) == 0
    shop.configure(text, MENDED)
    shop.file("receipts4.csv").unlink()
    capfd.readouterr()
    assert cli("replay", "--all", *shop.arguments()) == 0
    told = " ".join(on_screen(capfd).split())
    assert "[receipts] receipts4.csv: is not there any more" in told
    assert "[receipts] receipts2.csv read again" in told
    assert "[customers] customers2.csv read again: 2 rows taken in, 0 before; 0 rejected" in told
    [theirs] = (row for row in stored(shop.warehouse, "receipts") if row["receipt_id"] == "new")
    assert (theirs["status"], theirs["customer_id"]) == ("forgotten", None)
    people = {row["customer_id"] for row in stored(shop.warehouse, "customers")}
    assert people == {"c1", "c2"}
    kept = {row["delivery"]: row["reasons"] for row in stored(shop.warehouse, "quarantine")}
    assert kept == {
        "receipts2.csv": ["amount_not_a_number"], "receipts4.csv": ["time_unreadable"],
    }  # fmt: skip


def test_a_replay_that_is_killed_after_any_commit_loses_no_row(spark, run, tmp_path):
    """By a setting that makes no delivery new: the next run has only the mark to go by."""
    shop = whole_shop(tmp_path)
    ahead = datetime.now(UTC).date() + timedelta(days=10)
    shop.csv("receipts2.csv", [line("ahead", "c1", ahead.isoformat(), "9.00")])
    run(shop.config, shop.raw, shop.warehouse, "ingest")
    overrides = ("ingest.max_future_days=30",)
    settings = load_settings(shop.config, overrides)
    places = {"input": shop.raw, "warehouse": shop.warehouse}
    with (
        pytest.MonkeyPatch.context() as patch,
        snapshots(patch, shop.warehouse, tmp_path / "snapshots") as taken,
    ):
        rfm_spark.run_job(spark, "replay", settings, **places, deliveries=["receipts2.csv"])
    whole = stored_tables(shop.warehouse)
    assert "ahead" in {row["receipt_id"] for row in whole["receipts"]}
    kinds = [one.name.partition("-")[2] for one in taken]
    marked_first = ("deliveries", "quarantine", "receipts", "deliveries")
    assert kinds[:4] == [f"{name}-written" for name in marked_first]
    # A run that does not look for the delivery says so.
    hidden = shop.file("receipts2.csv").rename(tmp_path / "hidden")
    notes = run(shop.config, shop.raw, taken[1], "ingest", overrides=overrides).notes
    assert [note for note in notes if "receipts2.csv: was being read again" in note]
    hidden.rename(shop.file("receipts2.csv"))
    shutil.copytree(taken[1], tmp_path / "half read")
    with pytest.raises(rfm_spark.RunFailure, match=r"1 deliveries\): run `rfm-spark replay` again"):
        run(shop.config, shop.raw, tmp_path / "half read", "rfm", overrides=overrides)
    for snapshot in taken[:4]:
        run(shop.config, shop.raw, snapshot, "ingest", overrides=overrides)
        assert_same_tables(stored_tables(snapshot), whole)

    with pytest.raises(rfm_spark.UserError, match="run: takes no deliveries by name"):
        rfm_spark.run_job(spark, "run", settings, **places, deliveries=["receipts2.csv"])
    with pytest.raises(rfm_spark.UserError, match="retract: name at least one delivery"):
        rfm_spark.run_job(spark, "retract", settings, **places)
