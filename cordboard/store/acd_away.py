"""Places that are kept while nobody waits in them: their caller is in a menu, is to be called back, was cut off.

Such an entry is `away`: it stands in line, so it counts for everybody's position, and no agent is offered to it.
`held_until` says when it is given up; without it that is somebody else's to say. Called by `AcdStore` for who steps
out, by `acd_entering` for who comes back, and by those who promise calls.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, select, update

from cordboard.acd.model import OfferEnd
from cordboard.store import acd_offers
from cordboard.store.acd_entries import add, held_entry, new_row
from cordboard.store.acd_values import Entering, HeldPlace
from cordboard.store.state_conditions import AWAY
from cordboard.store.tables import queue_entries
from cordboard.store.turn import Turn

_this = queue_entries.c.entry_id == bindparam("b_entry")
_GO_AWAY = (
    update(queue_entries)
    .where(_this, queue_entries.c.state.in_(("waiting", "away")))
    .values(state="away", kind=bindparam("b_kind"), held_until=bindparam("b_until"), left_at=bindparam("b_gone_at"))
)
_COME_BACK = (
    update(queue_entries)
    .where(_this, AWAY)
    .values(state="waiting", held_until=None, left_at=None, kind=bindparam("b_kind"))
)
_PASS_ON = update(queue_entries).where(_this, AWAY).values(call_id=bindparam("b_call"))
_HOLD = update(queue_entries).where(_this, AWAY).values(held_until=bindparam("b_until"))
_DUE = select(queue_entries.c.entry_id).where(AWAY, queue_entries.c.held_until <= bindparam("b_boot"))
_FIND = select(queue_entries).where(_this)


def find_entry(turn: Turn, entry_id: str) -> Row[Any] | None:
    """A place by its own id, whoever has it."""
    return turn.row(_FIND, b_entry=entry_id)


def step_out(
    turn: Turn,
    call_id: str,
    held_until: float | None,
    *,
    kind: str = "call",
    key: str = "",
    held: HeldPlace | None = None,
) -> bool:
    """Keep the caller's place while nobody waits in it; `enter` takes it again. See `go_away`.

    held: as for `acd_leaving.leave`. False if they have no such place, or talk.
    """
    entry = held_entry(turn, call_id, held)
    return entry is not None and go_away(turn, entry, held_until, kind=kind, key=key)


def go_away(
    turn: Turn,
    entry: Row[Any],
    held_until: float | None,
    *,
    kind: str = "call",
    key: str = "",
    gone_at: float | None = None,
) -> bool:
    """Keep the place without its caller; an offer to them is taken back. False if they talk.

    held_until: on the boot clock, None for as long as nobody gives it up. kind: `call` for one who stays on the
    phone, `callback`, `cut_off`, `hung_up`. key: pressed to step out. gone_at: when the caller of the last kind
    was gone, seconds since 1970; it may be written late. Who is away already is so by these words from now on.
    """
    acd_offers.end_open_offers(turn, entry.entry_id, OfferEnd.WITHDRAWN, turn.now.wall)
    if turn.run(_GO_AWAY, b_entry=entry.entry_id, b_kind=kind, b_until=held_until, b_gone_at=gone_at) != 1:
        return False
    if (entry.state, entry.kind) != ("away", kind):
        turn.tell_entry_again("stepped_out", entry, at=gone_at, entry_kind=kind, key=key)
    return True


def keep(turn: Turn, entering: Entering, party_ref: str, *, kind: str) -> str:
    """A new place for somebody who is not on the phone; its id."""
    row = new_row(turn, entering, party_ref)
    add(turn, row | {"state": "away", "kind": kind, "owner": "", "lease_until": 0.0})
    return str(row["entry_id"])


def come_back(turn: Turn, entry: Row[Any], kind: str) -> None:
    """The caller waits in the place again. kind: `callback` for one who was called back, whatever came since."""
    if turn.run(_COME_BACK, b_entry=entry.entry_id, b_kind=kind) == 1:
        turn.tell_entry_again("came_back", entry)


def pass_on(turn: Turn, entry_id: str, call_id: str) -> bool:
    """Give an away place to another call, which waits in it when it enters that queue. False if it is not away.

    call_id: of a call that has no place; the database refuses a second one.
    """
    if turn.run(_PASS_ON, b_entry=entry_id, b_call=call_id) != 1:
        return False
    turn.changed = True
    return True


def hold_until(turn: Turn, entry_id: str, until: float | None) -> bool:
    """Give an away place up later, or sooner; None: not by itself. False if it is not away."""
    turn.changed = True
    return turn.run(_HOLD, b_entry=entry_id, b_until=until) == 1


def due(turn: Turn) -> list[Row[Any]]:
    """The places that are to be given up."""
    found = (find_entry(turn, row.entry_id) for row in turn.rows(_DUE, b_boot=turn.now.boot))
    return [entry for entry in found if entry is not None]
