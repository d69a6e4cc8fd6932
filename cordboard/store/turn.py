"""One transaction of the ACD: what it writes to the ledger, what it frees, and what others must hear of it.

Every method of `AcdStore` opens one, hands it to the functions of the `acd_*` modules, and ends it with `finish`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Connection, Executable, Row, bindparam, func, select, union_all

from cordboard.acd.model import FloorPlan, Moment, Queue
from cordboard.store import ledger, notices
from cordboard.store.acd_values import Changes
from cordboard.store.state_conditions import AWAY, PAUSED, READY, RELAXING, UNRUNG, WRAPPING_UP
from cordboard.store.tables import agent_states, offers, queue_entries
from cordboard.store.today import day_of

_OFFER_NAMES = ("offer_id", "entry_id", "call_id", "queue", "agent", "party_ref")
_ENTRY_NAMES = ("entry_id", "call_id", "queue", "party_ref")
_NOBODY = dict.fromkeys(_OFFER_NAMES, "")

_dues = union_all(
    select(func.min(agent_states.c.wrap_up_until).label("due")).where(WRAPPING_UP),
    select(func.min(agent_states.c.paused_until)).where(PAUSED, agent_states.c.activity == "idle"),
    select(func.min(offers.c.ring_by)).where(UNRUNG),
    select(func.min(agent_states.c.blocked_until)).where(READY, agent_states.c.blocked_until > bindparam("b_boot")),
    select(func.min(queue_entries.c.held_until)).where(AWAY),
    select(func.min(queue_entries.c.asks_until)).where(RELAXING),
).subquery()
_NEXT_DUE = select(func.min(_dues.c.due))
_CHANCE = Random()


@dataclass(slots=True)
class Turn:
    """changed: the desk must look again; touched: queues to which a caller came or came back, or whose agents were
    freed, or have gone; may_match: all queues may be such;
    offered: by entry, the worker that has to ring an offer made in this transaction. random: for what is left to
    chance.
    """

    connection: Connection
    now: Moment
    plan: FloorPlan
    changed: bool = False
    may_match: bool = False
    touched: set[str] = field(default_factory=set)
    offered: dict[str, str] = field(default_factory=dict)
    overdue: frozenset[str] = frozenset()
    random: Random = _CHANCE
    _events: list[dict[str, Any]] = field(default_factory=list)

    # -- the database --

    def run(self, statement: Executable, **values: Any) -> int:
        """Write; how many rows it touched."""
        return self.connection.execute(statement, values).rowcount

    def row(self, statement: Executable, **values: Any) -> Row[Any] | None:
        """The one row, None if there is none."""
        return self.connection.execute(statement, values).one_or_none()

    def rows(self, statement: Executable, **values: Any) -> list[Row[Any]]:
        """All rows."""
        return list(self.connection.execute(statement, values))

    def queue(self, name: str) -> Queue:
        """The queue as configured, or by default if a reload has taken it away under its calls."""
        return self.plan.queue(name)

    @property
    def day_began_at(self) -> float:
        """When the day began that agents' counts are of."""
        return day_of(self.now.wall, self.plan.zone)[0]

    def agent_is_free(self, agent: str) -> None:
        """Callers of the agent's queues may have somebody now."""
        known = self.plan.agents.get(agent)
        self.touched.update(known.queues if known else ())

    def agent_is_gone(self, agent: str) -> None:
        """Calls that were kept for the agent may go to others now; of one who is configured no more nobody knows
        in which queues.
        """
        self.agent_is_free(agent)
        self.may_match = self.may_match or agent not in self.plan.agents

    # -- the ledger --

    def tell_offer(self, kind: str, offer: object, at: float, **data: Any) -> None:
        """Note what can happen once to an offer. offer: anything with the names of its row."""
        about = {name: getattr(offer, name) for name in _OFFER_NAMES}
        self._tell(f"{about['offer_id']}:{kind}", kind, at, about, data)

    def tell_offer_again(self, kind: str, offer: object, **data: Any) -> None:
        """Note what can happen several times to an offer, and happens now."""
        about = {name: getattr(offer, name) for name in _OFFER_NAMES}
        self._tell(f"{about['offer_id']}:{kind}:{self.now.wall:.6f}", kind, self.now.wall, about, data)

    def tell_entry(self, kind: str, entry: object, at: float, **data: Any) -> None:
        """Note what can happen once to a place in a queue. entry: anything with the names of its row."""
        about = {name: getattr(entry, name) for name in _ENTRY_NAMES}
        self._tell(f"{about['entry_id']}:{kind}", kind, at, about, data)

    def tell_entry_again(self, kind: str, entry: object, *, at: float | None = None, **data: Any) -> None:
        """Note what can happen several times to a place in a queue. at: None for now."""
        about = {name: getattr(entry, name) for name in _ENTRY_NAMES}
        at = self.now.wall if at is None else at
        self._tell(f"{about['entry_id']}:{kind}:{at:.6f}", kind, at, about, data)

    def tell_call(self, kind: str, call_id: str, queue: str, at: float, **data: Any) -> None:
        """Note what can happen once to a call that has no place in the queue."""
        self._tell(f"{call_id}:{queue}:{kind}:{at:.6f}", kind, at, {"call_id": call_id, "queue": queue}, data)

    def tell_callback(self, kind: str, callback: object, *, once: bool = False, **data: Any) -> None:
        """Note what happens to a promise to call back, now. callback: anything with the names of its row."""
        about = {name: getattr(callback, name) for name in _ENTRY_NAMES}
        name = f"{callback.callback_id}:{kind}"  # type: ignore[attr-defined]
        self._tell(name if once else f"{name}:{self.now.wall:.6f}", kind, self.now.wall, about, data)

    def tell_agent(self, kind: str, agent: str, **data: Any) -> None:
        """Note what an agent does now."""
        self._tell(f"{agent}:{kind}:{self.now.wall:.6f}", kind, self.now.wall, {"agent": agent}, data)

    def _tell(self, event_id: str, kind: str, at: float, about: Mapping[str, str], data: Mapping[str, Any]) -> None:
        self.changed = True
        self._events.append({**_NOBODY, **about, "event_id": event_id, "kind": kind, "at": at, "data": data})

    # -- the end --

    def finish(self, *, tells_due: bool = False, brings_dues: bool = True) -> Changes:
        """Write the ledger, and say what has changed. tells_due: say what is due next even if nothing has;
        brings_dues: whether what has changed may have brought a deadline.
        """
        ledger.append(self.connection, self._events)
        notices.say(self.connection, {*self.offered.values(), *([notices.DESK] if self.changed else [])})
        due = self._next_due_in_s() if (self.changed and brings_dues) or tells_due else None
        return Changes(frozenset(self.offered.values()), self.changed, due, self.overdue)

    def _next_due_in_s(self) -> float | None:
        due = self.connection.execute(_NEXT_DUE, {"b_boot": self.now.boot}).scalar_one()
        return None if due is None else max(0.0, due - self.now.boot)
