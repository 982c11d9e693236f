"""Writes the report: the aggregates of a day, rendered, in one file that appears whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from rfm_spark.app.backtest.page import backtest_pages
from rfm_spark.app.report.overview import Overview
from rfm_spark.app.run_record import last_made
from rfm_spark.app.scored_days import described_day, scored_days
from rfm_spark.app.settings import Settings
from rfm_spark.core.errors import UserError
from rfm_spark.core.page import Block, Choice, Page, withheld
from rfm_spark.results.declaration import Request
from rfm_spark.results.registry import BY_COMMAND, RESULTS
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.settings import leading_profile
from rfm_spark.run import Run

_PACKAGES = ("jinja2", "vl_convert")
_LIST = "customers.csv"
"""Where the commands that the report shows write."""


def write_report(
    run: Run, settings: Settings, as_of: date | None, out: Path, list_command: Sequence[str]
) -> date:
    """Writes the report of a day.

    Args:
        run: the run.
        settings: its configuration.
        as_of: a day that is stored; by default the newest.
        out: the file to make.
        list_command: the command that makes lists, but for what is listed.

    Returns:
        The day described.

    Raises:
        UserError: if the file is there already or has no folder, the day is not stored, or the
            packages that draw are not here.
    """
    from rfm_spark.app.report.rendering import rendered

    with run.progress.step("read the aggregates") as step:
        scored = scored_days(run)
        day = described_day(scored, as_of)
        pages = report_pages(run, day, sorted({one for days in scored.values() for one in days}))
        minimum = settings.report.minimum_customers
        told = [Page(one.name, [withheld(block, minimum) for block in one.blocks]) for one in pages]
        step.says(f"as of {day}, {len(told)} pages")
    with run.progress.step("draw the report") as step:
        text = rendered(
            told,
            day,
            settings.business.money_format,
            minimum,
            [*list_command, "--as-of", str(day), "--out", _LIST],
        )
        _put(out, text)
        step.says(f"{out}, {len(text) / 1e6:.1f} MB")
    return day


def require_new_file(out: Path) -> None:
    """Makes sure that a report can be written there, before anything is done for it.

    Raises:
        UserError: if not.
    """
    if out.exists() or out.is_symlink():
        raise UserError(f"--out {out}: is there already; remove it, or name another file")
    if not out.absolute().parent.is_dir():
        raise UserError(f"--out {out}: there is no folder '{out.parent}'; make it first")
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise UserError(
            f"the report needs Python's {' and '.join(missing)}: "
            "python -m pip install 'rfm-spark[report]'"
        )


def report_pages(run: Run, day: date, days: Sequence[date]) -> list[Page]:
    """The pages of a day: the overview, those of results in their order, then that of backtests.

    Pages of the same name become one, where the first of them is.

    Args:
        run: the run.
        day: that is described.
        days: all that are stored, in their order.
    """
    profiles = BY_COMMAND["rfm"].rules(run.settings)
    name = leading_profile(profiles)
    rules = profile_of(last_made(run, "rfm", day), name) or profiles[name]
    before = max((one for one in days if one < day), default=None)
    first = Overview(run, day, name, rules, before).page()
    return joined([first, *_pages_of_results(run, day), *backtest_pages(run, day)])


def joined(pages: Iterable[Page]) -> list[Page]:
    """The pages, those of one name as one, in which the same is asked once."""
    blocks: dict[str, list[Block]] = {}
    for page in pages:
        told = blocks.setdefault(page.name, [])
        for block in page.blocks:
            at = next((i for i, one in enumerate(told) if _asks_the_same(one, block)), None)
            if at is None:
                told.append(block)
            else:
                told[at] = _joined_choice(told[at], block)
    return [Page(name, told) for name, told in blocks.items() if told]


def _asks_the_same(one: Block, other: Block) -> bool:
    return isinstance(one, Choice) and isinstance(other, Choice) and one.label == other.label


def _joined_choice(one: Block, other: Block) -> Block:
    if not (isinstance(one, Choice) and isinstance(other, Choice)):
        return one
    names = dict.fromkeys([*one.options, *other.options])
    both = (one.options, other.options)
    return Choice(
        one.label, {name: [b for some in both for b in some.get(name, ())] for name in names}
    )


def _pages_of_results(run: Run, day: date) -> Iterator[Page]:
    for result in sorted(RESULTS, key=lambda one: one.place):
        if result.pages is not None and result.is_made_for(run.settings):
            how_made = partial(last_made, run)
            yield from result.pages(Request(run, result.rules(run.settings), day, how_made))


def _put(out: Path, text: str) -> None:
    """The whole file, or none."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)
