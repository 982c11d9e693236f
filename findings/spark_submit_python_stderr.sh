#!/usr/bin/env bash
# Spark 4.2.0: what a Python program tells on standard error comes out of spark-submit on standard output.
#
# Seen: of `spark-submit program.py >out 2>err`, `out` has both lines of a program that prints one on each,
# and `err` has what Spark says itself. Spark starts Python with both joined to one pipe, and copies that
# pipe to its own standard output; in cluster mode it is the file stdout of the driver's container.
# The same program started by python keeps them apart.
# So: results that a submitted program prints cannot be told from its messages by the stream, a scheduler that
# keeps standard error only has none of them, and in YARN they are sought in stdout.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset SPARK_HOME
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cd "$folder"
cat >program.py <<'PYTHON'
import sys

print("a result", flush=True)
print("a message", file=sys.stderr, flush=True)
PYTHON
of_program() { grep -x 'a result\|a message' "$1" || true; }
export PYSPARK_PYTHON=$folder/venv/bin/python
{
    venv/bin/spark-submit --master 'local[1]' program.py >out 2>err
    echo "spark-submit, standard output:" && of_program out
    echo "spark-submit, standard error:" && of_program err
    venv/bin/python program.py >out 2>err
    echo "python, standard output:" && of_program out
    echo "python, standard error:" && of_program err
} | tee seen
diff - seen <<'SEEN'
spark-submit, standard output:
a result
a message
spark-submit, standard error:
python, standard output:
a result
python, standard error:
a message
SEEN
