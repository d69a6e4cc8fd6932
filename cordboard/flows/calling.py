"""A flow that waits for the one it called: what `FlowRun` keeps of it until that returns, and how that is stored.

Used by `run` and `walk`. The innermost flow is the run's own; those around it are a tuple of these, the outermost
first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from cordboard.errors import FlowError
from cordboard.flows.conditions import Kind, Value
from cordboard.flows.flow import Flow
from cordboard.flows.step import Secret

MAX_DEPTH = 10  # flows that wait for each other; more is a tangle nobody can follow

_PYTHON_TYPES: dict[Kind, type] = {"string": str, "int": int, "double": float, "bool": bool}


@dataclass(frozen=True, slots=True)
class CallingFlow:
    """Where a flow will go on. node: the one that called; failing: its `on_failure` has been used up.

    language: what was spoken there, in case the called flow comes back with one that this flow does not speak.
    """

    flow: Flow
    node: str
    language: str
    variables: Mapping[str, Value] = field(repr=False)
    secrets: Mapping[str, Secret] = field(repr=False)
    failing: bool

    def snapshot(self) -> dict[str, Any]:
        """Everything to restore it, ready for JSON. Of secrets only who asked for them."""
        return {
            "flow": self.flow.name,
            "revision": self.flow.revision,
            "node": self.node,
            "language": self.language,
            "variables": dict(self.variables),
            "secrets": {name: secret.asked_at for name, secret in self.secrets.items()},
            "failing": self.failing,
        }


def base_of(snapshot: Mapping[str, Any]) -> tuple[str, str]:
    """Name and revision of the flow that a run's snapshot is restored with: the outermost one."""
    outermost = next(iter(snapshot.get("stack", ())), snapshot)
    return outermost["flow"], outermost["revision"]


def restore_stack(flow: Flow, snapshot: Mapping[str, Any]) -> tuple[tuple[CallingFlow, ...], Flow]:
    """The flows that wait in a run's snapshot, and the one they wait for. flow: the outermost.

    Raises FlowError if the flows of today do not call each other like that.
    """
    stack: list[CallingFlow] = []
    for kept, called in pairwise([*snapshot.get("stack", ()), snapshot]):
        _check_place(flow, kept)
        language = kept["language"] if kept["language"] in flow.languages else flow.languages[0]
        variables = fitting(flow, kept["variables"])
        stack.append(CallingFlow(flow, kept["node"], language, variables, {}, kept["failing"]))
        if called["flow"] not in flow.subflows:
            raise FlowError(f"it does not call the flow {called['flow']} in this revision", flow=flow.name)
        flow = flow.subflows[called["flow"]]
    return tuple(stack), flow


def fitting(flow: Flow, variables: Mapping[str, Value]) -> dict[str, Value]:
    """Those of stored variables that the flow knows, and of the type it knows."""
    kinds = flow.variables
    return {
        name: value
        for name, value in variables.items()
        if name in kinds and type(value) is _PYTHON_TYPES[kinds[name]]
    }


def _check_place(flow: Flow, kept: Mapping[str, Any]) -> None:
    if flow.name != kept["flow"]:
        raise FlowError(f"the call is in flow {kept['flow']}", flow=flow.name)
    if kept["node"] not in flow.nodes:
        raise FlowError("there is no such node in this revision", flow=flow.name, node=kept["node"])
