"""How agents are rung for a caller, alike on every switch: whisper, accept key, the talk, and why there was none.

As `cases`; of the agents it is told what the switch tells of their legs as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count

from cordboard.telephony.outcomes import AgentRung, Done, HandedOver, HungUp
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import AgentPhone, Hangup, Hold, RingAgent
from tests.contract.cases import SOON_S, Case, answered
from tests.contract.edges import HELLO, CallingParty, Edge, Part

AGENT_CASES: dict[str, Case] = {}

_numbers = count(1)


def case(function: Case) -> Case:
    """One of the suite."""
    AGENT_CASES[function.__name__] = function
    return function


def asked(edge: Edge, *parts: Part, **more: object) -> RingAgent:
    """Agents' phones to ring at once, with a whisper, and 1 to accept."""
    first, *also = [AgentPhone(f"contract-{next(_numbers)}", edge.device(part)) for part in parts]
    usual: dict[str, object] = {"ring_s": 10.0, "music": edge.music, "whisper": HELLO, "accept_s": 5.0}
    return RingAgent(first.offer_id, first.device, also=tuple(also), **usual | more)  # type: ignore[arg-type]


async def holding(edge: Edge) -> tuple[CallingParty, Phone]:
    """A caller who hears music."""
    caller, phone = await answered(edge)
    assert await phone.perform(Hold(edge.music), "cp:1") == Done()
    return caller, phone


async def rung(edge: Edge, caller: CallingParty, phone: Phone, verb: RingAgent) -> tuple[AgentRung, Phone]:
    """What came of it, and the phone that has the call then: meanwhile it is with us, or with the dialplan."""
    outcome = await phone.perform(verb, "cp:2")
    if isinstance(outcome, HandedOver):
        again = await edge.worker.phone(caller.leg_id)
        assert (again.arrival.checkpoint, again.arrival.call) == ("cp:2", phone.arrival.call)
        assert not again.arrival.ended
        phone, outcome = again, again.arrival.returned  # type: ignore[assignment]
    assert isinstance(outcome, AgentRung)
    return outcome, phone


# -- nobody comes to talk --

REFUSED: dict[str, tuple[Part, dict[str, object], str, Sequence[str]]] = {
    "is_busy": ("busy", {}, "busy", ["gone"]),
    "rejects": ("rejects", {}, "rejected", ["gone"]),
    "does_not_answer": ("rings", {"ring_s": 1.0}, "no_answer", ["gone"]),
    "presses_nothing": ("patient", {"accept_s": 0.5}, "no_key", ["answered", "gone"]),
    "presses_another_key": ("declines", {}, "declined", ["answered", "gone"]),
    "leaves_in_the_whisper": ("leaves", {}, "left_whisper", ["answered", "gone"]),
    "leaves_in_a_whisper_without_a_key": ("leaves", {"accept_key": ""}, "left_whisper", ["answered", "gone"]),
}


def _refused(part: Part, options: dict[str, object], result: str, kinds: Sequence[str]) -> Case:
    async def is_refused(edge: Edge) -> None:
        caller, phone = await holding(edge)
        verb = asked(edge, part, **options)
        outcome, phone = await rung(edge, caller, phone, verb)
        assert (outcome.offer_id, outcome.result, outcome.joined_at) == (verb.offer_id, result, None)
        assert await edge.legs.all_of(verb.offer_id) == kinds
        assert await phone.stay(0.2, "cp:3") is None  # the caller waits on
        assert await phone.perform(Hangup(), "cp:3") == HungUp()

    return is_refused


AGENT_CASES |= {f"an_agent_who_{name}_is_told_from_others": _refused(*parts) for name, parts in REFUSED.items()}


@case
async def an_agent_without_a_phone_is_told_from_others(edge: Edge) -> None:
    caller, phone = await holding(edge)
    verb = asked(edge, "absent")
    outcome, phone = await rung(edge, caller, phone, verb)
    assert (outcome.offer_id, outcome.result, outcome.joined_at) == (verb.offer_id, "unregistered", None)
    assert edge.legs.kinds(verb.offer_id) == []
    assert await phone.stay(0.2, "cp:3") is None


# -- they talk --

