"""One call's run through a flow, as a frozen value: where it is, what it knows, and what comes next.

Driven by the service, which performs each step's verb and hands the outcome back. Nothing here waits, reads a
clock or opens a socket. What a caller does routes by the flow; what breaks (a `Failed` verb, a condition that
failed, a loop that never asks anything) goes to the flow's `on_failure` once, and a second time ends the run as
"failed", which the service turns into the safe destination. After `HungUp` nothing is asked of the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cordboard.errors import FlowError
from cordboard.flows.checkpoint import Checkpoint
from cordboard.flows.conditions import Kind, Value, facts_of
from cordboard.flows.flow import Flow
from cordboard.flows.node import NO_ATTEMPTS, Attempts, Go
from cordboard.flows.step import Finish, Secret, Step
from cordboard.flows.walk import ANSWERING, ENDING, MAX_PATH, Fault, Walk
from cordboard.telephony.call import Call
from cordboard.telephony.outcomes import AgentRung, Connected, Failed, HungUp, Outcome, Served
from cordboard.telephony.verbs import Record

__all__ = ["Finish", "FlowRun", "Step"]

MAX_SILENT_FLOWS = 10  # flows that send the call on without asking anything of it; more is a loop

_SNAPSHOT_VERSION = 1
_PYTHON_TYPES: dict[Kind, type] = {"string": str, "int": int, "double": float, "bool": bool}


@dataclass(frozen=True, slots=True)
class FlowRun:
    """Where a call is in its flow.

    phase:    which verb of the node is under way; attempts: the caller's failures at this node.
    failing:  the flow's `on_failure` has been used up. seq: verbs asked for so far.
    kept_at:  seq of the step that last changed variables or secrets; 0 if there are none, so that a checkpoint is
              enough to go on.
    hops:     flows entered since the last verb. finish: set once the run is over.
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

    @classmethod
    def begin(cls, flow: Flow, call: Call, language: str | None = None) -> FlowRun:
        """A run that has not started. language: the flow's first one, if it does not speak this one."""
        spoken = language if language in flow.languages else None
        return cls(flow, call, flow.start, spoken or flow.languages[0])

    def into(self, flow: Flow) -> FlowRun:
        """The run of another flow on the same call, after the finish "other_flow"."""
        other = FlowRun.begin(flow, self.call, self.language)
        return replace(other, answered=self.answered, seq=self.seq, hops=self.hops + 1, path=self.path)

    def start(self, now: datetime) -> Step:
        """The first step. now: aware, as everywhere here."""
        walk = Walk(self, now)
        if self.hops > MAX_SILENT_FLOWS:
            return walk.finish(Finish("failed"), "flows send the call to each other without end")
        return walk.follow(Go(self.flow.start))

    def advance(self, outcome: Outcome, now: datetime) -> Step:
        """The step after a verb's outcome. Never raises, whatever outcome comes."""
        if self.finish:
            return Step(self, None, finish=self.finish)
        walk = Walk(self, now)
        match outcome:
            case HungUp():
                return walk.finish(Finish("hung_up"))
            case Failed(reason):
                return walk.follow(Fault(reason))
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
            "version": _SNAPSHOT_VERSION,
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
            "variables": dict(self.variables),
            "secrets": {name: secret.asked_at for name, secret in self.secrets.items()},
            "finish": [self.finish.kind, self.finish.flow] if self.finish else None,
            "path": list(self.path),
        }

    @classmethod
    def restore(
        cls, flow: Flow, call: Call, snapshot: Mapping[str, Any], *, at: Checkpoint | None = None
    ) -> FlowRun:
        """The run a snapshot was taken of; back at the first gather of a secret, if it held any.

        at: a later place of the same call, with the same variables; the run continues there.
        A newer revision of the flow will do, if it still has the node: variables it does not know are left out.
        Raises FlowError if the snapshot fits neither flow nor call.
        """
        _check_version(flow, snapshot)
        _check_fit(flow, call, snapshot["flow"], snapshot["call_id"], snapshot["node"])
        run = cls(
            flow,
            call,
            node=snapshot["node"],
            language=snapshot["language"] if snapshot["language"] in flow.languages else flow.languages[0],
            phase=snapshot["phase"],
            attempts=Attempts(*snapshot["attempts"]),
            variables=_fitting(flow, snapshot["variables"]),
            answered=snapshot["answered"],
            failing=snapshot["failing"],
            seq=snapshot["seq"],
            kept_at=snapshot["kept_at"],
            hops=snapshot["hops"],
            finish=Finish(*snapshot["finish"]) if snapshot["finish"] else None,
            path=tuple(snapshot.get("path", ())),  # snapshots of earlier releases have none
        )
        if at is not None:
            _check_fit(flow, call, at.flow, at.call_id, at.node)
            run = run._at(at)
        return run._back_to_secrets(list(snapshot["secrets"].values()))

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
        self, node: str, language: str, variables: Mapping[str, Value], secrets: Mapping[str, Secret]
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
        )

    def _asking(self, phase: str, attempts: Attempts, seq: int, kept_at: int, path: tuple[str, ...]) -> FlowRun:
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
        )

    def _back_to_secrets(self, asked_at: list[str]) -> FlowRun:
        """Secrets were lost with the worker: ask again. Not where a dialled party may be talking to the caller, or
        has been: nobody is asked for a PIN behind a conversation.
        """
        if not asked_at or self.finish or self.phase == ENDING or self.awaits_return:
            return self
        if asked_at[0] not in self.flow.nodes:
            raise FlowError("the node that asked for a secret is gone", flow=self.flow.name, node=asked_at[0])
        return replace(self, node=asked_at[0], phase="", attempts=NO_ATTEMPTS)


def _check_version(flow: Flow, snapshot: Mapping[str, Any]) -> None:
    if snapshot.get("version") != _SNAPSHOT_VERSION:
        raise FlowError("a snapshot of another version", flow=flow.name)


def _check_fit(flow: Flow, call: Call, flow_name: str, call_id: str, node: str) -> None:
    if flow.name != flow_name:
        raise FlowError(f"the call is in flow {flow_name}", flow=flow.name)
    if call.call_id != call_id:
        raise FlowError("noted for another call", flow=flow.name)
    if node not in flow.nodes:
        raise FlowError("there is no such node in this revision", flow=flow.name, node=node)


def _fitting(flow: Flow, variables: Mapping[str, Value]) -> dict[str, Value]:
    kinds = flow.variables
    return {name: value for name, value in variables.items() if name in kinds and _fits(value, kinds[name])}


def _fits(value: Value, kind: Kind) -> bool:
    return type(value) is _PYTHON_TYPES[kind]
