"""What the documents say is true: examples run, generated parts are up to date."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from conftest import ROOT, Cli
from support.configurations import BASE

from rfm_spark.app import dictionary
from rfm_spark.app.loading import load_settings
from rfm_spark.app.reference import reference_text
from rfm_spark.app.settings import Settings
from rfm_spark.results.rfm.grids import GRIDS
from rfm_spark.results.rfm.segments import cells

DEFINITIONS = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The `rfm-spark` commands of the README, without where their output goes."""
    text = "".join(blocks("bash")).replace("\\\n", " ")
    lines = [line.partition(" >")[0] for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("rfm-spark ")]


def test_the_example_of_the_readme_runs(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "receipts.csv").write_text(blocks("csv")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = [command[0] for command in commands()]
    assert names == [
        "init", "check", "run", "tables", "explain", "boundaries", "cohorts", "report", "clusters",
        "list", "list", "rfm", "moves", "backfill", "nightly", "generate",
    ]  # fmt: skip
    window = ("--as-of", "2026-01-21", "--set", "rfm.purchase.window_days=90")
    init, *others = commands()
    assert cli(*init) == 0, capfd.readouterr().err
    proposed = load_settings(tmp_path / "shop.toml")
    (tmp_path / "shop.toml").write_text(blocks("toml")[0], encoding="utf-8")
    shown_in_readme = load_settings(tmp_path / "shop.toml")
    assert proposed.receipts is not None
    assert shown_in_readme.receipts is not None
    assert proposed.receipts.columns == shown_in_readme.receipts.columns
    earlier = ["rfm", *others[1][1:], *window]
    for command in others:
        assert cli(*command) == 0, capfd.readouterr().err
    shown = capfd.readouterr().out
    assert "3 customers scored as of 2026-01-31" in shown
    assert "customer_360" in shown
    assert "purchase: " in shown
    [moved] = blocks("text")
    assert "4 days are scored, 2026-01-04 to 2026-01-25" in shown
    assert moved in "\n".join(text.rstrip() for text in [*shown.splitlines(), ""])
    assert cli(*earlier) == 0
    assert "2 customers scored as of 2026-01-21" in capfd.readouterr().out


def test_the_profiles_of_the_readme_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text("\n".join(blocks("toml")[:2]), encoding="utf-8")
    settings = load_settings(file)
    assert list(settings.model_dump()["rfm"]) == ["purchase", "newsletter"]


def test_the_own_grid_and_fixed_cuts_of_the_definitions_load(load: Callable[..., Settings]) -> None:
    [block] = blocks("toml", DEFINITIONS)
    profile = load(BASE + block).rfm["purchase"]
    assert profile.recency.method == profile.frequency.method == profile.monetary.method == "fixed"
    assert profile.monetary.cuts == [50, 150, 400, 1000]
    found = {
        (one.digits, one.first_visit): profile.segment_grid.segment_of(one)
        for one in cells(5, profile.total_weights)
    }
    expected = {}
    for r, f, m, side in product(*[range(1, 6)] * 3, ("inside", "before")):
        if r + f + m >= 13:
            name = "Best"
        elif r >= 4:
            name = "First visit" if f == 1 and side == "inside" else "Regular"
        else:
            name = "Win back" if f + m >= 7 else "Everybody else"
        expected[f"{r}{f}{m}", side] = name
    assert found == expected


@pytest.mark.parametrize("name", list(GRIDS))
def test_the_definitions_show_every_shipped_grid_as_it_is(name: str) -> None:
    table = DEFINITIONS.partition(f"`{name}`")[2].partition("\n\n|")[2].partition("\n\n")[0]
    rows = [row.split(" | ") for row in table.splitlines()[2:]]
    shown = [row[0].strip("| ") for row in rows]
    assert [one for one in shown if one] == list(GRIDS[name].actions)
    if name == "r_fm":
        told = [[_ends(text) for text in row[1:3]] for row in rows]
        rules = GRIDS[name].rules
        assert [[(min(one.recency), max(one.recency)), one.fm] for one in rules] == told


def _ends(text: str) -> tuple[float, float]:
    first, _, last = text.partition("-")
    return float(first), float(last or first)


def test_every_file_the_readme_names_is_there() -> None:
    named = re.findall(r"\]\(([\w/.]+)\)", README)
    named += re.findall(r"`((?:conf|scripts|docs)/[\w/.]+)`", README)
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_data_dictionary_is_up_to_date() -> None:
    written = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == dictionary.dictionary(), (
        "run python -m rfm_spark.app.dictionary > docs/tables.md"
    )


def test_the_configuration_reference_is_up_to_date() -> None:
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == reference_text(), (
        "run python -m rfm_spark.app.reference > docs/configuration.md"
    )


def test_the_spark_settings_of_all_clusters_have_the_same_common_part() -> None:
    marker = "# ---- The same in every file of this folder ----"
    files = sorted((ROOT / "conf" / "spark").glob("*.conf"))
    assert len(files) == 4
    parts = {file.read_text(encoding="utf-8").partition(marker)[2] for file in files}
    assert len(parts) == 1
    assert next(iter(parts)).strip()
