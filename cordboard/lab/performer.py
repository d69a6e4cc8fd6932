"""One caller of a scenario on one call: carries out the steps in order and judges what is heard.

`player` makes one for each call. Everything the caller hears must be expected by a step, in this order; the first
thing that is not ends the part with a `StepFailed` that says what was heard instead. What is heard is judged by
`prompt_steps` and `sound_steps`; here the caller acts, and the call itself is watched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cordboard.errors import LabError
from cordboard.lab import prompt_steps, sound_steps
from cordboard.lab import scenario_steps as steps
from cordboard.lab.agents import SceneAgent
from cordboard.lab.attention import Attention, Note, StepFailed
from cordboard.lab.call import Call, CallEnd
from cordboard.lab.call_ending import cause_of, ending_in_words
from cordboard.lab.hearing import Heard
from cordboard.lab.music import Music
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import tone
from cordboard.lab.scenario import CallerPart
from cordboard.lab.timeline import how_far, prompt_names

__all__ = ["Company", "Note", "Performer", "StepFailed"]

OWN_TONE_HZ = 1_500.0
_SILENCE = np.zeros(0, dtype=np.int16)


@dataclass(frozen=True, slots=True)
class Company:
    """What a caller meets besides prompts. tone_hz: the caller's own, by which agents can tell who they hear."""

    agents: Mapping[str, SceneAgent] = field(default_factory=dict)
    music: Music | None = None
    tone_hz: float = OWN_TONE_HZ


class Performer:
    """Plays one caller's steps on one call."""

    def __init__(
        self, call: Call, book: PromptBook, part: CallerPart, note: Note, company: Company | None = None
    ) -> None:
        self.call = call
        self._attention = Attention(call, book, part, note)
        self._company = company or Company()

    async def perform(self, part: tuple[steps.Step, ...]) -> None:
        """Carry out all steps. Raises StepFailed at the first that does not come true."""
        for step in part:
            await self._perform(step)

    async def see_out(self) -> CallEnd:
        """Hang up if the call still lasts, and note the rest of what was heard."""
        await self.call.hang_up()
        end = await self.call.ended
        await asyncio.sleep(0)  # let the listener finish
        self._attention.tell()
        return end

    async def _perform(self, step: steps.Step) -> None:
        match step:
            case steps.Hears():
                await prompt_steps.hear(self._attention, step)
            case steps.HearsBegin():
                await prompt_steps.hear_begin(self._attention, step)
            case steps.HearsCut():
                await prompt_steps.hear_cut(self._attention, step)
            case steps.HearsSilence():
                await sound_steps.hear_silence(self._attention, step)
            case steps.HearsSound():
                await sound_steps.hear_sound(self._attention, step)
            case steps.HearsTone():
                await sound_steps.hear_tone(self._attention, step)
            case steps.HearsMusic():
                await self._hear_music(step)
            case steps.Joined():
                await self._be_joined(step)
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
        attention = self._attention
        if isinstance(step, steps.Presses):
            await attention.let_pass(step.after_s)
            await self._press(step)
        elif isinstance(step, steps.SpeaksTone):
            attention.say("spoke", f"sends {step.speaks_tone_hz:g} Hz for {step.for_s:g} s", hz=step.speaks_tone_hz)
            self.call.speak(tone(step.speaks_tone_hz, step.for_s))
        elif isinstance(step, steps.Waits):
            await attention.let_pass(step.waits_s)
            attention.let_go()
        elif isinstance(step, steps.HangsUp):
            await attention.let_pass(step.hangs_up_after_s)
            await self.call.hang_up()

    async def _press(self, step: steps.Presses) -> None:
        try:
            self._attention.say("pressed", f"presses {step.presses}", keys=step.presses)
            await self.call.press(step.presses, step.tone_ms, step.gap_ms)
        except LabError as fault:
            ending = f": {ending_in_words(self.call.end)}" if self.call.end else ""
            raise StepFailed(f"{step.presses} could not be pressed: {fault}{ending}") from fault
        self._attention.tell()

    # Queues

    async def _hear_music(self, step: steps.HearsMusic) -> None:
        if self._company.music is None:
            raise LabError("this stage has no music on hold to listen for")
        await sound_steps.hear_music(self._attention, step, self._company.music)

    async def _be_joined(self, step: steps.Joined) -> None:
        """Send a tone of our own until the agent has heard it, and we the agent's."""
        agent, own_hz = self._company.agents[step.joined], self._company.tone_hz
        self.call.speak(tone(own_hz, 1.0), repeat=True)
        try:
            hears, is_heard = await asyncio.gather(
                sound_steps.hears_tone(self._attention, agent.tone_hz, step.within_s),
                agent.hears_tone(own_hz, step.within_s),
            )
        finally:
            self.call.speak(_SILENCE)
        if not (hears and is_heard):
            raise StepFailed(f"expected to be joined with {step.joined}{self._not_joined(step, hears, is_heard)}")
        self._attention.say("joined", f"talks with {step.joined}; they hear each other", agent=step.joined)

    def _not_joined(self, step: steps.Joined, hears: bool, is_heard: bool) -> str:
        if hears or is_heard:
            deaf, voice = (step.joined, "the caller") if hears else ("the caller", step.joined)
            return f", but {deaf} did not hear {voice}"
        return self._attention.instead(step.within_s)

    # The call itself

    async def _be_answered(self, within_s: float) -> None:
        until_s = self.call.now_s + within_s
        while not self.call.is_answered:
            if not await self._attention.more(until_s):
                raise StepFailed(f"expected an answer within {within_s:g} s{self._attention.instead(within_s)}")

    async def _be_hung_up(self, step: steps.IsHungUp) -> None:
        until_s = self.call.now_s + step.within_s
        while (event := await self._attention.next_event(until_s)) is not None:
            if not isinstance(event, Heard) or step.ignoring_others:
                continue
            if not self._attention.is_playing(event):
                raise StepFailed(f"expected to be hung up, heard {prompt_names(event.prompts)} ({how_far(event)})")
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
            if not await self._attention.more(until_s):
                break
        end = self.call.end
        if end is None or self.call.is_answered:
            what = "it was answered" if self.call.is_answered else f"nothing happened within {step.within_s:g} s"
            raise StepFailed(f"expected to be refused with {step.is_refused}, but {what}")
        if end.status != step.is_refused:
            raise StepFailed(f"expected to be refused with {step.is_refused}, but {ending_in_words(end)}")
