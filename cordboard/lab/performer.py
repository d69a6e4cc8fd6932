"""One caller of a scenario on one call: carries out the steps in order and judges what is heard.

`player` makes one for each call. Everything the caller hears must be expected by a step, in this order; the first
thing that is not ends the part with a `StepFailed` that says what was heard instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from cordboard.errors import LabError
from cordboard.lab import scenario_steps as steps
from cordboard.lab.call import Call, CallEnd
from cordboard.lab.following import LOUD_RMS
from cordboard.lab.hearing import Began, Event, Heard, Sound, tone_share
from cordboard.lab.listening import GRACE_S, Listener
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import SAMPLE_RATE_HZ, tone
from cordboard.lab.scenario import CallerPart
from cordboard.lab.timeline import LineKind, event_fields, how_far, in_words, prompt_names
from cordboard.telephony.hangup_causes import HangupCause, from_q850

Note = Callable[[float, LineKind, str, dict[str, Any]], None]  # second of the call, what, in words, as fields

SETTLE_S = 0.4  # a sound may run on so long into a silence that is expected
END_S = 3.0  # how long after its known length the end of a prompt may come
IDENTIFY_S = 0.6
TONE_S = 0.5
TONE_SHARE = 0.5

_KINDS: dict[type[Event], LineKind] = {Began: "began", Heard: "heard", Sound: "sound"}
_BY_STATUS = {
    404: HangupCause.UNALLOCATED,
    480: HangupCause.NO_ANSWER,
    408: HangupCause.NO_ANSWER,
    486: HangupCause.BUSY,
    600: HangupCause.BUSY,
    403: HangupCause.REJECTED,
    603: HangupCause.REJECTED,
    503: HangupCause.CONGESTION,
}


class StepFailed(Exception):
    """A step did not come true; the message says what happened instead."""


class Performer:
    """Plays one caller's steps on one call."""

    def __init__(self, call: Call, book: PromptBook, part: CallerPart, note: Note) -> None:
        self.call = call
        self._book = book
        self._part = part
        self._note = note
        self._ear = Listener(call, book)
        self._told = 0  # events noted in the time line
        self._judged = 0  # events that a step has used or let pass
        self._playing: Began | None = None  # what a step has heard begin and nobody has judged the end of

    async def perform(self, part: tuple[steps.Step, ...]) -> None:
        """Carry out all steps. Raises StepFailed at the first that does not come true."""
        for step in part:
            await self._perform(step)

    async def see_out(self) -> CallEnd:
        """Hang up if the call still lasts, and note the rest of what was heard."""
        await self.call.hang_up()
        end = await self.call.ended
        await asyncio.sleep(0)  # let the listener finish
        self._tell()
        return end

    async def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.Hears():
                for name in step.hears:
                    await self._hear_whole(self._key(name), step.within_s, step.ignoring_others)
            case steps.HearsBegin():
                await self._hear_begin(self._key(step.hears_begin), step.within_s, step.ignoring_others)
            case steps.HearsCut():
                await self._hear_cut(self._key(step.hears_cut), step.within_s)
            case steps.HearsSilence():
                await self._hear_silence(step.hears_silence_s)
            case steps.HearsSound():
                await self._hear_sound(step.hears_sound_s, step.within_s)
            case steps.HearsTone():
                await self._hear_tone(step.hears_tone_hz, step.within_s)
            case steps.IsAnswered():
                await self._be_answered(step.is_answered_within_s)
            case steps.IsHungUp():
                await self._be_hung_up(step)
            case steps.IsRefused():
                await self._be_refused(step)
            case _:
                await self._act(step)

    async def _act(self, step: steps.Step) -> None:
        """The steps in which the caller does something."""
        if isinstance(step, steps.Presses):
            await self._let_pass(step.after_s)
            await self._press(step)
        elif isinstance(step, steps.SpeaksTone):
            self._say("spoke", f"sends {step.speaks_tone_hz:g} Hz for {step.for_s:g} s", hz=step.speaks_tone_hz)
            self.call.speak(tone(step.speaks_tone_hz, step.for_s))
        elif isinstance(step, steps.Waits):
            await self._let_pass(step.waits_s)
            self._let_go()
        elif isinstance(step, steps.HangsUp):
            await self._let_pass(step.hangs_up_after_s)
            await self.call.hang_up()

    # Hearing prompts

    async def _hear_whole(self, key: str, within_s: float, ignoring_others: bool) -> None:
        heard = await self._hear(key, within_s, ignoring_others)
        if not heard.is_whole:
            raise StepFailed(f"expected `{key}` whole, heard it {how_far(heard)}")

    async def _hear_cut(self, key: str, within_s: float) -> None:
        heard = await self._hear(key, within_s, ignoring_others=False, also_interrupted=True)
        if heard.is_whole:
            raise StepFailed(f"expected `{key}` to be cut short, heard it {how_far(heard)}")

    async def _hear(
        self, key: str, within_s: float, ignoring_others: bool, also_interrupted: bool = False
    ) -> Heard:
        """The next time a prompt ends. also_interrupted: also one that began before and was cut short since."""
        until_s = max(self.call.now_s + within_s, self._ends_before_s(self._playing))
        while True:
            event = await self._next_event(until_s)
            if event is None:
                raise StepFailed(f"expected `{key}`{self._instead(within_s)}")
            if isinstance(event, Began):
                until_s = max(until_s, self._ends_before_s(event))
            elif isinstance(event, Heard):
                was_playing = self._playing is not None and event.start_s == self._playing.start_s
                self._playing = None if was_playing else self._playing
                if was_playing and not (key in event.prompts and (event.is_whole or also_interrupted)):
                    continue
                if key in event.prompts:
                    return event
                if not ignoring_others:
                    raise StepFailed(f"expected `{key}`, heard {prompt_names(event.prompts)} ({how_far(event)})")

    async def _hear_begin(self, key: str, within_s: float, ignoring_others: bool) -> None:
        until_s = self.call.now_s + within_s
        while True:
            event = await self._next_event(until_s)
            if event is None:
                raise StepFailed(f"expected `{key}` to begin{self._instead(within_s)}")
            if isinstance(event, Began) and key in event.prompts:
                self._playing = event
                return
            if isinstance(event, Began) and not ignoring_others:
                raise StepFailed(f"expected `{key}` to begin, heard {prompt_names(event.prompts)} begin")

    # Hearing other things

    async def _hear_silence(self, seconds: float) -> None:
        began_s = self.call.now_s
        self._let_go()
        while True:
            quiet_since_s = max(began_s, self._ear.ear.quiet_since_s)
            if quiet_since_s > began_s + SETTLE_S:
                await self._identify()
                raise StepFailed(f"expected {seconds:g} s of silence, {self._noise(began_s)}")
            if self.call.end is not None:
                raise StepFailed(f"expected {seconds:g} s of silence{self._instead(seconds)}")
            if self.call.now_s - GRACE_S >= quiet_since_s + seconds:
                return
            await self._ear.changed(quiet_since_s + seconds + GRACE_S)
            self._tell()

    def _let_go(self) -> None:
        """Judge nothing of what has been heard up to now, nor the end of what is playing."""
        self._judged = len(self._ear.events)
        if self._judged and isinstance(last := self._ear.events[-1], Began):
            self._playing = last

    async def _identify(self) -> None:
        """Listen on until it is known what broke the silence: a prompt takes up to half a second to recognise."""
        until_s = self.call.now_s + IDENTIFY_S
        while self._judged == len(self._ear.events) and self.call.now_s < until_s:
            await self._ear.changed(until_s)

    def _noise(self, began_s: float) -> str:
        news = [event for event in self._ear.events[self._judged :] if isinstance(event, Began)]
        what = f"{prompt_names(news[0].prompts)} begin" if news else "a sound"
        at_s = news[0].start_s if news else self._ear.ear.sound_since_s or self._ear.ear.quiet_since_s
        return f"heard {what} after {max(0.0, at_s - began_s):.1f} s"

    async def _hear_sound(self, seconds: float, within_s: float) -> None:
        began_s, until_s = self.call.now_s, self.call.now_s + within_s
        while self._sound_s(began_s) < seconds:
            if self.call.end is not None or not await self._ear.changed(until_s):
                heard_s = self._sound_s(began_s)
                raise StepFailed(
                    f"expected {seconds:g} s of a sound, heard {heard_s:.1f} s{self._instead(within_s)}"
                )
            self._tell()

    def _sound_s(self, since_s: float) -> float:
        """How much sound that is no prompt has been heard since then, one that goes on included."""
        sounds = [(event.start_s, event.end_s) for event in self._ear.events if isinstance(event, Sound)]
        if self._ear.ear.sound_since_s is not None:
            sounds.append((self._ear.ear.sound_since_s, self._ear.ear.quiet_since_s))
        return sum(max(0.0, end_s - max(start_s, since_s)) for start_s, end_s in sounds)

    async def _hear_tone(self, frequency_hz: float, within_s: float) -> None:
        until_s = self.call.now_s + within_s
        while not self._is_tone(frequency_hz):
            if self.call.end is not None or not await self._ear.changed(until_s):
                raise StepFailed(f"expected a tone of {frequency_hz:g} Hz{self._instead(within_s)}")
            self._tell()

    def _is_tone(self, frequency_hz: float) -> bool:
        end_s = self.call.heard.end_s
        last = self.call.heard.samples(max(0.0, end_s - TONE_S), end_s)
        is_loud = len(last) >= TONE_S * SAMPLE_RATE_HZ and float(abs(last).mean()) > LOUD_RMS
        return is_loud and tone_share(last, frequency_hz) >= TONE_SHARE

    # The call itself

    async def _be_answered(self, within_s: float) -> None:
        until_s = self.call.now_s + within_s
        while not self.call.is_answered:
            if self.call.end is not None or not await self._ear.changed(until_s):
                raise StepFailed(f"expected an answer within {within_s:g} s{self._instead(within_s)}")

    async def _be_hung_up(self, step: steps.IsHungUp) -> None:
        until_s = self.call.now_s + step.within_s
        while (event := await self._next_event(until_s)) is not None:
            if isinstance(event, Heard) and not step.ignoring_others:
                was_playing = self._playing is not None and event.start_s == self._playing.start_s
                if not was_playing:
                    raise StepFailed(
                        f"expected to be hung up, heard {prompt_names(event.prompts)} ({how_far(event)})"
                    )
        end = self.call.end
        if end is None:
            raise StepFailed(f"expected to be hung up within {step.within_s:g} s, but the call goes on")
        if end.by != "pbx":
            raise StepFailed(f"expected to be hung up, but {ending_in_words(end)}")
        if step.is_hung_up not in ("any", cause_of(end)):
            raise StepFailed(f"expected to be hung up with cause {step.is_hung_up}, but {ending_in_words(end)}")

    async def _be_refused(self, step: steps.IsRefused) -> None:
        until_s = self.call.now_s + step.within_s
        while self.call.end is None and not self.call.is_answered:
            if not await self._ear.changed(until_s):
                break
        end = self.call.end
        if end is None or self.call.is_answered:
            what = "it was answered" if self.call.is_answered else f"nothing happened within {step.within_s:g} s"
            raise StepFailed(f"expected to be refused with {step.is_refused}, but {what}")
        if end.status != step.is_refused:
            raise StepFailed(f"expected to be refused with {step.is_refused}, but {ending_in_words(end)}")

    async def _press(self, step: steps.Presses) -> None:
        try:
            self._say("pressed", f"presses {step.presses}", keys=step.presses)
            await self.call.press(step.presses, step.tone_ms, step.gap_ms)
        except LabError as fault:
            ending = f": {ending_in_words(self.call.end)}" if self.call.end else ""
            raise StepFailed(f"{step.presses} could not be pressed: {fault}{ending}") from fault
        self._tell()

    # Waiting

    async def _let_pass(self, seconds: float) -> None:
        until_s = self.call.now_s + seconds
        while self.call.end is None and self.call.now_s < until_s:
            await self._ear.changed(until_s)
            self._tell()

    async def _next_event(self, until_s: float) -> Event | None:
        """The next thing heard that no step has judged; None at `until_s`, or when the call has ended."""
        while True:
            self._tell()
            if self._judged < len(self._ear.events):
                self._judged += 1
                return self._ear.events[self._judged - 1]
            if self._ear.is_finished:
                return None
            if not await self._ear.changed(until_s) and self._judged == len(self._ear.events):
                return None

    def _tell(self) -> None:
        """Note in the time line what has been heard since the last time."""
        for event in self._ear.events[self._told :]:
            at_s = event.start_s if isinstance(event, Began) else event.end_s
            self._note(at_s, _KINDS[type(event)], in_words(event, self._book, self._part.flow), event_fields(event))
        self._told = len(self._ear.events)

    def _say(self, kind: LineKind, text: str, **fields: Any) -> None:
        self._note(self.call.now_s, kind, text, fields)

    def _instead(self, within_s: float) -> str:
        """What happened in place of what was expected, as the rest of a sentence."""
        if self.call.end is not None:
            return f", but {ending_in_words(self.call.end)}"
        quiet_s = self.call.now_s - self._ear.ear.quiet_since_s
        if self._ear.ear.sound_since_s is not None:
            return f" within {within_s:g} s, heard a sound that is no prompt"
        if not self.call.is_answered and not self.call.heard.end_s:
            return f" within {within_s:g} s, but the call was not answered and nothing was heard"
        return f" within {within_s:g} s, heard silence for {min(quiet_s, self.call.now_s):.1f} s"

    def _key(self, name: str) -> str:
        return self._book.resolve(name, self._part.language, self._part.flow)

    def _ends_before_s(self, began: Began | None) -> float:
        """By when a prompt that has begun must have ended."""
        if began is None:
            return 0.0
        return began.start_s + max(len(self._book[prompt]) for prompt in began.prompts) / SAMPLE_RATE_HZ + END_S


def cause_of(end: CallEnd) -> HangupCause:
    """Why a call ended, in the suite's words: from the PBX's Q.850 cause, else from the SIP status."""
    if end.cause is not None:
        return from_q850(end.cause)
    return HangupCause.NORMAL if end.status == 200 else _BY_STATUS.get(end.status, HangupCause.UNKNOWN)


def ending_in_words(end: CallEnd) -> str:
    """How a call ended, in words."""
    if end.by == "nobody":
        return "the PBX did not answer any more"
    if end.by == "caller":
        return f"the caller had hung up at {end.at_s:.1f} s"
    if end.status == 200:
        return f"the PBX hung up at {end.at_s:.1f} s ({cause_of(end)})"
    return f"the PBX refused the call with {end.status} ({cause_of(end)}) at {end.at_s:.1f} s"