JOINED: dict[str, tuple[Part, dict[str, object]]] = {
    "with_a_whisper_and_a_key": ("accepts", {}),
    "with_a_key_alone": ("accepts", {"whisper": None}),
    "with_neither": ("answers", {"whisper": None, "accept_key": ""}),
}


def _joined(part: Part, options: dict[str, object]) -> Case:
    async def is_joined(edge: Edge) -> None:
        caller, phone = await holding(edge)
        verb = asked(edge, part, **options)
        outcome, phone = await rung(edge, caller, phone, verb)
        assert (outcome.offer_id, outcome.result) == (verb.offer_id, "joined")
        assert outcome.joined_at is not None
        assert 0.0 < outcome.ended_at - outcome.joined_at < SOON_S
        assert await edge.legs.all_of(verb.offer_id) == ["answered", "joined", "gone"]
        assert await phone.perform(Hold(edge.music), "cp:3") == Done()
        assert await phone.perform(Hangup(), "cp:4") == HungUp()

    return is_joined


AGENT_CASES |= {f"a_caller_comes_back_from_a_talk_{name}": _joined(*parts) for name, parts in JOINED.items()}


@case
async def a_whisper_without_a_key_is_heard_to_its_end(edge: Edge) -> None:
    caller, phone = await holding(edge)
    verb = asked(edge, "patient", accept_key="")
    ringing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
    await edge.legs.until(verb.offer_id, "joined")
    assert await ringing == HandedOver()
    await caller.hang_up()
    assert await edge.legs.all_of(verb.offer_id) == ["answered", "joined", "gone"]


@case
async def a_caller_who_leaves_the_talk_has_talked(edge: Edge) -> None:
    caller, phone = await holding(edge)
    verb = asked(edge, "stays")
    assert await phone.perform(verb, "cp:2") == HandedOver()
    await edge.legs.until(verb.offer_id, "joined")
    await caller.hang_up()
    ended = (await edge.worker.phone(caller.leg_id)).arrival
    assert ended.ended
    assert (ended.checkpoint, ended.call) == ("cp:2", phone.arrival.call)
    assert isinstance(ended.returned, AgentRung)
    assert (ended.returned.offer_id, ended.returned.result) == (verb.offer_id, "joined")
    assert await edge.legs.all_of(verb.offer_id) == ["answered", "joined", "gone"]


# -- the caller leaves before --


@case
async def the_phone_stops_when_the_caller_leaves_while_it_rings(edge: Edge) -> None:
    """In the whisper, too: there the observer sees to it, so `queue_cases` has that."""
    caller, phone = await holding(edge)
    verb = asked(edge, "rings", ring_s=60.0)
    ringing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
    await edge.legs.until(verb.offer_id, "ringing")
    await caller.hang_up()
    if await ringing == HandedOver():
        ended = (await edge.worker.phone(caller.leg_id)).arrival
        assert ended.ended
        assert isinstance(ended.returned, AgentRung)
        assert (ended.returned.offer_id, ended.returned.result) == (verb.offer_id, "caller_left")
    else:
        assert await ringing == HungUp()
    assert await edge.legs.all_of(verb.offer_id) == ["gone"]


# -- several at once --


@case
async def of_several_agents_who_accepts_first_has_the_caller(edge: Edge) -> None:
    caller, phone = await holding(edge)
    verb = asked(edge, "rings", "accepts", "busy")
    outcome, _ = await rung(edge, caller, phone, verb)
    accepts, busy = verb.also
    assert (outcome.offer_id, outcome.result) == (accepts.offer_id, "joined")
    assert await edge.legs.all_of(accepts.offer_id) == ["answered", "joined", "gone"]
    assert "joined" not in await edge.legs.all_of(verb.offer_id)
    assert "joined" not in await edge.legs.all_of(busy.offer_id)


@case
async def of_several_agents_each_says_why_not(edge: Edge) -> None:
    caller, phone = await holding(edge)
    verb = asked(edge, "busy", "rejects", "rings", "declines", ring_s=2.0)
    outcome, phone = await rung(edge, caller, phone, verb)
    results = {one.offer_id: one.result for one in (outcome, *outcome.others)}
    offers = (verb.offer_id, *(one.offer_id for one in verb.also))
    assert [results[offer] for offer in offers] == ["busy", "rejected", "no_answer", "declined"]
    assert await phone.stay(0.2, "cp:3") is None
