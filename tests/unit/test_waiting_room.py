"""What a caller lives through in a queue: two processes on a real database, with scripted phones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.acd.announcements import next_announcement_s
from cordboard.acd.model import FloorPlan, PositionAnnouncement, Queue, RonaPolicy
from cordboard.store.address import Address
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from tests.doubles.acd_kit import CHECKPOINT, Machine, Process, arrival, machine, note
from tests.doubles.databases import locked
from tests.doubles.scripted_phone import ScriptedPhone

SOON_S = 15.0
SALES = v.Enqueue("sales", "en")


@pytest.fixture
async def house(tmp_path: Path, database: Address) -> AsyncIterator[Machine]:
    async with machine(tmp_path, database=database) as made:
        first = made.start("worker-0")
        made.start("worker-1")
        await made.observe(first)
        yield made


def begin(process: Process, phone: ScriptedPhone, verb: v.Enqueue = SALES) -> asyncio.Task[object]:
    """A caller begins to wait."""
    wait = process.room.wait(phone, verb, CHECKPOINT, lambda: note(phone.arrival.call))
    return asyncio.create_task(wait)


async def is_waiting(phone: ScriptedPhone) -> None:
    """Until the caller is on hold."""
    async with asyncio.timeout(SOON_S):
        while not phone.stays:
            await asyncio.sleep(0.005)


def ring_of(phone: ScriptedPhone) -> v.RingAgent:
    """The phone that was rung for a caller."""
    (ring,) = [verb for verb in phone.performed if isinstance(verb, v.RingAgent)]
    return ring


def back(phone: ScriptedPhone, result: str, *, ended: bool = False) -> ScriptedPhone:
    """The call as it comes back with what came of the ringing."""
    now = time.time()
    rung = o.AgentRung(ring_of(phone).offer_id, result, now - 5 if result == "joined" else None, now)
    return ScriptedPhone(replace(phone.arrival, returned=rung, ended=ended))


async def test_a_free_agent_is_rung_at_once_and_no_music_is_begun(house: Machine) -> None:
    one, _ = house.processes
    await house.ready(one, "alice")
    phone = ScriptedPhone(arrival())
    assert await asyncio.wait_for(begin(one, phone), SOON_S) == o.HandedOver()
    (ring,) = phone.performed
    assert isinstance(ring, v.RingAgent)
    assert (ring.device, ring.accept_key) == ("PJSIP/alice", "1")
    assert ring.whisper == v.Prompt("queue-sales", "whisper", "en", "A call for sales.")


async def test_who_waits_on_one_worker_is_offered_to_an_agent_who_becomes_free_through_another(
    house: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordboard.service.look_timer.LOOK_S", 60.0)  # by a wake, not by the next look
    one, two = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    assert phone.performed == [v.Hold("default")]
    await house.ready(two, "bob")
    assert await asyncio.wait_for(waiting, SOON_S) == o.HandedOver()
    assert ring_of(phone).device == "PJSIP/bob"


async def test_a_failed_offer_brings_the_caller_back_to_the_head_on_any_worker(house: Machine) -> None:
    one, two = house.processes
    first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
    waits = [begin(one, first)]
    await is_waiting(first)
    waits.append(begin(one, second))
    await is_waiting(second)
    await house.ready(one, "alice")
    await asyncio.wait_for(waits[0], SOON_S)
    returned = back(first, "no_answer")
    two.room.rung(returned.arrival, returned.arrival.returned)  # as the reception does
    again = begin(two, returned)
    assert await asyncio.wait_for(again, SOON_S) == o.HandedOver(), "the first caller again, not the second"
    assert ring_of(returned).device == "PJSIP/alice"
    assert not waits[1].done()
    assert house.rows('select "end" from offers order by made_at, offer_id')[0] == ("no_answer",)
    second.hang_up()
    await waits[1]


async def test_after_a_talk_the_entry_is_served_and_the_agent_is_not_free_before_the_leg_is_gone(
    house: Machine,
) -> None:
    one, _ = house.processes
    await house.ready(one, "alice")
    phone = ScriptedPhone(arrival())
    await asyncio.wait_for(begin(one, phone), SOON_S)
    returned = back(phone, "joined")
    one.room.rung(returned.arrival, returned.arrival.returned)
    other = ScriptedPhone(arrival())
    waiting = begin(one, other)
    await is_waiting(other)
    assert house.rows("select left_because from queue_entries where state = 'left'") == [("served",)]
    assert house.rows("select activity from agent_states where agent = 'alice'") == [("talking",)]
    other.hang_up()
    assert await asyncio.wait_for(waiting, SOON_S) == o.HungUp()


async def test_a_caller_who_hangs_up_has_abandoned(house: Machine) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    phone.hang_up()
    assert await asyncio.wait_for(waiting, SOON_S) == o.HungUp()
    await one.floor.snapshot()
    async with asyncio.timeout(SOON_S):
        while house.rows("select left_because from queue_entries") != [("abandoned",)]:
            await asyncio.sleep(0.01)


async def test_the_longest_wait_ends_in_the_flow(house: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock of the ACD, which is read from a server now and then: set right meanwhile, it would leap."""
    monkeypatch.setattr("cordboard.store.postgres.follow_database", lambda *_read: None)
    one, _ = house.processes
    phone = ScriptedPhone(arrival())
    began = time.monotonic()
    waiting = begin(one, phone, replace(SALES, max_wait_s=0.3))
    assert await asyncio.wait_for(waiting, SOON_S) == o.NotServed("max_wait")
    assert time.monotonic() - began >= 0.3


