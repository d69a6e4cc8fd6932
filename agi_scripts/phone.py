"""One caller's call on Asterisk: `telephony.ports.Phone` over an AGI connection.

The server makes it and hands it to the service. This file keeps the call's position (checkpoint, dead-man timer)
and ends it; what each verb says to Asterisk is in `playing`, `gathering`, `saying`, `recording`, `call_recording`,
`handing_over`, `ringing_agents`.

Before a verb the checkpoint and the timer are written together, in one line, and only if one of them has to
change. The timer runs for the longest the verb can take, plus a margin in which the service may think. If we do
nothing for that long, Asterisk takes the call to another worker. A caller who waits is with us without any verb:
then the timer is renewed every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agi_scripts import commands, variables
from agi_scripts.call_recording import gather_in_secret, record_call, resume_after_secret
from agi_scripts.gathering import gather
from agi_scripts.handing_over import dial, leave_voicemail, transfer
from agi_scripts.hold_keys import CONTEXT, HOME
from agi_scripts.link import LINE_S, AgiLink, CallerGone
from agi_scripts.playing import answer, hold, play
from agi_scripts.recording import record
from agi_scripts.replies import SUCCESS, Reply
from agi_scripts.ringing_agents import ring_agent
from agi_scripts.saying import say
from cordboard.edge.checkpoints import Position
from cordboard.errors import SwitchError, SwitchProtocolError, SwitchUnavailable
from cordboard.telephony.hangup_causes import Q850, HangupCause
from cordboard.telephony.outcomes import Failed, HandedOver, HungUp, Outcome
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

ACCEPT_S = 3.0  # the dialplan's own timer while no worker has written anything yet
TIMER_MIN_S = 5.0  # rather long than written again for each short prompt
TIMER_MARGIN_S = 2.0  # what the service may think between two lines
TIMER_MARGIN_LEFT_S = 1.5  # with less than this left of the margin the timer is written again
STAY_TIMER_S = 10.0  # a worker that hangs while callers wait with it costs them this long
STAY_RENEW_S = 4.0  # twice within the timer, so that one late renewal costs no caller a change of worker
_NORMAL_UNSPECIFIED = 31  # Q.850: what Asterisk makes of "unknown" is a cause of its own choice


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """What all calls of a server share. recordings_root, calls_root: where `Record` and `RecordCall` write, at the
    same path for Asterisk.
    """

    sounds: Sounds
    recordings_root: Path
    calls_root: Path


class AsteriskPhone:
    """One call, held by this worker until it is handed over, abandoned, ended or lost."""

    __slots__ = (
        "_arrival",
        "_is_heard",
        "_language",
        "_link",
        "_loop",
        "_may_be_paused",
        "_position",
        "settings",
    )

    def __init__(
        self,
        link: AgiLink,
        arrival: Arrival,
        language: str,
        settings: PhoneSettings,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._link = link
        self._loop = loop
        self._arrival = arrival
        self._position = Position(arrival)
        self._is_heard = False  # whether the caller's keys are heard on the manager link
        self._language = language
        # Its last worker may have been lost while it gathered secret digits.
        self._may_be_paused = bool(arrival.checkpoint) and arrival.returned is None
        self.settings = settings
        link.timer_at = link.made_at + ACCEPT_S

    @property
    def arrival(self) -> Arrival:
        """The call as it reached this worker."""
        return self._arrival

    async def perform(self, verb: Verb, checkpoint: str) -> Outcome | HandedOver:
        """Carry out one verb; see the port."""
        if self._arrival.ended:
            return HungUp()
        self._position.move(checkpoint)
        try:
            return await self._carry_out(verb)
        except CallerGone:
            self._link.close()
            return HungUp()
        except SwitchError as error:
            error.call_id = self._arrival.call.call_id
            raise

    async def hand_over(self, checkpoint: str) -> None:
        """Let go between two verbs; whoever takes the call next resumes at `checkpoint`."""
        self._position.move(checkpoint)
        if not self._position.is_noted:
            await self._last_words({})
        self._link.close()

    async def abandon(self) -> None:
        """Let go for good: the dialplan takes the call to the safe destination."""
        await self._last_words({variables.DONE: variables.TO_SAFE_DESTINATION})
        self._link.close()

    async def stay(self, longest_s: float, checkpoint: str) -> HungUp | None:
        """Let the caller wait, with the timer kept running; see the port. No verb runs meanwhile."""
        if self._arrival.ended:
            return HungUp()
        self._position.move(checkpoint)
        until = self._loop.time() + longest_s
        try:
            while (left_s := until - self._loop.time()) > 0:
                await self._renew()
                await self._link.idle(min(left_s, STAY_RENEW_S))
        except CallerGone:
            self._link.close()
            return HungUp()
        except SwitchError as error:
            error.call_id = self._arrival.call.call_id
            raise
        return None

    def let_go(self) -> None:
        """Close the connection, whatever is running; see the port. Who awaits it gets SwitchUnavailable."""
        self._link.close()

    # -- what the verbs' files use --

    async def command(self, line: bytes, longest_s: float = 0.0) -> Reply:
        """Send a line which plays or waits for up to `longest_s`, with the timer set to outlast it."""
        await self.outlast(longest_s)
        return await self._link.command(line, longest_s + LINE_S)

    async def outlast(self, longest_s: float) -> None:
        """See that the channel has the checkpoint, and a timer which runs for longer than this."""
        now = self._loop.time()
        if self._position.is_noted and self._link.timer_at - now >= longest_s + TIMER_MARGIN_LEFT_S:
            return
        await self._arm(max(TIMER_MIN_S, longest_s + TIMER_MARGIN_S))

    async def hand_to_dialplan(self, values: dict[str, str]) -> HandedOver:
        """Write what the dialplan has to do next, in one line with the checkpoint, and let go."""
        await self._write(values)
        self._link.close()
        return HandedOver()

    async def note(self, values: dict[str, str]) -> None:
        """Write channel variables."""
        await self._write(values)

    async def have_keys_heard(self, *, are_heard: bool) -> None:
        """Let the manager link tell this caller's keys, or no more. See `hold_keys`."""
        if are_heard != self._is_heard:
            await self.command(commands.set_context(CONTEXT if are_heard else HOME))
            self._is_heard = are_heard

    async def speak(self, language: str) -> None:
        """Make Asterisk's own speech use a language."""
        if language != self._language:
            await self.command(commands.set_variable(variables.LANGUAGE, language))
            self._language = language

    async def failed(self, reason: str) -> Failed:
        """Asterisk said it could not: a fault, or the caller has just left (then CallerGone is raised)."""
        await self.check_here()
        return Failed(reason)

    async def check_here(self) -> None:
        """Raise CallerGone if the caller has just left."""
        reply = await self._link.command(commands.channel_status())
        if reply.code != SUCCESS or reply.number < 0:
            raise CallerGone

    def now(self) -> float:
        """The loop's clock, in seconds."""
        return self._loop.time()

    # -- inside --

    async def _carry_out(self, verb: Verb) -> Outcome | HandedOver:
        may_be_paused, self._may_be_paused = self._may_be_paused, False
        if not isinstance(verb, Hold):
            await self.have_keys_heard(are_heard=False)
        if isinstance(verb, Gather) and verb.secret:
            return await gather_in_secret(self, verb)
        if may_be_paused:
            await resume_after_secret(self)
        return await _PERFORM[type(verb)](self, verb)

    def _introduction(self) -> dict[str, str]:
        """What this worker says once: whose call it is, that it has what came of the last verb, that it works."""
        if self._position.is_introduced:
            return {}
        return {variables.CALL: self._arrival.call.call_id, variables.RETURNED: "", variables.TRIES: "0"}

    async def _renew(self) -> None:
        """While the caller waits: see that the timer runs on, and that the channel has the checkpoint."""
        if not self._position.is_noted or self._link.timer_at - self._loop.time() < STAY_TIMER_S - STAY_RENEW_S:
            await self._arm(STAY_TIMER_S)

    async def _arm(self, timer_s: float) -> None:
        now = self._loop.time()
        await self._write({variables.DEAD_MAN: f"{timer_s:.1f}"}, uncut=True)
        self._link.timer_at = now + timer_s

    async def _write(self, values: dict[str, str], *, uncut: bool = False) -> None:
        """One line: where the call stands, and these values. uncut: cancelled meanwhile, the call is still ours."""
        told = self._introduction() | {variables.CHECKPOINT: self._position.checkpoint}
        reply = await self._link.command(commands.multi_set(told | values), uncut=uncut)
        if reply.code != SUCCESS or reply.number != 0:
            raise SwitchProtocolError("Asterisk did not set our channel variables (is MSet loaded?)")
        self._position.written()

    async def _last_words(self, values: dict[str, str]) -> None:
        """Write before letting go. A call which has left us by itself, or has ended, needs no words."""
        with contextlib.suppress(CallerGone, SwitchUnavailable):
            await self._write(values)


async def _hang_up(phone: AsteriskPhone, verb: Hangup) -> HungUp:
    cause = Q850[verb.cause] or _NORMAL_UNSPECIFIED
    await phone.hand_to_dialplan({variables.DONE: str(cause)})
    return HungUp(verb.cause if verb.cause in Q850 else HangupCause.NORMAL)


_PERFORM: dict[type[Verb], Callable[[AsteriskPhone, Any], Awaitable[Outcome | HandedOver]]] = {
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
