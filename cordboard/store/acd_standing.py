"""How a queue stands now, for whoever decides who joins, stays or is sent on: its callers and its agents.

Read in a transaction, each thing once, when it is first asked for. Used by `acd_entering` and `acd_review`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, func, select

from cordboard.acd import joining, reviewing
from cordboard.acd.eligibility import may_have
from cordboard.acd.joining import Refusal
from cordboard.acd.model import Activity, AgentState, Needs, Presence
from cordboard.acd.needs_json import needs_from_json
from cordboard.store.state_conditions import IN_LINE
from cordboard.store.tables import agent_states, devices, queue_entries
from cordboard.store.turn import Turn
from cordboard.telephony.ports import DeviceState

_in_queue = (IN_LINE, queue_entries.c.queue == bindparam("b_queue"))
_ON_THE_PHONE = select(func.count()).select_from(queue_entries).where(*_in_queue, queue_entries.c.state != "away")
_LINE = (
    select(queue_entries.c.call_id)
    .where(*_in_queue)
    .order_by(queue_entries.c.rank.desc(), queue_entries.c.stands_at, queue_entries.c.call_id)
)
_AGENTS = select(agent_states.c.agent, agent_states.c.presence, agent_states.c.activity).where(
    agent_states.c.agent.in_(bindparam("b_agents", expanding=True))
)
_DEVICES = select(devices.c.device, devices.c.state).where(
    devices.c.device.in_(bindparam("b_devices", expanding=True))
)


class QueueStanding:
    """One queue in one transaction, as it was when each thing was first asked for; `count` keeps `waiting` true."""

    def __init__(self, turn: Turn, queue: str) -> None:
        self._turn = turn
        self.queue = turn.queue(queue)

    @cached_property
    def waiting(self) -> int:
        """How many callers wait; those whose place is kept while they are away do not count."""
        return int(self._turn.connection.execute(_ON_THE_PHONE, {"b_queue": self.queue.name}).scalar_one())

    def count(self, change: int) -> None:
        """One more caller waits here, or one less, by what this transaction is about to do."""
        self.waiting += change

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each call in line, from 1."""
        rows = self._turn.rows(_LINE, b_queue=self.queue.name)
        return {row.call_id: place for place, row in enumerate(rows, 1)}

    @cached_property
    def agents(self) -> tuple[AgentState, ...]:
        """The agents of the queue, those who have never logged in among them."""
        agents = self._turn.plan.agents_of(self.queue.name)
        states = {row.agent: row for row in self._turn.rows(_AGENTS, b_agents=[one.name for one in agents])}
        rows = self._turn.rows(_DEVICES, b_devices=[one.device for one in agents])
        known = {row.device: DeviceState(row.state) for row in rows}
        return tuple(
            _state(one.name, states.get(one.name), known.get(one.device, DeviceState.UNKNOWN)) for one in agents
        )

    @cached_property
    def at_work(self) -> int:
        """How many agents there are whom nobody has to wait for to log in or to end a pause."""
        return reviewing.at_work(self.agents)

    def is_empty_for(self, asks: str) -> bool:
        """Whether a waiting caller has nobody to wait for. asks: what the caller asks for now, as stored."""
        factors = self.queue.leave_when_empty
        return bool(factors) and joining.is_empty(self.agents, factors, self._ruled_out(needs_from_json(asks)))

    def why_refused(self, needs: Needs) -> Refusal | None:
        """Why a caller cannot join now; None if they can."""
        if not (self.queue.hours or self.queue.max_waiting or self.queue.join_when_empty):
            return None
        waiting = self.waiting if self.queue.max_waiting else 0
        agents = self.agents if self.queue.join_when_empty else ()
        return joining.why_refused(self.queue, waiting, agents, self._turn.now.wall, self._ruled_out(needs))

    def _ruled_out(self, needs: Needs) -> frozenset[str]:
        if not (needs.require or needs.exclude or needs.switch):
            return frozenset()
        name = self.queue.name
        return frozenset(one.name for one in self._turn.plan.agents_of(name) if not may_have(one, name, needs))


def _state(agent: str, row: Any, device: DeviceState) -> AgentState:
    if row is None:
        return AgentState(agent, device=device)
    return AgentState(agent, Presence(row.presence), Activity(row.activity), device=device)
