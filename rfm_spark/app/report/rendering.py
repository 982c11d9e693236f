"""Renders pages to HTML: templates, style sheets and scripts of this folder, and Vega."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from importlib import resources
from itertools import count
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from rfm_spark import __version__
from rfm_spark.app.report.charts import vega_code, vega_spec
from rfm_spark.app.report.formats import change, level, plain, shown, title
from rfm_spark.core.money import MoneyFormat
from rfm_spark.core.page import Block, Chart, Choice, Data, Page, ScoreCells, Withheld

_STYLES = ("page.css", "blocks.css", "cells.css", "print.css")
_SCRIPTS = ("pages.js", "charts.js", "cells.js")


def rendered(
    pages: Sequence[Page], day: date, money: MoneyFormat, minimum: int, list_command: Sequence[str]
) -> str:
    """The report as one HTML text that loads nothing.

    Args:
        pages: what is told, money of few customers withheld already.
        day: that is described.
        money: how amounts are written.
        minimum: customers from which money is told.
        list_command: the command that makes lists, but for what is listed.
    """
    environment = Environment(
        loader=PackageLoader("rfm_spark.app.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    numbers = count(1)
    environment.globals |= {
        "money": money,
        "minimum": minimum,
        "number": lambda: next(numbers),
        "kind_of": lambda block: type(block).__name__,
        "is_withheld": lambda value: isinstance(value, Withheld),
        "strength": level,
        "strongest": _strongest,
        "cell_numbers": lambda block: _cell_numbers(block, money),
        "common_parts": len(list_command),
        "command": lambda options: [shlex.quote(one) for one in (*list_command, *options)],
    }
    environment.filters |= {
        "shown": lambda value, kind: shown(value, kind, money),
        "raw": lambda value: "" if value is None or value is Withheld.FEW else value,
        "title_of": lambda field: title(field, money),
        "change": lambda figure: change(figure.value, figure.before, figure.kind, money),
        "spec": lambda chart: vega_spec(chart, money),
        "anchor": _anchor,
    }
    has_charts = any(isinstance(one, Chart) for page in pages for one in _blocks(page.blocks))
    code = "\n".join([vega_code() if has_charts else "", *map(_static, _SCRIPTS)])
    return environment.get_template("report.html.j2").render(
        pages=pages,
        day=day,
        version=__version__,
        styles="\n".join(map(_static, _STYLES)),
        code=_inside_script(code),
        code_digest=_digest(_inside_script(code)),
        licence=_static("vega_licence.txt"),
    )


def _static(name: str) -> str:
    return resources.files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def _inside_script(code: str) -> str:
    """Code as it stands between script tags: nothing in it may end the element."""
    return re.sub(r"<(?=/script|!--)", r"\\x3c", code, flags=re.IGNORECASE)


def _digest(code: str) -> str:
    """By which a browser knows the one script that it may run."""
    return "sha256-" + b64encode(sha256(code.encode()).digest()).decode()


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """All of them, those of choices too."""
    for block in blocks:
        yield block
        if isinstance(block, Choice):
            for some in block.options.values():
                yield from _blocks(some)


def _strongest(data: Data, name: str) -> float:
    """The greatest amount of a field, by which colours are told."""
    values = [abs(value) for value in data.values(name) if isinstance(value, (int, float))]
    return max(values, default=0)


def _cell_numbers(block: ScoreCells, money: MoneyFormat) -> list[dict[str, Any]]:
    """What the reader's script adds up of picked cells: money in whole units."""
    fields = {one.name: one for one in block.data.fields}
    return [
        {
            **{name: plain(row[name], field.kind, money) for name, field in fields.items()},
            "r": row["r_score"],
            "f": row["f_score"],
            "m": row["m_score"],
            "is_few": any(row[name] is Withheld.FEW for name in fields),
        }
        for row in block.data.rows
    ]
