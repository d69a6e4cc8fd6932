"""Server-sent events to one browser: a snapshot when what it shows has changed, a beat when not.

Every snapshot is whole, so a page that connects again, after a lost network, a restart of the desk or a night's
sleep, is right after one event. A beat says when the floor was last read; a page greys out by it. The event `over`
says that the log-in has ended, and the page must not come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import time

import orjson
import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from cordboard.desk.feed import Body, FloorFeed, Reading, TooManyWatchers, Watcher
from cordboard.desk.problems import Problem
from cordboard.desk.wire import wire

SEND_S = 20.0  # a browser that has read nothing for so long has gone without a word
RETRY_MS = 1_000  # before a browser connects again
NOTHING = b""

log = structlog.get_logger()


class EventStream(Response):
    """The answer that does not end. whose: the log-in; body: what this page shows of a reading, as JSON, None if it
    may not see anything any more; holds: whether the log-in still does.
    """

    media_type = "text/event-stream"

    def __init__(self, feed: FloorFeed, whose: str, body: Body, holds: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._whose = whose
        self._body = body
        self._holds = holds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._feed.watching(self._whose) as watcher:
                await self._until_either_leaves(watcher, receive, send)
        except TooManyWatchers as many:
            raise Problem(503, "too-many-pages", "Too many pages of this desk are open.") from many

    async def _until_either_leaves(self, watcher: Watcher, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send_all(watcher, send))
        leaving = asyncio.create_task(_has_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.wait({sending, leaving})
        if not sending.cancelled() and (fault := sending.exception()) and not isinstance(fault, TimeoutError):
            log.error("desk_stream_failed", fault=type(fault).__name__)

    async def _send_all(self, watcher: Watcher, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _send_text(send, b"retry: %d\n" % RETRY_MS)  # a line of the first event
        shown: bytes | None = NOTHING
        while shown is not None and await watcher.stirred():
            shown = await self._tell(watcher.reading, shown, send)
        if shown is None or watcher.is_logged_out:
            await _send_text(send, OVER)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, reading: Reading | None, shown: bytes, send: Send) -> bytes | None:
        """Send what is new in this reading. Returns what the page shows now, None if it may show nothing more."""
        body = await self._allowed(reading, shown)
        if reading is None or body == shown:
            await _send_text(send, beat(reading))
        elif body is not None:
            await _send_text(send, snapshot(reading, body))
        return body

    async def _allowed(self, reading: Reading | None, shown: bytes) -> bytes | None:
        if not await self._holds():
            return None
        return shown if reading is None else self._body(reading)


def snapshot(reading: Reading, view: bytes) -> bytes:
    """The event that shows a page everything."""
    return b"event: snapshot\nid: %b\ndata: %b\n\n" % (reading.version.encode(), wire(reading, view))


def beat(reading: Reading | None) -> bytes:
    """The event that says that all is as it was at `read_at`; null if the floor could not be read yet."""
    data = orjson.dumps({"at": round(time(), 3), "read_at": round(reading.read_at, 3) if reading else None})
    return b"event: beat\ndata: %b\n\n" % data


OVER = b"event: over\ndata: {}\n\n"


async def _send_text(send: Send, text: bytes) -> None:
    """Send it, and wait until the browser has room for more. Raises TimeoutError if it never has."""
    async with asyncio.timeout(SEND_S):
        await send({"type": "http.response.body", "body": text, "more_body": True})


async def _has_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
