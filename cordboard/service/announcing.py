"""Telling a waiting caller what is due: asks the floor for the figures, has the phone speak, brings the music back.

Called by `staying`, and by `entering` for the music, for one visit at a time. An announcement delays no agent: when
an offer comes while one plays, the call is let go of in the middle of it and re-enters at once, on whatever worker,
which finds the offer waiting for it. A key that leads somewhere ends the announcement, too.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from cordboard.acd import announcements
from cordboard.acd.announcements import Figures, Kind
from cordboard.errors import StoreUnavailable
from cordboard.service.floor import Floor
from cordboard.service.visits import Visit
from cordboard.telephony.outcomes import Failed, HandedOver, HungUp, Interrupted, Outcome
from cordboard.telephony.verbs import Hold, Play, Prompt

log = structlog.get_logger()

Ended = Outcome | HandedOver | None
"""Why the wait is over; None while it goes on."""


async def hold(visit: Visit) -> Ended:
    """Begin the music. None: it plays."""
    verb = Hold(visit.queue.music, keys=bool(visit.keys))
    outcome = await visit.phone.perform(verb, visit.checkpoint)
    return outcome if isinstance(outcome, HungUp | Failed | HandedOver) else None


async def announce(floor: Floor, visit: Visit) -> Ended:
    """Say what is due, if there is anything to say. None: the music plays again, or still."""
    waited_s = visit.waited_s
    kinds = announcements.kinds_due(visit.queue, visit.heard_s, waited_s)
    if visit.is_better_place:
        kinds |= {"position"}
    visit.heard_s, visit.is_better_place = waited_s, False
    return await tell(floor, visit, kinds)


async def tell(floor: Floor, visit: Visit, kinds: frozenset[Kind]) -> Ended:
    """Say these, as far as there is anything to say of them, unless something else has come for the caller."""
    try:
        figures = await _figures(floor, visit, kinds)
    except StoreUnavailable:
        return None
    if visit.news.is_set() or figures.position is None:
        return None
    queue, language = visit.queue, visit.verb.language
    said, told = announcements.announcement(queue, language, kinds, figures, visit.told, visit.call_id)
    if not said:
        return None
    if told.position != visit.told.position and announcements.depends_on_told(queue):
        floor.told_place(visit.call_id, queue.name, told.position)
    visit.told = told
    return await _say(visit, said)


async def _figures(floor: Floor, visit: Visit, kinds: frozenset[Kind]) -> Figures:
    """What there is to tell. The place is asked for in any case: who has none is not spoken to."""
    position = await floor.position(visit.call_id)
    wait_s = None
    if "wait" in kinds:
        with suppress(StoreUnavailable):
            wait_s = await floor.estimated_wait(visit.call_id)
    return Figures(visit.waited_s, position, wait_s)


async def _say(visit: Visit, said: tuple[Prompt, ...]) -> Ended:
    visit.is_announcing = True
    visit.cut.clear()
    saying = asyncio.create_task(_speak(visit, said))
    cut = asyncio.create_task(visit.cut.wait())
    try:
        await asyncio.wait({saying, cut}, return_when=asyncio.FIRST_COMPLETED)
        if not saying.done():  # an offer, or this worker drains: the call comes back in a moment
            visit.phone.let_go()
            return HandedOver()
        return saying.result()
    finally:
        visit.is_announcing = False
        visit.quiet_until_s = visit.waited_s + visit.queue.announce_gap_s
        for task in (saying, cut):
            task.cancel()
        await asyncio.gather(saying, cut, return_exceptions=True)


async def _speak(visit: Visit, said: tuple[Prompt, ...]) -> Ended:
    outcome = await visit.phone.perform(Play(said, keys=bool(visit.keys)), visit.checkpoint)
    if isinstance(outcome, HungUp):
        return outcome
    if isinstance(outcome, Interrupted):
        visit.press(outcome.digits)
    if isinstance(outcome, Failed):
        log.warning("announcement_failed", call_id=visit.call_id, reason=outcome.reason)
    return None if visit.key else await hold(visit)
