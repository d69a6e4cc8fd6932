"""A caller comes into a queue: entered in the store, with music while there is no database.

Called by the waiting room, for a visit that is registered already. Whether there is a place is the store's to say.
"""

from __future__ import annotations

import time

import structlog

from cordboard.acd.identity import mark_of
from cordboard.acd.model import LeftBecause
from cordboard.errors import StoreUnavailable
from cordboard.service import announcing
from cordboard.service.floor import Floor
from cordboard.service.visits import Visit
from cordboard.service.wait_ends import log_refused, refusal
from cordboard.store.acd_values import Entered, Entering
from cordboard.telephony.outcomes import HandedOver, NotServed, Outcome

RETRY_S = 1.0  # between two tries to enter while there is no database
WITHOUT_STORE_S = 60.0  # callers of an outage wait this long for the database, then they are better off elsewhere

log = structlog.get_logger()


async def enter(floor: Floor, visit: Visit) -> Entered | Outcome | HandedOver:
    """The place; or why there is none, which ends the visit. Raises SwitchUnavailable."""
    entered = await _enter_in_store(floor, visit)
    if not isinstance(entered, Entered):
        return entered
    if (refused := refusal(entered)) is not None:
        log_refused(visit, refused)
        return refused
    return entered


async def _enter_in_store(floor: Floor, visit: Visit) -> Entered | Outcome | HandedOver:
    """Without a database the caller hears music until it is there again, or too late."""
    give_up_at = time.monotonic() + WITHOUT_STORE_S
    is_on_hold = False
    while True:
        try:
            return await floor.enter(_entering(floor, visit), visit.caller())
        except StoreUnavailable as fault:
            if not is_on_hold:
                log.warning("entering_delayed", call_id=visit.call_id, reason=str(fault))
        if time.monotonic() >= give_up_at:
            floor.came_and_went(_entering(floor, visit), visit.caller(), LeftBecause.MAX_WAIT)
            return NotServed("no_store")
        if not is_on_hold and (ended := await announcing.hold(visit)):
            return ended
        is_on_hold = True
        if gone := await visit.phone.stay(RETRY_S, visit.checkpoint):
            floor.came_and_went(_entering(floor, visit), visit.caller(), LeftBecause.ABANDONED)
            return gone
        if visit.interrupted:
            return await visit.hand_over()


def _entering(floor: Floor, visit: Visit) -> Entering:
    call = visit.phone.arrival.call
    return Entering(
        call_id=call.call_id,
        leg_id=call.leg_id,
        switch=call.switch,
        queue=visit.asked.name,
        language=visit.verb.language,
        priority=visit.verb.priority,
        entered_at=visit.came.wall,
        entered_boot=visit.came.boot,
        max_wait_s=visit.max_wait_s,
        owner=floor.name,
        needs=visit.verb.needs,
        identity=mark_of(visit.verb.identity),
        visit=visit.seq,
        came_as=visit.came_as,
    )
