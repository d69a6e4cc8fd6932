"""The floor of a simulated day on the real store: the service's own transactions, under the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, OfferResult, Presence
from cordboard.lab.sim.floor_state import Caller
from cordboard.store.acd_reads import ledger_rows
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Changes, Entering, OfferToRing
from cordboard.store.database import open_database
from cordboard.telephony.ports import AgentLegEvent

OWNER = "w1"


class StoreFloor:
    """Implements `SimFloor`. One worker, which never falls silent: its leases are renewed in each transaction."""

    def __init__(self, path: Path, plan: FloorPlan) -> None:
        self._engine = open_database(path)
        self._store = AcdStore(plan)
        self._rung: list[OfferToRing] = []
        self._ringing: dict[str, set[str]] = {}  # by call that waits: the offers whose phones ring
        self._due: float | None = None

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

    def enter(self, now: Moment, caller: Caller) -> str | None:
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
            needs=caller.needs,
        )
        self._ringing[caller.call_id] = set()
        entered = self._do(now, lambda c: self._store.enter(c, now, entering))
        self._heed(now, entered.changes)
        if entered.left is not None:
            del self._ringing[caller.call_id]
            return ""
        self._keep(entered.offer)
        return str(entered.queue) if entered.queue not in ("", caller.queue) else None

    def leave(self, now: Moment, call_id: str, because: LeftBecause) -> None:
        del self._ringing[call_id]
        self._tell(now, lambda c: self._store.leave(c, now, call_id, because))

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
