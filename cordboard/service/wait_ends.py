"""How a wait in a queue ends without an agent, in the words of the flow: by the queue's rules, or a key.

Used by `entering`, for who is let in no more, and by `staying`. What the ledger says of it is the store's.
"""

from __future__ import annotations

import structlog

from cordboard.acd.model import LeftBecause
from cordboard.service.visits import Visit
from cordboard.store.acd_values import Entered
from cordboard.telephony.outcomes import LeftByKey, NotServed

log = structlog.get_logger()

SENT_OUT: dict[LeftBecause, NotServed] = {
    LeftBecause.MAX_WAIT: NotServed("max_wait"),
    LeftBecause.EMPTY: NotServed("empty"),
    LeftBecause.CLOSED: NotServed("closed"),
    LeftBecause.OVERFLOW: NotServed("overflow"),
}
"""What the flow is told when the queue's rules have ended a wait."""


def refusal(entered: Entered) -> NotServed | LeftByKey | None:
    """What the flow is told of a caller who has no place; None for one who has."""
    if entered.refused is not None:
        return NotServed(entered.refused)
    if entered.left is LeftBecause.EXIT_KEY:
        return LeftByKey(entered.key)
    return None if entered.left is None else SENT_OUT[entered.left]


def log_refused(visit: Visit, refused: NotServed | LeftByKey) -> None:
    """Who came has no place."""
    reason = refused.reason if isinstance(refused, NotServed) else LeftBecause.EXIT_KEY.value
    log.info("not_let_in", call_id=visit.call_id, queue=visit.queue.name, reason=reason)


def log_left(visit: Visit, because: LeftBecause) -> None:
    """Who waited here has left the queue."""
    wait_s = round(visit.waited_s, 3)
    log.info("left_queue", call_id=visit.call_id, queue=visit.queue.name, because=because.value, wait_s=wait_s)
