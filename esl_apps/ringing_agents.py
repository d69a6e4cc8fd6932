"""Ringing an agent, or several, for a caller who waits. Called by the phone.

The caller stays with us and hears the music on. Each phone is rung by a leg of its own, whose dialplan plays the
whisper, asks for the accept key and fetches the caller; from then on it needs no worker, nor does the conversation:

    rung -> answered -> joined                         we let go of the caller, who comes back after the talk
       \\-------\\----> ended (`agent_results` says why)   the caller waits on, with us

If this worker dies or hangs meanwhile, the phones ring on. The caller falls to another worker, at once or when the
timer runs out, which finds their offers noted on the channel and waits for what comes of them (`take_up`), to the
same music.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import structlog

from cordboard.errors import OutcomeUnknown, SwitchError, SwitchProtocolError, SwitchUnavailable
from cordboard.telephony.outcomes import AgentRung, Failed, HandedOver
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import KEYS, MAX_TARGETS, AgentPhone, Hold, RingAgent
from esl_apps import commands, variables
from esl_apps.agent_legs import leg_of
from esl_apps.agent_results import CALLER_LEFT, TAKEN, WITHDRAWN, result_of_leg, result_of_refusal
from esl_apps.ended_calls import EndedCall
from esl_apps.events import BRIDGED, HANGUP_COMPLETE, EslEvent
from esl_apps.playing import hold, is_stream
from esl_apps.session import CallerGone

if TYPE_CHECKING:
    from esl_apps.phone import FreeswitchPhone

CONTEXT = "cordboard-agent"
ASKED, AT_ONCE = "agent", "join"  # its extensions: with a whisper or a key, and with neither
WHISPER_MAX_S = 120.0  # beyond the ringing, for the whisper and the accept key
BETWEEN_S = 2.0  # from the answer to a job to the leg's own last event
FETCH_S = 1.0  # from leaving our connection to being joined; some 20 ms
LOOK_UP_S = 4.0  # between two looks for legs whose events may have been missed; the timer is renewed as often
SILENCE = "silence_stream://1"

_OFFER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WHISPER = re.compile(r"/[A-Za-z0-9_./-]{1,250}")  # one file, also as a word of `play_and_get_digits`
_NOT_IN_NUMBERS = re.compile(r"[^+*#0-9A-Za-z]")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 .-]")
_log = structlog.get_logger(__name__)


class RingingSwitch(Protocol):
    """What ringing asks of the switch."""

    async def ring(
        self, leg_id: str, device: str, *, context: str, extension: str, ring_s: float, variables: Mapping[str, str]
    ) -> str | None: ...

    def watch(self, leg_id: str, callback: Callable[[EslEvent], None]) -> None: ...

    def unwatch(self, leg_id: str) -> None: ...

    async def kill(self, leg_id: str, word: str) -> bool: ...

    async def exists(self, leg_id: str) -> bool: ...


def _future() -> asyncio.Future[tuple[str, float]]:
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False, slots=True)
class RungLeg:
    """One agent's leg. fate: "joined", or why it was not, with the moment of it."""

    offer_id: str
    fate: asyncio.Future[tuple[str, float]] = field(default_factory=_future)

    @property
    def leg_id(self) -> str:
        """FreeSWITCH's id of it."""
        return leg_of(self.offer_id)

    @property
    def is_joined(self) -> bool:
        """Whether agent and caller talk."""
        return self.fate.done() and self.fate.result()[0] == "joined"

    def note(self, event: EslEvent) -> None:
        """What FreeSWITCH says of the leg."""
        if event.name == BRIDGED:
            self.end("joined", event.at)
        elif event.name == HANGUP_COMPLETE:
            self.end(result_of_leg(event), event.at)

    def end(self, result: str, at: float) -> None:
        """Nothing more comes of it. Only the first word counts."""
        if not self.fate.done():
            self.fate.set_result((result, at))

    def as_rung(self, otherwise: str) -> AgentRung:
        """As an outcome. otherwise: what came of it if that is not known."""
        result, at = self.fate.result() if self.fate.done() else (otherwise, time.time())
        return AgentRung(self.offer_id, result, at if result == "joined" else None, at)


