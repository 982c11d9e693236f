#!/usr/bin/env bash
# lifetimes 0.11.3 (pandas 3.1.1): a row of negative money is a purchase, of the customer's frequency and
# of the day of the last one. Nothing is said, and the models are fitted to it.
#
# Seen: c05 bought once, for 15.25, and had 8.50 back 60 days later: frequency 1, recency 60 and a mean of
# -8.50, where without the refund all are 0. To a model that is fitted to it c05 has come back.
# So: leave refunds out, or take them off the row of their purchase.
#
# Then the forty customers of examples/forty_customers.csv: frequency, recency, T, mean money.
set -euo pipefail
receipts=$(cd "$(dirname "$0")/.." && pwd)/examples/forty_customers.csv
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lifetimes==0.11.3 pandas==3.1.1
cd "$folder"
cat >one.py <<'PYTHON'
import sys

import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data

rows = pd.read_csv(sys.argv[1], parse_dates=["day"])


def summary(rows):
    return summary_data_from_transaction_data(
        rows, "customer", "day", monetary_value_col="amount", observation_period_end="2026-03-31"
    )


def told(one):
    return f"{one.frequency:.0f} {one.recency:.0f} {one['T']:.0f} {one.monetary_value:.2f}"


print("without refunds: c05", told(summary(rows[rows["amount"] > 0]).loc["c05"]))
for customer, one in summary(rows).iterrows():
    print(customer, told(one))
PYTHON
venv/bin/python one.py "$receipts" | tee seen
diff seen - <<'SEEN'
without refunds: c05 0 0 61 0.00
c01 0 0 30 0.00
c02 0 0 90 0.00
c03 0 0 200 0.00
c04 0 0 12 0.00
c05 1 60 61 -8.50
c06 1 110 150 -12.50
c07 0 0 3 0.00
c08 0 0 30 0.00
c09 0 0 120 0.00
c10 0 0 240 0.00
c11 0 0 12 0.00
c12 1 41 61 -25.00
c13 0 0 171 0.00
c14 0 0 12 0.00
c15 0 0 45 0.00
c16 0 0 150 0.00
c17 0 0 3 0.00
c18 1 21 51 27.75
c19 1 25 115 19.90
c20 2 211 213 22.05
c21 1 17 29 31.40
c22 1 21 82 19.90
c23 1 25 175 42.00
c24 1 13 16 19.90
c25 1 17 47 120.00
c26 1 21 141 8.50
c27 2 50 290 23.32
c28 2 26 38 14.20
c29 3 85 95 9.25
c30 2 42 213 19.90
c31 2 50 62 92.00
c32 3 39 84 34.63
c33 4 141 201 14.51
c34 3 63 66 23.47
c35 3 75 105 29.88
c36 5 65 155 45.91
c37 5 85 285 46.46
c38 8 168 180 38.34
c39 11 275 336 34.28
c40 0 0 0 0.00
SEEN
