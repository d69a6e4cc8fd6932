"""A store of the ACD on a real database, with two clocks that only move when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, select

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import (
    Agent,
    FloorPlan,
    LeftBecause,
    Moment,
    Needs,
    OfferEnd,
    OfferResult,
    Presence,
    Queue,
    RonaPolicy,
)
from cordboard.store.acd_reads import floor_snapshot, ledger_rows
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import CallerNote, Changes, Entered, Entering, FloorSnapshot, OfferToRing
from cordboard.store.address import Address
from cordboard.store.database import open_database
from cordboard.store.tables import agent_states, metadata, offers, queue_entries
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState

T = TypeVar("T")

START = 1_795_000_000.0  # in November 2026
PLAN = FloorPlan(
    queues={
        "sales": Queue("sales", wrap_up_s=20.0, dispositions=("sold", "no interest")),
        "support": Queue("support", wrap_up_s=0.0, rona=RonaPolicy(pause_after=0, retry_after_s=2.0)),
    },
    agents={
        "alice": Agent("alice", "Alice Ray", "PJSIP/1001", ("sales",)),
        "bob": Agent("bob", "Bob Lee", "PJSIP/1002", ("sales", "support")),
    },
)


class FloorKit:
    """One database and its clocks. now: the moment every action below happens."""

    def __init__(self, path: Address, plan: FloorPlan = PLAN) -> None:
        self.path = path
        self.engine: Engine = open_database(path)
        self.store = AcdStore(plan)
        self.now = Moment(START, 1000.0)

    def close(self) -> None:
        """Close the database."""
        self.engine.dispose()

    def clear(self) -> None:
        """Begin anew, with empty tables."""
        self.now = Moment(START, 1000.0)
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())

    def pass_time(self, seconds: float) -> None:
        """Let both clocks go on."""
        self.now = Moment(self.now.wall + seconds, self.now.boot + seconds)

    def do(self, work: Callable[[Connection], T]) -> T:
        """Run one transaction."""
        with self.engine.begin() as connection:
            return work(connection)

    # -- what workers, the observer and agents do --

    def enter(
        self,
        call_id: str,
        queue: str = "sales",
        *,
        owner: str = "w1",
        priority: int = 0,
        entered_at: float = 0.0,
        needs: Needs | None = None,
    ) -> Entered:
        entering = Entering(
            call_id, f"leg-{call_id}", "asterisk", queue, "en", priority, entered_at or self.now.wall, owner
        )
        return self.do(lambda c: self.store.enter(c, self.now, replace(entering, needs=needs or Needs())))

    def take(self, owner: str, *call_ids: str) -> list[OfferToRing]:
        return self.do(lambda c: self.store.take_offers(c, self.now, owner, call_ids))[0]

    def leave(self, call_id: str, because: LeftBecause = LeftBecause.ABANDONED) -> Changes:
        return self.do(lambda c: self.store.leave(c, self.now, call_id, because))

    def settle(
        self, call_id: str, offer_id: str, end: OfferEnd, *, joined_at: float | None = None, here: bool = True
    ) -> Changes:
        result = OfferResult(offer_id, end, joined_at, self.now.wall)
        return self.do(lambda c: self.store.settle(c, self.now, call_id, result, here))

    def leg(self, kind: Any, offer_id: str) -> Changes:
        event = self.leg_event(kind, offer_id)
        return self.do(lambda c: self.store.agent_leg(c, self.now, event))

    def leg_event(self, kind: Any, offer_id: str) -> AgentLegEvent:
        return AgentLegEvent(kind, offer_id, f"agent-{offer_id}", "", self.now.wall)

    def presence(self, agent: str, presence: Presence = Presence.AVAILABLE, reason: str = "") -> Changes:
        return self.do(lambda c: self.store.set_presence(c, self.now, agent, presence, reason))

    def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> Changes:
        return self.do(lambda c: self.store.dispose(c, self.now, agent, offer_id, disposition, note))

    def device(self, device: str, state: DeviceState) -> Changes:
        return self.do(lambda c: self.store.device_changed(c, self.now, device, state))

    def sweep(self) -> Changes:
        return self.do(lambda c: self.store.sweep(c, self.now))

    def renew(self, owner: str) -> None:
        self.do(lambda c: self.store.renew(c, self.now, owner))

    def reconcile(self, legs: Collection[AgentLeg] = (), live: Collection[str] = ()) -> Changes:
        listed_at = self.now.wall
        return self.do(lambda c: self.store.reconcile(c, self.now, list(legs), live, listed_at))

    def note_caller(self, call_id: str, number: str = "", **fields: Any) -> str:
        note = CallerNote(call_id, number=number, arrived_at=self.now.wall, **fields)
        return self.do(lambda c: self.store.note_caller(c, self.now, note))

    # -- what has come of it --

    def ledger(self, *kinds: str) -> list[LedgerRow]:
        return self.do(lambda c: list(ledger_rows(c, kinds=kinds)))

    def told(self) -> list[str]:
        """The kinds of everything in the ledger, in order."""
        return [row.kind for row in self.ledger()]

    def agents(self) -> Mapping[str, Row[Any]]:
        return self.do(lambda c: {row.agent: row for row in c.execute(select(agent_states))})

    def offers(self) -> Mapping[str, Row[Any]]:
        return self.do(
            lambda c: {
                row.offer_id: row for row in c.execute(select(offers).order_by(offers.c.made_at, offers.c.offer_id))
            }
        )

    def entries(self) -> list[Row[Any]]:
        return self.do(lambda c: list(c.execute(select(queue_entries).order_by(queue_entries.c.entry_id))))

    def snapshot(self) -> FloorSnapshot:
        return self.do(lambda c: floor_snapshot(c, self.now, self.store.plan))
