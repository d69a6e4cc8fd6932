"""The few bytes a call carries on its own channel, so that any worker can find its place in a flow again.

Written by `FlowRun.checkpoint`, read by the service when a call comes back. It holds no variables, no numbers and
no digits: it is visible to whoever can read the channel. Fields stand in a fixed order between colons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cordboard.flows.node import Attempts

_VERSION = "1"
_MAX_CHARACTERS = 512
_LAYOUT = re.compile(
    r"1:(?P<call_id>[A-Za-z0-9._~-]{1,64}):(?P<flow>[a-z][a-z0-9_-]{0,31}):(?P<revision>[0-9a-f]{12})"
    r":(?P<node>[A-Za-z][A-Za-z0-9_-]{0,47}):(?P<phase>[a-z_]{0,16}):(?P<no_input>[0-9]{1,3})\.(?P<no_match>[0-9]{1,3})"
    r":(?P<language>[a-z]{2,3}(?:-[a-z0-9]{2,8})?):(?P<answered>[01])(?P<failing>[01]):(?P<seq>[0-9]{1,9}):(?P<kept_at>[0-9]{1,9})"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a call is in its flow. seq, kept_at: as in `FlowRun`."""

    call_id: str
    flow: str
    revision: str
    node: str
    phase: str
    attempts: Attempts
    language: str
    answered: bool
    failing: bool
    seq: int
    kept_at: int

    def __str__(self) -> str:
        """At most 512 bytes of `[A-Za-z0-9._~:-]`."""
        no_input, no_match = self.attempts
        return (
            f"{_VERSION}:{self.call_id}:{self.flow}:{self.revision}:{self.node}:{self.phase}:{no_input}.{no_match}"
            f":{self.language}:{self.answered:d}{self.failing:d}:{self.seq}:{self.kept_at}"
        )


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in what a channel carried. Raises ValueError for anything we did not write ourselves."""
    found = _LAYOUT.fullmatch(text) if len(text) <= _MAX_CHARACTERS else None
    if not found:
        raise ValueError("not a checkpoint of this version")
    return Checkpoint(
        call_id=found["call_id"],
        flow=found["flow"],
        revision=found["revision"],
        node=found["node"],
        phase=found["phase"],
        attempts=Attempts(int(found["no_input"]), int(found["no_match"])),
        language=found["language"],
        answered=found["answered"] == "1",
        failing=found["failing"] == "1",
        seq=int(found["seq"]),
        kept_at=int(found["kept_at"]),
    )
