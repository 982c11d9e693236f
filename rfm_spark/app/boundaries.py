"""Boundaries shown: the sets that are stored, what each score takes, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from rfm_spark.app.reference import toml_text
from rfm_spark.app.run_record import last_made
from rfm_spark.app.scored_days import described_day, scored_days
from rfm_spark.core.cuts import Cut
from rfm_spark.core.errors import UserError, did_you_mean
from rfm_spark.core.panel import Panel, PanelColumn, percent
from rfm_spark.results.registry import BY_COMMAND
from rfm_spark.results.rfm.boundaries.boundary_set import BoundarySet
from rfm_spark.results.rfm.boundaries.pins import pinned_set
from rfm_spark.results.rfm.boundaries.rules import boundary_digest
from rfm_spark.results.rfm.boundaries.stored import set_of_day, stored_sets
from rfm_spark.results.rfm.boundaries.units import ValueUnit, units_of
from rfm_spark.results.rfm.boundaries.words import bin_customers, cut_moved, score_words
from rfm_spark.results.rfm.cut_points import EVERYBODY, Nest, nest_words
from rfm_spark.results.rfm.panels import told_window
from rfm_spark.results.rfm.rules_of_day import profile_of
from rfm_spark.results.rfm.scoring import DIMENSIONS
from rfm_spark.results.rfm.settings import Profile
from rfm_spark.run import Run

_FEW_SETS = 8
"""Shown of each profile, where no one profile is asked for."""


def boundary_panels(run: Run, profile: str | None, as_of: date | None) -> Iterator[Panel]:
    """The sets that a day was scored by, and which others are stored.

    Args:
        run: the run.
        profile: the only one to show; by default all.
        as_of: a day that is stored; by default the newest.

    Raises:
        UserError: if the day is not stored, or there is no such profile.
    """
    day = described_day(scored_days(run), as_of)
    for name, rules in _profiles(run, profile).items():
        used = set_of_day(run, name, day)
        if used is None:
            yield Panel(f"{name}: not scored on {day}")
            continue
        yield from _set_panels(run, name, _rules_on(run, name, rules, day), used, day)
        yield _versions_panel(name, rules, stored_sets(run, name), used, profile is None)


def comparison_panels(run: Run, profile: str | None, one: str, other: str) -> Iterator[Panel]:
    """How the cuts of two sets of a profile differ.

    Args:
        run: the run.
        profile: whose sets; by default the first profile's.
        one: version of a set.
        other: version of another.

    Raises:
        UserError: if there is no such profile or set, or they have not the same number of scores,
            or not the same unit.
    """
    name, rules = next(iter(_profiles(run, profile).items()))
    sets = {str(found.version): found for found in stored_sets(run, name)}
    for version in (one, other):
        if version not in sets:
            known = ", ".join(list(sets)[-_FEW_SETS:]) or "none"
            raise UserError(f"{version}: no set of {name} has this version; the last: {known}")
    before, after = sets[one], sets[other]
    shapes = [_shape(found) for found in (before, after)]
    if shapes[0] != shapes[1]:
        raise UserError(
            f"{one} has {shapes[0]} and {other} has {shapes[1]}: their cuts cannot be compared"
        )
    old, new = (_rules_on(run, name, rules, found.version.day) for found in (before, after))
    if old.basis.value_unit != new.basis.value_unit:
        raise UserError(
            f"M of {one} is in {old.basis.value_unit} and of {other} in {new.basis.value_unit}: "
            "their cuts cannot be compared"
        )
    for dimension, unit in _units(run, new).items():
        yield _compared(dimension, unit, before, after)


def _rules_on(run: Run, name: str, now: Profile, day: date) -> Profile:
    """A profile as it was when a day was scored; as it is now, where no record tells."""
    return profile_of(last_made(run, "rfm", day), name) or now


def pin_lines(run: Run, profile: str, version: str, is_written: bool) -> str:
    """The lines of a configuration file that pin a set.

    Args:
        run: the run.
        profile: whose set.
        version: of the set.
        is_written: whether the file has a section `[rfm]`: profiles that another one implies have
            to be written beside it.

    Raises:
        UserError: if there is no such profile, or the set cannot be pinned.
    """
    profiles = _profiles(run, None)
    rules = _profiles(run, profile)[profile]
    pinned_set(run, profile, rules, version)
    pinned = f'[rfm.{profile}]\npinned = "{version}"\n'
    if is_written:
        return pinned
    sections = []
    for name, one in profiles.items():
        lines = [f"[rfm.{name}]"] if name != profile else [pinned.rstrip()]
        changed = one.model_dump(mode="json", exclude_defaults=True, exclude={"pinned"})
        lines += [f"{key} = {toml_text(value)}" for key, value in changed.items()]
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def _profiles(run: Run, name: str | None) -> Mapping[str, Profile]:
    """The profiles asked for."""
    profiles: Mapping[str, Profile] = BY_COMMAND["rfm"].rules(run.settings)
    if name is None:
        return profiles
    if name not in profiles:
        known = did_you_mean(name, list(profiles))
        raise UserError(f"--profile {name}: there is no such profile; {known}")
    return {name: profiles[name]}


def _units(run: Run, rules: Profile) -> Mapping[str, ValueUnit]:
    return units_of(rules.basis, run.settings.business.money_format)


def _shape(one: BoundarySet) -> str:
    nested = "nested" if one.cuts.is_nested("monetary") else "cut for everybody"
    return f"{one.scores} scores, {nested},"


def _set_panels(
    run: Run, name: str, rules: Profile, used: BoundarySet, day: date
) -> Iterator[Panel]:
    """A row for each score, with what it takes of R, F and M; one for each nest, of nested ones."""
    columns, cells = [PanelColumn("score", is_number=True)], []
    units = _units(run, rules)
    for dimension, unit in units.items():
        columns += [PanelColumn(_title(dimension, rules)), PanelColumn("had", is_number=True)]
        low_is_best = dimension == "recency"
        sizes = bin_customers(used.shares[dimension], used.customers, low_is_best)
        if used.cuts.is_nested(dimension):
            words = ["see below"] * used.scores
        else:
            words = score_words(used.cuts.within(dimension, EVERYBODY), unit, low_is_best)
        cells += [words, ["" if size is None else f"{size:,}" for size in sizes]]
    scores = [str(score) for score in range(used.scores, 0, -1)]
    yield Panel(
        f"{name}: boundaries {used.version}",
        f", of {used.customers:,} customers, by which {day} is scored, {told_window(rules)}",
        columns,
        list(zip(scores, *cells, strict=True)),
    )
    for dimension, unit in units.items():
        if used.cuts.is_nested(dimension):
            yield _nested_panel(_title(dimension, rules), unit, used.cuts.by_nest[dimension])


def _nested_panel(title: str, unit: ValueUnit, of_nests: Mapping[Nest, Sequence[Cut]]) -> Panel:
    """A row for each nest, the best first, with what each score takes within it."""
    scores = 1 + len(next(iter(of_nests.values())))
    rows = [
        (nest_words(nest), *score_words(cuts, unit, low_is_best=False))
        for nest, cuts in sorted(of_nests.items(), reverse=True)
    ]
    columns = [PanelColumn("within"), *[PanelColumn(f"{one}") for one in range(scores, 0, -1)]]
    return Panel(f"{title}: what each score takes", "", columns, rows)


def _title(dimension: str, rules: Profile) -> str:
    if dimension == "recency":
        return "active" if rules.basis.interactions else "bought"
    return "value" if dimension == "monetary" and not rules.basis.is_money else dimension


def _versions_panel(
    name: str, rules: Profile, sets: Sequence[BoundarySet], used: BoundarySet, only_few: bool
) -> Panel:
    shown = sets[-_FEW_SETS:] if only_few else sets
    note = f", the last {len(shown)} of {len(sets)}" if len(shown) < len(sets) else ""
    rows = [
        (
            f"{one.version}",
            f"{one.customers:,}",
            ", ".join(_method(one, dimension) for dimension in DIMENSIONS),
            "yes" if one.fitted_by == boundary_digest(rules) else "no",
            "yes" if one.version == used.version else "",
        )
        for one in reversed(shown)
    ]
    columns = (
        PanelColumn("version"),
        PanelColumn("customers", is_number=True),
        PanelColumn("R, F, M by"),
        PanelColumn("today's rules"),
        PanelColumn("shown"),
    )
    return Panel(f"Sets of {name}", note, columns, rows)


def _method(one: BoundarySet, dimension: str) -> str:
    """How cuts were found, and what those by `natural` explain of the sum of squares."""
    share = one.explained.get(dimension)
    return one.methods[dimension] + ("" if share is None else f" ({percent(share)} explained)")


def _compared(dimension: str, unit: ValueUnit, before: BoundarySet, after: BoundarySet) -> Panel:
    low_is_best, rows = dimension == "recency", list[tuple[str, ...]]()
    for nest in sorted(before.cuts.by_nest[dimension], reverse=True):
        old, new = (one.cuts.within(dimension, nest) for one in (before, after))
        moved = [cut_moved(*pair, unit) for pair in zip(old, new, strict=True)]
        # The cut of a score is where it ends on the side of the worse ones.
        moved = [*(moved if low_is_best else moved[::-1]), ""]
        scores = [str(score) for score in range(before.scores, 0, -1)]
        if nest != EVERYBODY:
            scores = [f"{score} within {nest_words(nest)}" for score in scores]
        ranges = [score_words(cuts, unit, low_is_best) for cuts in (old, new)]
        rows += zip(scores, *ranges, moved, strict=True)
    columns = [
        PanelColumn("score", is_number=True),
        *[PanelColumn(str(one.version)) for one in (before, after)],
        PanelColumn("moved"),
    ]
    return Panel(dimension, "", columns, rows)
