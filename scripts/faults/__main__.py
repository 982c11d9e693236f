"""`scripts/chaos`: one night, disturbed at random moments again and again, and never lost."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from contents import differences, tables_of
from faults import FAULTS, Fault, FaultName
from nights import Command, Course, Ended, Moment, Shop
from record import Disturbed, add_to
from rich.console import Console
from rich.table import Table
from shops import make_up

from rfm_spark.core.code_version import code_version

_FIRST_DAY = date(2024, 1, 1)
_HISTORY_DAYS = 66
_MOST_OF_A_NIGHT = 6
_MARK = ".made_by_chaos"
"""A file of a folder that may be removed."""

_SAME = "the same rows"
_screen = Console(highlight=False)


def main(
    fault: Annotated[FaultName, typer.Option(help="What happens.")] = "kill",
    times: Annotated[int, typer.Option(min=1, help="How often it happens.")] = 20,
    receipts: Annotated[int, typer.Option(min=100, help="Made up, of ten a customer.")] = 400,
    seed: Annotated[int, typer.Option(help="Of all choices, and of the receipts.")] = 0,
    record: Annotated[Path | None, typer.Option(help="Where to add a line a night.")] = None,
    folder: Annotated[Path, typer.Option(help="Where everything is put.")] = Path(".chaos"),
) -> None:
    """Disturb a night, begin it again until it ends well, and compare all rows; then once more."""
    chance, happens = random.Random(seed), FAULTS[fault]
    evening, undisturbed, disturbed = (
        Shop(folder / name) for name in ("evening", "undisturbed", "disturbed")
    )
    night = Command(folder / "shop.toml", _day(_HISTORY_DAYS))
    course = _kept(folder, receipts, seed)
    if course is None:
        days = [_FIRST_DAY + timedelta(days=number) for number in range(_HISTORY_DAYS + 1)]
        make_up(folder, folder / _MARK, days, receipts, seed)
        course = _begin(folder / "made_up", night, evening, undisturbed)
        _keep(folder, receipts, seed, course)
    tables = len(tables_of(undisturbed.warehouse))
    _screen.print(f"the night of {night.day}: {course.seconds:.0f} s undisturbed, {tables} tables")
    happens.prepare(disturbed)
    ends: list[Disturbed] = []
    while len(ends) < times:
        disturbed.become(evening)
        most = min(times - len(ends), _MOST_OF_A_NIGHT)
        found: list[Disturbed] = []
        for end, moment in _ends(happens, disturbed, night, course, most, chance):
            number = len(ends) + len(found) + 1
            found.append(_noted((fault, seed, number), moment, course, end))
            _screen.print(f"{number} of {times}: {_told(found[-1])}")
        result = _compared(disturbed, undisturbed)
        if record is not None:
            add_to(record, found, result)
        ends += found
        _screen.print(f"{len(ends)} of {times}: {result}")
        if result != _SAME:
            sys.exit(1)
    _tell(fault, ends, tables)


def _kept(folder: Path, receipts: int, seed: int) -> Course | None:
    """The undisturbed night that is there from an earlier time; None of another one."""
    mark = folder / _MARK
    kept = json.loads(mark.read_text(encoding="utf-8") or "{}") if mark.is_file() else {}
    if kept.get("of") != _whose(receipts, seed):
        return None
    return Course(kept["seconds"], tuple((step, began) for step, began in kept["steps"]))


def _keep(folder: Path, receipts: int, seed: int, course: Course) -> None:
    kept = {"of": _whose(receipts, seed), **asdict(course)}
    (folder / _MARK).write_text(json.dumps(kept), encoding="utf-8")


def _whose(receipts: int, seed: int) -> list[Any]:
    return [receipts, seed, code_version()]


def _begin(made_up: Path, night: Command, evening: Shop, undisturbed: Shop) -> Course:
    """Both shops: before the night, and after it."""
    days = [_day(number) for number in range(_HISTORY_DAYS)]
    evening.deliver(made_up, days)
    _whole(evening, replace(night, day=days[-1]))
    evening.deliver(made_up, [night.day])
    undisturbed.become(evening)
    return _whole(undisturbed, night).course


def _day(number: int) -> str:
    return str(_FIRST_DAY + timedelta(days=number))


def _whole(shop: Shop, night: Command) -> Ended:
    """A night that nothing happens to."""
    end = shop.night(night)
    if end.code != 0:
        raise RuntimeError(f"a night that nobody disturbed ended with {end.code}:\n{end.log}")
    return end


def _ends(
    fault: Fault, shop: Shop, night: Command, course: Course, most: int, chance: random.Random
) -> Iterator[tuple[Ended, Moment]]:
    """Begins a night again and again until it ends well: how each that was disturbed ended."""
    for _ in range(most):
        end, moment = fault.disturbed(shop, night, course, chance)
        if moment is not None:
            yield end, moment
        if end.code == 0:
            return
        if moment is None:
            raise RuntimeError(f"the night ended with {end.code} by itself:\n{end.log}")
    _whole(shop, night)


def _noted(which: tuple[str, int, int], moment: Moment, course: Course, end: Ended) -> Disturbed:
    seconds = (round(moment.after_seconds, 2), round(course.seconds, 2))
    return Disturbed(*which, *seconds, moment.step, end.running, end.code, end.problems)


def _told(night: Disturbed) -> str:
    during = f"during {night.running!r}" if night.running else "between two steps"
    why = "".join(f"\n  {problem}" for problem in night.problems)
    return f"{night.fault} after {night.moment_seconds:.1f} s, {during}: {night.ended}{why}"


def _compared(disturbed: Shop, undisturbed: Shop) -> str:
    differing = differences(disturbed.warehouse, undisturbed.warehouse)
    return "; ".join(differing) if differing else _SAME


def _tell(fault: str, ends: list[Disturbed], tables: int) -> None:
    shown = Table(fault, "ended with", "times")
    for (running, ended), times in Counter((end.running, end.ended) for end in ends).most_common():
        shown.add_row(running or "between two steps", ended, str(times))
    _screen.print(shown)
    _screen.print(
        f"{fault} {len(ends)} times; all rows of {tables} tables are those of a night that nobody "
        "disturbed"
    )


if __name__ == "__main__":
    typer.run(main)
