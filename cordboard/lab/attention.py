"""A performer's attention: what has been heard in the call, how much of it a step has judged, what to say of it.

Each step of a scenario works on one, so that everything heard is judged once and in order. It waits; it does not
decide what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cordboard.lab.call import Call
from cordboard.lab.call_ending import ending_in_words
from cordboard.lab.hearing import Began, Event, Heard, Sound
from cordboard.lab.listening import Listener
from cordboard.lab.prompt_book import PromptBook
from cordboard.lab.rtp import SAMPLE_RATE_HZ
from cordboard.lab.scenario import CallerPart
from cordboard.lab.timeline import LineKind, event_fields, in_words

Note = Callable[[float, LineKind, str, dict[str, Any]], None]  # second of the call, what, in words, as fields

END_S = 3.0  # how long after its known length the end of a prompt may come

_KINDS: dict[type[Event], LineKind] = {Began: "began", Heard: "heard", Sound: "sound"}


class StepFailed(Exception):
    """A step did not come true; the message says what happened instead."""


class Attention:
    """playing: what a step has heard begin and nobody has judged the end of."""

    def __init__(self, call: Call, book: PromptBook, part: CallerPart, note: Note) -> None:
        self.call = call
        self.listener = Listener(call, book)
        self.playing: Began | None = None
        self._book = book
        self._part = part
        self._note = note
        self._told = 0  # events noted in the time line
        self._judged = 0  # events that a step has used or let pass

    async def next_event(self, until_s: float) -> Event | None:
        """The next thing heard that no step has judged; None at `until_s`, or when the call has ended."""
        while True:
            self.tell()
            if self._judged < len(self.listener.events):
                self._judged += 1
                return self.listener.events[self._judged - 1]
            if self.listener.is_finished:
                return None
            if not await self.listener.changed(until_s) and self._judged == len(self.listener.events):
                return None

    async def more(self, until_s: float) -> bool:
        """Listen on for a moment. False at `until_s`, or when the call has ended."""
        goes_on = self.call.end is None and await self.listener.changed(until_s)
        self.tell()
        return goes_on

    async def let_pass(self, seconds: float) -> None:
        """Let so much time pass, or less if the call ends."""
        until_s = self.call.now_s + seconds
        while self.call.end is None and self.call.now_s < until_s:
            await self.more(until_s)

    def unjudged(self) -> list[Event]:
        """What was heard and no step has judged."""
        return self.listener.events[self._judged :]

    def let_go(self) -> None:
        """Judge nothing of what has been heard up to now, nor the end of what is playing."""
        self._judged = len(self.listener.events)
        if self._judged and isinstance(last := self.listener.events[-1], Began):
            self.playing = last

    def is_playing(self, heard: Heard) -> bool:
        """Whether this is the end of what is known to be playing."""
        return self.playing is not None and heard.start_s == self.playing.start_s

    def key(self, name: str) -> str:
        """The prompt which this caller means by a name."""
        return self._book.resolve(name, self._part.language, self._part.flow)

    def ends_before_s(self, began: Began | None) -> float:
        """By when a prompt that has begun must have ended."""
        if began is None:
            return 0.0
        return began.start_s + max(len(self._book[prompt]) for prompt in began.prompts) / SAMPLE_RATE_HZ + END_S

    def tell(self) -> None:
        """Note in the time line what has been heard since the last time."""
        for event in self.listener.events[self._told :]:
            at_s = event.start_s if isinstance(event, Began) else event.end_s
            self._note(at_s, _KINDS[type(event)], in_words(event, self._book, self._part.flow), event_fields(event))
        self._told = len(self.listener.events)

    def say(self, kind: LineKind, text: str, **fields: Any) -> None:
        """Note in the time line what the caller does now."""
        self._note(self.call.now_s, kind, text, fields)

    def instead(self, within_s: float) -> str:
        """What happened in place of what was expected, as the rest of a sentence."""
        if self.call.end is not None:
            return f", but {ending_in_words(self.call.end)}"
        quiet_s = self.call.now_s - self.listener.ear.quiet_since_s
        if self.listener.ear.sound_since_s is not None:
            return f" within {within_s:g} s, heard a sound that is no prompt"
        if not self.call.is_answered and not self.call.heard.end_s:
            return f" within {within_s:g} s, but the call was not answered and nothing was heard"
        return f" within {within_s:g} s, heard silence for {min(quiet_s, self.call.now_s):.1f} s"
