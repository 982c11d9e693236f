"""The recipes: every command runs on the demo's shop, and prints what the page says."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from conftest import ROOT
from deltalake import DeltaTable
from support.screen import on_screen
from support.sessions import as_in_use


def recipes(page: str) -> list[tuple[list[list[str]], str]]:
    """The commands of each block of a page, and what follows as their output."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(r"```bash\n(.*?)```\n(?:\n```text\n(.*?)```)?", text, flags=re.DOTALL)
    return [(commands(block), shown) for block, shown in found]


def commands(block: str) -> list[list[str]]:
    lines = block.replace("\\\n", " ")
    return [shlex.split(one) for one in re.split(r"^rfm-spark ", lines, flags=re.MULTILINE)[1:]]


def is_told(shown: str, expected: str) -> bool:
    """Whether a text is shown, line by line; `...` is any lines."""
    lines = [line.rstrip() for line in expected.strip("\n").splitlines()]
    pattern = "".join(r"(.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines)
    found = "".join(line.rstrip() + "\n" for line in shown.strip("\n").splitlines())
    return re.fullmatch(pattern, found) is not None


@pytest.fixture(scope="module")
def demo(groceries_warehouse, tmp_path_factory) -> Path:
    """A folder as the demo leaves it, with a warehouse of its own."""
    folder = tmp_path_factory.mktemp("recipes")
    shutil.copytree(groceries_warehouse, folder / ".demo" / "warehouse")
    (folder / "conf").symlink_to(ROOT / "conf")
    return folder


def require_told(page: str, cli, spark, capfd) -> None:
    with as_in_use(spark):
        for todo, expected in recipes(page):
            shown = []
            for command in todo:
                assert cli(*command) == 0, on_screen(capfd)
                shown.append(capfd.readouterr().out)
            assert is_told("\n".join(shown), expected), "\n".join(shown)


def test_the_questions_about_cohorts_are_answered_as_they_say(demo, cli, spark, monkeypatch, capfd):
    monkeypatch.chdir(demo)
    assert len(recipes("cohorts.md")) == 11
    require_told("cohorts.md", cli, spark, capfd)


def test_the_recipes_print_what_they_say(demo, cli, spark, monkeypatch, capfd):
    monkeypatch.chdir(demo)
    require_told("recipes.md", cli, spark, capfd)
    customers = DeltaTable(".demo/warehouse/customer_360").to_pyarrow_table()  # noqa: F841
    with Path("silent.csv").open(encoding="utf-8", newline="") as file:
        silent = [row["customer_id"] for row in csv.DictReader(file)]
    wanted = duckdb.sql(
        "SELECT customer_id FROM customers WHERE profiles['engagement'].segment = 'Hibernating'"
        " AND last_interaction IS NOT NULL ORDER BY 1"
    ).fetchall()
    assert silent == [row[0] for row in wanted]
    ideal = pq.read_table("ideal.parquet").num_rows
    count = duckdb.sql("SELECT count(*) FROM customers WHERE cluster = 1").fetchall()
    assert count == [(ideal,)]
