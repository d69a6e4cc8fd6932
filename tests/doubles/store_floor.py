"""The floor of a simulated day on the real store: the service's own transactions, under the virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, OfferResult, Presence
from cordboard.lab.sim.floor_state import Caller
from cordboard.store.acd_reads import ledger_rows
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote, Changes, Entering, OfferToRing
from cordboard.store.callback_attempts import Attempt
from cordboard.store.callback_store import CallbackStore
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.database import open_database
from cordboard.telephony.outcomes import CallbackBooked
from cordboard.telephony.ports import AgentLegEvent, DeviceState

OWNER = "w1"


class StoreFloor:
    """Implements `SimFloor`. One worker, which never falls silent: its leases are renewed in each transaction."""

    def __init__(self, path: Path, plan: FloorPlan) -> None:
        self._engine = open_database(path)
        self._plan = plan
        self._store = AcdStore(plan)
        self._callbacks = CallbackStore(self._store)
        self._callers: dict[str, Caller] = {}
        self._rung: list[OfferToRing] = []
        self._ringing: dict[str, set[str]] = {}  # by call that waits: the offers whose phones ring
        self._due: float | None = None

    def open_phones(self, now: Moment) -> None:
        """The phones of all agents are there."""
        states = {agent.device: DeviceState.IDLE for agent in self._plan.agents.values()}
        self._tell(now, lambda c: self._store.devices_listed(c, now, states))

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    @property
    def rows(self) -> list[LedgerRow]:
        """The ledger."""
        with self._engine.begin() as connection:
            return list(ledger_rows(connection))

    # -- as in `SimFloor` --

    @property
    def next_due(self) -> float | None:
        return self._due

    def enter(self, now: Moment, caller: Caller, max_wait_s: float | None = None) -> str | None:
        self._callers[caller.call_id] = caller
        entering = Entering(
            call_id=caller.call_id,
            leg_id=f"leg-{caller.call_id}",
            switch="asterisk",
            queue=caller.queue,
            language=caller.language,
            priority=caller.priority,
            entered_at=now.wall,
            owner=OWNER,
            entered_boot=now.boot,
            max_wait_s=max_wait_s,
            needs=caller.needs,
        )
        self._ringing[caller.call_id] = set()
        note = CallerNote(caller.call_id, number=caller.number)
        self._do(now, lambda c: self._store.note_caller(c, now, note))
        entered = self._do(now, lambda c: self._store.enter(c, now, entering))
        self._heed(now, entered.changes)
        if entered.left is not None or entered.refused is not None:
            del self._ringing[caller.call_id]
            return ""
        self._keep(entered.offer)
        return str(entered.queue) if entered.queue not in ("", caller.queue) else None

    def step_out(self, now: Moment, call_id: str, held_s: float) -> None:
        del self._ringing[call_id]
        self._tell(now, lambda c: self._store.step_out(c, now, call_id, now.boot + held_s))

    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None:
        self._ringing.pop(call_id, None)  # who has stepped out hears no phones
        self._tell(now, lambda c: self._store.leave(c, now, call_id, because))

    def ended(self, now: Moment, call_id: str, cause: int) -> None:
        self._tell(now, lambda c: self._callbacks.left(c, now, call_id, cause, now.wall))

    def book(self, now: Moment, call_id: str) -> bool:
        caller = self._callers[call_id]
        asked = CallbackAsked(call_id, caller.queue, caller.number, caller.language, caller.priority, now.wall)
        booked, changes = self._do(now, lambda c: self._callbacks.book(c, now, asked))
        self._heed(now, changes)
        return isinstance(booked, CallbackBooked)

    @property
    def owes_calls(self) -> bool:
        with self._engine.begin() as connection:
            return self._callbacks.is_any_open(connection, Moment(0.0, 0.0))

    def claim(self, now: Moment) -> Sequence[Attempt]:
        found = self._do(now, lambda c: self._callbacks.claim(c, now))
        self._heed(now, found.changes)
        return tuple(found.attempts)

    def is_wanted(self, now: Moment, call_id: str) -> bool:
        return self._do(now, lambda c: self._callbacks.called_back(c, now, call_id)) is not None

    def attempt_ended(self, now: Moment, call_id: str, result: str) -> None:
        self._tell(now, lambda c: self._callbacks.attempt_ended(c, now, call_id, result))

    def not_reached(self, now: Moment, offer: OfferToRing, result: str) -> None:
        del self._ringing[offer.call_id]
        self._tell(now, lambda c: self._callbacks.not_reached(c, now, offer.call_id, result))
        told = OfferResult(offer.offer_id, OfferEnd.CALLER_LEFT, None, now.wall)
        self._tell(now, lambda c: self._store.settle(c, now, offer.call_id, told, False))

    def review(self, now: Moment, call_id: str) -> str | None:
        verdicts, changes = self._do(now, lambda c: self._store.review(c, now, OWNER, [call_id]))
        self._heed(now, changes)
        for verdict in verdicts:
            if verdict.left is not None:
                del self._ringing[call_id]
                return ""
            if verdict.entered is not None:
                self._keep(verdict.entered.offer)
                return str(verdict.entered.queue)
        return None

    def take_offers(self, now: Moment) -> list[OfferToRing]:
        quiet = [call_id for call_id, ringing in self._ringing.items() if not ringing]
        taken, changes = self._do(now, lambda c: self._store.take_offers(c, now, OWNER, quiet))
        self._heed(now, changes)
        rung, self._rung = [*self._rung, *taken], []
        phones = [each for offer in rung for each in (offer, *offer.also)]
        for each in phones:
            self._ringing[each.call_id].add(each.offer_id)
        return phones

    def answered(self, now: Moment, offer: OfferToRing) -> None:
        self._leg(now, "answered", offer)

    def joined(self, now: Moment, offer: OfferToRing) -> None:
        del self._ringing[offer.call_id]
        self._leg(now, "joined", offer)

    def failed(self, now: Moment, offer: OfferToRing, end: OfferEnd) -> None:
        self._ringing[offer.call_id].discard(offer.offer_id)
        result = OfferResult(offer.offer_id, end, None, now.wall)
        self._tell(now, lambda c: self._store.settle(c, now, offer.call_id, result, True))

    def gone(self, now: Moment, offer: OfferToRing) -> None:
        self._leg(now, "gone", offer)

    def dispose(self, now: Moment, offer: OfferToRing, disposition: str) -> None:
        self._tell(now, lambda c: self._store.dispose(c, now, offer.agent, offer.offer_id, disposition))

    def set_presence(self, now: Moment, agent: str, presence: Presence, reason: str = "") -> None:
        self._tell(now, lambda c: self._store.set_presence(c, now, agent, presence, reason))

    def sweep(self, now: Moment) -> None:
        self._due = None
        self._tell(now, lambda c: self._store.sweep(c, now))

    # -- inside --

    def _keep(self, offer: OfferToRing | None) -> None:
        """An offer marked ringing already, until `take_offers`."""
        if offer is not None:
            self._rung.append(offer)
            self._ringing[offer.call_id].add(offer.offer_id)

    def _leg(self, now: Moment, kind: Any, offer: OfferToRing) -> None:
        event = AgentLegEvent(kind, offer.offer_id, f"agent-{offer.offer_id}", "", now.wall)
        self._tell(now, lambda c: self._store.agent_leg(c, now, event))

    def _tell(self, now: Moment, fact: Callable[[Connection], Changes]) -> None:
        self._heed(now, self._do(now, fact))

    def _do(self, now: Moment, work: Callable[[Connection], Any]) -> Any:
        with self._engine.begin() as connection:
            self._store.renew(connection, now, OWNER)
            return work(connection)

    def _heed(self, now: Moment, changes: Changes) -> None:
        if changes.next_due_in_s is not None:
            due = now.boot + changes.next_due_in_s
            self._due = due if self._due is None else min(self._due, due)