async def ring_agent(phone: FreeswitchPhone, verb: RingAgent) -> AgentRung | HandedOver:
    """Ring the devices, until an agent and the caller talk or nobody is rung any more.

    Raises CallerGone, SwitchUnavailable; SwitchProtocolError on what is no offer, key or music. Without a sound for
    the whisper it rings all the same: the caller must not wait for want of that.
    """
    _check(verb)
    phones = (AgentPhone(verb.offer_id, verb.device), *verb.also)
    legs = [RungLeg(one.offer_id) for one in phones]
    await _see_to_music(phone, verb.music)
    await phone.renew()
    await phone.note(
        {
            variables.OFFERS: ".".join(leg.offer_id for leg in legs),
            variables.WON: "",
            variables.MUSIC: verb.music,
            "api_hangup_hook": f"hupall {CALLER_LEFT} {variables.CALLER_LEG} {phone.leg_id}",
        }
    )
    ring_s = math.ceil(verb.ring_s)
    told = _told(phone, verb)
    jobs = [
        asyncio.create_task(_ring(phone, leg, one.device, ring_s, told))
        for leg, one in zip(legs, phones, strict=True)
    ]
    try:
        return await _follow(phone, legs, ring_s + verb.accept_s + WHISPER_MAX_S)
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def take_up(phone: FreeswitchPhone) -> Phone | None:
    """Wait for what comes of phones that ring on for a worker that is gone, if any do. What the service gets then:
    the phone, with the outcome; a call that has ended; None if the two talk. Raises SwitchUnavailable.

    A phone that has stopped before we could hear why was withdrawn, as far as anybody knows.
    """
    offers = [offer for offer in phone.variable(variables.OFFERS).split(".") if _OFFER.fullmatch(offer)]
    if not offers or phone.settings.ringing is None or phone.arrival.returned is not None:
        return phone
    legs = [RungLeg(offer) for offer in offers]
    _log.info("ringing_taken_up", call_id=phone.arrival.call.call_id, offers=len(legs))
    phone.keep_offers()
    try:
        _play_on(phone)
        outcome = await _follow(phone, legs, WHISPER_MAX_S * 2, is_new=False)
    except CallerGone:
        return EndedCall(replace(phone.arrival, returned=_as_outcome(legs, "caller_left"), ended=True))
    if isinstance(outcome, HandedOver):
        return None
    phone.came_back(outcome)
    return phone


async def _see_to_music(phone: FreeswitchPhone, music: str) -> None:
    """Where an agent was free at once no music plays yet. Without a stream of that name it rings all the same."""
    if phone.is_holding:
        return
    outcome = await hold(phone, Hold(music))
    if isinstance(outcome, Failed):
        _log.warning("music_missing", music=music, reason=outcome.reason)


def _play_on(phone: FreeswitchPhone) -> None:
    music = phone.variable(variables.MUSIC)
    if is_stream(music):
        phone.note_hold(phone.begin("playback", f"local_stream://{music}", None), music, are_keys_heard=False)


def _as_outcome(legs: Sequence[RungLeg], otherwise: str) -> AgentRung:
    """What came of all of them. otherwise: of those of which it is not known."""
    first, *others = [leg.as_rung(otherwise) for leg in legs]
    return replace(first, others=tuple(others))


async def _follow(
    phone: FreeswitchPhone, legs: Sequence[RungLeg], longest_s: float, *, is_new: bool = True
) -> AgentRung | HandedOver:
    switch = _switch_of(phone)
    for leg in legs:
        switch.watch(leg.leg_id, leg.note)
    try:
        await _until_decided(phone, legs, longest_s, is_new=is_new)
    finally:
        for leg in legs:
            switch.unwatch(leg.leg_id)
    if any(leg.is_joined for leg in legs):
        await _let_talk(phone, legs)
        return HandedOver()
    await phone.renew()  # if the caller is another worker's by now, so are the phones
    await _stop(switch, [leg for leg in legs if not leg.fate.done()], WITHDRAWN)
    await phone.note({variables.OFFERS: ""})
    return _as_outcome(legs, "withdrawn")


async def _until_decided(
    phone: FreeswitchPhone, legs: Sequence[RungLeg], longest_s: float, *, is_new: bool
) -> None:
    """Until two talk, or nobody is rung. While the link was down its events were missed, so legs are looked up."""
    until = phone.now() + longest_s
    if not is_new:
        await _look_up(phone, legs)
    while not any(leg.is_joined for leg in legs):
        open_legs = [leg for leg in legs if not leg.fate.done()]
        left_s = until - phone.now()
        if not open_legs or left_s <= 0:
            return
        try:
            await phone.renew()
            await phone.while_here([leg.fate for leg in open_legs], min(left_s, LOOK_UP_S))
        except SwitchUnavailable:
            if not await _is_fetched(phone, open_legs):
                raise
        if not any(leg.fate.done() for leg in open_legs):
            await _look_up(phone, open_legs)


async def _is_fetched(phone: FreeswitchPhone, legs: Sequence[RungLeg]) -> bool:
    """Whether the call has left us because one of these has it: a moment later it says that the two are joined."""
    if phone.is_taken:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FETCH_S):
                await _one_joined(legs)
        if not any(leg.is_joined for leg in legs):
            await _look_up(phone, legs)
    return any(leg.is_joined for leg in legs)


async def _one_joined(legs: Sequence[RungLeg]) -> None:
    """Until one of them is joined, or none will be: of two who accept at once, the one in vain may come first."""
    while not any(leg.is_joined for leg in legs):
        fates = [leg.fate for leg in legs if not leg.fate.done()]
        if not fates:
            return
        await asyncio.wait(fates, return_when=asyncio.FIRST_COMPLETED)


