"""Finding: which deliveries of a source are to be read, new ones or some of them again."""

from __future__ import annotations

from collections.abc import Mapping

from rfm_spark.core.errors import UserError
from rfm_spark.ingest.batches import Batch
from rfm_spark.ingest.counts import DeliveryCounts
from rfm_spark.ingest.files.deliveries import (
    RETRACTED,
    NoFilesError,
    find_deliveries,
    lookups_fingerprint,
)
from rfm_spark.ingest.files.lookup_days import lookup_days
from rfm_spark.ingest.replay import as_they_were, tell_other_settings, tell_unfinished
from rfm_spark.ingest.retraction import is_taken_in
from rfm_spark.run import Run
from rfm_spark.settings.digest import changes_digest
from rfm_spark.settings.shop import Business
from rfm_spark.settings.sources import DATE, Source

_READING_SETTINGS = frozenset(Business.model_fields) - {"currency"}
"""Business settings that affect how rows are read; the others affect display only."""

_READER_REVISION = 4
"""Revision of the reading code: raise it when the same settings read rows differently, so that
all deliveries are loaded again."""


def new_batch(run: Run, label: str, source: Source, known: Mapping[str, str]) -> Batch:
    """What a source brings that is new or has changed.

    Args:
        run: the run.
        label: configuration section of the source.
        source: the source.
        known: name to fingerprint of its deliveries that were taken in.

    Raises:
        UserError: if nothing is there, unless a night is described by what came before.
    """
    try:
        deliveries = find_deliveries(run.sessions, source, run.input, label, run.night)
    except NoFilesError as error:
        if run.night is None or not known:
            raise
        # Nothing was sold on that day, or nothing has come: recency moves on either way.
        run.notes.append(f"{error.problems[0]}: {run.night} is described by what came before")
        deliveries = []
    settings_digest = _settings_digest(run, label, source)
    days = lookup_days(run.sessions, source, run.input, label)
    new = [one for one in deliveries if not is_taken_in(one, known, settings_digest, days)]
    reloaded = frozenset(delivery.name for delivery in new if delivery.name in known)
    # Of a night, the files of other days were not looked for.
    is_of_all = deliveries and (run.night is None or DATE not in source.path)
    there = frozenset(delivery.name for delivery in deliveries)
    tell_unfinished(run, label, known, there)
    gone = {
        name: one
        for name, one in known.items()
        if is_of_all and name not in there and not one.startswith(RETRACTED)
    }
    return Batch(label, source, new, settings_digest, reloaded, gone, there, lookup_days=days)


def batch_again(
    run: Run,
    label: str,
    source: Source,
    known: Mapping[str, str],
    asked: Mapping[str, DeliveryCounts],
) -> Batch:
    """What is read again of a source, of files that are as they were.

    Args:
        run: the run.
        label: configuration section of the source.
        source: the source.
        known: name to fingerprint of its deliveries that were taken in.
        asked: of those to be read again, what was counted before.

    Raises:
        UserError: if one that was named is gone or has changed; of all, these are left out.
    """
    try:
        there = find_deliveries(run.sessions, source, run.input, label)
    except NoFilesError:
        there = []
    deliveries, problems = as_they_were(there, known, asked, label)
    if run.read_again and problems:
        raise UserError(problems)
    run.notes += problems
    before = {delivery.name: asked[delivery.name] for delivery in deliveries}
    listed, settings_digest, days = frozenset(delivery.name for delivery in there), "", None
    if deliveries:
        settings_digest = _settings_digest(run, label, source)
        days = lookup_days(run.sessions, source, run.input, label)
        others = [one for one in there if one.name in known and one.name not in before]
        of_others = [one for one in others if not is_taken_in(one, known, settings_digest, days)]
        tell_other_settings(run, label, len(of_others))
    return Batch(
        label, source, deliveries, settings_digest, frozenset(before), {}, listed, before, days
    )


def reading_digest(source: Source, business: Business) -> str:
    """Digest of all settings that affect how the rows of a source are read."""
    source_digest = changes_digest(source, _READER_REVISION)
    return source_digest + changes_digest(business, _READER_REVISION, _READING_SETTINGS)


def _settings_digest(run: Run, label: str, source: Source) -> str:
    """The same, with the look-ups of the source as they are, but those of a day."""
    lookups = lookups_fingerprint(run.sessions, source, run.input, label)
    return reading_digest(source, run.settings.business) + lookups
