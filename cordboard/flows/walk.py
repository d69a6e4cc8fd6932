"""Takes one step of a run: follows the nodes' moves until one asks something of the call or ends the run.

Used by `run` only. Here are the rules that hold for every node: when the call is answered, where a fault leads,
what becomes of a run whose caller has left, how flows call each other, how long they may go on and ask nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from cordboard.flows.calling import MAX_DEPTH, CallingFlow
from cordboard.flows.conditions import ExpressionFailed
from cordboard.flows.node import (
    NO_ATTEMPTS,
    Ask,
    Away,
    CallFlow,
    End,
    Go,
    Gone,
    LeaveTo,
    Move,
    NodeFailed,
    Return,
    unexpected,
)
from cordboard.flows.step import Finish, Passed, Secret, Step
from cordboard.telephony.outcomes import Done, Failed, FlowReturned, Outcome
from cordboard.telephony.verbs import (
    Answer,
    Enqueue,
    Gather,
    Hangup,
    Play,
    Record,
    RecordCall,
    Say,
    ServiceVerb,
    Verb,
    VoicemailBox,
)

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_SILENT_MOVES = 100  # nodes passed without asking anything of the call; more is a loop
MAX_PATH = 50  # nodes remembered of a call's way: what a person can take in at a glance, and more

# Phases of the engine's own, at whatever node.
ANSWERING = "answering"
ENDING = "ending"
HANGING_UP = "hanging_up"  # a `Hangup` that a node asked for: what comes of it is no caller who leaves

_ANSWER = Answer()
_HANGUP = Ask(Hangup(), ENDING)
_MEDIA = (Play, Say, Gather, Record, VoicemailBox, Enqueue)
_WITHOUT_CALL = get_args(ServiceVerb)
# Keys typed ahead are for the next question, which takes what it wants of them; after a talk nobody remembers any.
_KEEPING_TYPED = frozenset({Answer, Play, Say, RecordCall, *_WITHOUT_CALL})
_OVER = Finish("hung_up")


@dataclass(frozen=True, slots=True)
class Fault:
    """A move of the engine's own: something broke."""

    reason: str


_LOOP = Fault("a loop that asks nothing of the call")


