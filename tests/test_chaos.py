"""`scripts/chaos`: what its verdict rests on, without a night: comparison, moments, record."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

FAULTS = Path(__file__).parents[1] / "scripts" / "faults"


@pytest.fixture(autouse=True)
def of_scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(FAULTS))
    yield
    for name in ("contents", "nights", "record"):
        sys.modules.pop(name, None)


def warehouse(folder: Path, **tables: list[int]) -> Path:
    for name, rows in tables.items():
        write_deltalake(str(folder / name), pa.table({"number": pa.array(rows, pa.int64())}))
    return folder


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"rfm": [2, 1, 2], "runs": [3, 4]}, []),
        ({"rfm": [1, 2], "runs": [3]}, ["rfm: 1 rows only in the one, 0 in the other"]),
        ({"rfm": [1, 2, 2, 2]}, ["rfm: 0 rows only in the one, 1 in the other"]),
        ({"rfm": [1, 2, 5]}, ["rfm: 1 rows only in the one, 1 in the other"]),
        ({"rfm": [1, 2, 2], "cohorts": [1]}, ["tables: ['rfm'] and ['cohorts', 'rfm']"]),
    ],
)
def test_every_row_counts_in_any_order_and_those_about_runs_do_not(tmp_path, tables, told):
    from contents import differences

    one = warehouse(tmp_path / "one", rfm=[1, 2, 2], runs=[3])
    assert differences(one, warehouse(tmp_path / "other", **tables)) == told


def test_a_moment_is_of_a_step_after_spark_was_started_and_the_same_by_its_seed():
    from nights import Course

    steps = (("start Spark", 1.0), ("ingest", 10.0), ("rfm", 15.0))
    course = Course(20.0, steps)
    drawn = [course.moment(random.Random(seed)) for seed in range(200)]
    assert drawn == [course.moment(random.Random(seed)) for seed in range(200)]
    assert {one.step for one in drawn} == {"ingest", "rfm"}
    begin = dict(steps)
    for one in drawn:
        assert 10 <= one.after_seconds <= 20
        assert one.into_seconds == one.after_seconds - begin[one.step] >= 0
    in_ingest = [one for one in drawn if one.step == "ingest"]
    assert 60 < len(in_ingest) < 140, "half of the time, half of the moments"


def test_the_record_is_added_to(tmp_path):
    from record import Disturbed, add_to

    file = tmp_path / "record.jsonl"
    killed = Disturbed("kill", 7, 1, 2.5, 20.0, "ingest", "ingest", None, ())
    failed = Disturbed("disk-full", 7, 2, 2.5, 20.0, "rfm", None, 1, ("a disk is full",))
    add_to(file, [killed], "the same rows")
    add_to(file, [failed], "rfm: 1 rows only in the one, 0 in the other")
    one, other = map(json.loads, file.read_text().splitlines())
    assert (one["fault"], one["code"], one["result"]) == ("kill", None, "the same rows")
    assert (other["number"], other["code"], other["problems"]) == (2, 1, ["a disk is full"])
    assert one["at"]
    assert one["commit"]
