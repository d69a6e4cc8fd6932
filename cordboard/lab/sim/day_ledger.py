"""The ledger of a simulated floor: what happened, with the words and the data of the store's."""

from __future__ import annotations

from typing import Any

from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import OfferEnd
from cordboard.lab.sim.floor_state import Offer, Place, Promise


class Ledger:
    """Rows in the order in which they were told."""

    def __init__(self) -> None:
        self.rows: list[LedgerRow] = []

    def tell_place(self, kind: str, place: Place, at: float, **data: Any) -> None:
        """What can happen once to a place."""
        call = place.waiting
        self._tell(f"{call.entry_id}:{kind}", at, kind, call.call_id, call.entry_id, "", call.queue, "", data)

    def tell_place_again(self, kind: str, place: Place, at: float, **data: Any) -> None:
        """What can happen several times to a place."""
        call = place.waiting
        event_id = f"{call.entry_id}:{kind}:{at:.6f}"
        self._tell(event_id, at, kind, call.call_id, call.entry_id, "", call.queue, "", data)

    def tell_call(self, kind: str, call_id: str, queue: str, at: float, **data: Any) -> None:
        """What happens to a call that has no place."""
        self._tell(f"{call_id}:{queue}:{kind}:{at:.6f}", at, kind, call_id, "", "", queue, "", data)

    def tell_promise(self, kind: str, promise: Promise, at: float, **data: Any) -> None:
        """What happens to a promise to call somebody back."""
        place = promise.place
        event_id = f"{promise.callback_id}:{kind}:{at:.6f}"
        self._tell(event_id, at, kind, promise.call_id, place.entry_id, "", place.queue, "", data)

    def tell_offer(self, kind: str, offer: Offer, at: float, **data: Any) -> None:
        """What happens to an offer."""
        place, event_id = offer.place, f"{offer.offer_id}:{kind}"
        about = offer.call_id, place.entry_id, offer.offer_id, place.queue, offer.agent
        self._tell(event_id, at, kind, *about, data)

    def tell_agent(self, kind: str, agent: str, at: float, **data: Any) -> None:
        """What an agent does."""
        self._tell(f"{agent}:{kind}:{at:.6f}", at, kind, "", "", "", "", agent, data)

    def tell_ended(self, offer: Offer, end: OfferEnd, at: float, ring_s: float) -> None:
        """The end of an offer."""
        self.tell_offer("offer_ended", offer, at, end=end.value, ring_s=ring_s)

    def _tell(self, event_id: str, at: float, kind: str, *about: Any) -> None:
        call_id, entry_id, offer_id, queue, agent, data = about
        row = LedgerRow(len(self.rows) + 1, event_id, at, kind, call_id, entry_id, offer_id, queue, agent, "", data)
        self.rows.append(row)
