"""The rules of queues, applied to those who wait on this worker: who must leave, who stands elsewhere now.

The store decides; here is when it is asked, and who is told. Asked by `staying` at the second a step of the
overflow comes due, and by `offer_delivery` now and then for all whose rules depend on others.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import suppress

import structlog

from cordboard.errors import StoreUnavailable
from cordboard.service.floor import Floor
from cordboard.service.visits import Visit
from cordboard.store.acd_values import Verdict

REVIEW_S = 1.0  # between two looks at rules that depend on others

log = structlog.get_logger()


class Reviews:
    """visits: those who wait here, by call."""

    def __init__(self, floor: Floor, visits: Mapping[str, Visit]) -> None:
        self._floor = floor
        self._visits = visits
        self._reviewed_at = 0.0
        self._under_review: frozenset[str] = frozenset()

    def may_be_moving(self, call_id: str) -> bool:
        """Whether the rules may just be putting the call into another queue."""
        return call_id in self._under_review

    async def review_watched(self) -> None:
        """Look at the rules that depend on others, for all whom nothing else is done with."""
        if time.monotonic() - self._reviewed_at < REVIEW_S:
            return
        self._reviewed_at = time.monotonic()
        watched = frozenset(
            call_id for call_id, visit in self._visits.items() if visit.is_quiet and visit.is_watched
        )
        if not watched:
            return
        self._under_review = watched
        try:
            await self.review(watched)
        finally:
            self._under_review = frozenset()

    async def review(self, call_ids: Collection[str]) -> None:
        """Have the store apply the rules to these calls, and tell those who look after them. What it has decided
        without our hearing of it, it says again when it is asked again.
        """
        is_answered = False
        with suppress(StoreUnavailable):
            for verdict in await self._floor.review(call_ids):
                if (visit := self._visits.get(verdict.call_id)) is not None:
                    self._hear(visit, verdict)
            is_answered = True
        for call_id in call_ids:
            if (visit := self._visits.get(call_id)) is not None:
                visit.is_in_doubt = not is_answered

    def _hear(self, visit: Visit, verdict: Verdict) -> None:
        if verdict.left is not None:
            visit.send_out(verdict.left)
        elif verdict.entered is not None:
            queue = verdict.entered.queue
            log.info("overflowed", call_id=visit.call_id, queue=visit.queue.name, to=queue)
            visit.move(verdict.entered, self._floor.plan.queue(queue))
        else:
            visit.note_position(verdict.position)
