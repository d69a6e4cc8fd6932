"""Requests of ours that wait for their final response: repeated until something comes back (RFC 3261, 17.1).

`call` keeps one for what it asks within a call (REFER, re-INVITE), `registration` one for its REGISTERs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cordboard.errors import LabError
from cordboard.lab.retransmission import Retransmission
from cordboard.lab.sip import Request, Response

_Key = tuple[int, str]


class OpenRequests:
    """Futures of final responses, by CSeq."""

    def __init__(self, send: Callable[[Request], None]) -> None:
        self._send = send
        self._open: dict[_Key, tuple[Retransmission, asyncio.Future[Response]]] = {}

    async def ask(self, request: Request, timeout_s: float) -> Response:
        """Send a request and wait for its final response. Raises LabError if none comes in time."""
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        sending = Retransmission(lambda: self._send(request))
        self._open[request.sequence] = sending, answer
        try:
            async with asyncio.timeout(timeout_s):  # wait_for of 3.11 may swallow a cancellation
                return await answer
        except TimeoutError:
            raise LabError(f"the PBX did not answer {request.method} within {timeout_s:g} s") from None
        finally:
            sending.stop()
            del self._open[request.sequence]

    def take(self, response: Response) -> None:
        """Take in any response; what nobody waits for is dropped."""
        sending, answer = self._open.get(response.sequence, (None, None))
        if sending is None or answer is None:
            return
        sending.stop()
        if response.status >= 200 and not answer.done():
            answer.set_result(response)

    def close(self, why: str) -> None:
        """Nobody will answer any more; who waits is told."""
        for sending, answer in self._open.values():
            sending.stop()
            if not answer.done():
                answer.set_exception(LabError(why))
