"""Takes one step of a run: follows the nodes' moves until one asks something of the call or ends the run.

Used by `run` only. Here are the rules that hold for every node: when the call is answered, where a fault leads,
how long a flow may go on without asking anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cordboard.flows.conditions import ExpressionFailed
from cordboard.flows.flow import Flow
from cordboard.flows.node import Ask, End, Go, Gone, LeaveTo, Move, NodeFailed, unexpected
from cordboard.flows.step import Finish, Secret, Step
from cordboard.telephony.outcomes import Done, Outcome
from cordboard.telephony.verbs import Answer, Enqueue, Gather, Hangup, Play, Record, Say, Verb, VoicemailBox

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun

MAX_SILENT_MOVES = 100  # nodes passed without asking anything of the call; more is a loop
MAX_PATH = 50  # nodes remembered of a call's way: what a person can take in at a glance, and more

# Phases of the engine's own, at whatever node.
ANSWERING = "answering"
ENDING = "ending"

_ANSWER = Answer()
_HANGUP = Ask(Hangup(), ENDING)
_MEDIA = (Play, Say, Gather, Record, VoicemailBox, Enqueue)


@dataclass(frozen=True, slots=True)
class Fault:
    """A move of the engine's own: something broke."""

    reason: str


class Walk:
    """One step in the making."""

    __slots__ = ("_entered", "_faults", "_has_kept", "_now", "run")

    def __init__(self, run: FlowRun, now: datetime) -> None:
        self.run = run
        self._now = now
        self._entered: list[str] = []
        self._faults: tuple[str, ...] = ()
        self._has_kept = False  # something was put into variables or secrets on the way

    def receive(self, outcome: Outcome) -> Step:
        """Give an outcome to the node that waits for it."""
        run = self.run
        if run.phase == ANSWERING and isinstance(outcome, Done):
            self.run = replace(run, answered=True, phase="")
            return self.reenter()
        if run.phase in (ANSWERING, ENDING):
            return self.follow(Fault(str(unexpected(outcome))))
        node = run.flow.nodes[run.node]
        return self.follow(self._decide(lambda: node.receive(run, outcome, self._now)))

    def reenter(self) -> Step:
        """Begin the current node again, or end the call again if it was about to end."""
        if self.run.phase == ENDING:
            return self.follow(End())
        self.run = replace(self.run, phase="")
        return self.follow(self._enter())

    def follow(self, move: Move | Fault) -> Step:
        """The step that a move leads to."""
        moves_left = MAX_SILENT_MOVES
        while True:
            match move:
                case Ask():
                    return self._ask(move)
                case Go():
                    moves_left -= 1
                    self._go(move)
                    move = self._enter() if moves_left else Fault("a loop that asks nothing of the call")
                case LeaveTo(flow):
                    return self.finish(Finish("other_flow", flow))
                case End():
                    move = _HANGUP
                case Gone():
                    return self.finish(Finish("hung_up"))
                case Fault(reason):
                    if self.run.failing or not self.run.flow.on_failure:
                        return self.finish(Finish("failed"), reason)
                    move = self._to_failure_node(reason)
                    moves_left = MAX_SILENT_MOVES

    def finish(self, finish: Finish, fault: str = "") -> Step:
        """The last step."""
        self._note(fault)
        run = replace(self.run, finish=finish, phase="", path=self._path())
        return Step(run, None, tuple(self._entered), finish, self._faults)

    def _enter(self) -> Move | Fault:
        run = self.run
        return self._decide(lambda: run.flow.nodes[run.node].enter(run, self._now))

    def _decide(self, decide: Callable[[], Move]) -> Move | Fault:
        try:
            return decide()
        except (NodeFailed, ExpressionFailed) as error:
            return Fault(str(error))

    def _go(self, move: Go) -> None:
        run = self.run
        self._entered.append(move.node)
        self._has_kept = self._has_kept or bool(move.variables or move.secret)
        secrets = run.secrets
        if move.secret:
            name, digits = move.secret
            secrets = {**secrets, name: Secret(digits, run.node)}
        variables = {**run.variables, **move.variables} if move.variables else run.variables
        self.run = run._moved(move.node, move.language or run.language, variables, secrets)

    def _to_failure_node(self, reason: str) -> Go:
        self._note(reason)
        self.run = replace(self.run, failing=True)
        return Go(self.run.flow.on_failure)

    def _note(self, fault: str) -> None:
        if fault:
            self._faults = (*self._faults, f"{self.run.node}: {fault}")

    def _ask(self, ask: Ask) -> Step:
        run, verb, phase = self.run, ask.verb, ask.phase
        if not run.answered and _needs_answer(run.flow, verb):
            verb, phase = _ANSWER, ANSWERING
        seq = run.seq + 1
        kept_at = seq if self._has_kept else run.kept_at
        asking = run._asking(phase, ask.attempts, seq, kept_at, self._path())
        return Step(asking, verb, tuple(self._entered), None, self._faults)

    def _path(self) -> tuple[str, ...]:
        """The run's path with the nodes of this step."""
        run = self.run
        if not self._entered:
            return run.path
        return (*run.path, *(f"{run.flow.name}/{node}" for node in self._entered))[-MAX_PATH:]


def _needs_answer(flow: Flow, verb: Verb) -> bool:
    """Whether the call must be picked up before this verb. A `Dial` picks up by itself, when the target does."""
    return flow.answer == "at_once" or (flow.answer == "first_media" and isinstance(verb, _MEDIA))
