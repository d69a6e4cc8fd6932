"""What a flow looks like from outside: its nodes and the ways between them, for lint, pictures, coverage and diffs.

Made by the loader from the options of the nodes. The engine does not use it: a compiled node knows its own ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cordboard.flows.options import Exit


@dataclass(frozen=True, slots=True)
class NodeShape:
    """One node. exits: in the order of its options; line: where it is written, from 1.

    asks:   it waits for the caller or takes time, so that a loop through it is none that spins.
    ends:   the call may end here, or leave the flow, by none of its exits.
    fails:  it may break while the call goes on (an outside world, an expression), and goes to `on_failure` then.
    needs_call: it asks something of the call itself, so it cannot run after the caller has left.
    written: the node as it stands in the file, as plain data.
    """

    verb: str
    exits: tuple[Exit, ...]
    line: int
    asks: bool
    ends: bool
    fails: bool
    needs_call: bool
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)
