"""The switches of one worker: for each a server of calls, and a link over which legs are made and heard of.

Made for the worker process; which there are the settings say (`switches:`). Neither edge knows the other, and the
service knows neither: what it asks of "the switch" is answered here by the one that it concerns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cordboard.bootstrap.configuration import Configuration
from cordboard.errors import SwitchError
from cordboard.service.callbacks import DiallingSwitch
from cordboard.service.observer import ObservedSwitch
from cordboard.settings import Listener
from cordboard.telephony.capabilities import SwitchName
from cordboard.telephony.ports import CallEvent, HoldKeys, Phone
from cordboard.telephony.reach import switch_of

OnPhone = Callable[[Phone], Awaitable[None]]
Begin = Callable[[Awaitable[None]], None]


class Server(Protocol):
    """What the worker asks of a server of calls."""

    @property
    def session_count(self) -> int: ...

    async def start(self) -> None: ...

    def stop_accepting(self) -> None: ...

    async def wait_idle(self, longest_s: float) -> bool: ...

    async def aclose(self) -> None: ...


class WholeSwitch(ObservedSwitch, DiallingSwitch, Protocol):
    """What the service asks of a switch, and how it begins and ends."""

    async def connect(self) -> None: ...

    async def aclose(self) -> None: ...

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None: ...


class Extras(Protocol):
    """What only some switches need."""

    async def start(self) -> None:
        """Begin, before the server of calls does."""

    async def aclose(self) -> None:
        """End, after the link has."""

    async def rescue(self) -> None:
        """Fetch callers back whom nobody has any more."""

    def hear_ends(self, is_ours: Callable[[], bool], begin: Begin) -> None:
        """Close the books of calls that end while no worker has them, if it is for this process to do so."""


@dataclass(frozen=True)
class Edge:
    """One switch. kind: what its listener is called, "AGI"; check: the name of its link among the health checks."""

    name: SwitchName
    kind: str
    check: str
    listener: Listener
    server: Server
    switch: WholeSwitch
    keys: HoldKeys
    extras: Extras | None = None

    async def start(self) -> None:
        """Listen for calls. Raises OSError if the port is taken."""
        if self.extras is not None:
            await self.extras.start()
        await self.server.start()

    async def aclose(self) -> None:
        """Disconnect for good."""
        await self.switch.aclose()
        if self.extras is not None:
            await self.extras.aclose()


def open_edges(configuration: Configuration, index: int, on_phone: OnPhone) -> Edges:
    """The switches of the settings. Nothing listens or connects yet. index: of the worker."""
    return Edges([_open(name, configuration, index, on_phone) for name in configuration.settings.switches])


def _open(name: SwitchName, configuration: Configuration, index: int, on_phone: OnPhone) -> Edge:
    """Each edge brings libraries of its own: only those are loaded that are wanted."""
    if name == "asterisk":
        from cordboard.bootstrap.asterisk_edge import open_asterisk

        return open_asterisk(configuration, index, on_phone)
    from cordboard.bootstrap.freeswitch_edge import open_freeswitch

    return open_freeswitch(configuration, index, on_phone)


class Edges:
    """All switches of a worker, as one where the service knows of one."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.all = tuple(edges)
        self._by_name = {edge.name: edge for edge in self.all}

    # -- servers --

    @property
    def session_count(self) -> int:
        """How many calls are with us now."""
        return sum(edge.server.session_count for edge in self.all)

    def stop_accepting(self) -> None:
        """Close the listeners; calls with us stay."""
        for edge in self.all:
            edge.server.stop_accepting()

    async def wait_idle(self, longest_s: float) -> bool:
        """Wait until no call is with us; False if some still are after `longest_s`."""
        return all(await asyncio.gather(*(edge.server.wait_idle(longest_s) for edge in self.all)))

    async def close_servers(self) -> None:
        """Give the calls that are left to other workers."""
        await asyncio.gather(*(edge.server.aclose() for edge in self.all))

    # -- links --

    def checks(self) -> dict[str, bool]:
        """Whether each link is up, by the name of its health check."""
        return {edge.check: edge.switch.is_connected for edge in self.all}

    @property
    def is_any_up(self) -> bool:
        """Whether one of the links is."""
        return any(edge.switch.is_connected for edge in self.all)

    def is_ready(self, checks: Mapping[str, bool]) -> bool:
        """Whether new calls are welcome: all is well, or all but the links of some switches. What is down must not
        cost the calls of the others, which are served whole. checks: those of the links, and more.
        """
        links = {edge.check for edge in self.all}
        others = [is_well for name, is_well in checks.items() if name not in links]
        return all(others) and any(checks[name] for name in links)

    async def connect(self) -> None:
        """Begin to connect the links."""
        await asyncio.gather(*(edge.switch.connect() for edge in self.all))

    async def aclose(self) -> None:
        """Disconnect for good."""
        await asyncio.gather(*(edge.aclose() for edge in self.all))

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Call this whenever a link has come up."""
        for edge in self.all:
            edge.switch.on_connected(callback)

    async def legs_beside(self, name: SwitchName) -> set[str] | None:
        """The legs of all other switches; None if one of them cannot be asked now."""
        try:
            lists = [await edge.switch.list_legs() for edge in self.all if edge.name != name]
        except SwitchError:
            return None
        return {leg.leg_id for legs in lists for leg in legs}

    async def rescue(self, name: SwitchName) -> None:
        """Fetch callers back whom nobody has any more, where that can happen."""
        extras = self._by_name[name].extras
        if extras is not None:
            await extras.rescue()


@dataclass(frozen=True)
class AllSwitches:
    """The switches as the dialler sees them: what rings says by which one customers are called back."""

    edges: Edges

    @property
    def is_connected(self) -> bool:
        """Whether any of them can be heard now."""
        return self.edges.is_any_up

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Call this with what any of them tells of calls."""
        for edge in self.edges.all:
            edge.switch.on_call_event(callback)

    def of(self, device: str) -> WholeSwitch:
        """The one that a device belongs to; the first, where none of them is it."""
        found = [edge.switch for edge in self.edges.all if edge.name == switch_of(device)]
        return (found or [self.edges.all[0].switch])[0]


@dataclass(frozen=True)
class AllKeys:
    """The keys of callers on hold, on whichever switch they are."""

    edges: Edges

    def hear_keys(self, leg_id: str, heard: Callable[[str], None]) -> None:
        """Call this with each key of a leg on hold."""
        for edge in self.edges.all:
            edge.keys.hear_keys(leg_id, heard)

    def forget_keys(self, leg_id: str) -> None:
        """Hear nothing more of a leg."""
        for edge in self.edges.all:
            edge.keys.forget_keys(leg_id)
