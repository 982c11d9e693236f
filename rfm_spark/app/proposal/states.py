"""States of receipts: rows that are none, cancelled ones, and refunds beside the money."""

from __future__ import annotations

from dataclasses import replace

from rfm_spark.app.proposal.choices import Facts
from rfm_spark.app.proposal.conditions import IsOneOf, IsThere
from rfm_spark.app.proposal.facts import ColumnFacts
from rfm_spark.app.proposal.fields import as_text
from rfm_spark.app.proposal.findings import Finding
from rfm_spark.app.proposal.names import words_of

_STATUS_WORDS = {"status", "state", "zustand", "estado", "statut", "stato"}
_VOID = {
    "cancelled", "canceled", "void", "voided", "failed", "declined", "expired", "aborted",
    "storniert", "storno", "abgebrochen", "cancelado", "cancelada", "annule", "annulé",
}  # fmt: skip
_REFUND = {"refund", "refunded", "refunds"}
_MOST_STATES = 30


def with_states(receipts: Finding, facts: Facts, time: ColumnFacts) -> Finding:
    """Receipts of which those do not count that are none, or were cancelled.

    Args:
        receipts: without conditions.
        facts: of all columns.
        time: facts of the column of times.
    """
    keep, told = _left_out_rows(time)
    void, told_of_status = _void_status(facts)
    fields = dict(receipts.fields)
    if void is not None:
        fields.setdefault("is_void", void)
    doubts = [*receipts.doubts, *told, *told_of_status, *_refund_doubts(facts)]
    return replace(receipts, fields=fields, keep=keep, doubts=doubts)


def is_state(name: str) -> bool:
    """Whether a column's name tells that it has states, such as paid."""
    return bool(set(words_of(name)) & _STATUS_WORDS)


def _left_out_rows(time: ColumnFacts) -> tuple[IsThere | None, list[str]]:
    """What keeps rows without a time out, such as a sum below the last; and what to say of it."""
    missing = sum(value is None for value in time.values)
    if not missing:
        return None, []
    told = (
        f"{missing:,} of {len(time.values):,} rows have no {time.name}: `where` leaves them out; "
        "look at what they are"
    )
    return IsThere(time.column), [told]


def _void_status(facts: Facts) -> tuple[IsOneOf | None, list[str]]:
    """What makes a receipt void, by the words of a column of states; and what to say of it."""
    for name, one in facts.items():
        if not is_state(name) or one.distinct > _MOST_STATES:
            continue
        states = {as_text(value).strip().lower() for value in one.values} - {""}
        void, refunded = sorted(states & _VOID), sorted(states & _REFUND)
        told = []
        if void:
            told.append(f"receipts whose {name} is {', '.join(void)} do not count (is_void)")
        if refunded:
            told.append(
                f"receipts whose {name} is {', '.join(refunded)} count, with their money as it is: "
                "map is_return if a row is the refund, or is_void if it is the order"
            )
        if told:
            return IsOneOf(one.column, tuple(void)) if void else None, told
    return None, []


def _refund_doubts(facts: Facts) -> list[str]:
    """Of columns of refunds, which are not subtracted."""
    return [
        f"{name} may be money that was given back: it is not subtracted"
        for name, one in facts.items()
        if one.is_amount and set(words_of(name)) & _REFUND and one.distinct > 1
    ]
