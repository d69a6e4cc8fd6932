"""One call's event socket as asyncio sees it: run applications on the channel, hear its events and its end.

Made by the server when FreeSWITCH has said whose call it is; the phone drives the call through it. It knows nothing
of verbs. Its connection lives in the hub thread (`safe_esl`), what is here lives in asyncio.

    open -> gone (the caller hung up: once, at once, also while an application runs) -> lost
        \\-> lost (the socket ended; the call may live on: FreeSWITCH goes on in the dialplan)
         \\-> silent (another worker has the call) -> lost

What was seen on FreeSWITCH 1.11, and is why this is as it is: an application is accepted ("+OK") whether it exists,
whether its argument is right, and whether the caller is still there. Only its CHANNEL_EXECUTE_COMPLETE says that it
has ended, and that never comes for what was sent after the hang-up; so a hang-up ends every wait, now and later.
The completion carries the id we gave, as `Application-UUID`. An application runs inside the one that runs already.

Variables are set, and what plays is cut, by API commands on the same socket: they are carried out by the socket's
own thread, so they work at any moment, and in 0.2 ms instead of the 20 ms which the channel's thread takes.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Mapping

from cordboard.errors import OutcomeUnknown, SwitchProtocolError, SwitchRefused, SwitchUnavailable
from cordboard.telephony.hangup_causes import HangupCause
from esl_apps import commands, events
from esl_apps.events import EslEvent, Executed
from esl_apps.hub import EslHub
from esl_apps.safe_calls import SafeOutbound
from esl_apps.safe_esl import NOBODY, SafeEvent, ToAsyncio

API_S = 3.0  # answered in 0.2 ms; this long means that FreeSWITCH is not well
BREAK_AGAIN_S = 0.06  # a break takes 20 ms to be seen, its completion 20 ms to come; one before the start is lost
HANGUP_GRACE_S = 1.0  # between "no such channel" and the event that says why

_ENDS = (events.HANGUP, events.HANGUP_COMPLETE)
_PROCESS = uuid.uuid4().hex[:12]
_numbers = itertools.count(1)


def new_event_uuid() -> str:
    """What an application's completion is known by. Of this process alone: a channel can have two sockets."""
    return f"{_PROCESS}-{next(_numbers)}"


class CallerGone(Exception):
    """The caller has hung up. Stays inside this package: the phone makes an outcome of it."""

    def __init__(self, cause: HangupCause) -> None:
        super().__init__(cause)
        self.cause = cause


