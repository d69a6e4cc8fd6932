"""Queues in which one caller at a time is offered to agents, as app_queue does without `autofill`.

Asked by `acd_matching` for how many callers of a queue may be offered now.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from cordboard.acd.model import OfferState
from cordboard.acd.strategies.compat import serves_one_at_a_time
from cordboard.store.state_conditions import OPEN_OFFER
from cordboard.store.tables import offers
from cordboard.store.turn import Turn

_OFFERED = select(offers.c.queue).where(OPEN_OFFER, offers.c.state != OfferState.TALKING.value).distinct()


def one_at_a_time(turn: Turn, queues: Collection[str]) -> dict[str, int]:
    """How many callers of these queues may be offered to agents now, 0 or 1; those without such a limit are not in
    it.
    """
    names = [name for name in queues if serves_one_at_a_time(turn.queue(name))]
    offered = {row.queue for row in turn.rows(_OFFERED)} if names else set()
    return {name: 0 if name in offered else 1 for name in names}