async def test_a_worker_that_drains_hands_its_callers_over_and_they_keep_their_place(house: Machine) -> None:
    one, two = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    entered_at = house.rows("select entered_at from queue_entries")
    one.room.drain()
    assert await asyncio.wait_for(waiting, SOON_S) == o.HandedOver()
    assert phone.was_handed_over
    later = ScriptedPhone(phone.arrival)
    waiting = begin(two, later)
    await is_waiting(later)
    assert house.rows("select entered_at, owner from queue_entries") == [(*entered_at[0], "worker-1")]
    later.hang_up()
    await waiting


async def test_a_locked_database_keeps_the_caller_on_hold_and_the_true_time(house: Machine) -> None:
    one, _ = house.processes
    await house.ready(one, "alice")
    with locked(house.database):
        began = time.time()
        phone = ScriptedPhone(arrival())
        waiting = begin(one, phone)
        await is_waiting(phone)
        held_at = time.time()
        assert phone.performed == [v.Hold("default")], "music, while the store cannot be asked"
    assert await asyncio.wait_for(waiting, 10) == o.HandedOver()
    ((entered_at,),) = house.rows("select entered_at from queue_entries")
    assert began <= entered_at <= held_at


async def test_an_announcement_tells_the_place_and_does_not_delay_an_agent(tmp_path: Path) -> None:
    announce = PositionAnnouncement(first_after_s=0.1, every_s=30.0, before={"en": "You are number"})
    async with machine(tmp_path, announce=announce) as house:
        one = house.start("worker-0")
        await house.observe(one)
        phone = ScriptedPhone(arrival(), play_s=60.0)
        waiting = begin(one, phone)
        async with asyncio.timeout(SOON_S):
            while not any(isinstance(verb, v.Play) for verb in phone.performed):
                await asyncio.sleep(0.005)
        await house.ready(one, "alice")
        assert await asyncio.wait_for(waiting, SOON_S) == o.HandedOver()  # in the middle of the announcement
        assert phone.was_let_go
        again = ScriptedPhone(phone.arrival)
        assert await asyncio.wait_for(begin(one, again), SOON_S) == o.HandedOver()
        assert ring_of(again).device == "PJSIP/alice"
        assert house.rows("SELECT state FROM offers") == [("ringing",)], "it waited, and was none in vain"