class Walk:
    """One step in the making."""

    __slots__ = ("_entered", "_faults", "_has_kept", "_now", "_passed", "_told", "run")

    def __init__(self, run: FlowRun, now: datetime) -> None:
        self.run = run
        self._now = now
        self._entered: list[str] = []
        self._passed: list[Passed] = []
        self._faults: tuple[str, ...] = ()
        self._told = 0  # how many of `_entered` are in the run's path already: those of other flows
        self._has_kept = False  # variables, secrets or the flows that wait have changed on the way

    def begin(self) -> Step:
        """Enter the first node of the flow."""
        return self.follow(self._enter(self.run.flow.start))

    def receive(self, outcome: Outcome) -> Step:
        """Give an outcome to the node that waits for it."""
        run = self.run
        if run.phase == ANSWERING and isinstance(outcome, Done):
            self.run = replace(run, answered=True, phase="")
            return self.follow(self._decide())
        if run.phase in (ANSWERING, ENDING):
            return self.follow(Fault(str(unexpected(outcome))))
        return self.follow(self._give(outcome))

    def reenter(self) -> Step:
        """Begin the current node again, or end the call again if it was about to end."""
        if self.run.phase == ENDING:
            return self.follow(End())
        self.run = replace(self.run, phase="")
        return self.follow(self._decide())

    def follow(self, move: Move | Fault) -> Step:
        """The step that a move leads to."""
        moves_left = MAX_SILENT_MOVES
        while True:
            match move:
                case Ask():
                    return self._ask(move)
                case Go() | CallFlow():
                    moves_left -= 1
                    move = self._go_on(move) if moves_left > 0 else _LOOP
                case Return(values):
                    move = self._come_back(FlowReturned(values))
                case LeaveTo(flow):
                    return self.finish(Finish("other_flow", flow))
                case Away():
                    return self.finish(Finish("transferred"))
                case End():
                    move = _HANGUP
                case Gone():
                    return self.caller_left()
                case Fault(reason):
                    if self._is_lost:
                        return self.finish(Finish("failed"), reason)
                    if len(self._faults) < MAX_DEPTH:  # else flows break and are called again without end
                        moves_left = MAX_SILENT_MOVES
                    move = self._recover(reason)

    def caller_left(self) -> Step:
        """Go on, without the call, at the `on_hangup` of the innermost flow that has one."""
        if self.run.gone or self.run.phase in (ENDING, HANGING_UP):
            return self.finish(_OVER)
        while not self.run.flow.on_hangup:
            if not self.run.stack:
                return self.finish(_OVER)
            self._pop()
        self._pass_all_waiting()
        self.run = replace(self.run, gone=True, typed="", stack=())
        return self.follow(self._enter(self.run.flow.on_hangup))

    def finish(self, finish: Finish, fault: str = "") -> Step:
        """The last step. A call whose caller has left needs no safe place."""
        self._note(fault)
        self._pass_all_waiting()
        if self.run.gone and finish.kind != "other_flow":
            finish = _OVER
        run = replace(self.run, finish=finish, phase="", path=self._path())
        return Step(run, None, tuple(self._entered), finish, self._faults, tuple(self._passed))

    def _ask(self, ask: Ask) -> Step:
        run, verb, phase = self.run, ask.verb, ask.phase
        if run.gone:
            if not isinstance(verb, _WITHOUT_CALL):
                return self.finish(_OVER)
        elif not run.answered and _needs_answer(run, verb):
            verb, phase = _ANSWER, ANSWERING
        if type(verb) is Hangup:
            phase = phase or HANGING_UP
        seq = run.seq + 1
        kept_at = seq if self._has_kept else run.kept_at
        typed = run.typed if type(verb) in _KEEPING_TYPED else ""
        asking = run._asking(phase, ask.attempts, seq, kept_at, self._path(), typed)
        return Step(asking, verb, tuple(self._entered), None, self._faults, tuple(self._passed))

    def _go_on(self, move: Go | CallFlow) -> Move | Fault:
        """Enter the node, or the flow, that a move names."""
        if type(move) is CallFlow:
            return self._call(move)
        assert type(move) is Go
        run, variables, secrets, changed = self.run, self.run.variables, self.run.secrets, move.variables
        if changed:
            self._has_kept = True
            variables = {**variables, **changed}
        if move.secret:
            self._has_kept = True
            name, digits = move.secret
            secrets = {**secrets, name: Secret(digits, run.node)}
            changed = {**changed, name: ""}
        self._passed.append(Passed(run.flow.name, run.node, move.exit, changed))
        self._entered.append(move.node)
        typed = run.typed if move.typed is None else move.typed
        self.run = run._moved(move.node, move.language or run.language, variables, secrets, typed)
        return self._decide()

    def _decide(self) -> Move | Fault:
        """The first move of the current node."""
        run = self.run
        try:
            return run.flow.nodes[run.node].enter(run, self._now)
        except (NodeFailed, ExpressionFailed) as error:
            return Fault(str(error))

    def _give(self, outcome: Outcome) -> Move | Fault:
        """The current node's move after an outcome."""
        run = self.run
        try:
            return run.flow.nodes[run.node].receive(run, outcome, self._now)
        except (NodeFailed, ExpressionFailed) as error:
            return Fault(str(error))

    def _enter(self, node: str) -> Move | Fault:
        """Go to a node by the flow's frame instead of by another node."""
        self._entered.append(node)
        run = self.run
        self.run = run._moved(node, run.language, run.variables, run.secrets, run.typed)
        return self._decide()

    def _call(self, move: CallFlow) -> Move | Fault:
        run = self.run
        flow = run.flow.subflows.get(move.flow)
        if flow is None or len(run.stack) >= MAX_DEPTH:
            return Fault(f"the flow {move.flow} cannot be called here")
        waiting = CallingFlow(run.flow, run.node, run.language, run.variables, run.secrets, run.failing)
        language = run.language if run.language in flow.languages else flow.languages[0]
        self._switch(
            flow=flow,
            node=flow.start,
            language=language,
            variables=move.arguments,
            secrets={},
            failing=False,
            stack=(*run.stack, waiting),
        )
        return self._enter(flow.start)

    def _come_back(self, outcome: FlowReturned | Failed) -> Move | Fault:
        """Give the node that called this flow what came of it."""
        if not self.run.stack:
            return Gone() if self.run.gone else Fault("no flow has called this one: there is nowhere to return to")
        self._pop()
        return self._give(outcome)

    def _pop(self) -> None:
        """Back to the node that called this flow."""
        run = self.run
        back = run.stack[-1]
        self._passed.append(Passed(run.flow.name, run.node, ""))
        self._switch(
            flow=back.flow,
            node=back.node,
            language=run.language if run.language in back.flow.languages else back.language,
            variables=back.variables,
            secrets=back.secrets,
            failing=back.failing,
            stack=run.stack[:-1],
        )

    def _switch(self, **place: Any) -> None:
        """On in another flow: the row must say so, and the path names both."""
        path = self._path()
        self._told = len(self._entered)
        self._has_kept = True
        self.run = replace(self.run, phase="", attempts=NO_ATTEMPTS, path=path, **place)

    @property
    def _is_lost(self) -> bool:
        """Whether nothing is left that helps where something broke."""
        run = self.run
        return not run.stack and (run.failing or not run.flow.on_failure)

    def _recover(self, reason: str) -> Move | Fault:
        """Go on at the flow's `on_failure`, or else where it was called."""
        self._note(reason)
        run = self.run
        if run.failing or not run.flow.on_failure:
            return self._come_back(Failed(f"the flow {run.flow.name} broke"))
        self._passed.append(Passed(run.flow.name, run.node, ""))
        self.run = replace(run, failing=True)
        return self._enter(run.flow.on_failure)

    def _pass_all_waiting(self) -> None:
        """Nothing comes back to the nodes that wait now, the innermost first."""
        run = self.run
        self._passed.append(Passed(run.flow.name, run.node, ""))
        self._passed += [Passed(one.flow.name, one.node, "") for one in reversed(run.stack)]

    def _note(self, fault: str) -> None:
        if fault:
            run = self.run
            place = f"{run.flow.name}/{run.node}" if run.stack else run.node
            self._faults = (*self._faults, f"{place}: {fault}")

    def _path(self) -> tuple[str, ...]:
        """The run's path with the nodes of this step."""
        run = self.run
        if len(self._entered) == self._told:
            return run.path
        return (*run.path, *[f"{run.flow.name}/{node}" for node in self._entered[self._told :]])[-MAX_PATH:]


def _needs_answer(run: FlowRun, verb: Verb) -> bool:
    """Whether the call must be picked up before this verb: the flow that took the call says when. A `Dial` picks up
    by itself, when the target does.
    """
    when = run.base.answer
    return when == "at_once" or (when == "first_media" and isinstance(verb, _MEDIA))
