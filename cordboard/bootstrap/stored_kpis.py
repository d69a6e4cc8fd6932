"""Key figures for the desk, read by a thread of its own: a report of a month delays no page.

Opened and closed by the desk's process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cordboard.acd.model import FloorPlan
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_reads import StoreReader
from cordboard.store.address import Address
from cordboard.store.kpi_reads import KpiLine, KpiQuestion, is_known_queue, read_kpi_lines
from cordboard.store.moments import now

REPORT_S = 30.0  # a month of a large house takes longer; the command line has the time
ASKED_MAX = 4  # one is read, the others wait


class StoredKpis:
    """The desk's `KpiBook`. plan: the configuration as it is now; zone: of moments written without one."""

    def __init__(self, database: Address, plan: Callable[[], FloorPlan], zone: ZoneInfo) -> None:
        self._reader = StoreReader(database)
        self._plan = plan
        self._asked = 0
        self.zone = zone

    async def lines(self, asked: KpiQuestion) -> Sequence[KpiLine]:
        """The answer. Raises StoreUnavailable, LookupError for a queue that neither the configuration nor the
        ledger has, ValueError for a question that is too long.
        """
        if self._asked >= ASKED_MAX:
            raise StoreUnavailable("too many reports are being made; ask again in a moment")
        self._asked += 1
        try:
            work = partial(_lines, plan=self._plan(), asked=asked, wall=now().wall)
            return await self._reader.ask(work, REPORT_S)
        finally:
            self._asked -= 1

    def close(self) -> None:
        """End the thread, after what it is at."""
        self._reader.close()


def _lines(connection: Connection, plan: FloorPlan, asked: KpiQuestion, wall: float) -> Sequence[KpiLine]:
    if asked.queue and not is_known_queue(connection, plan, asked.queue):
        raise LookupError(asked.queue)
    return read_kpi_lines(connection, plan, asked, wall)
