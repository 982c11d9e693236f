#!/usr/bin/env bash
# lifetimes 0.11.3 (pandas 3.1.1): money of the holdout is the mean of receipts, that of the calibration the
# mean of days.
#
# Seen: anna buys twice on one day, for 10 and for 30, in both periods. `calibration_and_holdout_data` counts
# one visit each time; its money is 40 in the calibration and 20 in the holdout. A model of the first that is
# compared with the second, as the function is made for, seems to expect twice what came. pymc-marketing
# 0.19.2, whose `rfm_train_test_split` carries the function on, has 40 both times.
# So: sum receipts by day before the function sees them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lifetimes==0.11.3 pandas==3.1.1
cd "$folder"
cat >one.py <<'PYTHON'
import pandas as pd
from lifetimes.utils import calibration_and_holdout_data

days = {"2024-01-01": [10.0], "2024-01-10": [10.0, 30.0], "2024-03-05": [10.0, 30.0]}
rows = pd.DataFrame(
    [("anna", pd.Timestamp(day), money) for day, receipts in days.items() for money in receipts],
    columns=["customer", "day", "money"],
)
summed = rows.groupby(["customer", "day"], as_index=False)["money"].sum()
for name, frame in (("receipts", rows), ("days", summed)):
    found = calibration_and_holdout_data(
        frame, "customer", "day", "2024-02-01", "2024-04-01", monetary_value_col="money"
    ).loc["anna"]
    for period in ("cal", "holdout"):
        visits, money = found[f"frequency_{period}"], found[f"monetary_value_{period}"]
        print(f"{name}, {period}: visits {visits:.0f}, money {money:.2f}")
PYTHON
venv/bin/python one.py | tee seen
diff seen - <<'SEEN'
receipts, cal: visits 1, money 40.00
receipts, holdout: visits 1, money 20.00
days, cal: visits 1, money 40.00
days, holdout: visits 1, money 40.00
SEEN
