#!/usr/bin/env bash
# pymc-marketing 0.19.2: with include_first_transaction=True the recency of rfm_summary is another number.
#
# Seen: by default `recency` is the age of a customer at the last purchase, as the models have it (c01, who
# came once, has 0: the smallest there is). With the option, which by its name is about the first purchase,
# it is the time since the last purchase (c01: 30), `T` is gone, and frequency is one more. The lifetimes
# package, whose function and option of this name it carries on, leaves recency and T as they are.
# So: make a new column of it, and never compare recency of the two.
#
# For the forty customers of examples/forty_customers.csv: frequency and recency by default, then with it.
set -euo pipefail
receipts=$(cd "$(dirname "$0")/.." && pwd)/examples/forty_customers.csv
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymc-marketing==0.19.2 pandas==3.1.1
cd "$folder"
cat >one.py <<'PYTHON'
import sys
import warnings

warnings.simplefilter("ignore")
import pandas as pd
from pymc_marketing.clv import rfm_summary

rows = pd.read_csv(sys.argv[1], parse_dates=["day"])
found = [
    rfm_summary(
        rows,
        "customer",
        "day",
        "amount",
        observation_period_end="2026-03-31",
        include_first_transaction=with_first,
    ).set_index("customer_id")
    for with_first in (False, True)
]
print(*["columns " + ", ".join(one.columns) for one in found], sep="\n")
for customer in found[0].index:
    told = [f"{one.frequency[customer]:.0f} {one.recency[customer]:.0f}" for one in found]
    print(customer, *told)
PYTHON
venv/bin/python one.py "$receipts" 2>stderr >seen || {
    tail -5 stderr >&2
    exit 1
}
cat seen
diff seen - <<'SEEN'
columns frequency, recency, T, monetary_value
columns frequency, recency, monetary_value
c01 0 0 1 30
c02 0 0 1 90
c03 0 0 1 200
c04 0 0 1 12
c05 1 60 2 1
c06 1 110 2 40
c07 0 0 1 3
c08 0 0 1 30
c09 0 0 1 120
c10 0 0 1 240
c11 0 0 1 12
c12 1 41 2 20
c13 0 0 1 171
c14 0 0 1 12
c15 0 0 1 45
c16 0 0 1 150
c17 0 0 1 3
c18 1 21 2 30
c19 1 25 2 90
c20 2 211 3 2
c21 1 17 2 12
c22 1 21 2 61
c23 1 25 2 150
c24 1 13 2 3
c25 1 17 2 30
c26 1 21 2 120
c27 2 50 3 240
c28 2 26 3 12
c29 3 85 4 10
c30 2 42 3 171
c31 2 50 3 12
c32 3 39 4 45
c33 4 141 5 60
c34 3 63 4 3
c35 3 75 4 30
c36 5 65 6 90
c37 5 85 6 200
c38 8 168 9 12
c39 11 275 12 61
c40 0 0 1 0
SEEN
