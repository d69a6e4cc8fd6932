"""An offer becomes a phone that rings, or several; and what came of it becomes a fact.

Called by `staying`, which has the call, and by the waiting room for calls that come back with a result.
"""

from __future__ import annotations

import asyncio

import structlog

from cordboard.acd.model import Queue
from cordboard.acd.prompts import whisper_prompt
from cordboard.service.floor import Floor
from cordboard.service.visits import Visit
from cordboard.store.acd_values import OfferToRing
from cordboard.telephony.outcomes import AgentRung, HandedOver, Outcome
from cordboard.telephony.ports import Arrival
from cordboard.telephony.verbs import AgentPhone, RingAgent

log = structlog.get_logger()


async def ring(floor: Floor, visit: Visit, offer: OfferToRing) -> Outcome | HandedOver:
    """Have the offer's phones rung for a caller, as their queue has it."""
    asyncio.get_running_loop().call_soon(_log_rung, visit, offer)  # first the phone, then the words
    outcome = await visit.phone.perform(_verb(visit.queue, offer), visit.checkpoint)
    if isinstance(outcome, AgentRung):  # of a switch where the caller stays with us while phones ring
        note_result(floor, visit.phone.arrival, outcome)
    return outcome


def note_result(floor: Floor, arrival: Arrival, rung: AgentRung) -> None:
    """What came of ringing an agent for a call."""
    log.info("agent_leg_ended", call_id=arrival.call.call_id, offer_id=rung.offer_id, result=rung.result)
    floor.rung(arrival.call.call_id, rung, caller_is_here=not arrival.ended)


def _verb(queue: Queue, offer: OfferToRing) -> RingAgent:
    return RingAgent(
        offer_id=offer.offer_id,
        device=offer.device,
        ring_s=queue.ring_s,
        music=queue.music,
        whisper=whisper_prompt(queue),
        accept_key=queue.accept.key,
        accept_s=queue.accept.within_s,
        also=tuple(AgentPhone(one.offer_id, one.device) for one in offer.also),
    )


def _log_rung(visit: Visit, offer: OfferToRing) -> None:
    for one in (offer, *offer.also):
        log.info(
            "agent_rung", call_id=visit.call_id, queue=visit.queue.name, agent=one.agent, offer_id=one.offer_id
        )
