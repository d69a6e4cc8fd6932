"""A call without a PBX, on the engine that real calls run on.

Used by the simulator and by flow tests. The rehearsal performs every verb: it says what is to be said, asks
`replies` what the world outside answers, and stops wherever the caller can do something (`pause`). Whoever plays
the caller then calls one of `settle`, `stay`, `press`, `speak`, `hang_up` and `learn`. Time passes by what is
heard, keyed and waited for; no clock is read. Everything that happens is noted in `events`, and any earlier moment
can be gone back to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from cordboard.errors import CordboardError
from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.simulation import events as e
from cordboard.simulation.given import Given
from cordboard.simulation.hearing import spoken_in
from cordboard.simulation.pauses import Hearing, Listening, Pause, Phase, Recording, Unanswered, Waiting
from cordboard.simulation.premises import Premises
from cordboard.simulation.replies import Replies, phases_of
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.call import Call
from cordboard.telephony.hangup_causes import HangupCause

MAX_VERBS = 1_000  # of one call; more is a call that never ends

_CALL_ID = "01KAJ5Q8XZ0000000000000000"  # of every simulated call: two runs of a test are the same to the letter
_KEY_S = 0.2  # a key down, and the pause after it
_TONE_S = 0.5  # before a recording
_LEFT = o.HungUp()
Place = tuple[str, str]  # a flow and a node
EndedBy = Literal["full", "end_key", "timeout"]


class Impossible(CordboardError):
    """The caller cannot do this now."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a call to come back to."""

    step: Step
    now: datetime
    pause: Pause | None
    pending: str
    events: tuple[e.Event, ...]
    asked: int
    used: Mapping[object, int]
    open: frozenset[Place]
    verb: v.Verb
    given: Given


