#!/usr/bin/env bash
# openretailscience 0.48.1: in a cohort table, months that have not come yet are 0, as if nobody had come.
#
# Seen: with receipts to March, the cohort of January has 2, 1, 1 customers, and that of March, of 2, has
# 2, 0, 0: April and May. With percentage=True as well, so the mean of a column, or a line drawn through the
# table, falls for the young cohorts only since they are young. A month of a cohort in which really nobody
# came (February's March) is 0 too, and cannot be told from those.
# So: blank what lies after the last month of the data before reading the table.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openretailscience==0.48.1 \
    pandas==2.3.3 duckdb==1.5.6
cd "$folder"
cat >one.py <<'PYTHON'
import pandas as pd
from openretailscience.analysis.cohort import CohortAnalysis

bought = {"ann": [1, 2, 3], "ben": [1], "cem": [2], "dan": [3], "eva": [3]}
receipts = pd.DataFrame(
    [(customer, pd.Timestamp(2026, month, 5), 10.0) for customer in bought for month in bought[customer]],
    columns=["customer_id", "transaction_date", "unit_spend"],
)
for percentage in (False, True):
    table = CohortAnalysis(receipts, "customer_id", percentage=percentage).df
    for month, row in table.iterrows():
        print(f"{month:%Y-%m}", *[f"{number:g}" for number in row])
PYTHON
venv/bin/python one.py | tee seen
diff seen - <<'SEEN'
2026-01 2 1 1
2026-02 1 0 0
2026-03 2 0 0
2026-01 1 0.5 0.5
2026-02 1 0 0
2026-03 1 0 0
SEEN
