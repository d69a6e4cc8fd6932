"""Of a queue in queues.yaml: what comes to it, and how much of an agent each of them takes up.

    sales: {}                        # telephone calls, one at a time
    letters: {medium: chat}          # as many at a time as an agent has units
    hotline: {units: 2}              # a call which leaves room beside it, where an agent has three units or more

A part of `queues_file.WrittenQueue`; the rules are in `capacity`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol

from pydantic import Field

from cordboard.acd.capacity import WHOLE, Medium
from cordboard.config.document import Document
from cordboard.config.findings import Finding
from cordboard.config.validation import Section

UNITS_MAX = 100


class Contacts(Section):
    """What comes to the queue."""

    medium: Medium = Field(
        default="voice", description="What comes to the queue: telephone calls (`voice`), or `chat`."
    )
    units: Annotated[int, Field(ge=1, le=UNITS_MAX)] | None = Field(
        default=None,
        description="How many of an agent's units (`capacity`) each takes up; without it a call takes all of them, "
        "and a chat one.",
    )

    def contact_rules(self) -> dict[str, Any]:
        """As arguments of `Queue`."""
        return {"medium": self.medium, "units": self.units or (WHOLE if self.medium == "voice" else 1)}


class _Overflowing(Protocol):
    """A queue as written."""

    @property
    def medium(self) -> Medium: ...

    @property
    def overflow(self) -> Sequence[Any]: ...


def overflow_to_other_media(queues: Mapping[str, _Overflowing], document: Document) -> Iterator[Finding]:
    """Queues that would send calls on to where none can be taken, or something else to where there are calls."""
    for name, queue in queues.items():
        for place, step in enumerate(queue.overflow):
            to = queues.get(step.to or "")
            if to is not None and to.medium != queue.medium:
                message = f"`{name}` is for {queue.medium}, and `{step.to}` for {to.medium}"
                hint = f"name a queue with `medium: {queue.medium}`"
                yield document.finding(("queues", name, "overflow", place, "to"), "not-for-calls", message, hint)


class _Staffed(Protocol):
    """An agent as written."""

    @property
    def queues(self) -> Any: ...

    @property
    def capacity(self) -> int: ...


def units_nobody_has(
    queues: Mapping[str, Contacts], document: Document, agents: Mapping[str, _Staffed]
) -> Iterator[Finding]:
    """Queues whose contacts are more than any of their agents could take."""
    for name, queue in queues.items():
        capacities = [agent.capacity for agent in agents.values() if name in agent.queues]
        if queue.units is not None and capacities and queue.units > max(capacities):
            message = f"no agent of `{name}` has {queue.units} units, the most is {max(capacities)}"
            hint = "write a smaller number, or a higher `capacity` of an agent in agents.yaml"
            yield document.finding(("queues", name, "units"), "too-many-units", message, hint)
