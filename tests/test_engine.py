"""Which Spark and Delta are tested together, and what is refused before anything is written."""

from __future__ import annotations

import pytest

from rfm_spark.core.errors import UserError
from rfm_spark.session import submitted_session
from rfm_spark.storage import engine
from rfm_spark.storage.engine import pair_problem

JAR = "file:/jars/io.delta_delta-spark_4.2_2.13-4.4.0.jar"


@pytest.mark.parametrize(
    ("spark", "jar"),
    [
        ("4.2.0", JAR),
        ("4.2.1", "/opt/spark/jars/delta-spark_2.13-4.4.1.jar"),
        ("4.2.0-amzn-1", JAR),
        ("4.2.0", None),
        ("4.1.3", JAR.replace("_4.2", "_4.1")),
        ("4.2.0", "file:/databricks/jars/delta--shaded.jar"),
    ],
)
def test_a_tested_pair(spark, jar):
    assert pair_problem(spark, jar) is None


@pytest.mark.parametrize(
    ("spark", "jar", "told"),
    [
        ("4.3.0", JAR, "Spark 4.3.0 with Delta 4.4 for Spark 4.2"),
        ("4.2.0", JAR.replace("_4.2", "_4.1"), "Spark 4.2.0 with Delta 4.4 for Spark 4.1"),
        ("4.2.0", JAR.replace("4.4.0", "4.5.0"), "Spark 4.2.0 with Delta 4.5 for Spark 4.2"),
        ("4.1.3", JAR, "Spark 4.1.3 with Delta 4.4 for Spark 4.2"),
        ("4.0.3", None, "Spark 4.0.3 with its Delta"),
        ("4.20.0", JAR, "Spark 4.20.0 with"),
    ],
)
def test_any_other_pair_is_refused(spark, jar, told):
    problem = pair_problem(spark, jar)
    assert problem.startswith(told)
    assert "use Spark 4.2 with Delta 4.4 (io.delta:delta-spark_4.2_2.13:4.4.0) or Spark" in problem


def test_the_pair_of_this_environment_is_one_of_them(spark):
    engine.require_tested_pair(spark)


def test_a_session_of_another_pair_is_refused_before_anything_is_written(spark, monkeypatch):
    monkeypatch.setattr(engine, "TESTED_PAIRS", {"4.0": "4.4"})
    with (
        pytest.raises(UserError, match=r"Spark 4\.\d\.\d+ with Delta 4\.4 .* is no pair"),
        submitted_session(),
    ):
        raise AssertionError("the session was given out")
    assert spark.range(1).count() == 1
