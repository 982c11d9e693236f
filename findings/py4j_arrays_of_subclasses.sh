#!/usr/bin/env bash
# Py4J 0.10.9.9: a Java method that takes an array is not found for an array of a subclass, which
# Java itself would take (arrays are covariant).
#
# Seen: Arrays.deepToString(Object[]) and Arrays.asList(Object...) take an Object[], and "do not
# exist" for an Integer[]; a method that takes an Object gets any array. So in PySpark, calls such as
# FileUtil.stat2Paths(FileStatus[]) work with HDFS and a local disk, and fail on S3A, whose
# listStatus(path) returns an S3AFileStatus[].
# So: try code that hands arrays on with each file system; or ask for the array in another way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check py4j==0.10.9.9
[[ -z "${JAVA_HOME:-}" ]] || PATH=$JAVA_HOME/bin:$PATH
cd "$folder"
venv/bin/python - <<'PYTHON'
from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError

gateway = JavaGateway.launch_gateway(die_on_exit=True)
arrays, java = gateway.jvm.java.util.Arrays, gateway.jvm.java.lang


def outcome(call, of):
    array = gateway.new_array(of, 2)
    try:
        call(array)
    except Py4JError as error:
        return "no such method" if "does not exist" in str(error) else str(error)
    return "taken"


seen = {
    f"{name}, {kind}[]": outcome(call, getattr(java, kind))
    for name, call in (
        ("Arrays.deepToString(Object[])", arrays.deepToString),
        ("Arrays.asList(Object...)", arrays.asList),
        ("Objects.toString(Object)", gateway.jvm.java.util.Objects.toString),
    )
    for kind in ("Object", "Integer")
}
for what, answer in seen.items():
    print(f"{what}: {answer}")
gateway.shutdown()
expected = ["taken", "no such method", "taken", "no such method", "taken", "taken"]
assert list(seen.values()) == expected, "this has changed"
PYTHON
