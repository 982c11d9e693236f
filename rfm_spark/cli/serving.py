"""`rfm-spark serve`: the tables of a warehouse for clients that speak JDBC, ODBC or Thrift."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Annotated

import typer

from rfm_spark.app.serving import DATABASE, served
from rfm_spark.cli.options import Config, Overrides, Place
from rfm_spark.cli.requests import opened_run

_LOOKED_AT_SECONDS = 60
"""Between two looks at whether tables have changed."""


def serve(
    context: typer.Context,
    config: Config,
    overrides: Overrides,
    warehouse: Place,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Where to listen. There is no password: whoever reaches it can do what you can.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", metavar="N", min=0, max=65_535, help="0 takes one that is free."),
    ] = 10_000,
) -> None:
    """Serve the tables by Spark's Thrift server (JDBC, ODBC, Python), until it is stopped."""
    with (
        opened_run(context, config, overrides, warehouse, [warehouse]) as run,
        served(run, host, port) as (views, place),
        until_stopped() as stops,
    ):
        typer.echo(f"{len(views.names)} views of {DATABASE} at jdbc:hive2://{place}")
        while True:
            try:
                stops.get(timeout=_LOOKED_AT_SECONDS)
            except Empty:
                views.refresh()
            else:
                break


@contextmanager
def until_stopped() -> Iterator[SimpleQueue[int]]:
    """Signals that ask to end, in place of what they do otherwise, until the context ends."""
    # Of all queues and events this one can be filled by a handler that interrupts its own reader.
    stops: SimpleQueue[int] = SimpleQueue()
    before = {
        number: signal.signal(number, lambda got, _: stops.put(got))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
