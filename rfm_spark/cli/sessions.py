"""The session a command runs in: its own, or the one it was started with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import typer
from pyspark.sql import SparkSession

from rfm_spark.cli.display import ScreenProgress
from rfm_spark.session import local_session

Sessions = Callable[[], AbstractContextManager[SparkSession]]


@contextmanager
def session(context: typer.Context) -> Iterator[SparkSession]:
    """Spark from here until the context ends."""
    sessions: Sessions = context.obj or local_session
    with ScreenProgress().step("start Spark") as step:
        manager = sessions()
        spark = manager.__enter__()
        step.says(f"Spark {spark.version}, {spark.sparkContext.master}")
    try:
        yield spark
    except BaseException:
        manager.__exit__(*sys.exc_info())
        raise
    manager.__exit__(None, None, None)
