"""What callers can reach now: flows and numbers of one configuration, swapped as a whole at a reload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cordboard.flows.flow import Flow
from cordboard.settings import Box, Numbers


@dataclass(frozen=True)
class House:
    """A loaded configuration, as calls need it. Live calls keep the flow they began with."""

    flows: Mapping[str, Flow]
    numbers: Numbers
    boxes: Mapping[str, Box] = field(default_factory=dict)

    def flow_for(self, dnis: str) -> Flow | None:
        """The flow a dialled number gets."""
        name = self.numbers.flow_for(dnis)
        return self.flows.get(name) if name is not None else None


class Houses:
    """The current configuration, and the older flows which calls may still be on."""

    def __init__(self, house: House) -> None:
        self.current = house
        self._revisions: dict[tuple[str, str], Flow] = {}
        self.replace(house)

    def replace(self, house: House) -> None:
        """New calls get `house` from now on."""
        self.current = house
        self._revisions.update({(flow.name, flow.revision): flow for flow in house.flows.values()})

    def flow_of(self, name: str, revision: str) -> Flow | None:
        """The revision a call began with, else today's flow of that name, else None."""
        return self._revisions.get((name, revision)) or self.current.flows.get(name)
