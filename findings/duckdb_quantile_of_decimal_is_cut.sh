#!/usr/bin/env bash
# DuckDB 2.0.1: a quantile between two DECIMALs is cut to their scale, toward zero, not rounded.
#
# Seen: the median of 1.00 and 1.99 as DECIMAL(10, 2) is 1.49, and the lower quartile of 1, 2, 3 and 4 cents,
# which is 1.75 cents, is 1 cent: `quantile_cont` and `median` interpolate and then drop what the scale has no
# room for. Of whole numbers the same functions give a DOUBLE, 1.75. Polars 2.1.0 gives a float for decimals.
# So: for cut points of money, cast to DOUBLE or count in cents as integers.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 polars==2.1.0
cd "$folder"
cat >one.py <<'PYTHON'
import duckdb
import polars

for cents, share in (([100, 199], 0.5), ([1, 2, 3, 4], 0.25), ([-100, -199], 0.5)):
    rows = [one / 100 for one in cents]
    table = duckdb.sql(
        "SELECT unnest(?)::DECIMAL(10, 2) AS money, unnest(?) AS cents", params=[rows, cents]
    )
    found = table.aggregate(
        f"quantile_cont(money, {share}), typeof(quantile_cont(money, {share})),"
        f" quantile_cont(cents, {share}), typeof(quantile_cont(cents, {share})),"
        f" round(quantile_cont(money::DOUBLE, {share}), 6)"
    )
    print(cents, share, *found.fetchall()[0])
    decimals = polars.Series(rows).cast(polars.Decimal(10, 2))
    print("Polars", round(decimals.quantile(share, "linear"), 6))
PYTHON
venv/bin/python one.py | tee seen
diff seen - <<'SEEN'
[100, 199] 0.5 1.49 DECIMAL(10,2) 149.5 DOUBLE 1.495
Polars 1.495
[1, 2, 3, 4] 0.25 0.01 DECIMAL(10,2) 1.75 DOUBLE 0.0175
Polars 0.0175
[-100, -199] 0.5 -1.49 DECIMAL(10,2) -149.5 DOUBLE -1.495
Polars -1.495
SEEN
