#!/usr/bin/env bash
# delta-spark 4.4.0 (Python): DeltaConcurrentModificationException is called the basic class of all
# conflicts of commits, as in Scala, and none of the others is derived from it. Code that catches it,
# as one would in Scala, lets ConcurrentAppendException and the others pass.
#
# Seen: of 7 exceptions of conflicts, 0 are its subclasses.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    delta-spark==4.4.0 pyspark==4.2.0
"$folder/venv/bin/python" - <<'PYTHON'
from delta import exceptions

base = exceptions.DeltaConcurrentModificationException
others = [getattr(exceptions, name) for name in exceptions.__all__ if name != base.__name__]
derived = [one for one in others if issubclass(one, base)]
for one in others:
    print(f"{one.__name__}: bases {[parent.__name__ for parent in one.__bases__]}")
print(f"of {len(others)} exceptions of conflicts, {len(derived)} are subclasses of {base.__name__}")
assert (len(others), derived) == (7, []), "this has changed"
PYTHON
