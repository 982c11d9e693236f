"""HDFS and S3 as they are: deliveries, a night, two drivers at once, and one that is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.file_systems import Driver, FileSystem, driver, hdfs, s3
from support.shop import TILLS, Shop, assert_same_tables, line, receipts_shop, stored_tables

NIGHT = ("--date", "2025-03-21")


@dataclass
class Platform:
    """A file system with a driver that works on it."""

    place: FileSystem
    driver: Driver
    folder: Path

    def at(self, name: str) -> str:
        return f"{self.place.root}/{name}"

    def arguments(self, shop: Shop, *more: str) -> list[object]:
        places = ("--input", self.at("raw"), "--warehouse", self.at("warehouse"))
        return ["--config", shop.config, *places, *more]

    def puts(self, *files: Path) -> None:
        for file in files:
            assert self.driver.does("put", self.at(f"raw/{file.name}"), file)[0] == 0

    def tables(self) -> dict[str, Any]:
        here = self.folder / "warehouse"
        assert self.driver.does("get", self.at("warehouse"), here)[0] == 0
        return rows_of(here)


def rows_of(warehouse: Path) -> dict[str, Any]:
    """Of every table, but for versions of other tables, which tell how often these were written."""
    return {
        name: [
            {key: value for key, value in row.items() if key not in ("version", "fingerprint")}
            for row in rows
        ]
        for name, rows in stored_tables(warehouse).items()
    }


def second_delivery(shop: Shop) -> Path:
    return shop.csv("receipts2.csv", [line("late", "c1", "2025-03-21", "9.00")])


@pytest.fixture(scope="module", params=["hdfs", "s3"])
def platform(request, spark, tmp_path_factory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        place = stack.enter_context(hdfs(spark, folder) if request.param == "hdfs" else s3(folder))
        yield Platform(place, stack.enter_context(driver(place, folder / "driver.log")), folder)


@pytest.fixture(scope="module")
def expected(cli, tmp_path_factory) -> dict[str, Any]:
    """The tables of two deliveries and a night on a local disk."""
    local = receipts_shop(tmp_path_factory.mktemp("local"), TILLS)
    assert cli("ingest", *local.arguments()) == 0
    second_delivery(local)
    assert cli("nightly", *local.arguments(*NIGHT)) == 0
    return rows_of(local.warehouse)


@pytest.mark.platform
def test_of_many_who_create_a_file_at_once_one_does(platform):
    assert platform.driver.does("race", platform.at("race"))[0] == 0


@pytest.mark.platform
def test_a_night_that_is_killed_and_begun_again_makes_the_tables_of_a_local_disk(
    platform, expected, tmp_path
):
    """While the first driver has the lease, a second one is refused; then the first is killed."""
    shop = receipts_shop(tmp_path, TILLS)
    platform.puts(*sorted(shop.raw.iterdir()))
    code, told = platform.driver.does("ingest", *platform.arguments(shop))
    assert code == 0, told
    platform.puts(second_delivery(shop))
    night = ("nightly", *platform.arguments(shop, *NIGHT))
    with driver(platform.place, tmp_path / "killed.log", "customer_days") as first:
        first.begin(*night)
        assert first.answer() == "held"
        code, told = platform.driver.does(*night)
        assert code == 2, told
        [problem] = [one for one in told.splitlines() if "another run is writing" in one]
        assert "rfm-spark nightly" in problem
        assert f"pid {first.process.pid}" in problem
        first.kill()
    code, told = platform.driver.does(*night)
    assert code == 0, told
    assert "its lease is taken over" in told
    assert_same_tables(platform.tables(), expected)
