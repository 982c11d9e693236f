"""The command line: its help, its commands one by one, and what a run leaves on record."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import textwrap

from support.shop import (
    NOT_OF_A_RUN,
    Shop,
    assert_same_tables,
    stored,
    stored_tables,
    versions,
    whole_shop,
)

from rfm_spark import __version__
from rfm_spark.app.tables import ALL_TABLES

RESULTS = (
    "rfm",
    "moves",
    "bridge",
    "cohorts",
    "rhythm",
    "clusters",
    "cluster-segments",
    "customer-360",
)
ASKED_FOR = ("category-lift", "lifetime")
"""Results that are made where their section is written."""

JOBS = ("run", "nightly", "ingest", *RESULTS, *ASKED_FOR, "tables", "check")


def test_every_command_has_help_that_names_its_options(cli, capfd):
    assert cli("--help") == 0
    overview = capfd.readouterr().out
    for job in JOBS:
        assert f"  {job} " in overview
        assert cli(job, "--help") == 0
        told = capfd.readouterr().out
        day = "--date" if job == "nightly" else "--as-of"
        for option in ("--config", "--set", "--input", "--warehouse", day):
            assert option in told
        assert ("--since" in told) == (job == "moves")


def test_the_version_is_told(cli, capfd):
    assert cli("--version") == 0
    assert capfd.readouterr().out.strip() == f"rfm-spark {__version__}"


def test_without_spark_one_line_says_what_to_install():
    hidden = "import sys; sys.modules['pyspark'] = None; import rfm_spark.__main__ as command"
    found = subprocess.run(
        [sys.executable, "-c", f"{hidden}; command.main()", "--help"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (found.returncode, found.stdout) == (2, "")
    [told] = found.stderr.splitlines()
    assert told.startswith("rfm-spark: this Python has no pyspark: install 'rfm-spark[local]'")


def test_check_looks_at_the_input_and_writes_nothing(cli, capfd, tmp_path):
    shop = whole_shop(tmp_path)
    assert cli("check", *shop.arguments()) == 0
    assert f"{shop.config}: fits the input in {shop.raw}" in capfd.readouterr().out.replace(
        "\n", ""
    )
    assert not shop.warehouse.exists()


def test_one_setting_can_be_changed_from_the_command_line(cli, capfd, tmp_path):
    shop = whole_shop(tmp_path)
    assert cli("check", *shop.arguments("--set", "clusters.k=1")) == 2
    assert "clusters.k" in capfd.readouterr().err
    assert cli("check", *shop.arguments("--set", "receipts.columns.amount=price")) == 2
    assert "'price'" in capfd.readouterr().err


def test_tables_lists_every_table_with_its_rows(cli, capfd, finished_shop):
    assert cli("tables", *finished_shop.arguments()) == 0
    shown = capfd.readouterr().out
    assert re.search(
        r"^The last run: run as of 2025-03-20, \d{4}-\d\d-\d\d [\d:]{8}, \d+ s: succeeded$",
        shown,
        flags=re.MULTILINE,
    )
    assert " MB " in shown
    listed = {
        words[0]: int(words[1].replace(",", ""))
        for words in (text.split() for text in shown.splitlines())
        if len(words) > 1 and words[1].replace(",", "").isdigit()
    }
    assert listed == {
        table.name: len(stored(finished_shop.warehouse, table.name))
        for table in ALL_TABLES
        if table.name not in NOT_OF_A_RUN
    }


def test_tables_of_an_empty_folder_is_a_mistake(cli, capfd, tmp_path, finished_shop):
    arguments = ["--config", finished_shop.config, "--warehouse", tmp_path]
    assert cli("tables", *arguments) == 2
    assert "there is no table here" in capfd.readouterr().err


def test_a_job_whose_tables_are_not_there_yet_says_what_to_run(cli, capfd, tmp_path, finished_shop):
    arguments = ["--config", finished_shop.config, "--warehouse", tmp_path]
    assert cli("rfm", *arguments) == 2
    assert "rfm-spark run" in capfd.readouterr().err


def test_the_jobs_one_by_one_make_what_run_makes(cli, capfd, tmp_path, finished_shop):
    shutil.copytree(finished_shop.raw, tmp_path / "raw")
    shop = Shop(tmp_path)
    shop.configure(finished_shop.config.read_text())
    for job in ("ingest", *RESULTS):
        assert cli(job, *shop.arguments()) == 0, capfd.readouterr().err
    assert_same_tables(stored_tables(shop.warehouse), stored_tables(finished_shop.warehouse))
    jobs = [row["job"] for row in stored(shop.warehouse, "runs")]
    assert sorted(jobs) == sorted(["ingest", *RESULTS])


def test_a_run_again_computes_no_result_that_stands(cli, capfd, copied_shop):
    before = versions(copied_shop.warehouse)
    for again in (1, 2):
        assert cli("run", *copied_shop.arguments()) == 0, capfd.readouterr().err
        now = {**before, "runs": before["runs"] + again}
        assert versions(copied_shop.warehouse) == now
        shown = capfd.readouterr().out
        assert "Champions" in shown
    assert_what_to_try_works(cli, capfd, copied_shop.folder, shown)


def assert_what_to_try_works(cli, capfd, folder, shown):
    """What a run tells a person to try: a list, SQL, and two pieces of Python that give rows."""
    told = shown.partition("What to try:")[2]
    listed, sql, *pieces = (
        textwrap.dedent("             " + text.rstrip())
        for text in re.split(r"^  (?:A list|SQL|DuckDB|Polars) +", told, flags=re.M)[1:]
    )
    out = folder / "list.csv"
    assert cli(*shlex.split(listed.replace("list.csv", str(out)))[1:]) == 0
    assert out.exists() or "nobody as of" in capfd.readouterr().out
    assert cli(*shlex.split(sql)[1:]) == 0
    assert "Champions" in capfd.readouterr().out
    assert len(pieces) == 2
    for code in pieces:
        *setup, query = code.strip().splitlines()
        names = {}
        exec("\n".join(setup), names)
        assert len(eval(query, names)) > 0


def test_a_run_is_on_record_with_what_it_wrote(finished_shop):
    [record] = stored(finished_shop.warehouse, "runs")
    assert (record["job"], record["outcome"]) == ("run", "succeeded")
    assert record["as_of"].isoformat() == "2025-03-20"
    assert record["code_version"].startswith(f"{__version__}+")
    written = dict(record["written_versions"])
    now = versions(finished_shop.warehouse)
    assert written == {name: now[name] for name in written}
    rows = dict(record["written_rows"])
    for name in ("receipts", "customer_days", "rfm", "segments", "cohorts", "customer_360"):
        assert rows[name] == len(stored(finished_shop.warehouse, name))
    read = dict(record["read_versions"])
    assert {"receipts", "customer_days", "customer_years", "rfm"} <= set(read)
    assert read == {name: now[name] for name in read}
