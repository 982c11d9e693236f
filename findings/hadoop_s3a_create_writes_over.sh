#!/usr/bin/env bash
# Hadoop 3.5.0: S3A's create(path, overwrite=false) writes over what another one created meanwhile,
# although conditional writes are on by default; with fs.s3a.create.performance it writes over an
# object that has long been there. Only createFile() with an option that it "must" have asks S3.
#
# Seen, on moto 5.2.5 (whose requests are done one at a time here): two streams of
# create(path, false), both opened before the first is closed, are both created, and the second one
# stays; with `performance` this is so of an object that is there already, where the plain call
# raises FileAlreadyExistsException; of two createFile(path).must(
# "fs.option.create.conditional.overwrite", true) the second fails, by RemoteFileChangedException,
# when it is closed. HDFS refuses the second create in every case.
# So: hold nothing by create(path, false) on S3, and look for the capability of that name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 \
    'moto[s3]==5.2.5' Flask==3.1.3 flask-cors==6.0.5
cd "$folder"
venv/bin/python - 2>"$folder/stderr" <<'PYTHON' || { tail -5 "$folder/stderr" >&2 && exit 1; }
from threading import Lock, Thread

import boto3
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from py4j.protocol import Py4JJavaError
from pyspark import SparkConf
from pyspark.java_gateway import launch_gateway
from werkzeug.serving import make_server

application, lock = DomainDispatcherApplication(create_backend_app), Lock()


def one_at_a_time(environment, start):
    with lock:
        return application(environment, start)


server = make_server(
    "127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler
)
Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
client.create_bucket(Bucket="bucket")

conf = SparkConf().set("spark.jars.excludes", "software.amazon.awssdk:bundle").set(
    "spark.jars.packages",
    "org.apache.hadoop:hadoop-aws:3.5.0,software.amazon.awssdk:s3:2.35.4,"
    "software.amazon.awssdk:s3-transfer-manager:2.35.4",
)
gateway = launch_gateway(conf)  # a JVM with Spark's Hadoop, without a session
hadoop = gateway.jvm.org.apache.hadoop
CONDITION = "fs.option.create.conditional.overwrite"


def files(**settings):
    configuration = hadoop.conf.Configuration()
    for name, value in {
        "fs.s3a.endpoint": address,
        "fs.s3a.endpoint.region": "us-east-1",
        "fs.s3a.path.style.access": "true",
        "fs.s3a.access.key": "a",
        "fs.s3a.secret.key": "b",
        **settings,
    }.items():
        configuration.set(name, value)
    return hadoop.fs.FileSystem.newInstance(path("").toUri(), configuration)


def path(name):
    return hadoop.fs.Path(f"s3a://bucket/{name}")


def created(files, name):
    return files.create(path(name), False)


def conditionally_created(files, name):
    return files.createFile(path(name)).must(CONDITION, True).build()


def second(name, files, create, is_closed_before):
    """What becomes of a second creation of a file, and whose content stays."""
    first = create(files, name)
    first.write(ord("1"))
    if is_closed_before:
        first.close()
    try:
        other = create(files, name)
        other.write(ord("2"))
        first.close()
        other.close()
        outcome = "created"
    except Py4JJavaError as error:
        outcome = error.java_exception.getClass().getSimpleName()
    return outcome, client.get_object(Bucket="bucket", Key=name)["Body"].read().decode()


plain, quick = files(), files(**{"fs.s3a.create.performance": "true"})
assert plain.hasPathCapability(path("x"), CONDITION)
seen = {
    "create, there already": second("a", plain, created, True),
    "create, at once": second("b", plain, created, False),
    "create with performance, there already": second("c", quick, created, True),
    "conditional, there already": second("d", plain, conditionally_created, True),
    "conditional, at once": second("e", plain, conditionally_created, False),
}
for what, (outcome, content) in seen.items():
    print(f"{what}: the second one: {outcome}; in the file is what the {content}. wrote")
gateway.shutdown()
expected = [
    ("FileAlreadyExistsException", "1"),
    ("created", "2"),
    ("created", "2"),
    ("RemoteFileChangedException", "1"),
    ("RemoteFileChangedException", "1"),
]
assert list(seen.values()) == expected, "this has changed"
PYTHON
