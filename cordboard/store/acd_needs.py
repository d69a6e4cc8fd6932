"""What callers ask for, in the store: kept with the place, grouped by what is asked now, relaxed when that is due.

`columns` is what a new place is written with; `relax_due` moves on those whose next step is due, and is called
before anybody is matched, so matching and groups never disagree. What the steps do is `telephony.needs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Row, and_, bindparam, or_, select, update

from cordboard.acd.matching import entry_order
from cordboard.acd.model import LAST_AGENT, Needs, WaitingCall
from cordboard.acd.needs_json import asks_as_json, needs_as_json, needs_from_json
from cordboard.acd.needs_words import in_words
from cordboard.acd.relaxation import after_refusal, needs_after, next_change_s, waited_s, with_defaults
from cordboard.store.acd_values import Entering
from cordboard.store.state_conditions import IN_LINE, RELAXING
from cordboard.store.tables import offers, queue_entries
from cordboard.store.turn import Turn

_CALL = ("entry_id", "call_id", "queue", "priority", "entered_at", "entered_boot", "needs")
CALL_COLUMNS = tuple(queue_entries.c[name] for name in _CALL)
"""What `waiting_call` reads."""

_RELAX_DUE = (
    select(*CALL_COLUMNS, queue_entries.c.party_ref, queue_entries.c.asks)
    .where(RELAXING, queue_entries.c.asks_until <= bindparam("b_boot"))
    .order_by(queue_entries.c.asks_until)
)
_RELAX = (
    update(queue_entries)
    .where(queue_entries.c.entry_id == bindparam("b_entry"))
    .values(asks=bindparam("b_asks"), asks_until=bindparam("b_until"))
)
_OF_PLACE = select(*CALL_COLUMNS).where(IN_LINE, queue_entries.c.entry_id == bindparam("b_entry"))
_REFUSE = _RELAX.values(needs=bindparam("b_needs"))
_of_the_caller = or_(
    offers.c.call_id == bindparam("b_call"),
    and_(offers.c.party_ref != "", offers.c.party_ref == bindparam("b_party")),
)
_LAST_TALK = (
    select(offers.c.agent)
    .where(_of_the_caller, offers.c.joined_at.is_not(None))
    .order_by(offers.c.joined_at.desc())
    .limit(1)
)


class CallRow(Protocol):
    """A row with `CALL_COLUMNS`."""

    entry_id: str
    call_id: str
    queue: str
    priority: int
    entered_at: float
    entered_boot: float
    needs: str


def waiting_call(row: CallRow | Row[Any]) -> WaitingCall:
    """A row as matching sees it. Of one that is older than this boot only the time of day is known."""
    return WaitingCall(
        row.entry_id,
        row.call_id,
        row.queue,
        row.priority,
        row.entered_at,
        needs_from_json(row.needs),
        row.entered_boot or None,
    )


def columns(turn: Turn, entering: Entering, entry_id: str, entered_boot: float, party_ref: str) -> dict[str, Any]:
    """What a new place has of needs, and of its rank in line: columns of `queue_entries`."""
    queue = turn.queue(entering.queue)
    asked = replace(with_defaults(entering.needs, queue.needs), switch=_switch_of(turn, entering.switch))
    needs = _known(turn, asked, entering.call_id, party_ref)
    call = WaitingCall(
        entry_id, entering.call_id, queue.name, entering.priority, entering.entered_at, needs, entered_boot or None
    )
    minus_rank, stands_at, _ = entry_order(call, queue.ageing_s)
    own, whole = needs_as_json(entering.needs), needs_as_json(needs)
    asked_by = {"needs": whole, "own_needs": None if own == whole else own}
    return asked_by | {"rank": -minus_rank, "stands_at": stands_at, **_asks(turn, call)}


def note_switch(turn: Turn, entry_id: str, switch: str) -> None:
    """The caller is back on another switch, as one who was called back may be: other phones can be reached."""
    row = turn.row(_OF_PLACE, b_entry=entry_id)
    if row is None:
        return
    call = waiting_call(row)
    needs = replace(call.needs, switch=_switch_of(turn, switch))
    asks = _asks(turn, replace(call, needs=needs))
    turn.run(
        _REFUSE,
        b_entry=entry_id,
        b_needs=needs_as_json(needs),
        b_asks=asks["asks"],
        b_until=asks["asks_until"],
    )


def _switch_of(turn: Turn, switch: str) -> str:
    """The switch as a part of what a caller needs: where there is one, nobody needs to know."""
    return switch if len(turn.plan.switches) > 1 else ""


def told(row: Mapping[str, Any]) -> dict[str, str]:
    """What the ledger is told of a new place's needs: nothing of one without."""
    needs = replace(needs_from_json(row["asks"]), switch="")
    return {"asks": in_words(needs)} if needs != Needs() else {}


def relax_due(turn: Turn) -> None:
    """Ask less, or else, for those whose time for it has come. Each step that asks for something else is told once;
    that somebody may be asked again who did not take the call is not told.
    """
    for row in turn.rows(_RELAX_DUE, b_boot=turn.now.boot):
        call = waiting_call(row)
        asks = _asks(turn, call)
        turn.run(_RELAX, b_entry=row.entry_id, b_asks=asks["asks"], b_until=asks["asks_until"])
        if _asked(asks["asks"]) != _asked(row.asks):
            needs = needs_after(call.needs, waited_s(call, turn.now))
            turn.tell_entry_again("needs_relaxed", row, asks=in_words(needs))
        turn.touched.add(row.queue)


def note_refusal(turn: Turn, entry_id: str, agent: str) -> None:
    """An agent has not taken the call: as its queue has it, others are asked first for a while."""
    row = turn.row(_OF_PLACE, b_entry=entry_id)
    for_s = turn.queue(row.queue).not_again_s if row is not None else 0.0
    if row is None or for_s <= 0:
        return
    call = waiting_call(row)
    waited = waited_s(call, turn.now)
    still = tuple((other, until_s) for other, until_s in call.needs.refused if until_s > waited)
    needs = after_refusal(replace(call.needs, refused=still), agent, waited + for_s)
    asks = _asks(turn, replace(call, needs=needs))
    turn.run(
        _REFUSE,
        b_entry=entry_id,
        b_needs=needs_as_json(needs),
        b_asks=asks["asks"],
        b_until=asks["asks_until"],
    )


def _asked(text: str) -> Needs:
    """What is asked for, whoever has refused."""
    return replace(needs_from_json(text), refused=())


def _asks(turn: Turn, call: WaitingCall) -> dict[str, Any]:
    waited = waited_s(call, turn.now)
    next_s = next_change_s(call.needs, waited)
    until = None if next_s is None else turn.now.boot + next_s - waited
    return {"asks": asks_as_json(needs_after(call.needs, waited)), "asks_until": until}


def _known(turn: Turn, needs: Needs, call_id: str, party_ref: str) -> Needs:
    """The needs, with the agent the caller talked with last by name; nobody if there was none."""
    if LAST_AGENT not in (needs.agent, *needs.exclude):
        return needs
    last = turn.row(_LAST_TALK, b_call=call_id, b_party=party_ref)
    names = {LAST_AGENT: "" if last is None else last.agent}
    excluded = (names.get(name, name) for name in needs.exclude)
    return replace(
        needs, agent=names.get(needs.agent, needs.agent), exclude=tuple(name for name in excluded if name)
    )
