"""A driver in a process of its own, which does one command after another until it is killed.

    python driver.py embedded|submitted [HELD_TABLE]

Each line of its input is a list, as JSON: the words of a command, `get` or `put` with a URI and a
local path, or `race` with the URI of a folder. For each it prints the exit code. Where a table is
named, it stops before writing that, with the lease in its hand.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from typing import Any

from pyspark.sql import SparkSession

from rfm_spark.cli import exit_code
from rfm_spark.session import local_session, submitted_session
from rfm_spark.storage import remote_lease
from rfm_spark.storage.gateway import FileExists, HadoopFolder
from rfm_spark.storage.warehouse import Warehouse

_AT_ONCE = 8

SPANS = partial(remote_lease.Spans, 1.0, 15.0)
"""A killed driver's lease expires sooner than in use."""


def done(spark: SparkSession, words: Sequence[str]) -> int:
    """Does a command; its exit code."""
    command, *more = words
    if command == "race":
        race(HadoopFolder(spark, *more))
        return 0
    if command not in ("get", "put"):
        return exit_code(list(words), lambda: nullcontext(spark))
    hadoop: Any = spark._jvm.org.apache.hadoop.fs
    configuration = spark._jsc.hadoopConfiguration()
    there, here = map(hadoop.Path, more)
    ends = (
        (there.getFileSystem(configuration), there),
        (hadoop.FileSystem.getLocal(configuration), here),
    )
    source, target = ends if command == "get" else reversed(ends)
    # Not copyFromLocalFile: on S3A it speaks by a client of its own, which the tests' server
    # does not understand.
    hadoop.FileUtil.copy(*source, *target, False, configuration)
    return 0


def race(folder: HadoopFolder) -> None:
    """Makes sure that of threads which create the same file one does, and that it stays."""

    def created(name: str, by: str) -> list[str]:
        try:
            folder.create(name, by)
        except FileExists:
            return []
        return [by]

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        for name in map("file {}".format, range(_AT_ONCE)):
            done = threads.map(partial(created, name), map(str, range(_AT_ONCE)))
            winners = [winner for each in done for winner in each]
            assert len(winners) == 1, f"{name} was created by {winners}"
            assert list(folder.lines(name)) == winners, name


def hold(table_name: str) -> None:
    """Makes the process stop before it writes a table."""
    original = Warehouse.replace

    def replace(self: Warehouse, table: Any, *arguments: Any, **named: Any) -> Any:
        if table.name == table_name:
            print(json.dumps("held"), flush=True)
            time.sleep(300)
        return original(self, table, *arguments, **named)

    Warehouse.replace = replace  # type: ignore[method-assign]


def main(kind: str, held_table: str | None = None) -> None:
    remote_lease.Spans = SPANS  # type: ignore[assignment,misc]
    if held_table is not None:
        hold(held_table)
    with local_session("1g", True) if kind == "embedded" else submitted_session() as spark:
        for line in sys.stdin:
            print(json.dumps(done(spark, json.loads(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
