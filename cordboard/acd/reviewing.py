"""What the rules of a queue say of somebody who waits there: whether one has to look, and whether they must leave.

Pure. The store asks in a transaction, simulated days ask in memory; the waiting room asks when to look again. Where
callers are sent on is in `overflow`, who is let in in `joining`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cordboard.acd import joining, overflow
from cordboard.acd.model import AgentState, LeftBecause, Queue


def has_rules(queue: Queue) -> bool:
    """Whether there is anything that could send out or on who waits in the queue."""
    return bool(queue.leave_when_empty or queue.overflow or queue.at_closing == "send_out")


def is_watched(queue: Queue, looked_s: float) -> bool:
    """Whether the rules may have something to say that depends on others, or on the hour, so that one has to look
    each second. looked_s: after how much waiting one has looked last.
    """
    is_closing = queue.hours is not None and queue.at_closing == "send_out"
    return is_closing or bool(queue.leave_when_empty) or overflow.is_watched(queue.overflow, looked_s)


def why_out(queue: Queue, wall: float, is_empty: Callable[[], bool]) -> LeftBecause | None:
    """Why somebody who waits has to leave; None while they may stay.

    wall: now, seconds since 1970; is_empty: whether nobody is there for them, asked only if it matters.
    """
    if joining.sends_out(queue, wall):
        return LeftBecause.CLOSED
    return LeftBecause.EMPTY if queue.leave_when_empty and is_empty() else None


def at_work(agents: Iterable[AgentState]) -> int:
    """How many agents there are whom nobody has to wait for to log in or to end a pause."""
    return sum(not joining.is_nobody(agent, joining.USUAL) for agent in agents)


def has_waited_too_long(kind: str, waited_s: float, max_wait_s: float | None) -> bool:
    """Whether the longest wait of who comes back is over. It is one on the phone: who is called back (kind
    `callback`), or was cut off, has had no music meanwhile. max_wait_s: None for ever.
    """
    return max_wait_s is not None and kind == "call" and waited_s >= max_wait_s
