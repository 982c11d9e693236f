"""Progress: steps, how far they are, and problems, as people and as machines read them."""

from __future__ import annotations

import json
import time
from datetime import datetime

import pytest

from rfm_spark.cli import exit_code, progress
from rfm_spark.cli.progress import StepProgress, choose_format, show_problems, watched
from rfm_spark.cli.tasks import TasksNow


@pytest.fixture
def json_lines(capsys):
    """What has been told, as objects, in a process that logs JSON until the test ends."""

    def told():
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    choose_format("json")
    yield told
    choose_format("text")


def outer_that_fails():
    with StepProgress().step("outer"):
        with StepProgress().step("inner") as step:
            step.says('two "lines"\nof München')
        raise ZeroDivisionError


def test_steps_and_problems_are_objects_a_line(json_lines):
    with pytest.raises(ZeroDivisionError):
        outer_that_fails()
    show_problems(["first", "second"])
    told = json_lines()
    assert [datetime.fromisoformat(one.pop("time")).utcoffset().seconds for one in told] == [0] * 6
    seconds = [one.pop("seconds") for one in told if "seconds" in one]
    assert all(0 <= one < 1 for one in seconds)
    assert told == [
        {"event": "step_began", "step": "outer"},
        {"event": "step_began", "step": "inner"},
        {"event": "step_done", "step": "inner", "result": 'two "lines"\nof München'},
        {"event": "step_failed", "step": "outer", "result": ""},
        {"event": "problem", "message": "first"},
        {"event": "problem", "message": "second"},
    ]


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_long_step_tells_how_many_of_its_tasks_are_done(spark, log_format, capsys, monkeypatch):
    monkeypatch.setattr(progress, "_LOOKED_AT_SECONDS", 0.05)
    monkeypatch.setattr(progress, "_LOOKS_A_LINE", 2)
    choose_format(log_format)
    try:
        with watched(spark), StepProgress().step("long"):
            spark.sparkContext.parallelize(range(6), 6).foreach(lambda _: time.sleep(0.4))
        with StepProgress().step("after"):
            time.sleep(0.2)
    finally:
        choose_format("text")
    lines = capsys.readouterr().err.splitlines()
    if log_format == "text":
        of_tasks = [line for line in lines if line.startswith("  long ... ")]
        assert any(" of 6 tasks" in line for line in of_tasks)
        assert not any(" of " in line for line in lines if line not in of_tasks)
    else:
        told = [one for line in lines if (one := json.loads(line))["event"] == "step_runs"]
        assert {one["step"] for one in told} == {"long"}
        done = [one["tasks_done"] for one in told if one["tasks"] == 6]
        assert done == sorted(done)
        assert max(done) >= 2, "tasks that are done are seen"
        left = [one["seconds_left"] for one in told if one["tasks_done"]]
        assert all(0 <= one < 60 for one in left)


def test_time_that_is_left_is_told_in_seconds_then_minutes():
    assert str(TasksNow(3, 1_200, None)) == "3 of 1,200 tasks"
    assert str(TasksNow(3, 1_200, 119.4)) == "3 of 1,200 tasks, about 119 s left"
    assert str(TasksNow(3, 1_200, 3_601)) == "3 of 1,200 tasks, about 60 minutes left"


@pytest.mark.parametrize("by", ["option", "environment"])
def test_a_command_logs_json_where_it_is_asked_to(by, json_lines, monkeypatch, tmp_path):
    command = ["tables", "--config", str(tmp_path / "no.toml"), "--warehouse", str(tmp_path)]
    if by == "environment":
        monkeypatch.setenv("RFM_SPARK_LOG", "json")
    else:
        command = ["--log", "json", *command]
    assert exit_code(command) == 2
    [problem] = json_lines()
    assert problem["event"] == "problem"
    assert "no.toml" in problem["message"]