class Execution:
    """An application that runs. done: its completion, or why there will be none."""

    __slots__ = ("_timer", "application", "done", "event_uuid")

    def __init__(self, application: str, loop: asyncio.AbstractEventLoop) -> None:
        self.application = application
        self.event_uuid = new_event_uuid()
        self.done: asyncio.Future[Executed] = loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    def end_after(self, longest_s: float, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for the completion no longer than this."""
        late = SwitchUnavailable(f"{self.application} did not end in time", switch="freeswitch")
        self._timer = loop.call_later(longest_s, self.fail, late)

    def fail(self, reason: Exception) -> None:
        """There will be no completion."""
        if not self.done.done():
            self.done.set_exception(reason)

    def release(self, done: asyncio.Future[Executed]) -> None:
        """It has ended, and perhaps nobody asks how."""
        if self._timer is not None:
            self._timer.cancel()
        if not done.cancelled():
            done.exception()


class EslSession:
    """One call's socket."""

    def __init__(self, line: SafeOutbound, hub: EslHub, loop: asyncio.AbstractEventLoop) -> None:
        assert line.session_data is not None
        self.channel: EslEvent = line.session_data
        self.leg_id = self.channel.leg_id
        self._came_at = self.channel.number
        self.made_at = loop.time() - (time.monotonic() - line.made_at)  # when FreeSWITCH connected
        self.gone: asyncio.Future[HangupCause] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._line = line
        self._hub = hub
        self._loop = loop
        self._fault: Exception | None = None
        self._is_open = True
        self._last: asyncio.Future[EslEvent] = loop.create_future()
        self._running: dict[str, Execution] = {}
        self._asked: set[str] = set()
        self._hear_digit: Callable[[str, float], None] | None = None
        self._hear_event: Callable[[EslEvent], None] | None = None
        self._takers = {
            events.EXECUTED: self._take_executed,
            events.DTMF: self._take_digit,
            events.HANGUP: self._take_hangup,
            events.HANGUP_COMPLETE: self._take_last,
        }

    # -- what the phone uses --

    async def execute(
        self, application: str, argument: str = "", *, longest_s: float, expands: bool = False
    ) -> Executed:
        """Run an application and wait until it has ended.

        expands: the argument is a constant of ours that refers to channel variables (`${...}`) on purpose.
        Raises CallerGone, SwitchUnavailable (socket lost, or not ended within `longest_s`), SwitchProtocolError if
        it cannot be sent. Cancelled or late, it only stops waiting: the application runs on.
        """
        return await self.begin(application, argument, longest_s=longest_s, expands=expands).done

    def begin(
        self, application: str, argument: str = "", *, longest_s: float | None = None, expands: bool = False
    ) -> Execution:
        """Start an application. Raises SwitchProtocolError; anything else is found in `done`."""
        execution = Execution(application, self._loop)
        line = commands.execute(application, argument, execution.event_uuid, expands=expands)
        execution.done.add_done_callback(execution.release)
        if not self._is_open or self.is_gone:
            execution.fail(self._loss())
            return execution
        self._running[execution.event_uuid] = execution
        execution.done.add_done_callback(lambda _: self._running.pop(execution.event_uuid, None))
        if longest_s is not None:
            execution.end_after(longest_s, self._loop)
        self._hub.call(self._line.post, line, ToAsyncio(self._hub, self._refuser(execution), only_faults=True))
        return execution

    async def stop(self, execution: Execution, *, longest_s: float = 2.0) -> Executed:
        """Cut what plays, records or gathers, and wait for its completion. It may have ended already.

        A break that comes before the application has begun is lost, so it is said again until the end is seen; all
        have been carried out when this returns, so none can hit what is run next. Raises as `execute`.
        """
        try:
            async with asyncio.timeout(longest_s):
                while not execution.done.done():
                    await self.api(commands.api_words("uuid_break", self.leg_id), longest_s=longest_s)
                    await asyncio.wait([execution.done], timeout=BREAK_AGAIN_S)
        except TimeoutError as error:
            raise SwitchUnavailable(f"{execution.application} did not stop", switch="freeswitch") from error
        return await asyncio.shield(execution.done)

    async def set(self, values: Mapping[str, str]) -> None:
        """Set variables of the channel, all or none; "" unsets. Raises CallerGone, SwitchUnavailable,
        SwitchProtocolError.
        """
        command = commands.multi_set(self.leg_id, values)
        if not self._is_open or self.is_gone:
            raise self._loss()
        refused = commands.refusal(await self.api(command))
        if refused is None:
            return
        await asyncio.wait([self.gone], timeout=HANGUP_GRACE_S)
        if self.is_gone:
            raise self._loss()
        raise SwitchRefused(f"a variable was not set: {refused}", switch="freeswitch")

    async def api(self, command: str, *, longest_s: float = API_S) -> str:
        """An API command that ends at once; its answer as it came. Works after the hang-up, too.

        Raises SwitchUnavailable (socket lost, no answer in time), SwitchProtocolError.
        """
        line = commands.api(command)
        if not self._is_open:
            raise self._lost_error()
        answer: asyncio.Future[SafeEvent] = self._loop.create_future()
        self._hub.call(self._line.post, line, ToAsyncio(self._hub, _settler(answer), only_faults=False))
        try:
            async with asyncio.timeout(longest_s):
                return (await answer).data
        except TimeoutError as error:
            raise SwitchUnavailable("FreeSWITCH did not answer in time", switch="freeswitch") from error
        except OutcomeUnknown as error:
            raise self._lost_error() from error

    def on_digit(self, callback: Callable[[str, float], None] | None) -> None:
        """Call this with each key of the caller and when it was pressed, in seconds since 1970 by FreeSWITCH's
        clock. None: nobody hears of any key.
        """
        self._hear_digit = callback

    def on_event(self, callback: Callable[[EslEvent], None] | None) -> None:
        """Call this with each event that is not a key nor the end of an application which was begun here.

        In order, and after the hang-up as well; then also with the ends of what was begun here.
        """
        self._hear_event = callback

    def ask_for(self, name: str) -> None:
        """Hear the events of one more name, of all that is begun from now on. May be called again."""
        if self._is_open and name not in self._asked:
            self._asked.add(name)
            self._hub.call(self._line.post, commands.listen((name,)), NOBODY)

    @property
    def is_gone(self) -> bool:
        """Whether the caller has hung up."""
        return self.gone.done()

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._is_open

    async def ended(self, longest_s: float) -> EslEvent | None:
        """The channel's last event, CHANNEL_HANGUP_COMPLETE, with its variables as they were at the end; it follows
        the hang-up within milliseconds. None if it did not come.
        """
        ends: list[asyncio.Future[EslEvent] | asyncio.Future[None]] = [self._last, self.lost]
        await asyncio.wait(ends, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        return self._last.result() if self._last.done() else None

    def close(self) -> None:
        """Let go, once all that was sent has been read. If the call lives, FreeSWITCH goes on in the dialplan. May
        be called again.
        """
        if self._is_open:
            self._is_open = False
            self._hub.call(self._line.let_go)
            self._fail_all()

    def fall_silent(self) -> None:
        """Have nothing more to do with the call, which is another worker's, and stay connected until it ends: the
        end of this socket would take it from there. May be called again, or after `close`.
        """
        if self._is_open:
            self._is_open = False
            self._hub.call(self._line.fall_silent)
            self._fail_all()

    async def aclose(self) -> None:
        """Let go, and wait until FreeSWITCH has, too."""
        self.close()
        await asyncio.shield(self.lost)

    # -- what the connection tells, in asyncio --

    def take(self, event: EslEvent) -> None:
        """An event of this leg; one of any other is none of ours, nor what the socket before this one was told."""
        if event.leg_id == self.leg_id and not self._is_of_before(event):
            self._takers.get(event.name, self._tell)(event)

    def take_end(self) -> None:
        """The channel has ended. The event came before, unless the caller left before we could ask for events."""
        self._set_gone(HangupCause.NORMAL)

    def take_loss(self, fault: Exception | None) -> None:
        """The socket has ended."""
        self._is_open = False
        self._fault = fault
        self._fail_all()
        if not self.lost.done():
            self.lost.set_result(None)

    # -- inside --

    def _is_of_before(self, event: EslEvent) -> bool:
        """Whether it happened before the call came to us. A busy FreeSWITCH tells of it late: also of how the last
        worker's `socket` ended, which looks like the end of ours.
        """
        return 0 < event.number < self._came_at and event.name not in _ENDS

    def _take_executed(self, event: EslEvent) -> None:
        execution = self._running.get(event.get("Application-UUID", ""))
        if execution is None:
            self._tell(event)
        elif not execution.done.done():
            execution.done.set_result(events.executed_of(event))

    def _take_digit(self, event: EslEvent) -> None:
        if self._hear_digit is not None and (key := events.digit_of(event)):
            self._hear_digit(key, event.at)

    def _take_hangup(self, event: EslEvent) -> None:
        self._set_gone(events.hangup_cause_of(event))
        self._tell(event)

    def _take_last(self, event: EslEvent) -> None:
        self._set_gone(events.hangup_cause_of(event))
        if not self._last.done():
            self._last.set_result(event)
        self._tell(event)

    def _tell(self, event: EslEvent) -> None:
        if self._hear_event is not None:
            self._hear_event(event)

    def _set_gone(self, cause: HangupCause) -> None:
        if not self.gone.done():
            self.gone.set_result(cause)
            self._fail_all()

    def _refuser(self, execution: Execution) -> Callable[[SafeEvent | Exception], None]:
        def refuse(answer: SafeEvent | Exception) -> None:
            if isinstance(answer, SafeEvent):
                answer = SwitchRefused(f"{execution.application}: {answer.data}", switch="freeswitch")
            execution.fail(answer)

        return refuse

    def _fail_all(self) -> None:
        running, self._running = self._running, {}
        for execution in running.values():
            execution.fail(self._loss())

    def _loss(self) -> Exception:
        """Why nothing can be run any more."""
        return CallerGone(self.gone.result()) if self.gone.done() else self._lost_error()

    def _lost_error(self) -> Exception:
        if isinstance(self._fault, SwitchProtocolError):
            return self._fault
        loss = SwitchUnavailable(
            "the event socket was lost; the call may live on with another worker", switch="freeswitch"
        )
        loss.__cause__ = self._fault
        return loss


def _settler(future: asyncio.Future[SafeEvent]) -> Callable[[SafeEvent | Exception], None]:
    def settle(answer: SafeEvent | Exception) -> None:
        if future.done():
            return
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)

    return settle
