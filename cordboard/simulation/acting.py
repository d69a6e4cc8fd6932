"""Plays the caller of a flow test: carries out the steps on a rehearsal, and says clearly which one cannot be.

A caller is patient: what is said is heard to its end before the next step, unless the step before was
`hears_begin`. After the last step the caller stays in the line, silent, until the call is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cordboard.simulation import caller_steps as c
from cordboard.simulation.events import Heard, KeysLost
from cordboard.simulation.hearing import Spoken
from cordboard.simulation.pauses import Hearing, Listening, Pause, Recording, Unanswered, Waiting
from cordboard.simulation.rehearsal import Rehearsal
from cordboard.telephony.verbs import HttpRequest, RunScript


@dataclass(frozen=True, slots=True)
class CannotBe(Exception):
    """A step that cannot be carried out. expected, instead: in words."""

    expected: str
    instead: str


class Caller:
    """The caller of one rehearsal."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._call = rehearsal
        self._seen = 0  # events that earlier steps have dealt with
        self._is_early = False  # in the middle of what `hears_begin` waited for
        self._doings: dict[type, Callable[[Any], None]] = {
            c.Hears: self._hears,
            c.HearsBegin: self._hears_begin,
            c.HearsText: self._hears_text,
            c.Presses: self._presses,
            c.Waits: self._waits,
            c.Speaks: self._speaks,
            c.Joined: self._joined,
            c.HangsUp: self._hangs_up,
        }

    def do(self, step: c.Step) -> None:
        """Carry out one step. Raises CannotBe."""
        self._doings[type(step)](step)
        self._is_early = isinstance(step, c.HearsBegin)
        self._check_answered()

    def stay(self) -> None:
        """Do nothing more until the call is over. Raises CannotBe where it waits for an answer nobody gave."""
        while not self._call.is_over:
            self._settle()
        self._check_answered()

    def _hears(self, step: c.Hears) -> None:
        for name in step.hears:
            self._hear(f"to hear {name}", lambda said, name=name: said.is_called(name))  # type: ignore[misc]

    def _hears_text(self, step: c.HearsText) -> None:
        wanted = _plain(step.hears_text)
        self._hear(f'to hear "{step.hears_text}"', lambda said: wanted in _plain(said.words))

    def _hears_begin(self, step: c.HearsBegin) -> None:
        while True:
            pause = self._call.pause
            if isinstance(pause, Hearing) and pause.rest[0].is_called(step.hears_begin):
                self._seen = len(self._call.events)
                return
            if pause is None or _needs_caller(pause):
                raise CannotBe(f"to hear the beginning of {step.hears_begin}", self._instead())
            self._settle()

    def _presses(self, step: c.Presses) -> None:
        if not self._is_early:
            self._go_on_to(lambda pause: _listens(pause, step.presses))
        if self._call.is_over:
            raise CannotBe(f"to press {step.presses}", self._now())
        seen = len(self._call.events)
        self._call.press(step.presses)
        lost = next((event.what for event in self._call.events[seen:] if isinstance(event.what, KeysLost)), None)
        if lost:
            raise CannotBe(f"somebody to listen to `{lost.keys}`", lost.why)

    def _waits(self, step: c.Waits) -> None:
        left_s = step.waits
        while left_s > 0 and not self._call.is_over:
            left_s = self._call.stay(left_s) if not isinstance(self._call.pause, Unanswered) else self._unanswered()

    def _speaks(self, step: c.Speaks) -> None:
        self._go_on_to(_needs_caller)
        if not isinstance(self._call.pause, Recording):
            raise CannotBe("a recording to speak into", self._now())
        self._call.speak(step.speaks)

    def _joined(self, step: c.Joined) -> None:
        while not self._talks_to(step.joined):
            if self._call.pause is None or _needs_caller(self._call.pause):
                raise CannotBe(f"to talk to {step.joined}", self._now())
            self._settle()

    def _hangs_up(self, _step: c.HangsUp) -> None:
        if self._call.is_over:
            raise CannotBe("to hang up", self._now())
        self._call.hang_up()

    # What the steps are made of.

    def _hear(self, expected: str, fits: Callable[[Spoken], bool]) -> None:
        """Go on until something was heard."""
        while True:
            for number in range(self._seen, len(self._call.events)):
                what = self._call.events[number].what
                if isinstance(what, Heard) and what.whole and fits(what.said):
                    self._seen = number + 1
                    return
            if self._call.pause is None or _needs_caller(self._call.pause):
                raise CannotBe(expected, self._instead())
            self._settle()

    def _go_on_to(self, is_there: Callable[[Pause], bool]) -> None:
        """Do nothing until then, or until the call is over."""
        while self._call.pause is not None and not is_there(self._call.pause):
            self._settle()

    def _settle(self) -> None:
        if isinstance(self._call.pause, Unanswered):
            self._unanswered()
        self._call.settle()

    def _check_answered(self) -> None:
        if isinstance(self._call.pause, Unanswered):
            self._unanswered()

    def _unanswered(self) -> float:
        """Raises CannotBe: a test has to say what web services and scripts answer."""
        assert isinstance(self._call.pause, Unanswered)
        raise CannotBe(f"an answer to {shown_request(self._call.pause.verb)}", "none is given that fits")

    def _talks_to(self, who: str) -> bool:
        pause = self._call.pause
        return isinstance(pause, Waiting) and pause.phase.what == "talks" and pause.phase.who == who

    def _instead(self) -> str:
        """What was heard since the last step, and where the call is."""
        since = [event.what.said for event in self._call.events[self._seen :] if isinstance(event.what, Heard)]
        heard = ", ".join(f"{said.language}/{said.name}" for said in since)
        return f"heard {heard}; {self._now()}" if heard else self._now()

    def _now(self) -> str:
        """Where the call is, in words."""
        match self._call.pause:
            case None:
                ended = self._call.ended
                return f"the call is over ({ended.result})" if ended else "the call is over"
            case Hearing() as hearing:
                return f"{hearing.rest[0].name} is being said"
            case Listening():
                return "a key is waited for"
            case Recording():
                return "a message is being recorded"
            case Waiting() as waiting:
                return f"the caller {waiting.phase.what}: {waiting.phase.who}"
            case Unanswered(verb):
                return f"{shown_request(verb)} has no answer"


def shown_request(verb: HttpRequest | RunScript) -> str:
    """What was asked, for people."""
    if isinstance(verb, RunScript):
        return f"script {verb.script}"
    return f"{verb.method} {verb.service} {verb.path}"


def _listens(pause: Pause, keys: str) -> bool:
    """Whether a caller who waits for the right moment presses these keys now."""
    if isinstance(pause, Recording):
        return keys == pause.verb.end_key
    return isinstance(pause, Listening) or (isinstance(pause, Waiting) and keys[0] in pause.keys)


def _needs_caller(pause: Pause) -> bool:
    """Whether the caller is expected to do something now."""
    return isinstance(pause, Listening | Recording)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
