"""`scripts/submit`: what reaches spark-submit, and what is refused before it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import typer
from conftest import ROOT

from rfm_spark.cli import app

PACKED = ROOT / "build" / "cluster"


@pytest.fixture
def submit(tmp_path: Path):
    """Runs the script with a Spark that shows what it is given, a word a line."""
    spark = tmp_path / "spark"
    (spark / "bin").mkdir(parents=True)
    shown = spark / "bin" / "spark-submit"
    shown.write_text('#!/bin/sh\necho "python $PYSPARK_PYTHON"\nprintf "%s\\n" "$@"\n')
    shown.chmod(0o755)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "scripts" / "submit", *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "SPARK_HOME": str(spark), "PYSPARK_PYTHON": "none"},
        )

    return call


def given(words: list[str], option: str) -> list[str]:
    """Every value of an option."""
    return [words[place + 1] for place, word in enumerate(words) if word == option]


def test_a_driver_on_this_machine_has_the_packed_environment_and_jars(submit):
    done = submit("run", "--master", "spark://h:7077", "--conf", "a=b", "--", "--config", "x.toml")
    words = done.stdout.splitlines()
    assert words[0] == f"python {PACKED}/environment/bin/python"
    assert given(words, "--properties-file") == [str(ROOT / "conf/spark/standalone.conf")]
    jars = given(words, "--jars")[0].split(",")
    assert any("delta-spark" in jar for jar in jars)
    assert all(Path(jar).is_file() for jar in jars)
    assert given(words, "--conf") == ["spark.jars.packages=", "a=b"]
    assert words[-4:] == [str(ROOT / "jobs" / "main.py"), "run", "--config", "x.toml"]


def test_a_driver_in_yarn_is_sent_its_environment_and_configuration(submit, tmp_path):
    config = tmp_path / "so me"
    config.mkdir()
    (config / "x.toml").touch()
    own = ["--jars", "a.jar", "--files=b.xml", "--archives", "c.zip"]
    path = str(config / "x.toml")
    for words, sent in (
        (["--config", path], ["--config", "x.toml"]),
        ([f"--config={path}"], ["--config=x.toml"]),
    ):
        done = submit("nightly", "--master=yarn", *own, "--", *words, "--input", "hdfs:///r")
        found = done.stdout.splitlines()
        assert given(found, "--archives") == [f"c.zip,{PACKED}/environment.tar.gz#environment"]
        assert given(found, "--files") == [f"b.xml,{path}"]
        assert given(found, "--jars")[0].startswith("a.jar,")
        job = found.index(str(ROOT / "jobs" / "main.py"))
        assert found[job + 1 :] == ["nightly", *sent, "--input", "hdfs:///r"]


def test_on_kubernetes_everything_is_in_the_image(submit):
    done = submit("customer-360", "--master", "k8s://https://h", "--", "--config", "/opt/x.toml")
    words = done.stdout.splitlines()
    assert words.index("customer-360") == words.index("local:///opt/rfm-spark/jobs/main.py") + 1
    assert not given(words, "--jars")
    assert words[-1] == "/opt/x.toml"


UNWATCHED = "spark.kubernetes.submission.waitAppCompletion=false"


@pytest.mark.parametrize(
    ("told", "options", "code"),
    [
        ("", (), 1),
        ("phase: Failed\ncontainer status: N/A", (), 1),
        ("container name: another-one\nexit code: 0", (), 1),
        ("", ("--conf", UNWATCHED), 0),
        ("", (f"--conf={UNWATCHED}",), 0),
        ("Deployed Spark application a with submission ID of:a into Kubernetes", (), 0),
    ],
)
def test_a_driver_on_kubernetes_whose_end_is_not_told(submit, tmp_path, told, options, code):
    spark = tmp_path / "spark" / "bin" / "spark-submit"
    spark.write_text(f"#!/bin/sh\necho shown\nprintf '%s\\n' '{told}' >&2\n")
    done = submit("run", "--master", "k8s://https://h", *options, "--", "--config", "/opt/x.toml")
    assert done.returncode == code
    assert done.stdout == "shown\n"
    assert ("tells no exit code" in done.stderr) == (code != 0)


def test_a_submission_that_is_stopped_stops_what_it_started(submit, tmp_path):
    spark = tmp_path / "spark" / "bin" / "spark-submit"
    stops = "trap 'echo stopped; kill $!; exit 143' TERM"
    # One that is not stopped, as it was just being started, must not hold our pipes open.
    waits = "sleep 60 >/dev/null 2>&1 &"
    spark.write_text(f"#!/bin/sh\n{stops}\n{waits}\necho started >&2\nwait\n")
    command = [ROOT / "scripts" / "submit", "run", "--master", "k8s://https://h", "--", "-h"]
    environment = {**os.environ, "SPARK_HOME": str(tmp_path / "spark")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "started\n"
        process.terminate()
        shown, _ = process.communicate(timeout=60)
    assert process.returncode == 143
    assert shown == "stopped\n"


@pytest.mark.parametrize(
    ("told", "ends", "code"),
    [
        ("", 0, 0),
        ("User application exited with status 1", 1, 1),
        ("User application exited with status 2", 1, 2),
        ("Caused by: SparkUserAppException: User application exited with 2", 1, 2),
        ("User application exited with 23", 1, 1),
        ("no route to the cluster", 1, 1),
    ],
)
def test_the_exit_code_of_a_driver_in_yarn_is_read_from_what_spark_tells(
    submit, tmp_path, told, ends, code
):
    (tmp_path / "x.toml").touch()
    spark = tmp_path / "spark" / "bin" / "spark-submit"
    spark.write_text(
        "#!/bin/sh\necho shown\necho 'Submitted application application_17_0042' >&2\n"
        f"echo '{told}' >&2\nexit {ends}\n"
    )
    done = submit("run", "--master", "yarn", "--", "--config", "x.toml")
    assert done.returncode == code, done.stderr
    assert done.stdout == "shown\n"
    assert told in done.stderr
    assert ("yarn logs -applicationId application_17_0042" in done.stderr) == (ends != 0)


def test_every_command_can_be_submitted(submit):
    told = submit("unknown").stderr.strip()
    commands = typer.main.get_command(app).commands
    # Words that follow, such as the second of `cohorts show`, are arguments of the job.
    named = {one.split()[0] for one in commands}
    # Files are looked into before there is anything to submit, and without Spark.
    assert set(told.partition("there are: ")[2].split()) == named - {"init"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say what to submit"),
        (("runs", "--master", "yarn", "--", "-h"), "there is no command 'runs'"),
        (("run", "--", "--config", "x.toml"), "name the cluster"),
        (("run", "--master", "mesos://h", "--", "--config", "x"), "'mesos://h' is no master"),
        (("run", "--master", "yarn", "--config", "x.toml"), "after --"),
        (("run", "--master", "yarn", "--jars"), "--jars needs a value"),
        (("run", "--master", "yarn", "--jars", "--", "--config", "x"), "--jars needs a value"),
        (("run", "--master", "yarn", "--", "--config"), "--config: there is no file ''"),
        (("run", "--master", "yarn", "--", "--config=x.toml"), "there is no file 'x.toml'"),
        (("forget", "--master", "yarn", "--", "--config", "x"), "--deploy-mode client"),
        (("report", "--master", "k8s://h", "--", "--config", "x"), "--deploy-mode client"),
    ],
)
def test_a_mistake_is_told(submit, arguments, told):
    done = submit(*arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert not done.stdout
