"""A store of the ACD with its callbacks and cut-off calls: what the dialler and the observer do to it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from cordboard.acd.callback_policy import CallbackPolicy, CutOffPolicy
from cordboard.acd.cut_off import USUAL_CAUSES
from cordboard.acd.model import Agent, FloorPlan, Queue
from cordboard.store.address import Address
from cordboard.store.callback_attempts import Attempt
from cordboard.store.callback_store import CallbackStore, ToDial
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.tables import callbacks
from cordboard.telephony.outcomes import CallbackBooked, CallbackRefused
from tests.doubles.floor_kit import FloorKit

NUMBERS = [f"+4420794601{n:02d}" for n in range(60)]
POLICY = CallbackPolicy(attempts=2, retry_after_s=60.0, expires_s=3_600.0)
CUT_OFF = CutOffPolicy(hold_s=120.0, ring_back=True, agent_s=30.0, causes=USUAL_CAUSES)
RTP_TIMEOUT = 44


def plan(
    policy: CallbackPolicy | None = POLICY, agents: int = 2, cut_off: CutOffPolicy | None = CUT_OFF
) -> FloorPlan:
    queues = {"sales": Queue("sales", wrap_up_s=20.0, callback=policy, cut_off=cut_off), "other": Queue("other")}
    names = [f"agent{n}" for n in range(agents)]
    return FloorPlan(queues, {name: Agent(name, name, f"PJSIP/{name}", ("sales",)) for name in names})


class CallbackKit(FloorKit):
    """The store with its callbacks."""

    def __init__(self, path: Address, floor: FloorPlan | None = None) -> None:
        super().__init__(path, floor or plan())
        self._plan = self.store.plan
        self.callbacks = CallbackStore(self.store)

    def clear(self) -> None:
        """As before, and with the first plan."""
        super().clear()
        self.store.plan = self._plan

    def arrives(self, call_id: str, number: str = NUMBERS[0], **how: Any) -> str:
        """A caller comes to sales; the place."""
        self.note_caller(call_id, number)
        return self.enter(call_id, **how).entry_id

    def book(self, call_id: str, number: str = NUMBERS[0], priority: int = 0) -> CallbackBooked | CallbackRefused:
        asked = CallbackAsked(call_id, "sales", number, "en", priority, self.now.wall)
        return self.do(lambda c: self.callbacks.book(c, self.now, asked))[0]

    def claim(self) -> ToDial:
        return self.do(lambda c: self.callbacks.claim(c, self.now))

    def attempt_ended(self, attempt: Attempt, result: str = "no_answer") -> None:
        self.do(lambda c: self.callbacks.attempt_ended(c, self.now, attempt.call_id, result))

    def left(self, call_id: str, cause: int = RTP_TIMEOUT) -> None:
        self.do(lambda c: self.callbacks.left(c, self.now, call_id, cause, self.now.wall))

    def promises(self) -> list[Any]:
        return self.do(lambda c: list(c.execute(select(callbacks).order_by(callbacks.c.requested_at))))

    def place(self, entry_id: str) -> Any:
        return next(entry for entry in self.entries() if entry.entry_id == entry_id)

    def positions(self, *call_ids: str) -> list[int | None]:
        return [self.do(lambda c, one=one: self.store.position(c, one)) for one in call_ids]  # type: ignore[misc]

    def talk(self, call_id: str) -> str:
        """The caller's offer is taken; its agent."""
        (offer,) = [row for row in self.offers().values() if row.call_id == call_id and row.state != "ended"]
        self.leg("joined", offer.offer_id)
        return str(offer.agent)
