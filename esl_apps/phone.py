"""One caller's call on FreeSWITCH: `telephony.ports.Phone` over an outbound event socket.

`calls` makes it and hands it to the service. This file keeps the call's position (checkpoint, dead-man timer) and
ends it; what each verb says to FreeSWITCH is in `playing`, `gathering`, `saying`, `recording`, `call_recording`,
`handing_over`, `ringing_agents`.

Applications run one at a time in the channel's own thread, which looks for them once a frame (20 ms); variables and
the timer are set by commands which that thread has no part in, so they cost 0.3 ms and work while music plays.

If we do nothing for longer than we said, FreeSWITCH takes the call away from us (`sched_transfer`) and gives it to
another worker. The timer runs for the longest a verb can take, plus a margin in which the service may think. A
caller who waits, also while agents ring, is with us without an end: then it is renewed every few seconds.

A worker that was stopped for longer than that must not touch the call: somebody else has it. So one whose timer is
over asks FreeSWITCH for anything before it writes; that its channel has left is told before the answer. Until it
has written a timer of its own, that is the dialplan's.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cordboard.edge.checkpoints import Position
from cordboard.edge.hold_keys import KeyListeners
from cordboard.errors import SwitchError, SwitchUnavailable
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import Done, HandedOver, HungUp, Outcome
from cordboard.telephony.ports import Arrival, Sounds
from cordboard.telephony.verbs import (
    Answer,
    Dial,
    Gather,
    Hangup,
    Hold,
    Play,
    Record,
    RecordCall,
    RingAgent,
    Say,
    Transfer,
    Verb,
    VoicemailBox,
)
from esl_apps import commands, variables
from esl_apps.call_recording import gather_in_secret, record_call, resume_after_secret
from esl_apps.causes import WORDS
from esl_apps.events import EXECUTED, EslEvent, Executed
from esl_apps.gathering import gather
from esl_apps.handing_over import dial, leave_voicemail, transfer
from esl_apps.keys import Keys
from esl_apps.playing import answer, hold, play
from esl_apps.recording import record
from esl_apps.ringing_agents import RingingSwitch, ring_agent
from esl_apps.saying import say
from esl_apps.session import CallerGone, EslSession, Execution

LINE_S = 3.0  # what plays nothing ends within a frame; this long means that FreeSWITCH is not well
TIMER_MIN_S = 6.0  # rather long than written again for each short prompt
TIMER_MARGIN_S = 3.0  # what the service may think between two verbs; the timer counts whole seconds
TIMER_MARGIN_LEFT_S = 1.5  # with less than this left of the margin the timer is written again
STAY_TIMER_S = 10.0  # a worker that hangs while callers wait with it costs them this long
STAY_RENEW_S = 4.0  # twice within the timer, so that one late renewal costs no caller a change of worker
HANGUP_S = 2.0  # from the order to hang up to the event that says so


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """What all calls of a server share. recordings_root, calls_root: where `Record` and `RecordCall` write, at the
    same path for FreeSWITCH. hold_keys: who hears the keys of callers on hold. ringing: over which agents' phones
    are rung, None where none are.
    """

    sounds: Sounds
    recordings_root: Path
    calls_root: Path
    hold_keys: KeyListeners
    ringing: RingingSwitch | None = None


class FreeswitchPhone:
    """One call, held by this worker until it is handed over, abandoned, ended or lost."""

    __slots__ = (
        "_arrival",
        "_awaited",
        "_holding",
        "_is_heard",
        "_is_rung",
        "_loop",
        "_may_be_paused",
        "_music",
        "_noted",
        "_position",
        "_session",
        "_taken",
        "_timer_at",
        "keys",
        "settings",
    )

    def __init__(self, session: EslSession, arrival: Arrival, settings: PhoneSettings) -> None:
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._arrival = arrival
        self._position = Position(arrival)
        self._is_rung = False  # whether phones rang already when the call came
        self._timer_at = 0.0  # when FreeSWITCH takes the call away, by the loop's clock; 0.0: no timer of ours runs
        self._noted: dict[str, str] = {}  # variables that we have written
        self._holding: Execution | None = None  # the music that plays
        self._music = ""  # its name
        self._is_heard = False  # whether the service hears the caller's keys
        self._awaited: dict[str, asyncio.Future[EslEvent]] = {}
        self._taken: asyncio.Future[None] = self._loop.create_future()  # done when the channel has left our socket
        # Its last worker may have been lost while it gathered secret digits.
        self._may_be_paused = bool(arrival.checkpoint) and arrival.returned is None
        self.settings = settings
        self.keys = Keys(self._loop)
        session.on_digit(self._note_key)
        session.on_event(self._note_event)

    @property
    def arrival(self) -> Arrival:
        """The call as it reached this worker."""
        return self._arrival

    def came_back(self, returned: Outcome) -> None:
        """A verb of the call's last worker has ended here, before the service gets the call."""
        self._arrival = replace(self._arrival, returned=returned)

    async def perform(self, verb: Verb, checkpoint: str) -> Outcome | HandedOver:
        """Carry out one verb; see the port."""
        self._position.move(checkpoint)
        try:
            await self._make_sure()
            outcome = await self._carry_out(verb)
            if not isinstance(verb, RingAgent | Transfer | Hangup) and not isinstance(outcome, HandedOver):
                self._check_ours()  # what was cut short because another worker has the call has no outcome
            return outcome
        except CallerGone:
            self.close()
            return HungUp()
        except SwitchError as error:
            error.call_id = self._arrival.call.call_id
            raise

    async def hand_over(self, checkpoint: str) -> None:
        """Let go between two verbs; whoever takes the call next resumes at `checkpoint`."""
        self._position.move(checkpoint)
        await self._last_words({})
        self.close()

    async def abandon(self) -> None:
        """Let go for good: the dialplan takes the call to the safe destination."""
        await self._last_words({variables.DONE: variables.SAFE})
        self.close()

    async def stay(self, longest_s: float, checkpoint: str) -> HungUp | None:
        """Let the caller wait, with the timer kept running; see the port. Music plays on."""
        self._position.move(checkpoint)
        if self._holding is None:
            self.keys.forget()
        until = self._loop.time() + longest_s
        try:
            while (left_s := until - self._loop.time()) > 0:
                await self.renew()
                await self.while_here((), min(left_s, STAY_RENEW_S))
        except CallerGone:
            self.close()
            return HungUp()
        except SwitchError as error:
            error.call_id = self._arrival.call.call_id
            raise
        return None

    def let_go(self) -> None:
        """Close the connection, whatever is running; see the port. Who awaits it gets SwitchUnavailable."""
        self.close()

    # -- what the verbs' files use --

    @property
    def session(self) -> EslSession:
        """The connection, for what this class has no word for."""
        return self._session

    @property
    def is_taken(self) -> bool:
        """Whether FreeSWITCH has taken the call away from us, while our socket is open still."""
        return self._taken.done() and not self._session.is_gone

    @property
    def is_late(self) -> bool:
        """Whether the timer may have taken the call away from us by now."""
        until = self._timer_at if self._position.is_introduced else self._session.made_at + variables.ACCEPT_S
        return bool(until) and self._loop.time() > until - variables.EARLY_S and not self._session.is_gone

    @property
    def leg_id(self) -> str:
        """FreeSWITCH's unique id of the caller's channel."""
        return self._arrival.call.leg_id

    def begin(self, application: str, argument: str, longest_s: float | None) -> Execution:
        """Begin an application which takes up to `longest_s`, None for one without an end."""
        return self._session.begin(
            application, argument, longest_s=None if longest_s is None else longest_s + LINE_S
        )

    async def execute(self, application: str, argument: str, longest_s: float) -> Executed:
        """Run an application to its end, with the timer set to outlast it."""
        await self.outlast(longest_s)
        return await self.begin(application, argument, longest_s).done

    async def stop(self, execution: Execution) -> Executed:
        """End what runs, unless it is another worker's by now."""
        await self._make_sure()
        return await self._session.stop(execution, longest_s=LINE_S)

    async def api(self, command: str) -> str:
        """Ask FreeSWITCH for what ends at once: its answer as it came."""
        return await self._session.api(command, longest_s=LINE_S)

    async def prepare(self, *, keys: str, zone: str = "") -> None:
        """See that these keys stop what is played or recorded next, and that moments are spoken in this zone."""
        wanted = {variables.TERMINATORS: keys} | ({variables.ZONE: zone} if zone else {})
        if changed := {name: value for name, value in wanted.items() if self._noted.get(name) != value}:
            await self.note(changed)

    def variable(self, name: str) -> str:
        """A channel variable, as it was when the call came or as we have written it since."""
        return self._noted[name] if name in self._noted else self._session.channel.variable(name)

    def close(self) -> None:
        """Let go of the connection. Where FreeSWITCH has taken the call away, or may have, it only falls silent:
        its end would take the call from the worker that has it now. If none has, the timer sees to the call.
        """
        if self.is_taken or self.is_late:
            self._session.fall_silent()
        else:
            self._session.close()

    async def note(self, values: dict[str, str]) -> None:
        """Write channel variables; with the first ones, whose call it is and where it stands."""
        await self._make_sure()
        written = self._introduction() | {variables.CHECKPOINT: self._position.checkpoint} | values
        await self._session.set(written)
        self._noted |= values
        self._position.written()

    async def outlast(self, longest_s: float) -> None:
        """See that the channel has the checkpoint, and a timer which runs for longer than this."""
        if self._timer_at - self._loop.time() < longest_s + TIMER_MARGIN_LEFT_S:
            await self._arm(max(TIMER_MIN_S, longest_s + TIMER_MARGIN_S))
        elif not self._position.is_noted:
            await self.note({})

    async def renew(self, *, of: float = STAY_TIMER_S) -> None:
        """While nothing ends by itself: see that the timer runs on, and that the channel has the checkpoint."""
        if self._timer_at - self._loop.time() < of - STAY_RENEW_S:
            await self._arm(of)
        elif not self._position.is_noted:
            await self.note({})

    async def disarm(self) -> None:
        """Stop the timer: from now on the call may be joined to somebody without our doing."""
        await self._make_sure()
        await self.stop_timer()

    async def stop_timer(self) -> None:
        """As `disarm`, of a call that has left our connection with our knowledge."""
        self._timer_at = 0.0
        await self.api(commands.api_words("sched_del", self.leg_id))

    def keep_offers(self) -> None:
        """Phones ring on for a worker that is gone: what the channel says of them stays."""
        self._is_rung = True

    async def hand_to_dialplan(self, values: dict[str, str]) -> HandedOver:
        """Write what the dialplan has to do next, in one line with the checkpoint, and let go."""
        await self._disarm_and_note(values)
        self.close()
        return HandedOver()

    def await_event(self, name: str) -> asyncio.Future[EslEvent]:
        """The next event of this name on this leg, of what is begun after this, also after the caller has left.
        Cancel it when done.
        """
        self._session.ask_for(name)
        self._awaited[name] = self._loop.create_future()
        return self._awaited[name]

    async def while_here(self, awaited: Collection[asyncio.Future[Any]], longest_s: float) -> None:
        """Wait for one of these, for the caller to leave (CallerGone), or until the time is over.

        Raises SwitchUnavailable when the connection is lost.
        """
        gone, lost = self._session.gone, self._session.lost
        ends: list[asyncio.Future[Any]] = [*awaited, gone, lost, self._taken]
        await asyncio.wait(ends, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise CallerGone(gone.result())
        self._check_ours()

    def note_hold(self, execution: Execution, music: str, *, are_keys_heard: bool) -> None:
        """Music plays from now on."""
        self._holding, self._music = execution, music
        self._is_heard = are_keys_heard

    @property
    def is_holding(self) -> bool:
        """Whether music plays."""
        return self._holding is not None and not self._holding.done.done()

    def holds_on(self, verb: Hold) -> bool:
        """Whether this music plays already, as it does when agents were rung in vain: it just plays on."""
        if not self.is_holding or self._music != verb.music:
            return False
        self._is_heard = verb.keys
        return True

    def now(self) -> float:
        """The loop's clock, in seconds."""
        return self._loop.time()

    # -- inside --

    def _check_ours(self) -> None:
        """Raises SwitchUnavailable if the connection is lost, or the channel has left it."""
        if self.is_taken or (self._session.lost.done() and not self._session.is_gone):
            raise SwitchUnavailable("the call was lost; it may live on with another worker", switch="freeswitch")

    async def _carry_out(self, verb: Verb) -> Outcome | HandedOver:
        if self._session.is_gone:
            raise CallerGone(self._session.gone.result())
        may_be_paused, self._may_be_paused = self._may_be_paused, False
        if isinstance(verb, Hold) and self.holds_on(verb):
            return Done()
        if not isinstance(verb, RingAgent | RecordCall):
            await self._end_hold()
        if isinstance(verb, Gather) and verb.secret:
            return await gather_in_secret(self, verb)
        if may_be_paused:
            await resume_after_secret(self)
        return await _PERFORM[type(verb)](self, verb)

    async def _end_hold(self) -> None:
        """Stop the music, and hear keys ourselves again."""
        holding, self._holding, self._is_heard = self._holding, None, False
        if holding is not None and not holding.done.done():
            await self.stop(holding)

    def _introduction(self) -> dict[str, str]:
        """What this worker says once: whose call it is, that it has what came of the last verb, that it works."""
        if self._position.is_introduced:
            return {}
        return {
            variables.CALL: self._arrival.call.call_id,
            variables.RETURNED: "",
            variables.TRIES: "0",
            variables.HELD: "true",
            variables.SAMPLE_RATE: "8000",
        } | ({} if self._is_rung else {variables.OFFERS: "", variables.WON: ""})

    async def _make_sure(self) -> None:
        """Raises SwitchUnavailable if the timer has taken the call away while we could not hear of it."""
        if self.is_late:
            await self.api(commands.api_words("uuid_exists", self.leg_id))
        self._check_ours()

    async def _arm(self, timer_s: float) -> None:
        """A new timer in place of the last one, in one write with the checkpoint."""
        await self._make_sure()
        seconds = math.ceil(timer_s)
        self._timer_at = self._loop.time() + seconds
        again = ("sched_transfer", f"+{seconds}", self.leg_id, *variables.LATE.split())
        await asyncio.gather(
            self.api(commands.api_words("sched_del", self.leg_id)),
            self.api(commands.api_words(*again)),
            self.note({}),
        )

    async def _last_words(self, values: dict[str, str]) -> None:
        """Write before letting go. A call which has left us by itself, or has ended, needs no words."""
        with contextlib.suppress(CallerGone, SwitchUnavailable):
            await self._disarm_and_note(values)

    async def _disarm_and_note(self, values: dict[str, str]) -> None:
        """Stop the timer, and see that the end of this connection ends what plays, too: nobody else would."""
        await self._make_sure()
        await asyncio.gather(self.disarm(), self.note({variables.RESUME: "true"} | values))

    def _note_key(self, key: str, at: float) -> None:
        if self._holding is None:
            self.keys.press(key)
        elif self._is_heard:
            self.settings.hold_keys.tell(self.leg_id, key)

    def _note_event(self, event: EslEvent) -> None:
        if event.name == EXECUTED and event.get("Application") == "socket" and not self._taken.done():
            self._taken.set_result(None)
        awaited = self._awaited.get(event.name)
        if awaited is not None and not awaited.done() and event.leg_id == self.leg_id:
            awaited.set_result(event)


async def _hang_up(phone: FreeswitchPhone, verb: Hangup) -> HungUp:
    cause = verb.cause if verb.cause in WORDS else HangupCause.NORMAL
    await phone.note({variables.DONE: WORDS[cause]})
    with contextlib.suppress(CallerGone):
        await phone.execute("hangup", WORDS[cause], HANGUP_S)
        await phone.while_here((), HANGUP_S)
    phone.close()
    return HungUp(cause)


_PERFORM: dict[type[Verb], Callable[[FreeswitchPhone, Any], Awaitable[Outcome | HandedOver]]] = {
    Answer: answer,
    Play: play,
    Say: say,
    Gather: gather,
    Dial: dial,
    Record: record,
    VoicemailBox: leave_voicemail,
    Hangup: _hang_up,
    Hold: hold,
    RingAgent: ring_agent,
    RecordCall: record_call,
    Transfer: transfer,
}
