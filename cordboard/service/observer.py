"""Turns what a switch reports of agents' legs and devices into facts in the store.

Every worker hears the switch; the one that holds the lease `observer:<switch>` acts. The others keep what they
heard in the last seconds: whoever takes the lease over writes that again, which changes nothing where it was known,
then compares the store with the legs that live. So no event is lost with the process that should have written it.

It also does the one thing the switch cannot do by itself: while an agent hears the whisper, the switch does not
notice that the caller has left, so the agent's leg is ended from here.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

import structlog
from sqlalchemy import Connection

from cordboard.acd.model import Moment
from cordboard.errors import SwitchError
from cordboard.service.floor import Floor
from cordboard.store.acd_values import Changes
from cordboard.store.leases import observer_lease
from cordboard.store.moments import now
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState, Leg

LEASE_S = 2.5  # renewed with each look of the floor, once a second
HEARD_S = 5.0  # longer than a lease: what was said while nobody held it is here
NEWCOMER_S = 1.2  # who has just begun to listen leaves a lease to those who heard what happened, for one look
HEARD_MAX = 5_000
RECONCILE_S = 15.0  # for what no event told
AFTER_OUTAGE_S = 2.0  # other workers write first what they could not write, and know better than a list of legs

log = structlog.get_logger()


class ObservedSwitch(Protocol):
    """What the observer asks of a switch."""

    @property
    def is_connected(self) -> bool: ...

    def on_connected(self, callback: Callable[[], Awaitable[None] | None]) -> None: ...

    def on_agent_leg(self, callback: Callable[[AgentLegEvent], None]) -> None: ...

    def on_device_state(self, callback: Callable[[str, DeviceState], None]) -> None: ...

    def on_caller_hangup(self, callback: Callable[[str], None]) -> None: ...

    async def list_legs(self) -> Sequence[Leg]: ...

    async def agent_legs(self) -> Sequence[AgentLeg]: ...

    async def device_states(self) -> Mapping[str, DeviceState]: ...

    async def hang_up(self, leg_id: str) -> bool: ...


class Observer:
    """One process's ear at one switch. on_reconciled: told which legs live, and when they were listed; name: of the
    switch, as in `Call.switch`.
    """

    def __init__(
        self,
        switch: ObservedSwitch,
        floor: Floor,
        on_reconciled: Callable[[set[str], float], Awaitable[None]],
        name: str = "asterisk",
    ) -> None:
        self._name = name
        self._lease = observer_lease(name)
        # A name of this process only: a worker that is started again has heard nothing of what happened meanwhile
        # and must not go on with the lease of its predecessor. Another one has.
        self._holder = f"{floor.name}:{secrets.token_hex(4)}"
        self._switch = switch
        self._floor = floor
        self._on_reconciled = on_reconciled
        self._is_observing = False
        self._is_listed = False  # whether devices and legs were compared since the link came up
        self._heard: deque[tuple[float, AgentLegEvent]] = deque(maxlen=HEARD_MAX)
        self._whispers: dict[str, str] = {}  # the agent's leg -> the caller's leg, from picking up to joining
        self._devices_heard: dict[str, DeviceState] = {}  # since they were listed last
        self._tasks: set[asyncio.Task[None]] = set()
        self._reconcile_at = 0.0
        self._not_before = 0.0  # others have a moment to write what they could not write
        self._connected_at = time.monotonic()  # nothing was heard before
        self._looked_at = 0.0  # when the store was written last; 0.0: not yet
        self._learn_devices()
        floor.on_plan(self._learn_devices)
        switch.on_agent_leg(self._hear)
        switch.on_device_state(self._hear_device)
        switch.on_caller_hangup(self._hear_hangup)
        switch.on_connected(self._connected)
        floor.on_look(self._look)
        floor.bell.on_overdue(self._compare_again)

    def observes(self) -> bool:
        """Whether this process acts for all."""
        return self._is_observing

    async def aclose(self) -> None:
        """Stop, and let another process observe."""
        if self._is_observing:
            self._is_observing = False
            self._floor.note(self._release)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the lease --

    def _release(self, connection: Connection) -> Changes:
        self._floor.store.release_lease(connection, self._lease, self._holder)
        return Changes()

    def _look(self, connection: Connection, moment: Moment) -> Callable[[], None]:
        """Runs in the store thread, with each look of the floor."""
        is_new = time.monotonic() - self._connected_at < HEARD_S
        has_lease = self._switch.is_connected and self._floor.store.take_lease(
            connection, moment, self._lease, self._holder, LEASE_S, over_for_s=NEWCOMER_S if is_new else 0.0
        )
        return partial(self._set_observing, has_lease)

    def _set_observing(self, is_observing: bool) -> None:
        """What the look has come to, once it is written."""
        at, before_at = time.monotonic(), self._looked_at
        if is_observing and not self._is_observing:
            log.info("observer_begins", lease=self._lease)
            self._write_again(before_at - HEARD_S)  # while nobody could write, all that was heard may be news
            self._is_listed = False
        if before_at and at - before_at > LEASE_S:
            self._is_listed = True
            self._reconcile_at = self._not_before = at + AFTER_OUTAGE_S
        self._looked_at, self._is_observing = at, is_observing
        if is_observing and (not self._is_listed or at >= self._reconcile_at):
            self._is_listed = True
            self._reconcile_at = at + RECONCILE_S
            self._begin(self._reconcile())

    def _write_again(self, since: float) -> None:
        """What was heard since then: its observer may have been lost with it. Known facts change nothing."""
        for event in [event for at, event in self._heard if at >= since]:
            self._write(event)

    def _connected(self) -> None:
        """Events were missed while the link was down."""
        self._connected_at = time.monotonic()
        self._is_listed = False
        self._floor.look()

    def _compare_again(self) -> None:
        """With the next look; a look comes at least once a second."""
        if time.monotonic() >= self._not_before:
            self._is_listed = False

    # -- what is heard --

    def _hear(self, event: AgentLegEvent) -> None:
        self._heard.append((time.monotonic(), event))
        if event.kind == "answered":
            self._whispers[event.leg_id] = event.caller_leg_id
        elif event.kind in ("joined", "gone"):
            self._whispers.pop(event.leg_id, None)
        if event.kind == "joined":  # of several agents who have picked up, the others need hear no more of it
            self._end_whispers(event.caller_leg_id)
        if self._is_observing:
            self._write(event)

    def _write(self, event: AgentLegEvent) -> None:
        def fact(connection: Connection) -> Changes:
            return self._floor.store.agent_leg(connection, now(), event)

        self._floor.note(fact)

    def _hear_device(self, device: str, state: DeviceState) -> None:
        """Agents' devices only: trunks change their state with each call, and nobody is offered to them."""
        if not self._is_observing:
            return
        self._devices_heard[device] = state
        if device.lower() in self._agents_devices:
            self._floor.note(lambda connection: self._floor.store.device_changed(connection, now(), device, state))

    def _hear_hangup(self, caller_leg_id: str) -> None:
        """The caller has left. If their agent hears the whisper, the agent's phone must stop now.

        Every worker that hears it does it: whoever comes second finds no such leg.
        """
        self._end_whispers(caller_leg_id)

    def _end_whispers(self, caller_leg_id: str) -> None:
        for leg_id in [leg for leg, caller in self._whispers.items() if caller and caller == caller_leg_id]:
            del self._whispers[leg_id]
            self._begin(self._end_leg(leg_id))

    def _learn_devices(self) -> None:
        self._agents_devices = {agent.device.lower() for agent in self._floor.plan.agents.values()}

    async def _end_leg(self, leg_id: str) -> None:
        try:
            await self._switch.hang_up(leg_id)
        except SwitchError as fault:
            log.warning("whisper_not_ended", reason=str(fault))

    # -- comparing --

    async def _reconcile(self) -> None:
        """Compare the store with what lives on the switch."""
        listed = now()
        store = self._floor.store
        self._devices_heard.clear()
        try:
            of_devices = await self._switch.device_states()
            devices = {**of_devices, **self._devices_heard}  # what came meanwhile is newer than the list
            self._floor.note(lambda connection: store.devices_listed(connection, now(), devices, self._name))
            legs = await self._switch.list_legs()
            agent_legs = await self._switch.agent_legs()
        except SwitchError as fault:
            log.warning("reconcile_failed", reason=str(fault))
            self._is_listed = False
            return
        live = {leg.leg_id for leg in legs}
        listed_whispers = {leg.leg_id: leg.caller_leg_id for leg in agent_legs if leg.joined_at is None}
        heard_whispers = {leg: caller for leg, caller in self._whispers.items() if leg in live}
        self._whispers = heard_whispers | listed_whispers

        def fact(connection: Connection) -> Changes:
            return store.reconcile(
                connection, now(), agent_legs, live, listed.wall, switch=self._name, listed_boot=listed.boot
            )

        self._floor.note(fact)
        await self._on_reconciled(live, listed.wall)

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
