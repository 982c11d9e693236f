#!/usr/bin/env bash
# DuckDB 2.0.0: after fetchone() a connection is in use, even where the one row was all there was.
#
# Seen: register() after execute("select count(*) ...").fetchone() raises ResourceInUseException; after
# fetchall() it does not. DuckDB 1.4.4 registers after either. So: what asks DuckDB for one number and goes
# on with the same connection fetches all rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >one.py <<'PYTHON'
import duckdb
import pyarrow as pa


def registered_after(fetch):
    connection = duckdb.connect()
    connection.register("receipts", pa.table({"cents": [1990, 500]}))
    getattr(connection.execute("select count(*) from receipts"), fetch)()
    try:
        connection.register("others", pa.table({"cents": [100]}))
    except duckdb.Error as error:
        return type(error).__name__
    return "registered"


for fetch in ("fetchall", "fetchone"):
    print(f"{duckdb.__version__} {fetch}: {registered_after(fetch)}")
PYTHON
for version in 1.4.4 2.0.0; do
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet --disable-pip-version-check "duckdb==$version" pyarrow==21.0.0
    "$version/bin/python" one.py
done | tee seen
diff seen - <<'SEEN'
1.4.4 fetchall: registered
1.4.4 fetchone: registered
2.0.0 fetchall: registered
2.0.0 fetchone: ResourceInUseException
SEEN
