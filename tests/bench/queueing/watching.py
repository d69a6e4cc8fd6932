"""What Asterisk tells of both sides alike, on one manager connection: who waits, and when two are joined."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import TypeVar

from cordboard.errors import LabError
from cordboard.lab.ami import LabAmi, Message
from cordboard.lab.pbx import LabPbx

EVENTS = ("MusicOnHoldStart", "BridgeEnter")
SECOND = "2"  # legs in the bridge, this one included
LONGEST_S = 20.0  # longer than our service may take to find out what no event has told: a fault is a sample, too

T = TypeVar("T")


class Watch:
    """waiting: one item for each caller whose music began; joins: when the second leg came into each bridge
    (`time.monotonic()`).
    """

    def __init__(self, events: asyncio.Queue[Message]) -> None:
        self.waiting: asyncio.Queue[str] = asyncio.Queue()
        self.joins: asyncio.Queue[float] = asyncio.Queue()
        self._events = events

    def clear(self) -> None:
        """Forget what nobody asked for: music that plays while a phone rings."""
        for queue in (self.waiting, self.joins):
            while not queue.empty():
                queue.get_nowait()

    async def follow(self) -> None:
        """Sort events, for ever."""
        while True:
            event = await self._events.get()
            if event.get("Event") == "MusicOnHoldStart":
                self.waiting.put_nowait(event["Channel"])
            elif event.get("BridgeNumChannels") == SECOND:
                self.joins.put_nowait(time.monotonic())


@contextlib.asynccontextmanager
async def watching(pbx: LabPbx) -> AsyncIterator[Watch]:
    """A watch for as long as the context lasts. Asterisk sends this connection nothing but what is watched."""
    ami = await LabAmi.connect(pbx.host, pbx.ami_port, pbx.ami_user, pbx.ami_secret)
    try:
        for event in EVENTS:
            await ami.send("Filter", Operation="Add", Filter=f"Event: {event}")
        async with ami.listen(*EVENTS) as events:
            await ami.send("Events", EventMask="call")
            watch = Watch(events)
            following = asyncio.create_task(watch.follow())
            try:
                yield watch
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
    finally:
        await ami.close()


async def soon(queue: asyncio.Queue[T], what: str) -> T:
    """The next item. Raises LabError, which says what did not come, at the deadline."""
    try:
        async with asyncio.timeout(LONGEST_S):
            return await queue.get()
    except TimeoutError:
        raise LabError(f"{what} did not come within {LONGEST_S:.0f} s") from None
