"""What agents' devices can do, as the switch says. Told by `AcdStore`, asked by who looks for agents.

A device without a row is not known.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, select

from cordboard.acd.availability import FREE_DEVICES
from cordboard.store.state_conditions import NOT_FREE
from cordboard.store.tables import devices
from cordboard.store.turn import Turn
from cordboard.store.upserts import insert
from cordboard.telephony.ports import DeviceState
from cordboard.telephony.reach import switch_of

_insert = insert(devices)
_NOTE = _insert.on_conflict_do_update(
    index_elements=[devices.c.device],
    set_={"state": _insert.excluded.state, "changed_at": _insert.excluded.changed_at},
    where=devices.c.state != _insert.excluded.state,
)
_ALL = select(devices.c.device)
_NOT_FREE = _ALL.where(NOT_FREE)
_OUT_OF_REACH = _ALL.where(NOT_FREE, devices.c.state == DeviceState.UNAVAILABLE.value)
_FORGET = delete(devices).where(devices.c.device == bindparam("b_device"))


def not_free(connection: Connection) -> frozenset[str]:
    """The devices on which nobody can be rung now."""
    return frozenset(row.device for row in connection.execute(_NOT_FREE))


def out_of_reach(connection: Connection) -> frozenset[str]:
    """The devices that the switch cannot reach, of those `not_free`."""
    return frozenset(row.device for row in connection.execute(_OUT_OF_REACH))


def note_device(turn: Turn, device: str, state: DeviceState) -> None:
    """A device's state. One that is free again may mean a free agent, and one that is away one who is gone."""
    if turn.run(_NOTE, device=device, state=state.value, changed_at=turn.now.wall):
        turn.changed = True
        for agent in turn.plan.agents.values():
            if agent.device == device and state in FREE_DEVICES:
                turn.agent_is_free(agent.name)
            elif agent.device == device and state is DeviceState.UNAVAILABLE:
                turn.agent_is_gone(agent.name)


def note_all_devices(turn: Turn, states: Mapping[str, DeviceState], switch: str = "") -> None:
    """The states of all devices that a switch has. switch: "" if there is only one."""
    for device, state in states.items():
        note_device(turn, device, state)
    for row in turn.rows(_ALL):
        if row.device not in states and switch in ("", switch_of(row.device)):
            turn.run(_FORGET, b_device=row.device)
            turn.changed = True