async def test_an_announcement_is_said_whole_and_the_music_comes_back(tmp_path: Path) -> None:
    announce = PositionAnnouncement(first_after_s=0.05, every_s=30.0, before={"en": "You are number"})
    async with machine(tmp_path, announce=announce) as house:
        one = house.start("worker-0")
        phone = ScriptedPhone(arrival(), play_s=0.05)
        waiting = begin(one, phone)
        async with asyncio.timeout(SOON_S):
            while len(phone.performed) < 3:
                await asyncio.sleep(0.005)
        kinds = [type(verb) for verb in phone.performed]
        assert kinds == [v.Hold, v.Play, v.Hold]
        said = phone.performed[1]
        assert isinstance(said, v.Play)
        assert [prompt.text for prompt in said.prompts] == ["You are number", "1"]
        phone.hang_up()
        assert await asyncio.wait_for(waiting, SOON_S) == o.HungUp()


async def test_the_longest_wait_ends_also_while_offers_keep_failing(tmp_path: Path) -> None:
    async with machine(tmp_path, max_wait_s=0.6, rona=RonaPolicy(pause_after=0, retry_after_s=0.01)) as house:
        one = house.start("worker-0")
        await house.observe(one)
        await house.ready(one, "alice", "bob")
        phone, outcome, began = ScriptedPhone(arrival()), None, time.monotonic()
        while not isinstance(outcome := await asyncio.wait_for(begin(one, phone), SOON_S), o.NotServed):
            assert time.monotonic() - began < 20
            await asyncio.sleep(0.05)
            phone = back(phone, "busy")
            one.room.rung(phone.arrival, phone.arrival.returned)
        assert outcome == o.NotServed("max_wait")
        assert time.monotonic() - began >= 0.6


async def test_a_queue_that_is_taken_away_is_closed_to_who_waits_and_to_who_comes(house: Machine) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    one.floor.use(FloorPlan({}, {}))
    assert await asyncio.wait_for(waiting, SOON_S) == o.NotServed("closed")
    assert await asyncio.wait_for(begin(one, ScriptedPhone(arrival("B" * 26))), SOON_S) == o.NotServed("closed")
    async with asyncio.timeout(SOON_S):
        while house.rows("select left_because from queue_entries") != [("closed",)]:
            await asyncio.sleep(0.01)


async def test_who_comes_to_a_worker_that_drains_is_handed_over(house: Machine) -> None:
    one, _ = house.processes
    one.room.drain()
    phone = ScriptedPhone(arrival())
    assert await asyncio.wait_for(begin(one, phone), SOON_S) == o.HandedOver()
    assert phone.was_handed_over


async def test_a_look_that_fails_is_followed_by_the_next(house: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    failed_at: list[float] = []

    def broken(*_: object) -> None:
        failed_at.append(time.monotonic())
        raise KeyError("a slip of ours")

    with monkeypatch.context() as patched:
        patched.setattr(one.floor.store, "sweep", broken)
        one.floor.look()
        async with asyncio.timeout(SOON_S):
            while not failed_at:
                await asyncio.sleep(0.01)
    await asyncio.sleep(3.5)  # longer than a lease: only a look can have renewed it
    await house.ready(two, "alice")
    assert await asyncio.wait_for(waiting, SOON_S) == o.HandedOver()


@pytest.mark.parametrize(
    ("waited_s", "next_s"), [(0.0, 20.0), (19.9, 20.0), (20.1, 65.0), (64.0, 65.0), (66.0, 110.0)]
)
def test_announcements_keep_their_rhythm_whatever_offers_come_between(waited_s: float, next_s: float) -> None:
    announce = PositionAnnouncement(first_after_s=20.0, every_s=45.0, before={"en": "You are number"})
    assert next_announcement_s(Queue("sales", announce=announce), waited_s) == next_s
