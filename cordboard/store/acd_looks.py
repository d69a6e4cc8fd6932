"""Which queues a look at what is due goes through for callers and agents that may have each other.

Whatever happens marks its queues itself. What remains is what time alone does: a rest that is over. And, as nobody
knows everything, each look goes through some of the queues besides, and so through all of them in some seconds; at
once where this process has reason to think that something was missed. So a look costs about the same however many
queues there are. Called by `AcdStore`; there is one for each process.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, func, select

from cordboard.acd.model import FloorPlan
from cordboard.store.state_conditions import IN_LINE, READY
from cordboard.store.tables import agent_states, queue_entries
from cordboard.store.turn import Turn

QUEUES_A_LOOK = 200  # as many as an installation without thousands of queues has: there each look sees all
_RESTS_SINCE_S = 5.0  # looks are a second apart, and may be late

_RESTED = select(agent_states.c.agent).where(
    READY,
    agent_states.c.blocked_until > bindparam("b_since"),
    agent_states.c.blocked_until <= bindparam("b_boot"),
)
_OLDEST_LEASE = select(func.min(queue_entries.c.lease_until)).where(
    IN_LINE, queue_entries.c.state != "away", queue_entries.c.owner == bindparam("b_owner")
)
_OLDEST_OF_SOME = _OLDEST_LEASE.where(queue_entries.c.call_id.in_(bindparam("b_calls", expanding=True)))


class Looks:
    """Where the looks of a process have come to."""

    def __init__(self) -> None:
        self._place = 0
        self._plan: FloorPlan | None = None  # of the last look

    def miss(self) -> None:
        """Something was not done that could have been: the next look goes through everything."""
        self._plan = None

    def note_lapse(self, turn: Turn, owner: str, call_ids: Collection[str] | None = None) -> None:
        """Before these leases of the owner's, or all, are renewed: who had none was offered to nobody meanwhile."""
        if len(turn.plan.queues) <= QUEUES_A_LOOK:
            return
        of_whom = {"b_owner": owner} if call_ids is None else {"b_owner": owner, "b_calls": list(call_ids)}
        statement = _OLDEST_LEASE if call_ids is None else _OLDEST_OF_SOME
        oldest = turn.connection.execute(statement, of_whom).scalar_one()
        if oldest is not None and oldest <= turn.now.boot:
            self.miss()

    def mark(self, turn: Turn) -> None:
        """Have the transaction match in the queues that it is the turn of."""
        if self._plan is not turn.plan or len(turn.plan.queues) <= QUEUES_A_LOOK:
            self._plan = turn.plan
            turn.may_match = True
            return
        for row in turn.rows(_RESTED, b_since=turn.now.boot - _RESTS_SINCE_S, b_boot=turn.now.boot):
            turn.agent_is_free(row.agent)
        queues = tuple(turn.plan.queues)
        turn.touched.update(queues[self._place : self._place + QUEUES_A_LOOK])
        self._place = self._place + QUEUES_A_LOOK if self._place + QUEUES_A_LOOK < len(queues) else 0