class Rehearsal:
    """One call, from its beginning to its end."""

    def __init__(self, premises: Premises, flow: Flow, given: Given, language: str | None = None) -> None:
        """language: to begin in, instead of the flow's first."""
        self.premises = premises
        self.given = given
        self.now = self._began = given.moment(premises.clock)
        self.events: list[e.Event] = []
        self.pause: Pause | None = None
        self._replies = Replies(premises, given)
        self._asked = 0
        self._verb: v.Verb = v.Answer()  # the last that was performed
        self._pending = ""  # keys that came in one go with others, and that nothing has taken yet
        call = Call(
            call_id=_CALL_ID,
            switch="simulator",
            leg_id="simulated",
            dnis=premises.number_of(flow.name) if given.dnis is None else given.dnis,
            started_at=self.now,
            ani=given.ani,
            caller_name=given.name,
        )
        self._open: frozenset[Place] = frozenset()  # nodes entered and not left
        self._follow(FlowRun.begin(flow, call, language).start(self.now))

    # What can be asked about the call.

    @property
    def run(self) -> FlowRun:
        """Where the call is, with its variables."""
        return self._step.run

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.pause is None

    @property
    def ended(self) -> e.Ended | None:
        """How it ended."""
        last = self.events[-1].what if self.is_over and self.events else None
        return last if isinstance(last, e.Ended) else None

    @property
    def lasted_s(self) -> float:
        """Seconds since it began."""
        return (self.now - self._began).total_seconds()

    # What whoever plays the caller can do.

    def settle(self) -> None:
        """Do nothing: hear this to its end, let the question time out, wait until the next thing happens."""
        match self._paused():
            case Hearing() as hearing:
                self._hear_out(hearing)
            case Listening() as listening:
                self._time_out(listening)
            case Recording() as recording:
                self._pass(recording.verb.silence_s - recording.silent_s)
                self._recorded(recording)
            case Waiting() as waiting:
                self._end_phase(waiting)
            case Unanswered():
                raise Impossible("a web service or script was asked and has to answer first")

    def stay(self, seconds: float) -> float:
        """Do nothing for so long. Returns how much of it is left when something happened before.

        While something is said no time is counted: it is heard to its end.
        """
        pause = self._paused()
        left_s = _left_s(pause)
        if seconds >= left_s:
            self.settle()
            return seconds if isinstance(pause, Hearing) else seconds - left_s
        self._pass(seconds)
        match pause:
            case Listening():
                self.pause = replace(pause, left_s=left_s - seconds)
            case Recording():
                self.pause = replace(pause, silent_s=pause.silent_s + seconds)
            case Waiting():
                self.pause = replace(pause, spent_s=pause.spent_s + seconds)
        return 0.0

    def press(self, keys: str) -> None:
        """Key one entry, and wait until it is taken: at once, or when no more keys come."""
        match self._paused():
            case Hearing() as hearing:
                self._press_meanwhile(hearing, keys)
            case Listening() as listening:
                self._type(listening, keys)
            case Recording(verb=verb) as recording if keys == verb.end_key:
                self._note(e.Keyed(keys))
                self._recorded(recording)
            case Waiting() as waiting if keys[0] in waiting.keys:
                self._leave_queue(waiting, keys)
            case pause:
                self._lose(keys, _why_nobody_listens(pause))

    def speak(self, seconds: float) -> None:
        """Say something into a recording."""
        pause = self._paused()
        if not isinstance(pause, Recording):
            raise Impossible("nothing is being recorded")
        spoken_s = min(seconds, pause.verb.max_s - pause.spoken_s)
        self._note(e.Spoke(spoken_s))
        self._pass(spoken_s)
        self.pause = pause = Recording(pause.verb, pause.spoken_s + spoken_s)
        if pause.spoken_s >= pause.verb.max_s:
            self._recorded(pause)

    def hang_up(self) -> None:
        """Leave the call."""
        pause = self._paused()
        if isinstance(pause, Hearing):
            self._note(e.Heard(pause.rest[0], whole=False))
        if isinstance(pause, Waiting):
            self._note(e.Waited(pause.phase.what, pause.phase.who, pause.spent_s))
            self._asked_outside(self._verb, _LEFT)
        self._note(e.CallerLeft())
        if isinstance(pause, Recording):
            self._recorded(pause, hung_up=True)
        else:
            self._advance(_LEFT)

    def learn(self, given: Given) -> None:
        """More is given now: what waits for an answer gets it, if it is there."""
        self.given = self._replies.given = given
        pause = self._paused()
        if isinstance(pause, Unanswered) and (outcome := self._replies.to(pause.verb)):
            self._advance(self._asked_outside(pause.verb, outcome))

    # Going back.

    def mark(self) -> Mark:
        """This moment."""
        used = dict(self._replies.used)
        return Mark(
            self._step,
            self.now,
            self.pause,
            self._pending,
            tuple(self.events),
            self._asked,
            used,
            self._open,
            self._verb,
            self.given,
        )

    def back_to(self, mark: Mark) -> None:
        """As it was then."""
        self._step, self.now, self.pause, self._pending = mark.step, mark.now, mark.pause, mark.pending
        self._asked, self._open, self._verb = mark.asked, mark.open, mark.verb
        self._replies.used = dict(mark.used)
        self.given = self._replies.given = mark.given
        self.events[:] = mark.events

    # The course of the call.

    def _paused(self) -> Pause:
        if self.pause is None:
            raise Impossible("the call is over")
        return self.pause

    def _advance(self, outcome: o.Outcome) -> None:
        self._follow(self.run.advance(outcome, self.now))

    def _follow(self, step: Step) -> None:
        """Perform verb after verb until the caller can do something, or the call is over."""
        self.pause = None
        while True:
            self._step = step
            self._note_step(step)
            if step.finish and step.finish.kind == "other_flow":
                step = step.run.into(self.premises.flows[step.finish.flow]).start(self.now)
            elif step.verb is None:
                self._note(e.Ended(*_end_of(step, self._verb)))
                return
            elif (outcome := self._perform(step.verb)) is not None:
                step = step.run.advance(outcome, self.now)
            else:
                self._type_pending()
                return

    def _perform(self, verb: v.Verb) -> o.Outcome | None:
        """What comes of a verb; None where the caller can do something meanwhile."""
        self._asked += 1
        self._verb = verb
        if self._asked > MAX_VERBS:
            raise Impossible(
                f"the call goes on and on: {MAX_VERBS} things were asked of it; let the caller hang up"
            )
        if self._is_broken(verb):
            return self._asked_outside(verb, o.Failed("given so"))
        match verb:
            case v.Play(prompts) | v.Gather(prompts, typed="") if prompts:
                self.pause = Hearing(verb, spoken_in(prompts))
            case v.Say():
                self.pause = Hearing(verb, spoken_in((verb,)))
            case v.Gather():
                self._listen(verb)
            case v.Record():
                self._pass(_TONE_S if verb.beep else 0.0)
                self.pause = Recording(verb)
            case v.Dial() | v.Enqueue():
                self._wait_for(verb)
            case v.Hangup(cause):
                return o.HungUp(cause)
            case _ if self._replies.answers(verb):
                return self._run_errand(verb)
            case _:
                return o.Done()
        return None

    def _is_broken(self, verb: v.Verb) -> bool:
        return self.run.node in self.given.breaks and not isinstance(verb, v.Answer | v.Hangup)

    def _run_errand(self, verb: v.Verb) -> o.Outcome | None:
        outcome = self._replies.to(verb)
        if outcome is None:
            assert isinstance(verb, v.HttpRequest | v.RunScript)
            self.pause = Unanswered(verb)
            return None
        return self._asked_outside(verb, outcome)

    def _asked_outside(self, verb: v.Verb, outcome: o.Outcome) -> o.Outcome:
        self._note(e.Asked(verb, outcome))
        return outcome

    # What is said.

    def _hear_out(self, hearing: Hearing) -> None:
        said, rest = hearing.rest[0], hearing.rest[1:]
        self._note(e.Heard(said))
        self._pass(said.seconds)
        if rest:
            self.pause = replace(hearing, rest=rest)
        elif isinstance(hearing.verb, v.Gather):
            self._listen(hearing.verb)
        else:
            self._advance(o.Done())

    # What is keyed.

    def _listen(self, question: v.Gather) -> None:
        left_s = question.inter_digit_s if question.typed else question.first_digit_s
        self.pause = Listening(question, left_s, question.typed)

    def _press_meanwhile(self, hearing: Hearing, keys: str) -> None:
        said = hearing.rest[0]
        if not hearing.takes_keys:
            self._lose(keys, f"`{said.name}` is being said, and keys do not count meanwhile")
            return
        self._note(e.Heard(said, whole=False))
        if isinstance(hearing.verb, v.Gather):
            self._type(Listening(hearing.verb, hearing.verb.inter_digit_s, hearing.verb.typed), keys)
        else:
            self._note(e.Keyed(keys[0]))
            self._pending = keys[1:]
            self._advance(o.Interrupted(keys[0]))

    def _type(self, listening: Listening, keys: str) -> None:
        question, typed = listening.verb, listening.typed
        for number, key in enumerate(keys, 1):
            self._pass(_KEY_S)
            if key == question.end_key:
                self._take(question, keys[:number], typed, "end_key", keys[number:])
                return
            typed += key
            if len(typed) == question.max_digits or typed in question.ends:
                self._take(question, keys[:number], typed, "full", keys[number:])
                return
        self._pass(question.inter_digit_s)
        self._take(question, keys, typed, "timeout", "")

    def _leave_queue(self, waiting: Waiting, keys: str) -> None:
        assert isinstance(self._verb, v.Enqueue)
        self._note(e.Waited(waiting.phase.what, waiting.phase.who, waiting.spent_s))
        self._note(e.Keyed(keys[0]))
        self._pending = keys[1:]
        left = o.LeftByKey(keys[0], keys[0] in self._verb.step_out_keys)
        self._advance(self._asked_outside(self._verb, left))

    def _take(self, question: v.Gather, keys: str, digits: str, ended_by: EndedBy, pending: str) -> None:
        """The input is over. pending: keys that came in one go with it."""
        self._note(e.Keyed(keys, question.secret))
        self._pending = pending
        self._advance(o.Gathered(digits, ended_by))

    def _type_pending(self) -> None:
        """Keys that were pressed in one go with those before them go to what listens now, or are lost."""
        keys, self._pending = self._pending, ""
        if keys:
            self.press(keys)

    def _time_out(self, listening: Listening) -> None:
        self._note(e.Silence(listening.left_s))
        self._pass(listening.left_s)
        self._advance(o.Gathered(listening.typed, "timeout") if listening.typed else o.NoInput())

    def _lose(self, keys: str, why: str) -> None:
        self._note(e.KeysLost(keys, why))

    # What is recorded, and who is waited for.

    def _recorded(self, recording: Recording, *, hung_up: bool = False) -> None:
        verb = recording.verb
        outcome = o.Recorded(f"{verb.folder}/{verb.file}", recording.spoken_s, hung_up)
        self._note(e.Asked(verb, outcome))
        self._advance(outcome)

    def _wait_for(self, verb: v.Dial | v.Enqueue) -> None:
        phases, outcome = phases_of(verb, self.given, self.premises)
        keys = verb.exit_keys + verb.step_out_keys if isinstance(verb, v.Enqueue) else ""
        self.pause = Waiting(phases, outcome, keys=keys)

    def _end_phase(self, waiting: Waiting) -> None:
        phase = waiting.phase
        self._note(e.Waited(phase.what, phase.who, phase.seconds))
        self._pass(phase.seconds - waiting.spent_s)
        if waiting.phases[1:]:
            self.pause = Waiting(waiting.phases[1:], waiting.outcome)
            return
        self._advance(self._asked_outside(self._verb, waiting.outcome))

    # What is noted.

    def _pass(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _note(self, what: e.What, at: Place | None = None) -> None:
        run = self.run
        flow, node = at or (run.flow.name, run.node)
        self.events.append(e.Event(self.lasted_s, flow, node, run.language, what))

    def _note_step(self, step: Step) -> None:
        """What the engine did on the way, in its order: a node is entered before it breaks or is left."""
        faults = list(step.faults)
        ways = iter(_places_entered(step))
        for passed in step.passed:
            place = passed.flow, passed.node
            while place not in self._open and (entered := next(ways, None)):
                self._enter(entered)
            if not passed.exit and faults and faults[0].startswith(f"{passed.node}: "):
                self._note(e.Broke(faults.pop(0).partition(": ")[2]), place)
            self._note(e.Left(passed), place)
            self._open -= {place}
        for entered in ways:
            self._enter(entered)

    def _enter(self, place: Place) -> None:
        self._note(e.Entered(), place)
        self._open |= {place}


def _places_entered(step: Step) -> list[Place]:
    """The nodes entered in a step, each with its flow."""
    paths = step.run.path[-len(step.entered) :] if step.entered else ()
    flows = [path.partition("/")[0] for path in paths]
    unknown = [step.run.flow.name] * (len(step.entered) - len(flows))  # a path is cut after so many nodes
    return list(zip(unknown + flows, step.entered, strict=True))


def _end_of(step: Step, last_verb: v.Verb) -> tuple[e.Result, HangupCause]:
    """How the call ended. What the flow's own hang-up was is told apart from a caller who left."""
    assert step.finish is not None
    kind = step.finish.kind
    if kind == "hung_up" and isinstance(last_verb, v.Hangup):
        return "finished", last_verb.cause
    assert kind != "other_flow"
    return kind, HangupCause.NORMAL


def _left_s(pause: Pause) -> float:
    """How long until something happens by itself."""
    match pause:
        case Listening(left_s=left_s):
            return left_s
        case Recording(verb=verb, silent_s=silent_s):
            return verb.silence_s - silent_s
        case Waiting(spent_s=spent_s) as waiting:
            return waiting.phase.seconds - spent_s
    return 0.0


def _why_nobody_listens(pause: Pause) -> str:
    match pause:
        case Recording(verb=verb):
            return f"a message is being recorded; `{verb.end_key or 'silence'}` ends it"
        case Waiting(phases=(Phase(what="talks", who=who), *_)):
            return f"the caller talks to {who}"
        case Waiting(phases=(Phase(what="rings", who=who), *_)):
            return f"{who} is being rung"
        case Waiting(phases=(Phase(who=who), *_)):
            return f"the caller waits in the queue {who}"
    return "nothing is asked"
