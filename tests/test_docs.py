"""What the documents say is true: examples run, generated parts are up to date."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT, Cli

from rfm_spark.app import dictionary
from rfm_spark.app.loading import load_settings
from rfm_spark.app.reference import reference_text

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[list[str]]:
    """The `rfm-spark` commands of the README, without where their output goes."""
    lines = [line.partition(" >")[0] for block in blocks("bash") for line in block.splitlines()]
    return [line.split()[1:] for line in lines if line.startswith("rfm-spark ")]


def test_the_example_of_the_readme_runs(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "receipts.csv").write_text(blocks("csv")[0], encoding="utf-8")
    (tmp_path / "shop.toml").write_text(blocks("toml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names = [command[0] for command in commands()]
    assert names == ["check", "run", "tables", "explain", "nightly", "generate"]
    window = ("--as-of", "2026-01-21", "--set", "rfm.purchase.window_days=90")
    earlier = ["rfm", *commands()[1][1:], *window]
    for command in commands():
        assert cli(*command) == 0, capfd.readouterr().err
    shown = capfd.readouterr().out
    assert "3 customers scored as of 2026-01-31" in shown
    assert "customer_360" in shown
    assert "purchase: " in shown
    assert cli(*earlier) == 0
    assert "2 customers scored as of 2026-01-21" in capfd.readouterr().out


def test_the_profiles_of_the_readme_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text("\n".join(blocks("toml")[:2]), encoding="utf-8")
    settings = load_settings(file)
    assert list(settings.model_dump()["rfm"]) == ["purchase", "newsletter"]


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
