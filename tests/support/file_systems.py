"""File systems of a platform, on this machine: HDFS, and a store that speaks S3."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import Any

import pyspark
from pyspark.sql import SparkSession

from rfm_spark.session import MEANING, SPEED
from rfm_spark.storage.engine import DELTA_PACKAGE
from support.sessions import FEW_ROWS, SHORT_LIVED

DRIVER = Path(__file__).parent / "driver.py"
HADOOP = "3.5.0"
"""The one that Spark brings."""
SDK = "2.35.4"
"""Of Amazon, the one that this Hadoop was built with."""
MINI_CLUSTER = (
    f"org.apache.hadoop:hadoop-client-minicluster:{HADOOP}",
    "org.junit.jupiter:junit-jupiter-api:5.13.4",
)
IN_SPARK = (
    *("org.apache.hadoop:hadoop-client-api", "org.apache.hadoop:hadoop-client-runtime"),
    *("org.slf4j:*", "commons-logging:*", "org.xerial.snappy:*"),
)
S3A = (
    f"org.apache.hadoop:hadoop-aws:{HADOOP}",
    f"software.amazon.awssdk:s3:{SDK}",
    f"software.amazon.awssdk:s3-transfer-manager:{SDK}",
)
NOT_FOR_S3A = ("software.amazon.awssdk:bundle",)
"""All services of Amazon in one jar of 690 MB."""
_LIFE_S = 1200
"""After which whatever was started ends by itself; before that, as soon as the tests end."""
_AS_LONG_AS_IT_IS_LISTENED_TO = """
import subprocess, sys, threading
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: (sys.stdin.read(), process.kill()), daemon=True).start()
sys.exit(process.wait())
"""
"""Runs a process until its own standard input is closed, whoever closes it."""
_READY_S = 240


@dataclass(frozen=True)
class FileSystem:
    """Where drivers work.

    Attributes:
        root: what a place begins with, as a person writes it.
        kind: of the drivers' session.
        environment: of the drivers.
    """

    root: str
    kind: str
    environment: Mapping[str, str]


@dataclass
class Driver:
    """A process that does commands."""

    process: subprocess.Popen[str]
    log: Path
    told: list[str] = field(default_factory=list)

    def begin(self, *words: object) -> None:
        """Gives it a command."""
        stdin: Any = self.process.stdin
        stdin.write(json.dumps([str(word) for word in words]) + "\n")
        stdin.flush()

    def answer(self) -> Any:
        """What it says of the command: the exit code, or that it is held."""
        stdout: Any = self.process.stdout
        for line in stdout:
            if line.strip() in ("0", "1", "2", '"held"'):
                return json.loads(line)
            self.told.append(line)
        raise AssertionError(f"the driver has ended: {self.log.read_text()[-4000:]}")

    def does(self, *words: object) -> tuple[int, str]:
        """The exit code of a command, and what it writes to standard error."""
        before = self.log.stat().st_size
        self.begin(*words)
        code = self.answer()
        return code, self.log.read_bytes()[before:].decode(errors="replace")

    def kill(self) -> None:
        """As `kill -9`, of Python and of its JVM."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def driver(place: FileSystem, log: Path, held_table: str | None = None) -> Iterator[Driver]:
    """A driver until the context ends."""
    command = [sys.executable, str(DRIVER), place.kind, *([held_table] if held_table else [])]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            env={**os.environ, **SHORT_LIVED, **place.environment},
            start_new_session=True,
        )
    one = Driver(process, log)
    life = Timer(_LIFE_S, one.kill)
    life.start()
    try:
        yield one
    finally:
        life.cancel()
        if process.poll() is None:
            one.kill()


def fetched(spark: SparkSession, packages: Sequence[str]) -> list[str]:
    """Jars of Maven packages, fetched as Spark fetches Delta's."""
    jvm, conf = spark._jvm, spark.sparkContext.getConf()
    from_where = [conf.get(f"spark.jars.{name}", None) for name in ("repositories", "ivy")]
    settings = jvm.scala.Option.apply(conf.get("spark.jars.ivySettings", None))
    resolve = jvm.org.apache.spark.util.DependencyUtils.resolveMavenDependencies
    jars = resolve(True, ",".join(IN_SPARK), ",".join(packages), *from_where, settings)
    return [jars.apply(place) for place in range(jars.size())]


@contextmanager
def hdfs(spark: SparkSession, folder: Path) -> Iterator[FileSystem]:
    """A namenode and a datanode; plain paths of its drivers are of it (`core-site.xml`)."""
    jars = fetched(spark, MINI_CLUSTER)
    conf, details = folder / "conf", folder / "details.json"
    conf.mkdir()
    classes = ":".join([*jars, str(Path(pyspark.__file__).parent / "jars" / "*")])
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    command = [
        *(sys.executable, "-c", _AS_LONG_AS_IT_IS_LISTENED_TO),
        *(str(java), "-Xmx256m", "-XX:+UseSerialGC"),
        *("-XX:TieredStopAtLevel=1", "-cp", classes),
        *("org.apache.hadoop.test.MiniDFSClusterManager", "-format", "-datanodes", "1"),
        *("-writeDetails", str(details)),
    ]
    log = folder / "hdfs.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=file, stderr=subprocess.STDOUT, cwd=folder
        )
    stdin: Any = process.stdin
    life = Timer(_LIFE_S, stdin.close)
    life.start()
    try:
        deadline = time.monotonic() + _READY_S
        while not (details.exists() and details.read_text().endswith("}")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"HDFS did not start: {log.read_text()[-4000:]}")
            time.sleep(0.2)
        address = f"hdfs://localhost:{json.loads(details.read_text())['namenode_port']}"
        (conf / "core-site.xml").write_text(
            "<configuration><property><name>fs.defaultFS</name>"
            f"<value>{address}</value></property></configuration>"
        )
        yield FileSystem("", "embedded", {"HADOOP_CONF_DIR": str(conf)})
    finally:
        life.cancel()
        stdin.close()
        process.wait()


@contextmanager
def s3(folder: Path) -> Iterator[FileSystem]:
    """A bucket of a server that speaks S3; drivers are submitted with what Hadoop needs for it."""
    import boto3
    from moto.server import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    application, lock = DomainDispatcherApplication(create_backend_app), Lock()

    def one_at_a_time(environment: Any, start: Any) -> Any:
        """As in S3, nothing happens between the look for an object and its creation."""
        with lock:
            return application(environment, start)

    server = make_server(
        "127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler
    )
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    keys = {"aws_access_key_id": "shop", "aws_secret_access_key": "shop"}
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys).create_bucket(
        Bucket="shop"
    )
    settings = {
        **MEANING,
        **SPEED,
        **FEW_ROWS,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "localhost",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.hadoop.fs.s3a.endpoint": address,
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": "shop",
        "spark.hadoop.fs.s3a.secret.key": "shop",
    }
    submit = [
        *("--master", "local[2]", "--packages", ",".join((DELTA_PACKAGE, *S3A))),
        *("--exclude-packages", ",".join(NOT_FOR_S3A)),
        *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
        "pyspark-shell",
    ]
    try:
        yield FileSystem("s3a://shop", "submitted", {"PYSPARK_SUBMIT_ARGS": shlex.join(submit)})
    finally:
        server.shutdown()
        thread.join()
