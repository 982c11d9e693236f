"""The worked example of CONTRIBUTING.md: a result in one folder is everywhere a result is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from conftest import ROOT, RunJob
from support.sessions import SHORT_LIVED
from support.shop import Shop, stored, versions, whole_shop

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = r"^`(rfm_spark/results/\S+\.py)`:\n\n```python\n(.*?)^```"
EVENING_BEFORE, NIGHT = date(2025, 3, 19), date(2025, 3, 20)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the example's folder; nothing else is changed."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "rfm_spark", folder / "rfm_spark")
    files = re.findall(BLOCK, CONTRIBUTING, re.MULTILINE | re.DOTALL)
    assert len(files) == 3
    for name, text in files:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def python(package):
    """Runs a module of the copy; what it printed."""

    def call(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            env={**os.environ, **SHORT_LIVED, "PYTHONPATH": str(package)},
            cwd=package,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


@pytest.fixture(scope="module")
def night(python, run: RunJob, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, str]:
    """A shop whose warehouse was made without the result, and what the first night shows."""
    shop = whole_shop(tmp_path_factory.mktemp("shop"))
    run(shop.config, shop.raw, shop.warehouse, as_of=EVENING_BEFORE)
    return shop, python("rfm_spark", "nightly", *shop.arguments("--date", NIGHT))


def customers(shop, day):
    return [row for row in stored(shop.warehouse, "customer_360") if row["as_of"] == day]


def test_it_passes_the_checks_of_every_other_result(package):
    files = str(package / "rfm_spark" / "results" / "repeat_share")
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        checked = [*command, "--config", str(ROOT / "pyproject.toml"), files]
        done = subprocess.run(checked, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_it_is_a_command_a_section_and_a_table_of_the_dictionary(python):
    assert "repeat-share" in python("rfm_spark", "--help")
    assert '"least_visits"' in python("rfm_spark", "schema")
    assert "[repeat_share]" in python("rfm_spark.app.reference")
    dictionary = python("rfm_spark.app.dictionary")
    assert "## repeat_share" in dictionary
    assert "| is_repeat_customer | boolean |" in dictionary


def test_a_night_makes_and_shows_it_and_adds_its_column(night):
    shop, shown = night
    [row] = stored(shop.warehouse, "repeat_share")
    rows = customers(shop, NIGHT)
    visits = [one["lifetime_visits"] for one in rows if one["lifetime_visits"] > 0]
    repeat = sum(one > 1 for one in visits)
    assert 0 < repeat < len(visits)
    assert (row["customers"], row["repeat_customers"]) == (len(visits), repeat)
    for one in rows:
        assert one["is_repeat_customer"] == (one["lifetime_visits"] > 1)
    assert f"{repeat / len(visits):.1%} of customers came again" in shown
    earlier = customers(shop, EVENING_BEFORE)
    assert {one["is_repeat_customer"] for one in earlier} == {None}
    [record] = [one for one in stored(shop.warehouse, "runs") if one["job"] == "nightly"]
    assert "repeat-share" in {one["result"] for one in record["results"]}


def test_the_report_has_its_page(night, python):
    shop, _ = night
    out = shop.folder / "report.html"
    python("rfm_spark", "report", *shop.arguments("--out", out))
    [row] = stored(shop.warehouse, "repeat_share")
    text = out.read_text(encoding="utf-8")
    assert ">Repeat share</h2>" in text
    assert f'data-value="{row["repeat_share"]}"' in text


def test_it_stands_until_its_own_setting_changes(night, python):
    shop, _ = night
    places = shop.arguments("--as-of", NIGHT)
    before = versions(shop.warehouse)
    python("rfm_spark", "repeat-share", *places, "--set", "repeat_share.least_visits=3")
    after = versions(shop.warehouse)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"repeat_share", "runs", "settings", "published"}


def test_without_it_the_warehouse_goes_on(night, run: RunJob):
    shop, _ = night
    run(shop.config, shop.raw, shop.warehouse, "customer-360", NIGHT)
    assert {row["is_repeat_customer"] for row in customers(shop, NIGHT)} == {None}
