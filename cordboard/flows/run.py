"""One call's run through a flow, as a frozen value: where it is, what it knows, and what comes next.

Driven by the service, which performs each step's verb and hands the outcome back. Nothing here waits, reads a
clock or opens a socket. What a caller does routes by the flow; what breaks (a `Failed` verb, a condition that
failed, a loop that never asks anything) goes to the flow's `on_failure` once, and a second time ends the run as
"failed", which the service turns into the safe destination. After `HungUp` nothing is asked of the call: the run
goes on at the flow's `on_hangup`, if it has one, with what needs no call, and ends silently where something does.

A flow may call another one and wait for it (`CallFlow`, `Return`). The run is always in the innermost flow; those
that wait are its `stack`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cordboard.errors import FlowError
from cordboard.flows.calling import CallingFlow, fitting, restore_stack
from cordboard.flows.checkpoint import Checkpoint
from cordboard.flows.conditions import Value, facts_of
from cordboard.flows.flow import Flow
from cordboard.flows.node import NO_ATTEMPTS, Attempts, Away
from cordboard.flows.step import Finish, Secret, Step
from cordboard.flows.walk import ANSWERING, ENDING, MAX_PATH, Fault, Walk
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import (
    AgentRung,
    Connected,
    Done,
    Failed,
    Gathered,
    HungUp,
    Interrupted,
    NoInput,
    Outcome,
    Served,
    Transferred,
)
from cordboard.telephony.verbs import Record

__all__ = ["Finish", "FlowRun", "Step"]

MAX_SILENT_FLOWS = 10  # flows that send the call on without asking anything of it; more is a loop

MAX_TYPED = 64  # keys kept for the questions to come; more is a child with a telephone

_SNAPSHOT_VERSION = 1
_SNAPSHOT_WITH_STACK = 2  # which releases without subflows cannot restore


@dataclass(frozen=True, slots=True)
class FlowRun:
    """Where a call is in its flow.

    phase:    which verb of the node is under way; attempts: the caller's failures at this node.
    failing:  the flow's `on_failure` has been used up. seq: verbs asked for so far.
    kept_at:  seq of the step that last changed variables or secrets; 0 if there are none, so that a checkpoint is
              enough to go on.
    hops:     flows entered since the last verb. finish: set once the run is over.
    stack:    the flows that wait for this one to return, the outermost first.
    typed:    keys that came before the question they belong to; in memory only, as they may be a PIN.
    gone:     the caller has left, and the run goes on without the call.
    path:     nodes entered, "support/menu", the last 50, across flows; for people to see how the call came here, so
              two runs that differ in nothing else are equal.
    """

    flow: Flow
    call: Call
    node: str
    language: str
    phase: str = ""
    attempts: Attempts = NO_ATTEMPTS
    variables: Mapping[str, Value] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, Secret] = field(default_factory=dict, repr=False)
    answered: bool = False
    failing: bool = False
    seq: int = 0
    kept_at: int = 0
    hops: int = 0
    finish: Finish | None = None
    path: tuple[str, ...] = field(default=(), compare=False)
    stack: tuple[CallingFlow, ...] = ()
    typed: str = field(default="", repr=False)
    gone: bool = False

    @classmethod
    def begin(cls, flow: Flow, call: Call, language: str | None = None) -> FlowRun:
        """A run that has not started. language: the flow's first one, if it does not speak this one."""
        spoken = language if language in flow.languages else None
        return cls(flow, call, flow.start, spoken or flow.languages[0])

    def into(self, flow: Flow) -> FlowRun:
        """The run of another flow on the same call, after the finish "other_flow"."""
        other = FlowRun.begin(flow, self.call, self.language)
        return replace(
            other,
            answered=self.answered,
            seq=self.seq,
            hops=self.hops + 1,
            path=self.path,
            typed=self.typed,
            gone=self.gone,
        )

    def start(self, now: datetime) -> Step:
        """The first step. now: aware, as everywhere here."""
        if self.hops > MAX_SILENT_FLOWS:
            finish = Finish("hung_up" if self.gone else "failed")
            faults = (f"{self.node}: flows send the call to each other without end",)
            return Step(replace(self, finish=finish), None, finish=finish, faults=faults)
        return Walk(self, now).begin()

    def advance(self, outcome: Outcome, now: datetime) -> Step:
        """The step after a verb's outcome. Never raises, whatever outcome comes."""
        if self.finish:
            return Step(self, None, finish=self.finish)
        walk = Walk(self, now)
        match outcome:
            case Done() | Gathered() | NoInput():  # most are: none of the rules below is theirs
                pass
            case HungUp():
                return walk.caller_left()
            case Failed(reason):
                return walk.follow(Fault(reason))
            case Transferred():
                return walk.follow(Away())
            case Interrupted(digits):
                walk.run = self.with_typed(self.typed + digits)
            case Connected() | Served() | AgentRung(result="joined"):
                walk.run = replace(self, answered=True)
        return walk.receive(outcome)

    def resume(self, now: datetime) -> Step:
        """The current node from its beginning, after the worker that had the call died. Attempts are kept."""
        if self.finish:
            return Step(self, None, finish=self.finish)
        return Walk(self, now).reenter()

    def resume_with(self, outcome: Outcome, now: datetime) -> Step:
        """The step after a verb which was handed over and has ended since; `resume` if this node has none."""
        if isinstance(outcome, HungUp) or self.awaits_return:
            return self.advance(outcome, now)
        return self.resume(now)

    def fail(self, reason: str, now: datetime) -> Step:
        """The step after something outside the flow broke: its `on_failure`, or the finish "failed"."""
        return self.advance(Failed(reason), now)

    def facts(self, now: datetime) -> dict[str, Any]:
        """What expressions see now."""
        sizes = {name: len(self.secrets[name].digits) if name in self.secrets else 0 for name in self.flow.secrets}
        return facts_of(self.call, self.language, self.variables, sizes, now)

    def with_typed(self, keys: str) -> FlowRun:
        """This run with these keys waiting for the next question, instead of any others."""
        return replace(self, typed=keys[:MAX_TYPED])

    @property
    def base(self) -> Flow:
        """The flow that the call is in when all that were called have returned."""
        return self.stack[0].flow if self.stack else self.flow

    @property
    def place(self) -> tuple[object, ...]:
        """Equal for two moments of a run at which a resume would do the same: they share a checkpoint."""
        phase = "" if self.phase == ANSWERING else self.phase
        return self.node, phase, self.attempts, self.language, self.failing, self.kept_at, self.flow.revision

    def checkpoint(self) -> str:
        """This place for the channel, at most 512 bytes; see `checkpoint`."""
        place = Checkpoint(
            self.call.call_id,
            self.flow.name,
            self.flow.revision,
            self.node,
            self.phase,
            self.attempts,
            self.language,
            self.answered,
            self.failing,
            self.seq,
            self.kept_at,
        )
        return str(place)

    def snapshot(self) -> dict[str, Any]:
        """Everything to restore this run, ready for JSON. Of secrets only who asked for them."""
        return {
            "version": _SNAPSHOT_WITH_STACK if self.stack else _SNAPSHOT_VERSION,
            "call_id": self.call.call_id,
            "flow": self.flow.name,
            "revision": self.flow.revision,
            "node": self.node,
            "phase": self.phase,
            "attempts": list(self.attempts),
            "language": self.language,
            "answered": self.answered,
            "failing": self.failing,
            "seq": self.seq,
            "kept_at": self.kept_at,
            "hops": self.hops,
            "gone": self.gone,
            "variables": dict(self.variables),
            "secrets": {name: secret.asked_at for name, secret in self.secrets.items()},
            "finish": [self.finish.kind, self.finish.flow] if self.finish else None,
            "path": list(self.path),
            "stack": [one.snapshot() for one in self.stack],
        }

    @classmethod
    def restore(
        cls, flow: Flow, call: Call, snapshot: Mapping[str, Any], *, at: Checkpoint | None = None
    ) -> FlowRun:
        """The run a snapshot was taken of; back at the first gather of a secret, if it held any.

        flow: the one that `base_of` names; those it has called are its own.
        at: a later place of the same call, with the same variables; the run continues there.
        A newer revision of the flow will do, if it still has the node: variables it does not know are left out.
        Raises FlowError if the snapshot fits neither flow nor call.
        """
        _check_version(flow, snapshot)
        stack, inner = restore_stack(flow, snapshot)
        _check_fit(inner, call, snapshot["flow"], snapshot["call_id"], snapshot["node"])
        run = cls(
            inner,
            call,
            node=snapshot["node"],
            language=snapshot["language"] if snapshot["language"] in inner.languages else inner.languages[0],
            phase=snapshot["phase"],
            attempts=Attempts(*snapshot["attempts"]),
            variables=fitting(inner, snapshot["variables"]),
            answered=snapshot["answered"],
            failing=snapshot["failing"],
            seq=snapshot["seq"],
            kept_at=snapshot["kept_at"],
            hops=snapshot["hops"],
            finish=Finish(*snapshot["finish"]) if snapshot["finish"] else None,
            path=tuple(snapshot.get("path", ())),  # snapshots of earlier releases have none of these
            stack=stack,
            gone=snapshot.get("gone", False),
        )
        if at is not None:
            _check_fit(inner, call, at.flow, at.call_id, at.node)
            run = run._at(at)
        return run._back_to_secrets(snapshot)

    @classmethod
    def from_checkpoint(cls, flow: Flow, call: Call, checkpoint: Checkpoint) -> FlowRun:
        """The run at a checkpoint, without variables: enough for `fail`, when the store cannot be read.

        Raises FlowError if the checkpoint fits neither flow nor call.
        """
        _check_fit(flow, call, checkpoint.flow, checkpoint.call_id, checkpoint.node)
        return cls.begin(flow, call)._at(checkpoint)

    def _at(self, place: Checkpoint) -> FlowRun:
        """The same variables at another place."""
        return replace(
            self,
            node=place.node,
            phase=place.phase,
            attempts=place.attempts,
            language=place.language if place.language in self.flow.languages else self.language,
            answered=place.answered,
            failing=place.failing,
            seq=place.seq,
            kept_at=place.kept_at,
            path=self._path_to(place.node),
        )

    def _path_to(self, node: str) -> tuple[str, ...]:
        """The path as far as it is known, with this node as its end: a checkpoint holds no path."""
        here = f"{self.flow.name}/{node}"
        return self.path if self.path[-1:] == (here,) else (*self.path, here)[-MAX_PATH:]

    @property
    def awaits_return(self) -> bool:
        """Whether the verb under way goes on without a worker: see `Node.awaits_return`."""
        return self.flow.nodes[self.node].awaits_return(self)

    @property
    def recording(self) -> Record | None:
        """The verb under way, if it is a recording: the switch ends one without a worker too."""
        return self.flow.nodes[self.node].recording(self)

    # The next two are called at every step, and written out because `replace` takes two and a half times as long.

    def _moved(
        self,
        node: str,
        language: str,
        variables: Mapping[str, Value],
        secrets: Mapping[str, Secret],
        typed: str,
    ) -> FlowRun:
        """This run at the beginning of another node."""
        return FlowRun(
            self.flow,
            self.call,
            node,
            language,
            "",
            NO_ATTEMPTS,
            variables,
            secrets,
            self.answered,
            self.failing,
            self.seq,
            self.kept_at,
            self.hops,
            None,
            self.path,
            self.stack,
            typed,
            self.gone,
        )

    def _asking(
        self, phase: str, attempts: Attempts, seq: int, kept_at: int, path: tuple[str, ...], typed: str
    ) -> FlowRun:
        """This run while a verb is under way."""
        return FlowRun(
            self.flow,
            self.call,
            self.node,
            self.language,
            phase,
            attempts,
            self.variables,
            self.secrets,
            self.answered,
            self.failing,
            seq,
            kept_at,
            0,
            None,
            path,
            self.stack,
            typed,
            self.gone,
        )

    def _back_to_secrets(self, snapshot: Mapping[str, Any]) -> FlowRun:
        """Secrets were lost with the worker: ask again, in the flow that asked first. Not where a dialled party may
        be talking to the caller, or has been: nobody is asked for a PIN behind a conversation. Nor after the caller
        has left.
        """
        if self.finish or self.gone or self.phase == ENDING or self.awaits_return:
            return self
        for number, kept in enumerate([*snapshot.get("stack", ()), snapshot]):
            if kept["secrets"]:
                outer = self._unwound(number)
                return replace(outer, node=_asked_at(outer.flow, kept["secrets"]), phase="", attempts=NO_ATTEMPTS)
        return self

    def _unwound(self, depth: int) -> FlowRun:
        """This run in a flow that waits, as if it had called none. depth: how many wait for that one."""
        if depth == len(self.stack):
            return self
        outer = self.stack[depth]
        return replace(
            self,
            flow=outer.flow,
            node=outer.node,
            language=outer.language,
            variables=outer.variables,
            secrets=outer.secrets,
            failing=outer.failing,
            stack=self.stack[:depth],
        )


def _asked_at(flow: Flow, secrets: Mapping[str, str]) -> str:
    """The node that asked for the first of these secrets. Raises FlowError if there is none any more."""
    node = next(iter(secrets.values()))
    if node not in flow.nodes:
        raise FlowError("the node that asked for a secret is gone", flow=flow.name, node=node)
    return node


def _check_version(flow: Flow, snapshot: Mapping[str, Any]) -> None:
    if snapshot.get("version") not in (_SNAPSHOT_VERSION, _SNAPSHOT_WITH_STACK):
        raise FlowError("a snapshot of another version", flow=flow.name)


def _check_fit(flow: Flow, call: Call, flow_name: str, call_id: str, node: str) -> None:
    if flow.name != flow_name:
        raise FlowError(f"the call is in flow {flow_name}", flow=flow.name)
    if call.call_id != call_id:
        raise FlowError("noted for another call", flow=flow.name)
    if node not in flow.nodes:
        raise FlowError("there is no such node in this revision", flow=flow.name, node=node)
