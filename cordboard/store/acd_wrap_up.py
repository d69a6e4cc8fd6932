"""The time for notes after a talk, made longer or ended by somebody. Called by `AcdStore`.

It begins, and ends by itself, in `acd_agents`; how long it may last says `acd/wrap_up.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from cordboard.acd.model import Activity
from cordboard.acd.wrap_up import WrapUpRefused
from cordboard.store import acd_agents, acd_offers
from cordboard.store.acd_presence import find_agent
from cordboard.store.turn import Turn


def extend(turn: Turn, agent: str, offer_id: str) -> None:
    """More time for the notes on this call. Raises WrapUpRefused."""
    row = _wrapping_up(turn, agent)
    if row is None or row.offer_id != offer_id:
        raise WrapUpRefused("the wrap-up of this call is over")
    _extend(turn, row)


def extend_last(turn: Turn, agent: str) -> None:
    """More time for the notes on whatever call they wrap up. Raises WrapUpRefused."""
    row = _wrapping_up(turn, agent)
    if row is None:
        raise WrapUpRefused(f"{agent} wraps up no call")
    _extend(turn, row)


def end(turn: Turn, agent: str) -> None:
    """End it now, whatever is missing; nothing if there is none."""
    row = _wrapping_up(turn, agent)
    if row is not None:
        acd_agents.end_wrap_up(turn, row, turn.now.wall)


def _extend(turn: Turn, row: Row[Any]) -> None:
    offer = acd_offers.find_offer(turn, row.offer_id)
    if offer is not None:
        acd_agents.extend_wrap_up(turn, row, offer.queue)


def _wrapping_up(turn: Turn, agent: str) -> Row[Any] | None:
    row = find_agent(turn, agent)
    return row if row is not None and row.activity == Activity.WRAP_UP else None