async def _look_up(phone: FreeswitchPhone, legs: Sequence[RungLeg]) -> None:
    """End those whose leg is gone, or was joined. What cannot be asked is asked again later."""
    switch = _switch_of(phone)
    won = (await phone.api(commands.api_words("uuid_getvar", phone.leg_id, variables.WON))).strip()
    for leg in legs:
        if leg.offer_id == won:
            leg.end("joined", time.time())
        try:
            if not leg.fate.done() and not await switch.exists(leg.leg_id):
                leg.end("withdrawn", time.time())
        except SwitchError as fault:
            _log.warning("agent_leg_not_looked_up", offer_id=leg.offer_id, reason=str(fault))


async def _let_talk(phone: FreeswitchPhone, legs: Sequence[RungLeg]) -> None:
    """Stop the other phones, and let go of the caller. The agent's dialplan has told the caller's leg already that
    the talk goes on when we close, and has stopped the timer. Both is done again, as all hangs on it: the timer may
    have been renewed in the milliseconds between. But where we were stopped meanwhile the talk may be over, and the
    caller be with another worker.
    """
    if phone.is_late:
        phone.close()
    else:
        told = phone.session.set({variables.RESUME: "false", variables.HELD: ""})
        await asyncio.gather(phone.stop_timer(), told)
        phone.session.close()  # the end of a connection takes nobody out of a conversation
    await _stop(_switch_of(phone), [leg for leg in legs if not leg.fate.done()], TAKEN)


async def _stop(switch: RingingSwitch, legs: Sequence[RungLeg], word: str) -> None:
    for leg in legs:
        try:
            await switch.kill(leg.leg_id, word)
        except SwitchError as fault:
            _log.warning("agent_leg_not_ended", offer_id=leg.offer_id, reason=str(fault))


async def _ring(phone: FreeswitchPhone, leg: RungLeg, device: str, ring_s: float, told: Mapping[str, str]) -> None:
    """Make the leg. A refusal is its end, unless the leg itself says more. Anything else the leg tells."""
    own = {**told, variables.OFFER: leg.offer_id}
    try:
        word = await _switch_of(phone).ring(
            leg.leg_id, device, context=CONTEXT, extension=_extension(told), ring_s=ring_s, variables=own
        )
    except (OutcomeUnknown, SwitchUnavailable) as fault:
        _log.warning("agent_leg_outcome_unknown", offer_id=leg.offer_id, reason=str(fault))
        return  # looked up
    except SwitchError as fault:
        _log.error("agent_not_rung", offer_id=leg.offer_id, reason=str(fault))
        leg.end("failed", time.time())
        return
    if word is not None:
        await asyncio.wait([leg.fate], timeout=0.0 if leg.fate.done() else BETWEEN_S)
        leg.end(result_of_refusal(word), time.time())


def _told(phone: FreeswitchPhone, verb: RingAgent) -> dict[str, str]:
    """What the agent's leg has to know, and what their phone shows: the caller's number and name, as far as they
    can be said in a dial string.
    """
    call = phone.arrival.call
    number = _NOT_IN_NUMBERS.sub("", call.ani)[:40]
    shown = {
        "origination_caller_id_number": number,
        "origination_caller_id_name": _NOT_IN_NAMES.sub(" ", call.caller_name)[:60].strip() or number,
    }
    told = {
        variables.CALLER_LEG: phone.leg_id,
        variables.WHISPER: _whisper(phone, verb),
        variables.ACCEPT_KEY: verb.accept_key,
        variables.ACCEPT_MS: str(max(100, round(verb.accept_s * 1000))),
        variables.SEVERAL: "true" if verb.also else "",
        variables.BEHIND: phone.variable("other_loopback_leg_uuid") if phone.variable(variables.STANDS_IN) else "",
    }
    return {name: value for name, value in (told | shown).items() if value}


def _extension(told: Mapping[str, str]) -> str:
    """Where the leg goes when the phone is picked up. What is not heard or asked takes no time there, either."""
    is_told = told[variables.WHISPER] != SILENCE
    return ASKED if is_told or variables.ACCEPT_KEY in told else AT_ONCE


def _whisper(phone: FreeswitchPhone, verb: RingAgent) -> str:
    """What only the agent hears; a moment of silence for nothing."""
    if verb.whisper is None:
        return SILENCE
    sound = phone.settings.sounds.find(verb.whisper)
    if sound is not None and _WHISPER.fullmatch(sound.path):
        return f"{sound.path}.wav"
    _log.warning("whisper_missing", prompt=f"{verb.whisper.flow}/{verb.whisper.name}", found=sound is not None)
    return SILENCE


def _check(verb: RingAgent) -> None:
    offers = (verb.offer_id, *(one.offer_id for one in verb.also))
    if not all(_OFFER.fullmatch(offer) for offer in offers):
        raise SwitchProtocolError("an offer id that is none of ours")
    if len(offers) > MAX_TARGETS:
        raise SwitchProtocolError("more agents' phones at once than are rung")
    if not is_stream(verb.music):
        raise SwitchProtocolError("not the name of a music stream")
    if verb.accept_key and verb.accept_key not in tuple(KEYS):
        raise SwitchProtocolError("an accept key that is not one key")


def _switch_of(phone: FreeswitchPhone) -> RingingSwitch:
    switch = phone.settings.ringing
    if switch is None:
        raise SwitchUnavailable("there is no link to ring agents over")
    return switch
