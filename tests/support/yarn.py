"""Hadoop YARN on this machine: a resource manager and a node manager, each a process.

They are Hadoop's own, of the version whose client Spark brings.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import pyspark
from pyspark.sql import SparkSession

from support.cluster import said, spark_process

_SERVER = "org.apache.hadoop.yarn.server"
_BOUNCY_CASTLE = "1.82"
"""Of Hadoop's build; its jar for tests needs it, and neither holds it nor asks for it."""
_PORTS = ("", ".scheduler", ".resource-tracker", ".admin", ".webapp")


@contextmanager
def yarn_cluster(spark: SparkSession, folder: Path) -> Iterator[Path]:
    """Starts it, with 5 GB and four cores to give away, and ends it.

    Args:
        spark: fetches Hadoop's jars, once.
        folder: for the configuration, logs (`containers/APPLICATION/CONTAINER/stderr`) and files.

    Yields:
        The folder of the configuration, for HADOOP_CONF_DIR.
    """
    configuration = folder / "configuration"
    # The pages that it would show are not among its jars, and it asks for their folders.
    for name in ("cluster", "node"):
        (configuration / "webapps" / name).mkdir(parents=True)
    _write(configuration / "core-site.xml", {"fs.defaultFS": "file:///", "hadoop.tmp.dir": folder})
    _write(configuration / "yarn-site.xml", _settings(folder))
    (configuration / "log4j2.properties").write_text(
        "rootLogger.level = warn\nrootLogger.appenderRef.console.ref = console\n"
        f"logger.node.name = {_SERVER}.nodemanager.NodeStatusUpdaterImpl\n"
        "logger.node.level = info\n"
        "appender.console.type = Console\nappender.console.name = console\n"
        "appender.console.target = SYSTEM_ERR\n"
        "appender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %d %p %c{1}: %m%n\n"
    )
    environment = {
        "HADOOP_CONF_DIR": str(configuration),
        "SPARK_DIST_CLASSPATH": ":".join(_jars(spark)),
        "SPARK_DRIVER_MEMORY": "192m",
    }
    with ExitStack() as stack:
        for name in ("resourcemanager.ResourceManager", "nodemanager.NodeManager"):
            command = (f"{_SERVER}.{name}",)
            process = spark_process(folder, name.partition(".")[2], command, environment)
            log = stack.enter_context(process)
        said(log, r"Registered with ResourceManager as (\S+)", 1)
        yield configuration


def _settings(folder: Path) -> dict[str, object]:
    with ExitStack() as stack:  # all at once: they are different ones
        sockets = [stack.enter_context(socket.socket()) for _ in _PORTS]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in sockets]
    manager = zip(_PORTS, ports, strict=True)
    node = ("address", "localizer.address", "collector-service.address", "webapp.address")
    return {
        **{f"yarn.resourcemanager{name}.address": f"127.0.0.1:{port}" for name, port in manager},
        "yarn.resourcemanager.scheduler.class": f"{_SERVER}.resourcemanager.scheduler.fifo"
        ".FifoScheduler",
        **{f"yarn.nodemanager.{name}": "127.0.0.1:0" for name in node},
        "yarn.nodemanager.local-dirs": folder / "local",
        "yarn.nodemanager.log-dirs": folder / "containers",
        "yarn.nodemanager.resource.memory-mb": 5 * 1024,
        "yarn.nodemanager.resource.cpu-vcores": 4,
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": 100,
        "yarn.scheduler.minimum-allocation-mb": 128,
    }


def _write(file: Path, settings: Mapping[str, object]) -> None:
    properties = "".join(
        f"<property><name>{name}</name><value>{escape(str(value))}</value></property>\n"
        for name, value in settings.items()
    )
    file.write_text(f"<configuration>\n{properties}</configuration>\n")


def _jars(spark: SparkSession) -> list[str]:
    """Hadoop's servers, by Spark's own means, which keeps what it has fetched."""
    names = [one.name for one in (Path(pyspark.__file__).parent / "jars").glob("hadoop-client-*")]
    [version] = {re.sub(r"hadoop-client-\w+-(.*)\.jar", r"\1", name) for name in names}
    packages = [
        f"org.apache.hadoop:hadoop-client-minicluster:{version}",
        f"org.bouncycastle:bcprov-jdk18on:{_BOUNCY_CASTLE}",
        f"org.bouncycastle:bcpkix-jdk18on:{_BOUNCY_CASTLE}",
        f"org.bouncycastle:bcutil-jdk18on:{_BOUNCY_CASTLE}",
    ]
    jvm = spark._jvm
    found = jvm.org.apache.spark.util.DependencyUtils.resolveMavenDependencies(
        False, None, ",".join(packages), None, None, jvm.scala.Option.empty()
    )
    return [found.apply(place) for place in range(found.size())]
