"""One simulated call that a person plays: what they did so far, steps back, and the same as a flow test.

Used by the terminal. The session knows no screen: it takes what was typed as actions and keeps what a test needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cordboard.flows.flow import Flow
from cordboard.simulation import caller_steps as c
from cordboard.simulation.events import Heard
from cordboard.simulation.given import Given, HttpReply, ScriptReply
from cordboard.simulation.hearing import VALUE
from cordboard.simulation.pauses import Hearing, Listening, Recording, Unanswered, Waiting
from cordboard.simulation.premises import Premises
from cordboard.simulation.rehearsal import Impossible, Mark, Rehearsal
from cordboard.telephony.verbs import HttpRequest, RunScript


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment of the call. steps: what the caller had done by then; said: where each thing said had begun."""

    mark: Mark
    steps: tuple[c.Step, ...]
    said: tuple[Turn, ...]


class Session:
    """A call in a person's hands."""

    def __init__(self, premises: Premises, flow: Flow, given: Given, language: str | None = None) -> None:
        self.language = language
        self.call = Rehearsal(premises, flow, given, language)
        self.steps: tuple[c.Step, ...] = ()
        self._turns: list[Turn] = []
        self._said: tuple[Turn, ...] = ()
        self._listen()

    # What can be done.

    def press(self, keys: str) -> None:
        """Key one entry."""
        self._turn()
        self._add(c.Presses(presses=keys))
        self.call.press(keys)
        self._listen()

    def do_nothing(self) -> None:
        """Let the question time out, or what is waited for happen."""
        self._turn()
        pause = self.call.pause
        if isinstance(pause, Listening | Recording):
            silent_s = pause.left_s if isinstance(pause, Listening) else pause.verb.silence_s - pause.silent_s
            self._add(c.Waits(waits=silent_s))
        self.call.settle()
        self._listen()

    def speak(self, seconds: float) -> None:
        """Say something into the recording."""
        self._turn()
        self._add(c.Speaks(speaks=seconds), hears=False)
        self.call.speak(seconds)
        self._listen()

    def hang_up(self) -> None:
        """Leave, now."""
        self._turn()
        pause = self.call.pause
        if isinstance(pause, Waiting) and pause.phase.what == "talks":
            self._add(c.Joined(joined=pause.phase.who), hears=False)
        elif isinstance(pause, Waiting):
            self.call.stay(min(1.0, pause.phase.seconds / 2))
            self._add(c.Waits(waits=min(1.0, pause.phase.seconds / 2)), hears=False)
        self._add(c.HangsUp(hangs_up=True), hears=not isinstance(pause, Waiting | Recording))
        self.call.hang_up()

    def hang_up_during(self, prompt: str) -> None:
        """Go back to the last time that this was said, and leave in the middle of it. Raises Impossible."""
        for turn in reversed(self._said):
            pause = turn.mark.pause
            if isinstance(pause, Hearing) and pause.rest[0].is_called(prompt):
                break
        else:
            raise Impossible(f"`{prompt}` has not been said")
        self._turn()
        self._return_to(turn)
        self.steps = (*self.steps, c.HearsBegin(hears_begin=prompt), c.HangsUp(hangs_up=True))
        self.call.hang_up()

    def answer(self, reply: HttpReply | ScriptReply) -> None:
        """What the web service or the script that was asked answers."""
        self._turn()
        pause, given = self.call.pause, self.call.given
        assert isinstance(pause, Unanswered)
        self.call.learn(_with_reply(given, pause.verb, reply))
        self._listen()

    def back(self) -> bool:
        """As it was before the last thing that was done. False if nothing was."""
        if not self._turns:
            return False
        turn = self._turns.pop()
        self._return_to(turn)
        return True

    # How it is kept.

    def _turn(self) -> None:
        self._turns.append(self._now())

    def _now(self) -> Turn:
        return Turn(self.call.mark(), self.steps, self._said)

    def _return_to(self, turn: Turn) -> None:
        self.call.back_to(turn.mark)
        self.steps = turn.steps
        self._said = turn.said

    def _listen(self) -> None:
        """Hear out what is said, until the person is to do something."""
        while isinstance(self.call.pause, Hearing):
            self._said = (*self._said, self._now())
            self.call.settle()

    def _add(self, step: c.Step, *, hears: bool = True) -> None:
        """A step of the test, behind what the caller heard before it."""
        heard = self._last_heard() if hears and isinstance(self.call.pause, Listening) else ""
        self.steps = (*self.steps, *([c.Hears(hears=(heard,))] if heard else []), step)

    def _last_heard(self) -> str:
        """The last prompt since the caller did something, if it has a name of its own."""
        seen = len(self._turns[-2].mark.events) if len(self._turns) > 1 else 0
        for event in reversed(self.call.events[seen:]):
            if isinstance(event.what, Heard) and event.what.whole and event.what.said.name != VALUE:
                return event.what.said.name
        return ""


def _with_reply(given: Given, verb: HttpRequest | RunScript, reply: HttpReply | ScriptReply) -> Given:
    """What is given, with one more reply, for this very request."""
    if isinstance(verb, RunScript):
        assert isinstance(reply, ScriptReply)
        scripts = {**given.scripts, verb.script: (*given.scripts.get(verb.script, ()), reply)}
        return _given_more(given, scripts=scripts)
    assert isinstance(reply, HttpReply)
    fitting = reply.model_copy(update={"path": verb.path, "method": verb.method, "times": 1})
    return _given_more(given, http={**given.http, verb.service: (*given.http.get(verb.service, ()), fitting)})


def _given_more(given: Given, **more: Any) -> Given:
    return given.model_copy(update=more)
