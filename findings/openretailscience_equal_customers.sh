#!/usr/bin/env bash
# openretailscience 0.48.1: customers who are equal in all three values have different scores, by their ids.
#
# Seen: ten customers who each bought once, on one day, for 10.00 are in ten cells, 0 to 999: the one whose
# id comes last is best in all three. Scores are ntile() over the value, and the id decides among equal
# ones: of the forty, the fifteen with one transaction have frequency scores of 0 to 3, by their ids.
# So: score by boundaries that no tie crosses.
#
# Then the forty customers of examples/forty_customers.csv: days, transactions, money and cell (0 to 9).
# A refund is a transaction, and the last one: c05, c06, c12, c20, c29, c33.
set -euo pipefail
receipts=$(cd "$(dirname "$0")/.." && pwd)/examples/forty_customers.csv
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openretailscience==0.48.1 \
    pandas==2.3.3 duckdb==1.5.6
cd "$folder"
cat >one.py <<'PYTHON'
import sys

import pandas as pd
from openretailscience.segmentation.rfm import RFMSegmentation

NAMES = {"receipt": "transaction_id", "customer": "customer_id", "day": "transaction_date",
         "amount": "unit_spend"}  # fmt: skip


def cells(rows):
    return RFMSegmentation(rows.rename(columns=NAMES), "2026-03-31").df.sort_index()


def cell(one):
    return f"{one.r_score:.0f}{one.f_score:.0f}{one.m_score:.0f}"


equal = pd.DataFrame(
    {"receipt": range(10), "customer": [f"e{number}" for number in range(10)],
     "day": pd.Timestamp("2026-01-10"), "amount": 10.0}
)  # fmt: skip
print("equal:", *[cell(one) for _, one in cells(equal).iterrows()])
receipts = pd.read_csv(sys.argv[1], parse_dates=["day"])
for customer, one in cells(receipts).iterrows():
    values = f"{one.recency_days:.0f} {one.frequency:.0f} {one.monetary:.2f}"
    print(customer, values, cell(one))
PYTHON
venv/bin/python one.py "$receipts" | tee seen
diff seen - <<'SEEN'
equal: 000 111 222 333 444 555 666 777 888 999
c01 30 1 42.00 404
c02 90 1 19.90 201
c03 200 1 120.00 007
c04 12 1 8.50 600
c05 1 2 6.75 930
c06 40 2 -4.00 440
c07 3 1 27.75 813
c08 30 1 19.90 512
c09 120 1 64.00 215
c10 240 1 31.40 013
c11 12 1 19.90 622
c12 20 2 17.00 641
c13 171 1 19.90 122
c14 12 1 120.00 627
c15 45 1 8.50 420
c16 150 1 15.25 131
c17 3 1 8.50 831
c18 30 2 69.75 546
c19 90 2 39.80 244
c20 2 3 164.10 968
c21 12 2 39.90 754
c22 61 2 35.15 353
c23 150 2 50.50 155
c24 3 2 47.65 855
c25 30 2 139.90 568
c26 120 2 72.50 266
c27 240 3 55.15 065
c28 12 3 43.65 774
c29 10 4 36.25 873
c30 171 3 67.55 176
c31 12 3 203.90 778
c32 45 4 223.90 488
c33 60 5 66.55 386
c34 3 4 85.65 987
c35 30 4 98.15 587
c36 90 6 238.05 399
c37 200 6 260.05 099
c38 12 9 348.70 799
c39 61 12 385.60 399
c40 0 1 19.90 932
SEEN
