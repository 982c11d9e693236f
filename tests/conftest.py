"""What every test can ask for: a Spark session, the real data, and a way to run jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from pyspark.sql import SparkSession
from support.configurations import OWN_DAYS
from support.crashes import snapshots
from support.sessions import as_in_use
from support.shop import Shop, whole_shop
from support.templates import Templates, templates
from xdist.scheduler import LoadScopeScheduling

from rfm_spark.app.jobs import run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.app.settings import Settings
from rfm_spark.cli import exit_code
from rfm_spark.core.errors import UserError
from rfm_spark.run import Run
from rfm_spark.session import FEW_ROWS, local_session
from rfm_spark.storage.locations import location
from rfm_spark.storage.session_settings import session_settings
from rfm_spark.storage.warehouse import Warehouse

ROOT = Path(__file__).parents[1]

LONGEST_FIRST = (
    "test_crash",
    "test_end_to_end",
    "test_cli",
    "test_run_record",
    "test_storage",
    "test_maintenance",
    "test_determinism",
    "test_moves_of_days",
    "test_identities",
    "test_nightly",
    "test_publishing",
    "test_rfm_profiles",
    "test_replay",
    "test_backfill",
    "test_repeated_receipts",
    "test_forgetting",
    "test_whole_receipts",
    "test_upgrade",
    "test_cluster_models",
    "test_retraction",
    "test_new_result",
    "test_shapes",
    "test_ingest",
)

TOGETHER = {
    "test_determinism": "the packed environment",
    "test_yarn": "the packed environment",
    "test_submit": "the packed environment",
    "test_end_to_end": "the demo",
    "test_recipes": "the demo",
}
"""Files that share what takes long to make."""

FEW_TABLES = {"spark.databricks.delta.delta.log.cacheSize": "150"}
"""Delta keeps the newest version of so many tables in memory, plans and all: 3 MB for each.

Each test has tables of its own: the 10,000 of the default fill the heap after a while, and
collecting garbage is then all that is done.
"""

BESIDE_ANOTHER = "-XX:ParallelGCThreads=1 -Xmn1500m"
"""Of two processes on two processors, each has one for the garbage, of which plans are most."""

RunJob = Callable[..., Run]
Cli = Callable[..., int]


QUICK = (
    "test_any_configuration",
    "test_block_solver",
    "test_bloom_filter",
    "test_boundaries",
    "test_business_time",
    "test_cluster_identity",
    "test_cluster_tiers",
    "test_cluster_training",
    "test_clustering",
    "test_collapsed_bins",
    "test_counts",
    "test_customer_sums",
    "test_drift",
    "test_engine",
    "test_facts",
    "test_features_and_customer_360",
    "test_later_keys",
    "test_natural_breaks",
    "test_moves",
    "test_proposal",
    "test_ratios",
    "test_receipt_transforms",
    "test_receipt_versions",
    "test_reconciliation",
    "test_rfm_results",
    "test_rfm_segments",
    "test_rfm_transforms",
    "test_schema",
    "test_session",
    "test_settings",
    "test_settings_together",
    "test_side_by_side",
    "test_slices",
    "test_units",
    "test_versions",
    "test_written_conditions",
)
"""Files of which each takes seconds; so do the examples in docstrings."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests by what they need; long files come first: they would else be all that is left."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker("in_spark")
        if item.path.stem in QUICK or isinstance(item, pytest.DoctestItem):
            item.add_marker("quick")
    order = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


class ByFile(LoadScopeScheduling):
    """Side by side, a file stays in one process, and so do all that share something."""

    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.partition("::")[0]).stem
        return TOGETHER.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    settings = {**FEW_ROWS, **FEW_TABLES}
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JDK_JAVA_OPTIONS", BESIDE_ANOTHER)
            session = stack.enter_context(local_session(driver_memory="3g"))
        stack.enter_context(session_settings(session, settings))
        yield session


