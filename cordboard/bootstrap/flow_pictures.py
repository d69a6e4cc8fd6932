"""Draws flows for the desk, with what their calls did: one at a time, off the event loop, within a deadline.

Called by `live_flows`. Counting is done by a reader of its own, so that a week of calls keeps no page waiting.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import time

from sqlalchemy import Connection

from cordboard.desk.ports import NoPicture
from cordboard.flows.flow import Flow
from cordboard.pictures.chart import Counts, chart_of
from cordboard.pictures.svg import draw_svg
from cordboard.store.reader import StoreReader
from cordboard.store.time_limit import TookTooLong, time_limit
from cordboard.store.way_counts import ways_taken

NODES_MAX = 400  # a second of drawing; ten times as many nodes take minutes
COUNT_S = 6.0  # a week of 10,000 calls a day takes two seconds
PICTURE_S = 15.0  # with those that others have asked for before


class FlowPictures:
    """reader: of the database with the traces. count_s: the longest count."""

    def __init__(self, reader: StoreReader, count_s: float = COUNT_S) -> None:
        self._reader = reader
        self._count_s = count_s
        self._drawer = ThreadPoolExecutor(1, thread_name_prefix="drawer")
        self._turn = asyncio.Lock()

    async def draw(self, flow: Flow, hours: int | None) -> str:
        """The flow as SVG; with hours, how many calls of so long ago and since took each way.

        Raises NoPicture, StoreUnavailable.
        """
        if len(flow.shapes) > NODES_MAX:
            words = f"This flow has {len(flow.shapes)} nodes, too many to be drawn here"
            raise NoPicture(f"{words}: `cordboard graph {flow.name}` draws it.", passes=False)
        try:
            async with asyncio.timeout(PICTURE_S), self._turn:
                return await self._drawn(flow, await self._counted(flow.name, hours) if hours else None)
        except TimeoutError as late:
            raise NoPicture("The desk has too many pictures to draw. Please try again.", passes=True) from late

    async def _counted(self, flow: str, hours: int) -> Counts:
        work = partial(_ways_taken, flow=flow, since=time() - hours * 3600, longest_s=self._count_s)
        try:
            return await self._reader.ask(work, PICTURE_S)
        except TookTooLong as late:
            words = f"There are too many calls to be counted within {self._count_s:.0f} s"
            raise NoPicture(f"{words}: choose a shorter time.", passes=True) from late

    async def _drawn(self, flow: Flow, counts: Counts | None) -> str:
        def work() -> str:
            return draw_svg(chart_of(flow, counts))

        return await asyncio.get_running_loop().run_in_executor(self._drawer, work)

    def close(self) -> None:
        """Draw no more."""
        self._drawer.shutdown(wait=False, cancel_futures=True)


def _ways_taken(connection: Connection, *, flow: str, since: float, longest_s: float) -> Counts:
    with time_limit(connection, longest_s):
        return ways_taken(connection, flow, since)
