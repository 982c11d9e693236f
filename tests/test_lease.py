"""The lease on other file systems: one holds it, it expires, and who lost it commits nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import pytest
from pyspark.sql import functions as F
from pyspark.sql.types import LongType
from support.mounts import mounted
from support.shop import RECEIPTS

from rfm_spark.app.jobs import writing
from rfm_spark.core.errors import RunFailure, UserError
from rfm_spark.core.table import Column, Table
from rfm_spark.run import Run
from rfm_spark.storage import remote_lease
from rfm_spark.storage.gateway import FileExists, JvmError
from rfm_spark.storage.lease import lease
from rfm_spark.storage.on_demand import SessionOnDemand
from rfm_spark.storage.remote_lease import LEASE, RemoteLease, Spans
from rfm_spark.storage.warehouse import Warehouse

NUMBERS = Table("numbers", "a number", (Column("number", LongType(), "It", True),), ("number",))
NEVER = 3600.0
"""Seconds until a thread renews: tests renew by themselves."""


@dataclass
class Clock:
    """Goes forward as somebody waits; something may happen meanwhile."""

    now: float = 0.0
    meanwhile: Callable[[], object] = lambda: None
    looks: int = 0

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.looks += 1
        self.meanwhile()

    def spans(self) -> Spans:
        return Spans(NEVER, 4 * NEVER, lambda: self.now, self.wait)


@dataclass
class Folder:
    """Files in memory, created atomically; before any of its questions something may happen."""

    files: dict[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None

    def names(self) -> list[str]:
        self.before()
        return list(self.files)

    def create(self, name: str, content: str) -> None:
        self.before()
        if name in self.files:
            raise FileExists(name)
        self.files[name] = content

    def delete(self, name: str) -> None:
        self.before()
        self.files.pop(name, None)

    def lines(self, name: str) -> Iterator[str]:
        if name not in self.files:
            raise JvmError("no such file")
        return iter(self.files[name].splitlines())


class Nobody:
    """No session: the folder is in memory."""

    session = None


MADE: list[RemoteLease] = []


def a_lease(clock: Clock, holder: str) -> RemoteLease:
    MADE.append(RemoteLease(Nobody(), "hdfs://rfm", holder, clock.spans()))
    return MADE[-1]


@pytest.fixture
def folder(monkeypatch):
    one = Folder()
    monkeypatch.setattr(remote_lease, "HadoopFolder", lambda *_: one)
    yield one
    one.before = lambda: None
    while MADE:
        MADE.pop()._ends.set()  # their threads end


def holds(one: RemoteLease) -> bool:
    try:
        one.check()
    except RunFailure:
        return False
    return True


def test_a_lease_that_is_renewed_is_refused_and_one_that_is_not_is_taken_over(folder):
    clock = Clock()
    first = a_lease(clock, "rfm-spark run, anna@till, pid 7")
    first.take()
    # Renewed at the last moment at which the other one looks.
    clock.meanwhile = lambda: first._renew() if clock.looks == 8 else None
    with pytest.raises(UserError, match=r"is writing .*anna@till, pid 7.*-rm .*00000001\.holder"):
        a_lease(clock, "second").take()
    assert clock.looks == 8
    assert holds(first)

    # It stands still: its file stays as it is.
    second = a_lease(clock, "rfm-spark nightly, ben@till, pid 8")
    second.take()
    assert (first.number, second.number) == (1, 2)
    assert not holds(first)
    assert holds(second)
    with pytest.raises(RunFailure, match=r"was taken over, by rfm-spark nightly, ben@till, pid 8"):
        first.check()
    # It wakes up, and whatever it does to its lease does nothing to the other one.
    first._renew()
    first.release()
    assert holds(second)
    second.release()
    assert not any(name.endswith("holder") for name in folder.files)
    third = a_lease(Clock(), "third")
    third.take()
    assert third.number == 3
    assert {name.partition(".")[0] for name in folder.files} == {"00000003"}
    folder.files.clear()  # by hand
    assert not holds(third)


def test_a_lease_is_free_as_soon_as_it_is_let_go_while_another_run_waits(folder):
    clock = Clock()
    first, second = a_lease(clock, "first"), a_lease(clock, "second")
    first.take()
    clock.meanwhile = lambda: first.release() if clock.looks == 3 else None
    second.take()
    assert (clock.looks, second.number) == (3, 2)
    clock.meanwhile = lambda: None
    third = a_lease(clock, "third")
    third.take()  # the second one was not renewed
    # Whoever takes it over first is not asked whether it lives.
    clock.meanwhile = lambda: a_lease(Clock(), "fourth").take() if holds(third) else None
    with pytest.raises(UserError, match=r"another run is writing this warehouse .fourth."):
        a_lease(clock, "fifth").take()


@pytest.mark.parametrize("goes_on", ["holds", "lets go", "is taken over", "is taken over twice"])
@pytest.mark.parametrize("was_held", [False, True])
def test_whatever_happens_while_a_lease_is_taken_one_holds_it_and_numbers_grow(
    folder, goes_on, was_held
):
    """Between any two questions of one run to the file system, others take the lease as well."""
    for moment in count(1):
        folder.files, folder.before = {}, lambda: None
        taken: list[RemoteLease] = []

        def others(taken: list[RemoteLease] = taken) -> None:
            for place in range({"is taken over": 2, "is taken over twice": 3}.get(goes_on, 1)):
                other = a_lease(Clock(), f"other {place}")
                other.take()
                taken.append(other)
            if goes_on == "lets go":
                taken[-1].release()

        if was_held:
            a_lease(Clock(), "killed").take()
        questions = count(1)

        def before(moment: int = moment, questions: Iterator[int] = questions) -> None:
            if next(questions) == moment:
                folder.before = lambda: None
                others()
                folder.before = partial(before, moment, questions)

        folder.before = before
        one = a_lease(Clock(), "one")
        try:
            one.take()
            taken.append(one)
        except UserError:
            pass  # another one lives
        asked, folder.before = next(questions), lambda: None
        numbers = [each.number for each in taken]
        assert len({*numbers}) == len(numbers)
        last = max(taken, key=lambda each: each.number)
        is_let_go = goes_on == "lets go" and last is not one
        assert [each for each in taken if holds(each)] == ([] if is_let_go else [last])
        if asked <= moment:
            assert moment > 5, "there is something between which to happen"
            return


def test_a_store_that_writes_over_files_gives_no_lease(folder, monkeypatch):
    def create(name: str, content: str) -> None:
        folder.files[name] = content

    monkeypatch.setattr(folder, "create", create)
    with pytest.raises(UserError, match=r"this store writes over a file .* two runs could write"):
        a_lease(Clock(), "first").take()
    assert folder.files == {}


def test_whoever_lost_the_lease_commits_nothing_and_commits_tell_its_number(spark, tmp_path):
    place, sessions = f"{mounted(spark, tmp_path)}/warehouse", SessionOnDemand.of(spark)
    warehouse, clock = Warehouse(spark, place), Clock()
    rows = spark.range(3).select(F.col("id").alias("number"))
    first = RemoteLease(sessions, place, "first", clock.spans())
    first.take()
    with warehouse.held_by(first):
        warehouse.replace(NUMBERS, rows, F.lit(True), {"days": []})
        [*_, last] = warehouse.notes_since(NUMBERS, -1)
        assert (last.lease, last.content, last.is_ours) == (1, {"days": []}, True)
        second = RemoteLease(sessions, place, "rfm-spark run, ben@till", clock.spans())
        second.take()
        before = warehouse.version(NUMBERS)
        writes = (
            lambda: warehouse.replace(NUMBERS, rows, F.lit(True)),
            lambda: warehouse.append(NUMBERS, [{"number": 5}]),
            lambda: warehouse.delete(NUMBERS, F.lit(True)),
            lambda: warehouse.compact(NUMBERS),
            lambda: warehouse.vacuum(NUMBERS),
        )
        for write in writes:
            with pytest.raises(RunFailure, match="was taken over, by rfm-spark run, ben@till"):
                write()
        assert warehouse.version(NUMBERS) == before
    with warehouse.held_by(second):
        warehouse.delete(NUMBERS, F.col("number") == 1)
        assert warehouse.last_note(NUMBERS).content == {"days": []}
        assert warehouse.notes_since(NUMBERS, before)[-1].lease == 2
        # What is lost while Delta writes is told: which table, and where to look.
        original = warehouse._commit_since

        class LostMeanwhile:
            number, tag, asked = 2, None, count()

            def check(self) -> None:
                if next(self.asked):
                    raise RunFailure("lost")

        with (
            warehouse.held_by(LostMeanwhile()),
            pytest.raises(RunFailure, match=r"lost; the newest version of .*/numbers may have"),
        ):
            warehouse.replace(NUMBERS, rows, F.lit(True))
        assert original(NUMBERS, before + 1).version == before + 2
    second.release()


def test_a_write_that_works_when_its_lease_is_taken_over_is_stopped(spark, tmp_path):
    place, sessions = f"{mounted(spark, tmp_path)}/warehouse", SessionOnDemand.of(spark)
    warehouse = Warehouse(spark, place)
    slow = "id + 0 * length(reflect('java.lang.Thread', 'sleep', 20000L))"
    rows = spark.range(1).select(F.expr(slow).alias("number"))
    with lease(sessions, place, "first", spans=Spans(0.2, 60.0)) as hold, warehouse.held_by(hold):
        warehouse.replace(NUMBERS, spark.range(2).select(F.col("id").alias("number")), F.lit(True))
        before = warehouse.version(NUMBERS)
        file = tmp_path / "warehouse" / LEASE / "00000002.holder"
        as_another_would = threading.Timer(3, file.write_text, ["rfm-spark run, ben@till"])
        as_another_would.start()
        began = time.monotonic()
        with pytest.raises(RunFailure, match="was taken over, by rfm-spark run, ben@till"):
            warehouse.replace(NUMBERS, rows, F.lit(True))
        assert time.monotonic() - began < 18, "it was not stopped"
        assert warehouse.version(NUMBERS) == before


def test_a_thread_renews_the_lease_of_a_command_until_its_end_or_its_failure(spark, load, tmp_path):
    place, sessions = f"{mounted(spark, tmp_path)}/warehouse", SessionOnDemand.of(spark)
    quick = Spans(0.02, 60.0)
    folder = tmp_path / "warehouse" / LEASE
    with lease(sessions, place, "first", spans=quick) as hold:
        with pytest.raises(UserError, match=r"another run is writing this warehouse .first."):
            RemoteLease(sessions, place, "second", Spans(0.5, 60.0)).take()
        hold.check()
    assert not list(folder.glob("*.holder"))
    with pytest.raises(ZeroDivisionError), lease(sessions, place, "third", spans=quick):
        raise ZeroDivisionError
    assert not list(folder.glob("*.holder"))
    run = Run(spark, load(RECEIPTS), Warehouse(spark, place), str(tmp_path))
    with writing(run, "nightly", "4711"):
        [file] = folder.glob("*.holder")
        assert file.name == "00000003.holder"
        told = file.read_text()
        assert told.startswith("rfm-spark nightly, ")
        assert ", run 4711, since 20" in told
        with run.warehouse.committing(NUMBERS):
            pass
    # A file of an older release, which has none that expire, and a place that takes no files.
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / LEASE).write_text("rfm-spark run, anna")
    (tmp_path / "in the way").write_text("")
    for at, message in (("old", "older release .*-rm .*/old/_lease"),
                        ("in the way/warehouse", "cannot write the warehouse")):  # fmt: skip
        with (
            pytest.raises(UserError, match=message),
            lease(sessions, f"{mounted(spark, tmp_path)}/{at}", "fourth"),
        ):
            pass


STOPPED = """
import signal, sys, time
from rfm_spark import cli

signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))

@cli.app.command("hang")
def hang():
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("let go", flush=True)
        if "fails" in sys.argv:
            raise ConnectionRefusedError

cli.main(["hang"])
"""
WAITS_FOR_SPARK = """
import rfm_spark
from rfm_spark import cli

@cli.app.command("hang")
def hang():
    with rfm_spark.local_session(driver_memory="512m", has_few_rows=True) as spark:
        print("begun", flush=True)
        spark.range(10**13).selectExpr("sum(id % 7)").collect()

cli.main(["hang"])
"""
STOPPED_SAFELY = "stopped; tables are as the last finished step left them"


@pytest.mark.parametrize("arguments", [["default_int_handler"], ["SIG_IGN"], ["SIG_IGN", "fails"]])
def test_a_command_that_is_told_to_end_lets_go_what_it_holds(arguments):
    out, err, code = _told_to_end([STOPPED, *arguments], lambda process: process.terminate())
    assert (out, code) == ("let go\n", 1)
    assert STOPPED_SAFELY in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_processes_that_are_told_to_end_while_spark_works_end_with_one_line(number):
    def tell(process):
        time.sleep(2)  # until Python waits for the JVM
        os.killpg(process.pid, number)

    _, err, code = _told_to_end([WAITS_FOR_SPARK], tell)
    assert code == 1
    assert STOPPED_SAFELY in err
    assert "Traceback" not in err


def _told_to_end(code, tell):
    """What a program prints and ends with that is told to end once it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-c", *code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline() == "begun\n"
        tell(process)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return out, err, process.returncode
