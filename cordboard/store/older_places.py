"""The older place of somebody who calls again: to be called back, or cut off before. Called by `acd_entries`.

Who it is says the number they call from, in full and not withheld: a caller without one is a party of their own, so
nobody else's place is theirs. Where numbers can be had by anybody, leave `hold_s` of the queue at 0.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select

from cordboard.acd.cut_off import keeps_places
from cordboard.store import acd_away, callback_closing
from cordboard.store.acd_values import Entering
from cordboard.store.state_conditions import AWAY
from cordboard.store.tables import callbacks, callers, parties, queue_entries
from cordboard.store.turn import Turn

_PARTY = (
    select(parties.c.party_ref)
    .join(callers, callers.c.party_ref == parties.c.party_ref)
    .where(callers.c.call_id == bindparam("b_call"))
)
_PROMISED = (
    select(queue_entries, callbacks.c.callback_id)
    .join(callbacks, callbacks.c.entry_id == queue_entries.c.entry_id)
    .where(
        callbacks.c.queue == bindparam("b_queue"),
        callbacks.c.party_ref == bindparam("b_party"),
        callbacks.c.state == "waiting",
        AWAY,
    )
)
_CUT_OFF = (
    select(queue_entries)
    .where(
        AWAY,
        queue_entries.c.queue == bindparam("b_queue"),
        queue_entries.c.party_ref == bindparam("b_party"),
        queue_entries.c.kind.in_(("cut_off", "hung_up")),
    )
    .order_by(queue_entries.c.stands_at)
    .limit(1)
)


def take(turn: Turn, entering: Entering) -> Row[Any] | None:
    """Give the call the place that is kept for whoever it is from; that place, None if there is none."""
    queue = turn.queue(entering.queue)
    if queue.callback is None and queue.cut_off is None:
        return None
    party = turn.row(_PARTY, b_call=entering.call_id)
    if party is None:
        return None
    about = {"b_queue": entering.queue, "b_party": party.party_ref}
    promised = turn.row(_PROMISED, **about)
    if promised is not None:
        callback_closing.close(turn, promised.callback_id, "taken", "called themselves")
    place = promised or (turn.row(_CUT_OFF, **about) if keeps_places(queue.cut_off) else None)
    if place is None or not acd_away.pass_on(turn, place.entry_id, entering.call_id):
        return None
    return acd_away.find_entry(turn, place.entry_id)
