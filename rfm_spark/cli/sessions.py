"""The session of a command: one of its own where it needs one, or the one it was started with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import typer
from pyspark.sql import SparkSession

from rfm_spark.cli.progress import StepProgress, watched
from rfm_spark.session import DRIVER_MEMORY, has_hadoop_settings, local_session
from rfm_spark.storage.comet import COMET_JAR
from rfm_spark.storage.locations import holds_at_most
from rfm_spark.storage.on_demand import SessionOnDemand

Sessions = Callable[[], AbstractContextManager[SparkSession]]

_FEW_BYTES = 2**20
"""Of input and warehouse together, up to which plans are interpreted (docs/performance.md)."""


@contextmanager
def session(context: typer.Context, places: Sequence[str | None] = ()) -> Iterator[SessionOnDemand]:
    """Spark from its first use until the context ends.

    Args:
        context: of the command; it has what the process was started with.
        places: where its data lie; what holds little there is worked through without compiling.
    """
    given: Sessions | None = context.obj
    if given is None:
        known = [place for place in places if place]
        # Unless files of settings may say otherwise, paths are those of this machine.
        is_local = not has_hadoop_settings(os.environ)
        has_few_rows = is_local and bool(known) and holds_at_most(_FEW_BYTES, known)
        start: Sessions = partial(
            local_session,
            driver_memory=os.environ.get(DRIVER_MEMORY) or None,
            has_few_rows=has_few_rows,
            comet_jar=os.environ.get(COMET_JAR) or None,
        )
    else:
        start, is_local = given, False
    with SessionOnDemand(partial(_shown, start), is_local) as sessions:
        if given is not None:  # a cluster waits for the session of what it was given
            _ = sessions.session
        yield sessions


@contextmanager
def _shown(start: Sessions) -> Iterator[SparkSession]:
    with StepProgress().step("start Spark") as step:
        manager = start()
        spark = manager.__enter__()
        step.says(f"Spark {spark.version}, {spark.sparkContext.master}")
    try:
        with watched(spark):
            yield spark
    except BaseException:
        manager.__exit__(*sys.exc_info())
        raise
    manager.__exit__(None, None, None)
