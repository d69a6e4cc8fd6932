"""What a compiled node is: two pure functions from what happened to the next move.

Implemented by each file of `nodes/`, driven by `run`. A node holds no state of a call: whatever must be
remembered between two steps is in the `FlowRun`, and a move says how it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from cordboard.flows.conditions import Value
from cordboard.telephony.outcomes import Outcome
from cordboard.telephony.verbs import Record, Verb

if TYPE_CHECKING:
    from cordboard.flows.run import FlowRun


class Attempts(NamedTuple):
    """How often a caller failed at the current node, counted apart as admins set the limits apart."""

    no_input: int = 0
    no_match: int = 0


NO_ATTEMPTS = Attempts()


class NodeFailed(Exception):
    """A node cannot go on; the flow continues at its `on_failure`. The text goes to the log: no values in it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Wait for a verb, then for its outcome at this node. phase: `[a-z_]*`, which of its verbs it is."""

    verb: Verb
    phase: str = ""
    attempts: Attempts = NO_ATTEMPTS


@dataclass(frozen=True, slots=True)
class Go:
    """Move to another node of the flow, with what that changes.

    exit: which of this node's ways it is, as `NodeOptions.exits` calls it: "next", "keys.1", "no_input.then".
    variables: to keep; secret: a name and digits to keep in memory only; language: "" to leave it as it is.
    typed: the keys that are left for the next question, "" for none; None leaves those there are (`FlowRun.typed`).
    """

    node: str
    exit: str = "next"
    variables: Mapping[str, Value] = field(default_factory=dict, repr=False)
    secret: tuple[str, str] | None = field(default=None, repr=False)
    language: str = ""
    typed: str | None = field(default=None, repr=False)

    def keeping(self, variables: Mapping[str, Value], typed: str | None = None) -> Go:
        """The same way, with variables to keep, and the keys that are left for the next question."""
        return Go(self.node, self.exit, variables, self.secret, self.language, typed)


@dataclass(frozen=True, slots=True)
class CallFlow:
    """Go through another flow and come back to this node, with the outcome `FlowReturned`.

    arguments: the values of the other flow's parameters.
    """

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Return:
    """Go back to the flow that called this one. values: one for each of its `returns`."""

    values: Mapping[str, Value] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class LeaveTo:
    """Go on in another flow, from its start."""

    flow: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The caller has left although the outcome was no `HungUp`, as after most recordings."""


@dataclass(frozen=True, slots=True)
class End:
    """Hang up. Unlike a `Hangup` asked for by the node, it stays a hang-up when the call is resumed there."""


@dataclass(frozen=True, slots=True)
class Away:
    """The call is the switch's own business now: it was transferred, and nothing more can be asked of it."""


Move = Ask | Go | CallFlow | Return | LeaveTo | Gone | Away | End


class Node:
    """One compiled node of a flow."""

    __slots__ = ()

    def awaits_return(self, run: FlowRun) -> bool:
        """Whether the verb under way goes on without a worker, and its outcome comes back to a later one."""
        return False

    def recording(self, run: FlowRun) -> Record | None:
        """The recording under way. What it came to can be found on the disk, whatever has become of its worker."""
        return None

    def enter(self, run: FlowRun, now: datetime) -> Move:
        """The first move at this node, also after a crash. Raises NodeFailed."""
        raise NotImplementedError

    def receive(self, run: FlowRun, outcome: Outcome, now: datetime) -> Move:
        """The next move after the outcome of the verb asked for. `HungUp` and `Transferred` never come here, and
        `Failed` only to a node that has called a flow, if that broke.

        Raises NodeFailed, by default for any outcome: nodes without a verb get none.
        """
        raise unexpected(outcome)


def unexpected(outcome: Outcome) -> NodeFailed:
    """The fault of an outcome that the node's verb cannot have."""
    return NodeFailed(f"an outcome of another verb: {type(outcome).__name__}")
