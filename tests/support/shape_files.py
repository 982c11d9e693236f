"""Files of shapes, and configurations that read them."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import write_deltalake

from rfm_spark.app.proposal.proposal import proposal
from support.shapes import Shape
from support.ways import AS_TYPES, Sold, Way

_PLACES = {"receipt_id": "head", "time": "head", "store_id": "head", "customer_id": "who",
           "amount": "money", "quantity": "money", "category": "money"}  # fmt: skip
"""Of nested files: the object in which each field lies."""

NOTE = 'She said: "a;b|c~d,\te"\r\nand left'


def write(shape: Shape, folder: Path) -> None:
    """The files of a shape, in a folder of its own."""
    folder.mkdir(parents=True)
    receipts = sorted({one.receipt for one in shape.rows})
    size = -(-len(receipts) // shape.parts)
    for part in range(shape.parts):
        own = receipts[part * size : (part + 1) * size]
        rows = [one for one in shape.rows if one.receipt in own]
        _write_part(shape, part, rows, folder)


def _write_part(shape: Shape, part: int, rows: Sequence[Sold], folder: Path) -> None:
    draw = Random(f"{shape.number} {part}")
    roles = draw.sample(sorted(shape.ways), len(shape.ways))
    ways = {role: _way_of_part(shape, role, draw) if part else shape.ways[role] for role in roles}
    # Names are the same in any letter case, but for those of JSON.
    is_upper = part == 1 and "json" not in shape.container
    names = {role: name.upper() if is_upper else name for role, name in shape.names.items()}
    columns = {names[role]: [way.write(one) for one in rows] for role, way in ways.items()}
    types = {names[role]: way.type or pa.string() for role, way in ways.items()}
    for more in range(part):
        columns[f"new {more}"] = ["1"] * len(rows)
        types[f"new {more}"] = pa.string()
    stem = f"part-{part + 1}"
    if shape.container == "csv":
        _write_csv(shape, folder / f"{stem}.csv{shape.compression}", columns)
    elif "json" in shape.container:
        listed = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        if shape.container == "nested json":
            listed = [_nested(shape, one) for one in listed]
        _write_json(shape, folder / f"{stem}.json{shape.compression}", listed)
    else:
        table = pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})
        if shape.container == "nested parquet":
            listed = [_nested(shape, one) for one in table.to_pylist()]
            kinds = _nested(shape, types)
            fields = [(name, pa.struct(list(inner.items()))) for name, inner in kinds.items()]
            table = pa.Table.from_pylist(listed, pa.schema(fields))
        if shape.container == "delta":
            write_deltalake(str(folder), table)
        else:
            kind = draw.choice(["snappy", "zstd", "gzip", "none"])
            pq.write_table(table, folder / f"{stem}.parquet", compression=kind, row_group_size=7)


def _way_of_part(shape: Shape, role: str, draw: Random) -> Way:
    """As in the first file, or as numbers of another type."""
    usual = shape.ways[role]
    if shape.container != "parquet" or usual.type is None or usual.sql or role == "time":
        return usual
    return draw.choice([way for way in AS_TYPES[role].values() if not way.sql])


def _write_csv(shape: Shape, file: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    if shape.has_notes:
        columns = {**columns, "note": [NOTE] * len(next(iter(columns.values())))}
    text, delimiter = io.StringIO(), shape.delimiter[0] if shape.delimiter != "||" else "\x1f"
    quoting = csv.QUOTE_ALL if shape.number % 3 == 0 else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, lineterminator=shape.line_end, quoting=quoting)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    written = text.getvalue().replace("\x1f", shape.delimiter)
    _write_bytes(file, written.encode(shape.encoding))


def _write_json(shape: Shape, file: Path, rows: Sequence[Any]) -> None:
    if shape.json == "lines":
        lines = [json.dumps(one, default=_plain, ensure_ascii=False) for one in rows]
        text = shape.line_end.join(lines)
    else:
        indent = 2 if shape.json == "indented" else None
        text = json.dumps(rows, default=_plain, indent=indent).replace("\n", shape.line_end)
    _write_bytes(file, text.encode())


def _write_bytes(file: Path, content: bytes) -> None:
    if file.suffix == ".zst":
        with pa.CompressedOutputStream(str(file), "zstd") as stream:
            stream.write(content)
        return
    packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(file.suffix, bytes)(content)
    file.write_bytes(packed)


def _nested(shape: Shape, row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for role, name in shape.names.items():
        found.setdefault(_PLACES[role], {})[name] = row[name]
    return found


def _plain(value: Any) -> Any:
    assert isinstance(value, Decimal)
    return float(value)


def section(shape: Shape, folder: Path) -> dict[str, Any]:
    """Its section `[receipts]`, as `rfm-spark init` proposes it or as a person writes it.

    Raises:
        UserError: if init refuses the files.
    """
    proposed = tomllib.loads(proposal([folder]).text)["receipts"] if shape.is_proposed else None
    found: dict[str, Any] = proposed or _by_hand(shape)
    # What no file tells.
    zones = {key: value for way in shape.ways.values() for key, value in way.settings.items()
             if key == "time_zone"}  # fmt: skip
    path = folder.name if shape.container == "delta" else f"{folder.name}/{found['path']}"
    return {**found, **zones, "path": path}


def _by_hand(shape: Shape) -> dict[str, Any]:
    kind = shape.container.removeprefix("nested ")
    found: dict[str, Any] = {"path": f"*.{kind}*", "format": kind, "grain": shape.grain}
    if kind == "csv":
        found["delimiter"] = shape.delimiter
        found["encoding"] = shape.encoding.upper().removesuffix("-SIG").replace("-LE", "LE")
        found["multiline"] = shape.has_notes or "utf-16" in shape.encoding
    if kind == "json":
        types = {shape.names[role]: _spark_type(way.type) for role, way in shape.ways.items()}
        is_nested = shape.container == "nested json"
        found["types"] = dict.fromkeys(_PLACES.values(), "STRING") if is_nested else types
    for way in shape.ways.values():
        found |= way.settings
    found["columns"] = {role: _written(shape, role, way) for role, way in shape.ways.items()}
    return found


def _spark_type(kind: Any) -> str:
    """As JSON's numbers are declared."""
    if kind is None:
        return "STRING"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return "DOUBLE" if pa.types.is_floating(kind) else "BIGINT"


def _written(shape: Shape, role: str, way: Way) -> str:
    name = shape.names[role]
    if shape.container == "nested json":
        column = f"get_json_object({_PLACES[role]}, '$.{name}')"
    elif shape.container == "nested parquet":
        column = f"{_PLACES[role]}.`{name}`"
    elif not way.sql:
        return name
    else:
        column = "`" + name.replace("`", "``") + "`"
    return way.sql.format(column) if way.sql else column
