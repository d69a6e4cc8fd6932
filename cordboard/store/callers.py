"""Who calls: the only place for numbers, names and customer records. What is here can be erased.

The ledger and the queue know a caller as `party_ref`: the same for each call of a number, a new one for each call
without a number. Called by `AcdStore`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from cordboard.store import callback_closing
from cordboard.store.acd_values import CallerNote, LookupStatus
from cordboard.store.state_conditions import OPEN_CALLBACK
from cordboard.store.tables import callbacks, callers, offers, parties, queue_entries
from cordboard.store.traces import erase_traces
from cordboard.store.turn import Turn
from cordboard.store.upserts import insert
from cordboard.telephony.call_id import new_call_id

_insert = insert(callers)
_NOTE = _insert.on_conflict_do_update(
    index_elements=[callers.c.call_id],
    set_={name: _insert.excluded[name] for name in ("ani", "caller_name", "dnis", "number", "path")},
)
# Both come from one process, but not in a fixed order: an answer of the CRM is not undone by "still looking".
_NOTE_ANSWERED = _insert.on_conflict_do_update(
    index_elements=[callers.c.call_id],
    set_={
        name: _insert.excluded[name]
        for name in ("ani", "caller_name", "dnis", "number", "path", "lookup", "customer")
    },
)
_REF_OF_CALL = select(callers.c.party_ref).where(callers.c.call_id == bindparam("b_call"))
_REF_OF_NUMBER = select(parties.c.party_ref).where(parties.c.number == bindparam("b_number"))
_NEW_PARTY = insert(parties)
_NOTE_LOOKUP = (
    update(callers)
    .where(callers.c.call_id == bindparam("b_call"))
    .values(lookup=bindparam("b_lookup"), customer=bindparam("b_customer", type_=callers.c.customer.type))
)
_FORGET_PARTY = delete(parties).where(parties.c.party_ref == bindparam("b_ref"))
_FORGET_CALLERS = delete(callers).where(callers.c.party_ref == bindparam("b_ref"))
_FORGET_IDENTITIES = (
    update(queue_entries).where(queue_entries.c.party_ref == bindparam("b_ref")).values(identity="")
)
_FORGET_NOTES = update(offers).where(offers.c.party_ref == bindparam("b_ref")).values(note="")
_PROMISES = select(callbacks.c.callback_id).where(callbacks.c.party_ref == bindparam("b_ref"), OPEN_CALLBACK)
_PARTY_OF_CALL = (
    select(parties.c.party_ref)
    .join(callers, callers.c.party_ref == parties.c.party_ref)
    .where(callers.c.call_id == bindparam("b_call"))
)


def note_caller(turn: Turn, caller: CallerNote) -> str:
    """Keep what is known of a caller now, and return the party's reference, which never changes for a call."""
    known = turn.row(_REF_OF_CALL, b_call=caller.call_id)
    party_ref = known.party_ref if known is not None else party_of(turn.connection, caller.number)
    turn.run(_NOTE if caller.lookup == "pending" else _NOTE_ANSWERED, **_row(caller, party_ref))
    turn.changed = True
    return str(party_ref)


def party_of(connection: Connection, number: str) -> str:
    """The reference for a number (E.164), a new one if nobody has called from it, or it is withheld ("")."""
    if not number:
        return new_call_id()
    known = connection.execute(_REF_OF_NUMBER, {"b_number": number}).one_or_none()
    if known is not None:
        return str(known.party_ref)
    party_ref = new_call_id()
    connection.execute(_NEW_PARTY, {"party_ref": party_ref, "number": number})
    return party_ref


def _row(caller: CallerNote, party_ref: str) -> dict[str, Any]:
    return {
        "call_id": caller.call_id,
        "party_ref": party_ref,
        "ani": caller.ani,
        "caller_name": caller.caller_name,
        "dnis": caller.dnis,
        "number": caller.number,
        "arrived_at": caller.arrived_at,
        "path": list(caller.path),
        "lookup": caller.lookup,
        "customer": dict(caller.customer),
    }


def note_lookup(turn: Turn, call_id: str, status: LookupStatus, customer: Mapping[str, Any]) -> None:
    """What the CRM has said."""
    if turn.run(_NOTE_LOOKUP, b_call=call_id, b_lookup=status, b_customer=dict(customer)):
        turn.changed = True


def erase_party(turn: Turn, party_ref: str) -> bool:
    """Forget who this was. What they did stays in the ledger, and no figure changes but that nobody calls them back
    any more. False if nobody is known.
    """
    erase_traces(turn, party_ref)
    known = turn.run(_FORGET_PARTY, b_ref=party_ref) + turn.run(_FORGET_CALLERS, b_ref=party_ref)
    turn.run(_FORGET_NOTES, b_ref=party_ref)
    for promise in turn.rows(_PROMISES, b_ref=party_ref):
        callback_closing.close(turn, promise.callback_id, "erased", "")
    turn.run(_FORGET_IDENTITIES, b_ref=party_ref)
    turn.changed = True
    return known > 0


def ref_of_call(turn: Turn, call_id: str) -> str:
    """The reference under which the ledger knows who calls; "" before it was noted."""
    row = turn.row(_REF_OF_CALL, b_call=call_id)
    return "" if row is None else str(row.party_ref)


def party_of_call(turn: Turn, call_id: str) -> str:
    """Who calls, by the number; "" for a number that is withheld."""
    row = turn.row(_PARTY_OF_CALL, b_call=call_id)
    return "" if row is None else str(row.party_ref)
