#!/usr/bin/env bash
# delta-spark 4.4.0 (Python): its metadata asks for pyspark <= 4.2.0, so pip refuses the patch
# release 4.2.1 of the very Spark that its jar (delta-spark_4.2_2.13) is made for.
#
# Seen: "Cannot install delta-spark==4.4.0 and pyspark==4.2.1 because these package versions have
# conflicting dependencies"; with 4.2.0 it resolves. On a cluster, whose Spark pip does not install,
# nothing of this is checked.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"

resolves() {
    "$folder/venv/bin/pip" install --disable-pip-version-check --dry-run --quiet \
        delta-spark==4.4.0 "pyspark==$1" >"$folder/log" 2>&1
}

resolves 4.2.0 || { cat "$folder/log" && exit 1; }
echo "pyspark 4.2.0 with delta-spark 4.4.0: resolves"
if resolves 4.2.1; then
    echo "pyspark 4.2.1 with delta-spark 4.4.0 resolves: this has changed" && exit 1
fi
grep -q "conflicting dependencies" "$folder/log" || { cat "$folder/log" && exit 1; }
echo "pyspark 4.2.1 with delta-spark 4.4.0: conflicting dependencies"
