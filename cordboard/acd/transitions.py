"""What becomes of an offer and of an agent's activity when something is learnt of them, as tables.

Used by the store. Facts come from three sides (the caller's worker, the dialplan's result, the observer of agents'
legs), in any order, some twice and some never. So a table says for every state what each fact makes of it, and a
pair that is not in it means "nothing new": the fact is late or repeated, and is passed over. No fact of an offer
leads back to an earlier state.

An offer that was answered leaves the agent's activity at `ringing`: until the accept key they are not in a talk.
A talk always ends in `wrap_up`; a queue without wrap-up ends that in the same transaction. An agent who has room
for it (`capacity`) is offered something while they talk; the activity is that of the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from cordboard.acd.model import Activity, OfferState


class OfferFact(StrEnum):
    """What can be learnt of an offer. FAILED: it ended without a talk, for whatever cause; LEG_GONE: the leg that
    rang has ended.
    """

    RUNG = "rung"
    ANSWERED = "answered"
    JOINED = "joined"
    FAILED = "failed"
    LEG_GONE = "leg_gone"


class ActivityFact(StrEnum):
    """What can be learnt of an agent. OFFER_FAILED: no talk came of it; TALK_ENDED: their leg has ended.

    BACK_TO_TALK: either, of an agent who talks with somebody else still.
    """

    OFFERED = "offered"
    RUNG = "rung"
    JOINED = "joined"
    OFFER_FAILED = "offer_failed"
    TALK_ENDED = "talk_ended"
    WRAP_UP_OVER = "wrap_up_over"
    BACK_TO_TALK = "back_to_talk"


# LEG_GONE before a talk changes nothing: why the phone stopped ringing is the dialplan's to tell, as FAILED. FAILED
# in a talk changes nothing either: the two were joined, and the talk ends with the leg.
OFFER_STEPS: Mapping[tuple[OfferState, OfferFact], OfferState] = {
    (OfferState.OFFERED, OfferFact.RUNG): OfferState.RINGING,
    (OfferState.OFFERED, OfferFact.ANSWERED): OfferState.ANSWERED,
    (OfferState.OFFERED, OfferFact.JOINED): OfferState.TALKING,
    (OfferState.OFFERED, OfferFact.FAILED): OfferState.ENDED,
    (OfferState.RINGING, OfferFact.ANSWERED): OfferState.ANSWERED,
    (OfferState.RINGING, OfferFact.JOINED): OfferState.TALKING,
    (OfferState.RINGING, OfferFact.FAILED): OfferState.ENDED,
    (OfferState.ANSWERED, OfferFact.JOINED): OfferState.TALKING,
    (OfferState.ANSWERED, OfferFact.FAILED): OfferState.ENDED,
    (OfferState.TALKING, OfferFact.LEG_GONE): OfferState.ENDED,
}

ACTIVITY_STEPS: Mapping[tuple[Activity, ActivityFact], Activity] = {
    (Activity.IDLE, ActivityFact.OFFERED): Activity.OFFERED,
    (Activity.OFFERED, ActivityFact.RUNG): Activity.RINGING,
    (Activity.OFFERED, ActivityFact.JOINED): Activity.TALKING,
    (Activity.OFFERED, ActivityFact.OFFER_FAILED): Activity.IDLE,
    (Activity.RINGING, ActivityFact.JOINED): Activity.TALKING,
    (Activity.RINGING, ActivityFact.OFFER_FAILED): Activity.IDLE,
    (Activity.TALKING, ActivityFact.TALK_ENDED): Activity.WRAP_UP,
    (Activity.WRAP_UP, ActivityFact.WRAP_UP_OVER): Activity.IDLE,
    (Activity.TALKING, ActivityFact.OFFERED): Activity.OFFERED,
    (Activity.OFFERED, ActivityFact.BACK_TO_TALK): Activity.TALKING,
    (Activity.RINGING, ActivityFact.BACK_TO_TALK): Activity.TALKING,
    (Activity.TALKING, ActivityFact.BACK_TO_TALK): Activity.TALKING,
}

_StateT = TypeVar("_StateT", bound=StrEnum)
_FactT = TypeVar("_FactT", bound=StrEnum)


def offer_after(state: OfferState, fact: OfferFact) -> OfferState | None:
    """The offer's next state; None if the fact says nothing new."""
    return OFFER_STEPS.get((state, fact))


def activity_after(activity: Activity, fact: ActivityFact) -> Activity | None:
    """The agent's next activity; None if the fact says nothing new."""
    return ACTIVITY_STEPS.get((activity, fact))


def as_mermaid(steps: Mapping[tuple[_StateT, _FactT], _StateT], first: _StateT) -> str:
    """A table as a state diagram in Mermaid's language, in the table's order."""
    lines = [f"    {before} --> {after}: {fact}" for (before, fact), after in steps.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first}", *lines])