@pytest.fixture(scope="session")
def empty_tables(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A context in which new tables are copies; test_storage.py tests that they are made."""
    return templates(tmp_path_factory.mktemp("empty tables"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data sets: beside the project, or where RFM_SPARK_DATA says."""
    folder = Path(os.environ.get("RFM_SPARK_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real data sets are not here: set RFM_SPARK_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def run(spark: SparkSession, empty_tables: Templates) -> RunJob:
    """Runs a job in this session: run(config_file, input, warehouse, name="run", as_of=None)."""

    def run_it(
        config: Path,
        data: Path,
        warehouse: Path,
        name: str = "run",
        as_of: date | None = None,
        overrides: tuple[str, ...] = (),
    ) -> Run:
        settings = load_settings(config, overrides)
        place = Warehouse(spark, location(spark, str(warehouse)))
        night = as_of if name == "nightly" else None
        job = Run(spark, settings, place, location(spark, str(data)), night=night)
        with empty_tables():
            run_job(job, name, as_of)
        return job

    return run_it


@pytest.fixture(scope="session")
def cli(spark: SparkSession, empty_tables: Templates) -> Cli:
    """The command line in this session: cli("run", "--config", file, ...) gives the exit code."""
    cache = spark._jsparkSession.sharedState().cacheManager()

    def call(*arguments: object) -> int:
        spark.catalog.clearCache()  # what other tests have kept
        with empty_tables():
            code = exit_code([str(one) for one in arguments], lambda: nullcontext(spark))
        assert cache.isEmpty(), "rows are still kept"
        return code

    return call


@pytest.fixture(scope="session")
def groceries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's input."""
    folder = tmp_path_factory.mktemp("groceries") / "complete_journey"
    script = ROOT / "scripts" / "complete_journey_data.py"
    subprocess.run([sys.executable, script, folder], check=True, timeout=120)
    return folder


@pytest.fixture(scope="session")
def groceries_warehouse(
    spark: SparkSession, run: RunJob, groceries: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The demo's warehouse after one whole run. Not to be written to: copy it."""
    warehouse = tmp_path_factory.mktemp("complete_journey")
    with as_in_use(spark):
        config = ROOT / "conf" / "complete_journey.toml"
        run(config, groceries, warehouse, overrides=OWN_DAYS)
    return warehouse


@pytest.fixture(scope="session")
def finished_shop(run: RunJob, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A tiny shop after one whole run, with the warehouse as it was after each commit.

    Not to be written to: copy it. The copies of the warehouse are in `folder / "snapshots"`. It is
    made by the first process of the tests that needs it.
    """
    of_all = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        of_all = of_all.parent
    shop, is_made = Shop(of_all / "finished"), of_all / "finished.made"
    with FileLock(of_all / "finished.lock"):
        if not is_made.exists():
            whole_shop(shop.folder)
            with (
                pytest.MonkeyPatch.context() as patch,
                snapshots(patch, shop.warehouse, shop.folder / "snapshots"),
            ):
                run(shop.config, shop.raw, shop.warehouse)
            is_made.touch()
    return shop


@pytest.fixture
def copied_shop(finished_shop: Shop, tmp_path: Path) -> Shop:
    """A copy of the finished shop, for a test of its own."""
    without = shutil.ignore_patterns("snapshots")
    shutil.copytree(finished_shop.folder, tmp_path, dirs_exist_ok=True, ignore=without)
    return Shop(tmp_path)


@pytest.fixture
def load(tmp_path):
    """Loads a text as a configuration file."""

    def load_text(text: str, *overrides: str) -> Settings:
        file = tmp_path / "shop.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file, overrides)

    return load_text


@pytest.fixture
def refused(load, tmp_path):
    """What is said about a configuration that does not load, without the file's name."""

    def problems(text: str, *overrides: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            load(text, *overrides)
        return [line.removeprefix(f"{tmp_path / 'shop.toml'}: ") for line in caught.value.problems]

    return problems
