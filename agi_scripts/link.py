"""One AGI connection: bytes in, replies out, one command at a time, each with a deadline.

The server makes one for each connection; the phone sends its commands through it. It knows nothing of verbs.

    reading the header block -> open -> closed
                              \\-> closed (bad or late header, end of stream before it: no phone ever existed)

Asterisk waits on the descriptor but reads through a buffer: two lines in one read would leave the second unseen
until more bytes come. So a command is written only when the last one has been answered. That includes a line whose
sender was cancelled meanwhile: where the link is to stay of use (`uncut`), the next sender waits for its reply.

A lost link does not mean a lost call. With AGIEXITONHANGUP Asterisk writes HANGUP and closes in two cases that
look alike: the caller left, or the dead-man timer took the call away from us because we did nothing for too long
(stopped, swapped out) and another worker has it now. The clock tells them apart: HANGUP proves a hang-up only
before the timer can have run out. It runs from when Asterisk connected, which the kernel lets it do at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from agi_scripts.environment import Environment, EnvironmentParser
from agi_scripts.replies import CALLER_HUNG_UP, DEAD_CHANNEL, Parsed, Reply, ReplyParser
from cordboard.edge.waited import waited_s
from cordboard.errors import SwitchProtocolError, SwitchUnavailable

LINE_S = 3.0  # a command that plays nothing is answered in 0.4 ms; this long means that Asterisk is not well
TIMER_SLACK_S = 0.1  # Asterisk's clock and ours read the same moment this far apart
HANGUP_GRACE_S = 2.0  # after HANGUP the running verb answers, or the stream ends, within milliseconds


class CallerGone(Exception):
    """The caller has hung up. Stays inside this package: the phone makes an outcome of it."""


class AgiLink(asyncio.Protocol):
    """One connection. `on_header` is called once when the block is whole, `on_closed` once in every case."""

    __slots__ = (
        "_checking",
        "_due",
        "_fault",
        "_hung_up",
        "_idling",
        "_loop",
        "_on_closed",
        "_on_header",
        "_parser",
        "_transport",
        "_waiting",
        "made_at",
        "timer_at",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_header: Callable[[AgiLink, Environment], None],
        on_closed: Callable[[AgiLink, Exception | None], None],
        header_s: float,
    ) -> None:
        self._loop = loop
        self._on_header = on_header
        self._on_closed = on_closed
        self._parser: EnvironmentParser | ReplyParser = EnvironmentParser()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._idling: asyncio.Future[None] | None = None
        self._fault: Exception | None = None
        self._hung_up = False
        self._due = loop.time() + header_s
        self._checking: asyncio.TimerHandle | None = None
        self.made_at = float("inf")  # loop time at which Asterisk connected
        self.timer_at = float("inf")  # loop time at which Asterisk takes the call away, as far as we know

    # -- what the phone uses --

    async def command(self, line: bytes, longest_s: float = LINE_S, *, uncut: bool = False) -> Reply:
        """Send one line and give its reply.

        Raises CallerGone, SwitchUnavailable (link lost, or no reply within `longest_s`), SwitchProtocolError.
        Cancelled while waiting, it closes the link: the reply still to come would answer the wrong command.
        uncut: for a line that is answered at once; cancelled, it keeps the link and lets the reply come.
        """
        if self._waiting is not None:
            await asyncio.shield(self._waiting)
        if self._transport is None:
            raise self._loss()
        waiting = self._waiting = self._loop.create_future()
        self._watch(longest_s)
        self._transport.write(line)
        try:
            reply: Reply = await waiting
        except asyncio.CancelledError:
            if uncut:
                self._let_come(waiting)
            else:
                self.close()
            raise
        if reply.code == DEAD_CHANNEL:
            raise CallerGone
        return reply

    async def idle(self, longest_s: float) -> None:
        """Send nothing for so long. Raises CallerGone as soon as the caller leaves, SwitchUnavailable when the link
        is lost, and leaves it as it is when cancelled.
        """
        if self._hung_up or self._transport is None:
            raise self._loss()
        self._idling = self._loop.create_future()
        try:
            async with asyncio.timeout(longest_s):
                await self._idling
        except TimeoutError:
            return
        finally:
            self._idling = None
        raise self._loss()

    def close(self) -> None:
        """Let go: Asterisk goes on in the dialplan. May be called again."""
        self._drop(None)

    @property
    def is_open(self) -> bool:
        """Whether a command can be sent."""
        return self._transport is not None

    # -- what asyncio calls --

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.made_at = self._loop.time() - waited_s(transport.get_extra_info("socket"))
        self._checking = self._loop.call_at(self._due, self._check)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        try:
            if isinstance(self._parser, ReplyParser):
                self._take(self._parser.feed(data))
            else:
                self._take_header(self._parser, data)
        except SwitchProtocolError as error:
            self._drop(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._drop(exc)

    # -- inside --

    def _take_header(self, parser: EnvironmentParser, data: bytes) -> None:
        found = parser.feed(data)
        if found is None:
            return
        environment, rest = found
        self._parser = ReplyParser()
        self._due = float("inf")
        self._on_header(self, environment)
        self._take(self._parser.feed(rest))

    def _take(self, parsed: list[Parsed]) -> None:
        for reply in parsed:
            if reply is CALLER_HUNG_UP:
                self._note_hangup()
            elif isinstance(reply, Reply):
                self._answer(reply)

    def _note_hangup(self) -> None:
        """Believe it only while the timer cannot have run out."""
        self._hung_up = self._hung_up or self._loop.time() < self.timer_at - TIMER_SLACK_S
        self._watch(HANGUP_GRACE_S)
        if self._hung_up:
            self._stop_idling()

    def _answer(self, reply: Reply) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            raise SwitchProtocolError("an AGI reply to no command")
        self._due = float("inf")
        if not waiting.cancelled():  # just now, and its sender does not know of it yet
            waiting.set_result(reply)

    def _let_come(self, cancelled: asyncio.Future[Reply]) -> None:
        """Have something for the next sender to wait for, if the reply is still to come."""
        if self._waiting is cancelled:
            self._waiting = self._loop.create_future()

    def _stop_idling(self) -> None:
        if self._idling is not None and not self._idling.done():
            self._idling.set_result(None)

    def _watch(self, longest_s: float) -> None:
        """Set the deadline. One timer runs for the whole call and looks at it; none is made per command."""
        self._due = self._loop.time() + longest_s
        if self._checking is None or self._checking.when() > self._due:
            self._check()

    def _check(self) -> None:
        if self._checking is not None:
            self._checking.cancel()
            self._checking = None
        if self._transport is None or self._due == float("inf"):
            return
        if self._loop.time() >= self._due:
            self._drop(SwitchUnavailable("Asterisk did not answer in time"))
        else:
            self._checking = self._loop.call_at(self._due, self._check)

    def _drop(self, fault: Exception | None) -> None:
        transport, self._transport = self._transport, None
        if transport is None:
            return
        self._fault = fault
        if fault is None:
            transport.close()
        else:
            transport.abort()
        if self._checking is not None:
            self._checking.cancel()
            self._checking = None
        self._fail_waiting()
        self._stop_idling()
        self._on_closed(self, fault)

    def _fail_waiting(self) -> None:
        """No reply will come. Perhaps nobody asks any more, as the sender was cancelled: then that is no news."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(self._loss())
            waiting.exception()

    def _loss(self) -> Exception:
        """Why no command can be answered any more."""
        if self._hung_up:
            return CallerGone()
        if isinstance(self._fault, SwitchProtocolError):
            return self._fault
        loss = SwitchUnavailable("the AGI connection was lost; the call may live on with another worker")
        loss.__cause__ = self._fault
        return loss
