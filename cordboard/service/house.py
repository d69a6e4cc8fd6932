"""What callers can reach now: flows and numbers of one configuration, swapped as a whole at a reload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cordboard.flows.flow import Flow
from cordboard.settings import Box, Numbers

REVISIONS_MAX = 1_000  # an admin who saves ten times an hour for four days; a call lasts less


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
    """The current configuration, and the older flows which calls may still be on.

    older: finds a revision that this process has never had, because the call began before it was started, by flow
    and revision; None if it is not kept.
    """

    def __init__(self, house: House, older: Callable[[str, str], Flow | None] | None = None) -> None:
        self.current = house
        self._older = older
        self._revisions: dict[tuple[str, str], Flow] = {}
        self.replace(house)

    def replace(self, house: House) -> None:
        """New calls get `house` from now on."""
        self.current = house
        for flow in house.flows.values():
            self._keep(flow)

    def flow_of(self, name: str, revision: str) -> Flow | None:
        """The revision a call began with, else today's flow of that name, else None."""
        flow = self._revisions.get((name, revision))
        if flow is None and self._older is not None:
            flow = self._older(name, revision)
            if flow is not None:
                self._keep(flow)
        return flow or self.current.flows.get(name)

    def _keep(self, flow: Flow) -> None:
        """Have a flow found by its revision, and those that it calls. The oldest are forgotten."""
        if self._revisions.get((flow.name, flow.revision)) is flow:
            return
        for called in flow.subflows.values():
            self._keep(called)
        self._revisions.pop((flow.name, flow.revision), None)
        self._revisions[flow.name, flow.revision] = flow
        while len(self._revisions) > max(REVISIONS_MAX, 2 * len(self.current.flows)):
            del self._revisions[next(iter(self._revisions))]
