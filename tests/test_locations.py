"""A place is one URI, whatever paths without a scheme mean to the session."""

from __future__ import annotations

import getpass

import pytest
from support.shop import stored, whole_shop

from rfm_spark.app.jobs import run_job
from rfm_spark.app.loading import load_settings
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.run import Run
from rfm_spark.session import has_hadoop_settings
from rfm_spark.storage.listing import listed_files
from rfm_spark.storage.locations import location
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.warehouse import Warehouse

NAMENODE = "hdfs://127.0.0.1:8020"
"""Nobody listens there: to know whose a path is, nobody has to be asked."""


@pytest.fixture
def on_hdfs(spark):
    """A session whose paths without a scheme belong to HDFS."""
    configuration = spark._jsc.hadoopConfiguration()
    before = configuration.get("fs.defaultFS")
    configuration.set("fs.defaultFS", NAMENODE)
    yield spark
    configuration.set("fs.defaultFS", before)


def test_a_place_is_the_same_file_systems_however_it_is_written(on_hdfs, tmp_path):
    for given, place in {
        "/srv/rfm/": f"{NAMENODE}/srv/rfm",
        "/srv/../rfm": f"{NAMENODE}/rfm",
        "hdfs:///srv/rfm": f"{NAMENODE}/srv/rfm",
        f"{NAMENODE}/srv/rfm": f"{NAMENODE}/srv/rfm",
        "rfm": f"{NAMENODE}/user/{getpass.getuser()}/rfm",
        "file:///srv/rfm/": "file:/srv/rfm",
        "file:/srv/../rfm": "file:/rfm",
        "s3a://bucket/rfm": None,
    }.items():
        if place is None:
            with pytest.raises(UserError, match=r"cannot be reached .*S3AFileSystem"):
                location(on_hdfs, given)
        else:
            assert location(on_hdfs, given) == place


def test_a_place_of_this_machine_stays_one_where_plain_paths_are_not(on_hdfs, tmp_path):
    shop = whole_shop(tmp_path)
    place = location(on_hdfs, f"file://{shop.warehouse}")
    raw = location(on_hdfs, f"file://{shop.raw}")
    run_job(
        Run(on_hdfs, load_settings(shop.config), Warehouse(on_hdfs, place), raw), "ingest", None
    )
    assert {row["customer_id"] for row in stored(shop.warehouse, "customers")} == {"c1", "c8"}
    assert (shop.warehouse / "_lease").is_file(), "held by a lock of the operating system"
    assert {row["delivery"] for row in stored(shop.warehouse, "deliveries")} == {
        *("receipts1.csv", "clicks1.csv", "customers1.csv")
    }
    for pattern in ("*.csv", "receipts{1,2}.csv"):
        found = listed_files(SessionOnDemand.of(on_hdfs), raw, pattern)
        assert {file.path.rpartition("/")[0] for file in found} == {raw}


@pytest.mark.parametrize(
    ("variables", "file"),
    [
        ({"HADOOP_CONF_DIR": "{}"}, "core-site.xml"),
        ({"YARN_CONF_DIR": "{}"}, "core-site.xml"),
        ({"SPARK_CONF_DIR": "{}"}, "spark-defaults.conf"),
        ({"SPARK_HOME": "{}/.."}, "spark-defaults.conf"),
        ({"PYSPARK_SUBMIT_ARGS": "pyspark-shell"}, None),
    ],
)
def test_a_plain_path_waits_for_spark_only_where_settings_may_say_whose_it_is(
    tmp_path, variables, file
):
    folder = tmp_path / "conf"
    folder.mkdir()
    given = {name: value.format(folder) for name, value in variables.items()}
    if file is not None:
        assert not has_hadoop_settings(given)
        (folder / file).write_text("")
    assert has_hadoop_settings(given)
    assert not has_hadoop_settings({})


@pytest.mark.parametrize("is_known", [True, False])
def test_spark_is_not_started_to_know_whose_a_plain_path_is(is_known, tmp_path):
    def start():
        raise RunFailure("started")

    sessions = SessionOnDemand(start, has_local_default=is_known)
    for given in (str(tmp_path), f"file://{tmp_path}"):
        if is_known:
            assert location(sessions, given) == str(tmp_path)
        else:
            with pytest.raises(RunFailure, match="started"):
                location(sessions, given)
