"""The flows as the desk shows them to admins: from the loaded configuration, the state folder and the traces.

Implements `desk.ports.FlowBook` for the desk's process. Whatever the page needs is in memory, or a look at whether
a small file has changed; calls of today are counted beside it, now and then, while somebody looks. Writes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic, time
from zoneinfo import ZoneInfo

from cordboard.bootstrap.configuration import Configuration
from cordboard.bootstrap.file_memo import FileMemo
from cordboard.bootstrap.flow_lines import flow_lines, last_entries, refusal_shown, with_calls
from cordboard.bootstrap.flow_pictures import FlowPictures
from cordboard.bootstrap.publishing import last_refusal, refusal_file
from cordboard.bootstrap.revisions import Revisions
from cordboard.desk.flow_page import FlowPage, Refusal
from cordboard.desk.ports import NoSuchFlow
from cordboard.errors import StoreUnavailable
from cordboard.store.reader import StoreReader
from cordboard.store.today import day_of
from cordboard.store.way_counts import calls_begun

COUNT_EVERY_S = 10.0


class LiveFlows:
    """configuration: what is live; another one is told by `use`."""

    def __init__(self, configuration: Configuration) -> None:
        self._reader = StoreReader(configuration.database)
        self._pictures = FlowPictures(self._reader)
        state = configuration.state
        self._refusal: FileMemo[Refusal | None] = FileMemo(
            refusal_file(state), lambda: refusal_shown(last_refusal(state), configuration.directory)
        )
        self._listeners: list[Callable[[], None]] = []
        self._calls: Mapping[str, int] | None = None
        self._counting: asyncio.Task[None] | None = None
        self._counted_at = -COUNT_EVERY_S
        self.use(configuration)

    def use(self, configuration: Configuration) -> None:
        """This is live from now on; why, the supervisor has noted before."""
        self._configuration = configuration
        self._lines = flow_lines(configuration, last_entries(Revisions(configuration.state).entries()))
        self.look_again()

    def look_again(self) -> None:
        """Have pages look: something may have changed."""
        for listener in self._listeners:
            listener()

    def on_changed(self, listener: Callable[[], None]) -> None:
        """Call this when the page may have changed."""
        self._listeners.append(listener)

    def page(self) -> FlowPage:
        """What admins see of all flows."""
        is_traced = self._configuration.settings.trace.keep_days > 0
        if is_traced:
            self._count_soon()
        is_counted = is_traced and self._calls is not None
        lines = with_calls(self._lines, self._calls or {}) if is_counted else self._lines
        return FlowPage(lines, self._refusal.value(), is_traced)

    async def picture(self, flow: str, hours: int | None) -> str:
        """The flow drawn as SVG. Raises NoSuchFlow, NoPicture, StoreUnavailable."""
        found = self._configuration.house.flows.get(flow)
        if found is None:
            raise NoSuchFlow(flow)
        return await self._pictures.draw(found, hours)

    async def aclose(self) -> None:
        """Count and draw no more."""
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait({self._counting})
        self._pictures.close()
        self._reader.close()

    def _count_soon(self) -> None:
        """Begin to count the calls of today, unless that has just been done. Pages are told what came of it."""
        if self._counting is None and monotonic() - self._counted_at >= COUNT_EVERY_S:
            self._counting = asyncio.create_task(self._count())

    async def _count(self) -> None:
        midnight, _ = day_of(time(), ZoneInfo(self._configuration.settings.zone))
        try:
            calls = await self._reader.ask(partial(calls_begun, since=midnight))
        except StoreUnavailable:  # the page says that itself, and the next count may do better
            return
        finally:
            self._counting, self._counted_at = None, monotonic()
        if calls != self._calls:
            self._calls = calls
            self.look_again()
