"""Several agents rung at once, in one house: the worker rings them together, takes what came of it, and lets go
those who still listen to the whisper when somebody has the call.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from panoramisk.message import Message

from agi_scripts.agent_legs import NotOurs, agent_leg_event
from cordboard.service.observer import Observer
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.ports import AgentLegEvent
from tests.doubles.acd_kit import CHECKPOINT, Machine, arrival, machine, note
from tests.doubles.quiet_switch import QuietSwitch
from tests.doubles.scripted_phone import ScriptedPhone

SOON_S = 10.0


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Machine]:
    async with machine(tmp_path, strategy="ring_all") as made:
        await made.observe(made.start("worker-0"))
        yield made


async def ring_both(house: Machine) -> tuple[ScriptedPhone, v.RingAgent]:
    (one,) = house.processes
    await house.ready(one, "alice", "bob")
    phone = ScriptedPhone(arrival())
    waiting = one.room.wait(phone, v.Enqueue("sales", "en"), CHECKPOINT, lambda: note(phone.arrival.call))
    assert await asyncio.wait_for(waiting, SOON_S) == o.HandedOver()
    (ring,) = phone.performed
    assert isinstance(ring, v.RingAgent)
    return phone, ring


async def test_all_free_agents_are_rung_by_one_verb(house: Machine) -> None:
    _, ring = await ring_both(house)
    assert sorted([ring.device, *(phone.device for phone in ring.also)]) == ["PJSIP/alice", "PJSIP/bob"]
    assert len({ring.offer_id, *(phone.offer_id for phone in ring.also)}) == 2
    assert house.rows("select state from offers") == [("ringing",), ("ringing",)]


async def test_what_came_of_each_phone_is_written_when_the_call_comes_back(house: Machine) -> None:
    (one,) = house.processes
    phone, ring = await ring_both(house)
    now = time.time()
    joined = o.AgentRung(
        ring.also[0].offer_id, "joined", now - 5, now, (o.AgentRung(ring.offer_id, "taken", None, now),)
    )
    one.room.rung(replace(phone.arrival, returned=joined), joined)
    async with asyncio.timeout(SOON_S):
        while not house.rows("select end from offers where end is not null"):
            await asyncio.sleep(0.01)
    assert house.rows(f"select end from offers where offer_id = '{ring.offer_id}'") == [("taken",)]
    assert house.rows("select kind from ledger where kind = 'joined'") == [("joined",)]


async def nothing(_legs: set[str], _at: float) -> None: ...


def told(kind: str, agent: str, caller: str = "caller-1") -> AgentLegEvent:
    return AgentLegEvent(kind, f"offer-{agent}", f"leg-{agent}", caller, 1.0)  # type: ignore[arg-type]


async def test_who_listens_to_the_whisper_is_let_go_when_another_has_the_call(house: Machine) -> None:
    switch = QuietSwitch()
    observer = Observer(switch, house.processes[0].floor, nothing)
    for agent in ("alice", "bob", "carol"):
        switch.tell(told("answered", agent))
    switch.tell(told("answered", "dave", "caller-2"))
    switch.tell(told("gone", "carol"))
    switch.tell(told("joined", "bob"))
    await asyncio.sleep(0)
    assert switch.ended == ["leg-alice"]
    switch.hangs_up("caller-2")
    await asyncio.sleep(0)
    assert switch.ended == ["leg-alice", "leg-dave"]
    await observer.aclose()


async def test_all_who_listen_are_let_go_when_the_caller_leaves(house: Machine) -> None:
    switch = QuietSwitch()
    observer = Observer(switch, house.processes[0].floor, nothing)
    for agent in ("alice", "bob"):
        switch.tell(told("answered", agent))
    switch.hangs_up("caller-1")
    await asyncio.sleep(0)
    assert switch.ended == ["leg-alice", "leg-bob"]
    await observer.aclose()


REFUSED = {"Kind": "refused", "Offer": "o-1", "Leg": "1.2", "Caller": "1.1", "At": "1795373770846", "Token": "t"}


@pytest.mark.parametrize(
    ("words", "result"),
    [("BUSY.17.unset", "busy"), ("ANSWER.16.timeout", "no_key"), ("CHANUNAVAIL.20.unset", "unregistered")],
)
def test_a_refusal_says_why_and_is_of_no_agents_leg(words: str, result: str) -> None:
    event = agent_leg_event(Message(REFUSED | {"Words": words}), "t")
    assert event == AgentLegEvent("refused", "o-1", "", "1.1", 1795373770.846, result=result)


@pytest.mark.parametrize("words", ["", "BUSY", "BUSY.17", "BUSY.17.unset.x"])
def test_a_refusal_without_its_words_is_not_believed(words: str) -> None:
    with pytest.raises(NotOurs):
        agent_leg_event(Message(REFUSED | {"Words": words}), "t")
