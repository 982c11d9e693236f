"""Spark's standalone cluster on this machine: a master and two workers, each a process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from support.sessions import SHORT_LIVED

_SPARK = Path(pyspark.__file__).parent
_DEPLOY = "org.apache.spark.deploy"
_SECONDS = 120
"""How long a process has to be ready, on a machine that does other things as well."""
_LIFE_SECONDS = 1800


@contextmanager
def standalone_cluster(folder: Path) -> Iterator[str]:
    """Starts it, with one core and 1 GB a worker, and ends it.

    Args:
        folder: for logs and the workers' files.

    Yields:
        The address of the master.
    """
    with ExitStack() as stack:
        at = ("--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        log = stack.enter_context(
            spark_process(folder, "master", (f"{_DEPLOY}.master.Master", *at))
        )
        [master] = said(log, r"Starting Spark master at (spark://\S+)", 1)
        for number in (1, 2):
            size = ("--cores", "1", "--memory", "1g", "--work-dir", folder / f"work{number}")
            worker = (f"{_DEPLOY}.worker.Worker", *at, *size, master)
            stack.enter_context(spark_process(folder, f"worker{number}", worker))
        said(log, r"Registering worker (\S+) with", 2)
        yield master


@contextmanager
def spark_process(
    folder: Path,
    name: str,
    command: Sequence[object],
    more: Mapping[str, str] | None = None,
) -> Iterator[Path]:
    """A process with Spark's jars until the context ends, or for some minutes; yields its log.

    Args:
        folder: for its log.
        name: of the log.
        command: a class with a `main`, and its arguments.
        more: of the environment.
    """
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": SHORT_LIVED["JDK_JAVA_OPTIONS"] + " -XX:+UseSerialGC",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        **(more or {}),
    }
    # Whoever started it may be killed.
    bounded = ["timeout", str(_LIFE_SECONDS)] if shutil.which("timeout") else []
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*bounded, str(_SPARK / "bin" / "spark-class"), *map(str, command)],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(_SECONDS)


def said(log: Path, pattern: str, times: int) -> list[str]:
    """What a log says, once it has said it so many times."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = re.findall(pattern, log.read_text(errors="replace"))
        if len(found) >= times:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{log} does not say {pattern!r}")
