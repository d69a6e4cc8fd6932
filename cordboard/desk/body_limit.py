"""No request says more than it needs: bodies are bounded in bytes and in time. Wrapped around the application."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MAX = 32_768  # bytes; the longest note has 24,000 when all its letters are written as escapes
BODY_S = 10.0  # for all of it: who sends a byte a second holds a connection and nothing else


class BodyLimit:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_request = scope["type"] == "http"
        await self._app(scope, _BoundedBody(receive).receive if is_request else receive, send)


class _BoundedBody:
    """`receive` of one request. After the body it waits for ever, as it must: for the browser to leave."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = 0
        self._until = asyncio.get_running_loop().time() + BODY_S
        self._is_complete = False

    async def receive(self) -> Message:
        """The next message. Raises HTTPException when there are too many bytes, or too slow ones."""
        if self._is_complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as late:
            raise HTTPException(408, f"A request must be complete after {BODY_S:.0f} seconds.") from late
        self._read += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._read > BODY_MAX:
            raise HTTPException(413, f"A request has {BODY_MAX} bytes at most.")
        return message
