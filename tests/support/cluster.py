"""Spark's standalone cluster on this machine: a master and two workers, each a process."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from support.sessions import SHORT_LIVED

_SPARK = Path(pyspark.__file__).parent
_DEPLOY = "org.apache.spark.deploy"
_SECONDS = 120
"""How long a process has to be ready, on a machine that does other things as well."""


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
        log = stack.enter_context(_process(folder, "master", f"{_DEPLOY}.master.Master", *at))
        [master] = _said(log, r"Starting Spark master at (spark://\S+)", 1)
        for number in (1, 2):
            size = ("--cores", "1", "--memory", "1g", "--work-dir", folder / f"work{number}")
            worker = (f"{_DEPLOY}.worker.Worker", *at, *size, master)
            stack.enter_context(_process(folder, f"worker{number}", *worker))
        _said(log, r"Registering worker (\S+) with", 2)
        yield master


@contextmanager
def _process(folder: Path, name: str, *command: object) -> Iterator[Path]:
    """A process of Spark until the context ends; yields its log."""
    environment = {
        **os.environ,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": SHORT_LIVED["JDK_JAVA_OPTIONS"] + " -XX:+UseSerialGC",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
    }
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(_SPARK / "bin" / "spark-class"), *map(str, command)],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield log
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _said(log: Path, pattern: str, times: int) -> list[str]:
    """What a log says, once it has said it so many times."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        found = re.findall(pattern, log.read_text(errors="replace"))
        if len(found) >= times:
            return found
        time.sleep(0.2)
    raise TimeoutError(f"{log} does not say {pattern!r}")
