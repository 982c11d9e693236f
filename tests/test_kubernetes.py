"""What spark-submit makes for Kubernetes: the driver's pod, and how its end is told."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import ROOT
from support.kubernetes import Kubernetes, kubernetes
from support.sessions import SHORT_LIVED

NIGHT = (
    *("--config", "/opt/rfm-spark/conf/shop.toml", "--input", "s3a://raw"),
    *("--warehouse", "s3a://rfm", "--date", "2026-01-31"),
)


def submitted(cluster: Kubernetes, *settings: str) -> subprocess.CompletedProcess[str]:
    named = ("spark.kubernetes.container.image=registry/rfm-spark:1", *settings)
    command = [
        *(ROOT / "scripts" / "submit", "nightly", "--master", f"k8s://{cluster.url}"),
        *(word for one in named for word in ("--conf", one)),
        *("--", *NIGHT),
    ]
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={
            **os.environ,
            **SHORT_LIVED,
            **dict.fromkeys(("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"), sys.executable),
        },
    )


@pytest.mark.parametrize(("ended", "code"), [(0, 0), (2, 2), (1, 1), (137, 1)])
def test_a_night_ends_as_its_driver_did(ended: int, code: int) -> None:
    with kubernetes(ended) as cluster:
        done = submitted(cluster)
    assert done.returncode == code, done.stderr[-3000:]
    name = cluster.driver["metadata"]["name"]
    assert (f"kubectl logs --namespace default {name}" in done.stderr) == (code != 0)


def test_a_driver_that_nobody_waits_for() -> None:
    with kubernetes(1) as cluster:
        done = submitted(cluster, "spark.kubernetes.submission.waitAppCompletion=false")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "kubectl" not in done.stderr


def test_the_pod_has_everything_from_its_image() -> None:
    with kubernetes(0) as cluster:
        done = submitted(cluster)
    assert done.returncode == 0, done.stderr[-3000:]
    pod = cluster.created["Pod"]["spec"]
    [container] = pod["containers"]
    assert container["image"] == "registry/rfm-spark:1"
    job = container["args"].index("local:///opt/rfm-spark/jobs/main.py")
    assert container["args"][job + 1 :] == ["nightly", *NIGHT]
    assert pod["serviceAccountName"] == "spark"
    assert pod["restartPolicy"] == "Never"
    # 4 GB, and Spark's two fifths for a driver that is Python.
    assert container["resources"]["limits"] == {"memory": "5734Mi"}
    assert not [one for one in container["env"] if one["name"].startswith("PYSPARK_")]
    properties = cluster.created["ConfigMap"]["data"]["spark.properties"].splitlines()
    settings = dict(line.split("=", 1) for line in properties if not line.startswith("#"))
    assert settings["spark.jars.packages"] == ""
    assert settings["spark.sql.extensions"].endswith("DeltaSparkSessionExtension")
    assert str(ROOT) not in str(cluster.created)
