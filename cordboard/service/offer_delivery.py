"""Brings offers from the store to the callers who wait on this worker, whenever there may be one.

Used by the waiting room. An offer found here is marked ringing in the same moment, so it is delivered to a caller
who can have a phone rung at once, and to nobody who is being spoken to: such a call is let go of and comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from cordboard.errors import StoreUnavailable, SwitchError
from cordboard.service.floor import Floor
from cordboard.service.reviews import Reviews
from cordboard.service.visits import Visit
from cordboard.store.acd_values import OfferToRing


class OfferDelivery:
    """visits: those who wait here, by call. After each look the queues' rules are looked at, too, where it is time
    for that.
    """

    def __init__(self, floor: Floor, visits: Mapping[str, Visit], reviews: Reviews) -> None:
        self._floor = floor
        self._visits = visits
        self._reviews = reviews
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        floor.bell.on_offers(self.look_soon)

    def look_soon(self) -> None:
        """Ask the store for offers of those who wait here. While one answer is under way, once more after it."""
        if not self._visits:
            return
        if self._looking is not None and not self._looking.done():
            self._look_again = True
            return
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        self._look_again = True
        while self._look_again:
            self._look_again = False
            quiet = {call_id for call_id, visit in self._visits.items() if visit.is_quiet}
            with suppress(StoreUnavailable, SwitchError):
                pending = await self._floor.take_offers(quiet)
                for offer in pending.taken:
                    self._deliver(offer)
                self._interrupt(pending.waiting)
                await self._reviews.review_watched()

    def _interrupt(self, call_ids: Iterable[str]) -> None:
        """End what is announced to these: then they are quiet, and get their offers."""
        for call_id in call_ids:
            visit = self._visits.get(call_id)
            if visit is not None and visit.is_announcing:
                visit.interrupt()

    def _deliver(self, offer: OfferToRing) -> None:
        """A caller who has left meanwhile has ended the offer by that."""
        visit = self._visits.get(offer.call_id)
        if visit is not None and visit.offer is None:
            visit.take(offer)
