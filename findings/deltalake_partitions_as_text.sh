#!/usr/bin/env bash
# deltalake 1.6.6 with PyArrow 26.0.1: what DeltaTable.partitions() gives cannot be handed to the
# filters of to_pyarrow_table, unless in a list.
#
# Seen: of a table partitioned by a DATE, partitions() gives the day as text. As the value of a
# filter with "=", that text raises ArrowNotImplementedError (no equal of date32 and string), while
# the same text in a list with "in" finds the day's row, as does a date with either. As
# file_pruning_predicate of to_pyarrow_dataset, the text is taken with "=", too. An INTEGER partition
# behaves alike.
# So: make the value of partitions() one of the column's type before filtering rows by it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    deltalake==1.6.6 pyarrow==26.0.1
cd "$folder"
cat >one.py <<'PYTHON'
from datetime import date

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

days = pa.array([date(2025, 1, 1), date(2025, 1, 2)])
stores = pa.array([1, 2], pa.int32())
receipts = pa.table({"day": days, "store": stores, "cents": [1990, 500]})


def found(read):
    try:
        return f"{read().num_rows} row"
    except Exception as error:
        return type(error).__name__


for column, value in (("day", date(2025, 1, 1)), ("store", 1)):
    write_deltalake(f"by_{column}", receipts, partition_by=[column])
    table = DeltaTable(f"by_{column}")
    text = min(one[column] for one in table.partitions())
    print(f"{column}: partitions() gives {text!r}")
    for given in (text, value):
        for one in ((column, "=", given), (column, "in", [given])):
            pruned = found(lambda: table.to_pyarrow_dataset(file_pruning_predicate=[one]).to_table())
            print(f"{one[1:]} filters: {found(lambda: table.to_pyarrow_table(filters=[one]))}")
            print(f"{one[1:]} file_pruning_predicate: {pruned}")
PYTHON
venv/bin/python one.py | tee seen
diff seen - <<'SEEN'
day: partitions() gives '2025-01-01'
('=', '2025-01-01') filters: ArrowNotImplementedError
('=', '2025-01-01') file_pruning_predicate: 1 row
('in', ['2025-01-01']) filters: 1 row
('in', ['2025-01-01']) file_pruning_predicate: 1 row
('=', datetime.date(2025, 1, 1)) filters: 1 row
('=', datetime.date(2025, 1, 1)) file_pruning_predicate: 1 row
('in', [datetime.date(2025, 1, 1)]) filters: 1 row
('in', [datetime.date(2025, 1, 1)]) file_pruning_predicate: 1 row
store: partitions() gives '1'
('=', '1') filters: ArrowNotImplementedError
('=', '1') file_pruning_predicate: 1 row
('in', ['1']) filters: 1 row
('in', ['1']) file_pruning_predicate: 1 row
('=', 1) filters: 1 row
('=', 1) file_pruning_predicate: 1 row
('in', [1]) filters: 1 row
('in', [1]) file_pruning_predicate: 1 row
SEEN
