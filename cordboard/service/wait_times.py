"""What waiting callers are told of the time they will still wait, and how good those figures are.

Part of a `Floor`. Estimates are made in the reader's thread, where they hold up no call. Every caller who waits for
a second or two gets one, told or not, so that the error of each queue can be published (`acd.estimate_errors`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import structlog
from sqlalchemy import Connection

from cordboard.acd.model import FloorPlan, Moment
from cordboard.acd.wait_estimate import Estimate
from cordboard.errors import StoreUnavailable
from cordboard.store import estimates
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_values import Changes
from cordboard.store.estimates import WaitEstimates
from cordboard.store.moments import now
from cordboard.store.writer import StoreThread

ESTIMATE_S = 2.0  # for the reading and for the writing
AT_A_LOOK = 20  # callers who get their first estimate after one look; each takes some 20 ms of the reader's thread

log = structlog.get_logger()


class _Planned(Protocol):
    """Whoever knows the configuration of now."""

    @property
    def plan(self) -> FloorPlan: ...


class WaitTimes:
    """owner: the process whose callers get estimates; tell: is handed what has changed in the store."""

    def __init__(
        self,
        owner: str,
        store: _Planned,
        thread: StoreThread,
        reader: StoreReader,
        tell: Callable[[Changes], None],
    ) -> None:
        self._owner = owner
        self._store = store
        self._thread = thread
        self._reader = reader
        self._tell = tell
        self._estimates = WaitEstimates()
        self._first: asyncio.Task[None] | None = None

    async def aclose(self) -> None:
        """Stop estimating."""
        if self._first is not None:
            self._first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._first

    async def told(self, call_id: str) -> float | None:
        """What to tell a waiting caller, as `Floor.estimated_wait`."""
        found = (await self._estimated([call_id])).get(call_id)
        if found is None:
            return None
        told_s, changes = await self._thread.ask(
            lambda c: estimates.note_told(c, now(), self._store.plan, call_id, found), ESTIMATE_S
        )
        self._tell(changes)
        return None if told_s is None else float(told_s)

    def look(self, connection: Connection, moment: Moment) -> Callable[[], None]:
        """For `Floor.on_look`: finds those without an estimate; they get one afterwards, beside everything else."""
        call_ids = estimates.unestimated(connection, moment, self._owner, AT_A_LOOK)
        return lambda: self._begin(call_ids)

    def _begin(self, call_ids: list[str]) -> None:
        if call_ids and (self._first is None or self._first.done()):
            self._first = asyncio.create_task(self._estimate_first(call_ids))

    async def _estimate_first(self, call_ids: list[str]) -> None:
        try:
            found = await self._estimated(call_ids)
            if found:
                self._tell(await self._thread.ask(lambda c: self._note(c, found), ESTIMATE_S))
        except StoreUnavailable:
            pass  # the next look finds them again
        except Exception:
            log.exception("estimates_failed")

    async def _estimated(self, call_ids: list[str]) -> dict[str, Estimate]:
        return await self._reader.ask(
            lambda c: self._estimates.of_calls(c, now(), self._store.plan, call_ids), ESTIMATE_S
        )

    def _note(self, connection: Connection, found: dict[str, Estimate]) -> Changes:
        changes = Changes()
        for call_id, one in found.items():
            changes |= estimates.note_estimate(connection, now(), self._store.plan, call_id, one)
        return changes
