"""Files of a warehouse that are damaged or gone: one line that names them, and never other rows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import DeltaTable
from support.screen import problems
from support.shop import line, versions

LATER = [line("r99", "c1", "2025-03-18", "5.00"), line("r98", "c3", "2025-03-19", "7.50")]


def checksum(file: Path) -> Path:
    """Where Hadoop keeps the checksum of a file."""
    return file.with_name(f".{file.name}.crc")


def cut(file: Path, share: float = 0.5) -> None:
    """Leaves the beginning of a file."""
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])


def commits(warehouse: Path, table: str) -> list[Path]:
    return sorted((warehouse / table / "_delta_log").glob("*.json"))


def newest_is_gone(warehouse: Path, table: str) -> Path:
    file = commits(warehouse, table)[-1]
    checksum(file).unlink()
    file.unlink()
    return file


def first_is_gone(warehouse: Path, table: str) -> Path:
    file = commits(warehouse, table)[0]
    file.unlink()
    return file


def newest_is_cut(warehouse: Path, table: str) -> Path:
    file = commits(warehouse, table)[-1]
    checksum(file).unlink()
    cut(file)
    return file


def newest_is_empty(warehouse: Path, table: str) -> Path:
    file = commits(warehouse, table)[-1]
    checksum(file).unlink()
    file.write_bytes(b"")
    return file


def newest_lost_a_line(warehouse: Path, table: str) -> Path:
    """Which readers without checksums take for a commit that did less."""
    file = commits(warehouse, table)[-1]
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    return file


def without_newest(warehouse: Path, table: str) -> Path:
    """A log that ends with an earlier version, and all that tells of the newest is gone too."""
    newest = commits(warehouse, table)[-1]
    for file in newest.parent.glob(f"*{newest.stem}*"):
        file.unlink()
    return warehouse / table


def data_files(warehouse: Path, table: str) -> list[Path]:
    return [Path(file) for file in DeltaTable(str(warehouse / table)).file_uris()]


def footers_are_cut(warehouse: Path, table: str) -> None:
    for file in data_files(warehouse, table):
        checksum(file).unlink(missing_ok=True)
        cut(file)


def contents_are_cut(warehouse: Path, table: str) -> None:
    for file in data_files(warehouse, table):
        cut(file)


def files_are_gone(warehouse: Path, table: str) -> None:
    for file in data_files(warehouse, table):
        file.unlink()


@pytest.fixture
def told(cli, copied_shop, capfd):
    """The one line that a command says of a damaged warehouse, with more receipts to take in."""

    def call(command: str = "ingest", *options: str) -> str:
        copied_shop.csv("receipts2.csv", LATER)
        assert cli(command, *copied_shop.arguments(*options)) == 1
        [line] = problems(capfd)
        return line

    return call


@pytest.mark.parametrize("table", ["receipts", "customer_days", "rfm", "runs"])
@pytest.mark.parametrize(
    "damaged",
    [newest_is_gone, first_is_gone, newest_is_cut, newest_is_empty, newest_lost_a_line],
    ids=lambda one: one.__name__,
)
def test_a_damaged_commit_is_named_before_anything_is_written(told, copied_shop, table, damaged):
    before = copied_shop.warehouse / "deliveries" / "_delta_log"
    commits_before = sorted(before.glob("*.json"))
    file = damaged(copied_shop.warehouse, table)
    assert told().startswith(f"{file}: this commit of the table is ")
    assert sorted(before.glob("*.json")) == commits_before


@pytest.mark.parametrize("table", ["receipts", "deliveries", "customers", "interactions"])
def test_what_was_delivered_and_is_lost_with_all_that_tells_of_it(told, copied_shop, table):
    folder = without_newest(copied_shop.warehouse, table)
    before = versions(copied_shop.warehouse)
    said = told()
    assert said.startswith(f"{folder}: the table ends with version ")
    assert "restore the warehouse from a copy" in said
    assert versions(copied_shop.warehouse) == before


def test_a_table_of_what_was_delivered_that_is_gone(told, copied_shop):
    shutil.rmtree(copied_shop.warehouse / "receipts")
    assert "/receipts: the table is gone, and a run has left version " in told()
    assert not (copied_shop.warehouse / "receipts").exists()


@pytest.mark.parametrize("table", ["receipts", "deliveries", "customer_days", "runs"])
@pytest.mark.parametrize(
    "damaged", [footers_are_cut, contents_are_cut, files_are_gone], ids=lambda one: one.__name__
)
def test_damaged_files_of_a_table_are_named(told, copied_shop, table, damaged):
    damaged(copied_shop.warehouse, table)
    # Of a day that is not described yet: what is made already is not made again.
    asked = ("rfm", "--as-of", "2025-03-19") if table == "customer_days" else ("ingest",)
    said = told(*asked)
    assert str(copied_shop.warehouse / table) in said
    assert "(docs/operations.md, A damaged warehouse)" in said


def checkpointed(warehouse: Path, table: str) -> Path:
    """A checkpoint of a table that has had none."""
    log = warehouse / table / "_delta_log"
    DeltaTable(str(warehouse / table)).create_checkpoint()
    [checkpoint] = log.glob("*.checkpoint.parquet")
    return checkpoint


def test_a_damaged_checkpoint_is_named(told, copied_shop):
    checkpoint = checkpointed(copied_shop.warehouse, "receipts")
    cut(checkpoint)
    assert told().startswith(f"{checkpoint}: this checkpoint of the table is damaged")
