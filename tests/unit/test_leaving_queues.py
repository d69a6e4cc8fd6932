"""Ways out of a queue, and back into it: keys, and rules that refuse, send out and send on. Two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cordboard.acd.model import Agent, FloorPlan, LeftBecause, Presence, Queue, RonaPolicy
from cordboard.acd.waiting_rules import OverflowStep, PeriodicAnnouncement, PositionAnnouncement
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_values import Entering, Verdict
from cordboard.store.moments import now
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from tests.doubles.acd_kit import CHECKPOINT, Machine, Process, arrival, machine, note
from tests.doubles.scripted_phone import ScriptedPhone

SOON_S = 15.0
KEYS = v.Enqueue("sales", "en", exit_keys="9", step_out_keys="1", held_for_s=60.0)
LEFT = "select queue, left_because from queue_entries where state = 'left' order by left_at"


class Keypad:
    """Where keys on hold are heard."""

    def __init__(self) -> None:
        self.listeners: dict[str, Callable[[str], None]] = {}

    def hear_keys(self, leg_id: str, heard: Callable[[str], None]) -> None:
        self.listeners[leg_id] = heard

    def forget_keys(self, leg_id: str) -> None:
        del self.listeners[leg_id]


@asynccontextmanager
async def house_with(folder: Path, **queue: Any) -> AsyncIterator[Machine]:
    """Two workers, the first of which observes; `queue` are options of `sales`. Zoe alone serves `support`."""
    async with machine(folder, **queue) as made:
        queues = {**made.plan.queues, "support": Queue("support", wrap_up_s=0.0, rona=RonaPolicy(0, 0.05))}
        agents = {**made.plan.agents, "zoe": Agent("zoe", "Zoe", "PJSIP/zoe", ("support",))}
        made.plan = FloorPlan(queues, agents)
        first = made.start("worker-0")
        made.start("worker-1")
        await made.observe(first)
        yield made


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Machine]:
    async with house_with(tmp_path) as made:
        yield made


def begin(process: Process, phone: ScriptedPhone, verb: v.Enqueue = KEYS, **step: int) -> asyncio.Task[object]:
    process.room.keys = process.room.keys or Keypad()
    wait = process.room.wait(phone, verb, CHECKPOINT, lambda: note(phone.arrival.call), **step)
    return asyncio.create_task(wait)


def press(process: Process, phone: ScriptedPhone, key: str) -> None:
    keypad = process.room.keys
    assert isinstance(keypad, Keypad)
    keypad.listeners[phone.arrival.call.leg_id](key)


def entering(call_id: str) -> Entering:
    return Entering(call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, now().wall, "worker-0")


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not check():
            await asyncio.sleep(0.01)


async def is_waiting(phone: ScriptedPhone) -> None:
    await until(lambda: bool(phone.stays))


def music_of(phone: ScriptedPhone) -> list[str]:
    """What the caller has heard, one after the other."""
    return [verb.music for verb in phone.performed if isinstance(verb, v.Hold)]


async def becomes(house: Machine, sql: str, rows: list[tuple[Any, ...]]) -> None:
    async with asyncio.timeout(SOON_S):
        while (found := house.rows(sql)) != rows:
            await asyncio.sleep(0.01)
    assert found == rows


async def end(waiting: asyncio.Task[object]) -> object:
    return await asyncio.wait_for(waiting, SOON_S)


# -- keys --


async def test_a_key_leaves_the_queue_and_others_do_nothing(house: Machine) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival("A" * 26))
    waiting = begin(one, phone)
    await is_waiting(phone)
    assert phone.performed == [v.Hold("default", keys=True)]
    press(one, phone, "5")
    press(one, phone, "9")
    assert await end(waiting) == o.LeftByKey("9")
    await becomes(house, LEFT, [("sales", "exit_key")])
    assert isinstance(one.room.keys, Keypad) and not one.room.keys.listeners, "nothing is heard of who has left"


@pytest.mark.parametrize(("came_as", "has_left"), [(4, True), (6, False)])
async def test_a_key_that_led_out_does_so_on_another_worker_too(
    house: Machine, came_as: int, has_left: bool
) -> None:
    """The first one has died before the flow went on; or after that, when it was to wait anew."""
    one, two = house.processes
    phone = ScriptedPhone(arrival("A" * 26))
    waiting = begin(one, phone, seq=4)
    await is_waiting(phone)
    press(one, phone, "9")
    assert await end(waiting) == o.LeftByKey("9")
    await becomes(house, LEFT, [("sales", "exit_key")])
    later = ScriptedPhone(phone.arrival)
    again = begin(two, later, seq=came_as + 1, came_as=came_as)
    if not has_left:
        await is_waiting(later)
        later.hang_up()
    assert await end(again) == (o.LeftByKey("9") if has_left else o.HungUp())
    assert len(house.rows("select entry_id from queue_entries")) == (1 if has_left else 2)


async def test_who_steps_out_comes_back_to_the_place_on_any_worker(house: Machine) -> None:
    one, two = house.processes
    first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
    waits = [begin(one, first)]
    await is_waiting(first)
    waits.append(begin(one, second))
    await is_waiting(second)
    entered_at = house.rows("select entered_at from queue_entries order by entered_at")[0]
    press(one, first, "1")
    assert await end(waits[0]) == o.LeftByKey("1", keeps_place=True)
    again = ScriptedPhone(first.arrival)
    waiting = begin(two, again)
    await is_waiting(again)
    assert house.rows("select state, entered_at from queue_entries order by entered_at")[0] == (
        "waiting",
        *entered_at,
    )
    await house.ready(one, "alice")
    assert await end(waiting) == o.HandedOver(), "the first of the two again"
    second.hang_up()
    await end(waits[1])


@pytest.mark.parametrize(("has_left", "because"), [(True, "abandoned"), (False, "exit_key")])
async def test_the_place_of_a_call_that_ends_elsewhere_is_given_up(
    house: Machine, has_left: bool, because: str
) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival("A" * 26))
    waiting = begin(one, phone)
    await is_waiting(phone)
    press(one, phone, "1")
    await end(waiting)
    one.room.ended("B" * 26, has_left=has_left)
    one.room.ended("A" * 26, has_left=has_left)
    await becomes(house, LEFT, [("sales", because)])


async def test_a_place_that_is_kept_for_a_call_back_outlives_the_call(house: Machine) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival("A" * 26))
    waiting = begin(one, phone)
    await is_waiting(phone)
    press(one, phone, "1")
    await end(waiting)

    def book(connection: Any) -> Any:
        return one.floor.store.step_out(connection, now(), "A" * 26, None, kind="callback")

    one.floor.note(book)
    one.room.ended("A" * 26, has_left=False)
    one.floor.note(lambda c: one.floor.store.leave(c, now(), "none", LeftBecause.LOST))
    await one.floor.enter(entering("C" * 26), note(phone.arrival.call))  # after all that was to be written
    assert house.rows("select state, kind from queue_entries where call_id like 'A%'") == [("away", "callback")]


async def test_a_key_during_an_announcement_ends_it(tmp_path: Path) -> None:
    announce = PositionAnnouncement(first_after_s=0.1, every_s=30.0, before={"en": "You are number"})
    async with house_with(tmp_path, announce=announce) as house:
        phone = ScriptedPhone(arrival())
        phone.pressed_in_play = "9"
        assert await end(begin(house.processes[0], phone)) == o.LeftByKey("9")
        assert [type(verb) for verb in phone.performed] == [v.Hold, v.Play], "no music after it"


async def test_a_key_that_means_nothing_ends_only_the_announcement(tmp_path: Path) -> None:
    announce = PositionAnnouncement(first_after_s=0.1, every_s=30.0, before={"en": "You are number"})
    async with house_with(tmp_path, announce=announce) as house:
        phone = ScriptedPhone(arrival())
        phone.pressed_in_play = "5"
        waiting = begin(house.processes[0], phone)
        await until(lambda: len(phone.performed) == 3)
        phone.hang_up()
        assert await end(waiting) == o.HungUp()


async def test_what_the_caller_wants_goes_before_an_offer(house: Machine) -> None:
    one, _ = house.processes
    phone = ScriptedPhone(arrival())
    waiting = begin(one, phone)
    await is_waiting(phone)
    press(one, phone, "9")
    await house.ready(one, "alice")
    assert await end(waiting) == o.LeftByKey("9")
    await becomes(house, "select activity from agent_states where agent = 'alice'", [("idle",)])


# -- rules --


async def test_a_full_queue_lets_nobody_else_in(tmp_path: Path) -> None:
    async with house_with(tmp_path, max_waiting=1) as house:
        one, two = house.processes
        first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
        waiting = begin(one, first)
        await is_waiting(first)
        assert await end(begin(two, second)) == o.NotServed("full")
        assert not second.performed, "no music for one who is not let in"
        assert house.rows("select count(*) from ledger where kind = 'refused'") == [(1,)]
        again = ScriptedPhone(first.arrival)
        back = begin(two, again)
        await is_waiting(again)  # who has a place needs no other
        again.hang_up()
        await end(back)
        first.hang_up()
        await end(waiting)


async def test_nobody_joins_where_nobody_is_and_who_waits_leaves_when_the_last_agent_goes(tmp_path: Path) -> None:
    strict = frozenset({"logged_out", "paused"})
    async with house_with(tmp_path, join_when_empty=strict, leave_when_empty=strict) as house:
        one, _ = house.processes
        assert await end(begin(one, ScriptedPhone(arrival()))) == o.NotServed("empty")
        await house.ready(one, "alice")
        busy = ScriptedPhone(arrival("A" * 26))
        assert await end(begin(one, busy)) == o.HandedOver(), "alice has this one"
        phone = ScriptedPhone(arrival("B" * 26))
        waiting = begin(one, phone)
        await is_waiting(phone)
        await one.floor.agents.set_presence("alice", Presence.PAUSED)
        assert await end(waiting) == o.NotServed("empty")
        await becomes(house, LEFT, [("sales", "empty")])


async def test_after_a_time_the_caller_goes_on_to_another_queue_at_their_old_place(tmp_path: Path) -> None:
    async with house_with(tmp_path, music="jazz", overflow=(OverflowStep(wait_s=0.3, to="support"),)) as house:
        one, two = house.processes
        phone = ScriptedPhone(arrival("A" * 26))
        waiting = begin(one, phone)
        await becomes(
            house,
            "select queue, state, left_because, asked_queue from queue_entries order by rowid",
            [("sales", "left", "overflow", ""), ("support", "waiting", None, "sales")],
        )
        await until(lambda: music_of(phone) == ["jazz", "default"])
        assert len(house.rows("select distinct entered_at, entered_boot from queue_entries")) == 1
        await house.ready(two, "zoe")
        assert await end(waiting) == o.HandedOver()
        again = ScriptedPhone(phone.arrival)
        back = begin(two, again)  # as after an agent who did not take the call: the flow asks for `sales`
        assert await end(back) == o.HandedOver(), "zoe again: the place is in `support`"
        assert house.rows("select count(*) from queue_entries") == [(2,)]


async def test_a_step_without_a_queue_leads_back_to_the_flow(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(position=1),)) as house:
        one, _ = house.processes
        first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
        waiting = begin(one, first)
        await is_waiting(first)
        assert await end(begin(one, second)) == o.NotServed("overflow")
        first.hang_up()
        await end(waiting)
        await becomes(house, LEFT, [("sales", "overflow"), ("sales", "abandoned")])


async def test_a_free_agent_goes_before_any_rule(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(ratio=0.001),)) as house:
        one, _ = house.processes
        assert await end(begin(one, ScriptedPhone(arrival()))) == o.NotServed("overflow")
        await house.ready(one, "alice")
        assert await end(begin(one, ScriptedPhone(arrival()))) == o.HandedOver()


async def test_a_step_that_was_due_before_the_caller_came_to_its_queue_holds_there_at_once(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(wait_s=0.3, to="support"),)) as house:
        change(house, "support", overflow=(OverflowStep(wait_s=0.2),))
        phone = ScriptedPhone(arrival("A" * 26))
        assert await end(begin(house.processes[0], phone)) == o.NotServed("overflow")
        await becomes(house, LEFT, [("sales", "overflow"), ("support", "overflow")])


async def test_a_queue_that_was_full_when_the_step_was_due_is_tried_again(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(wait_s=0.2, to="support"),)) as house:
        change(house, "support", max_waiting=1)
        one, two = house.processes
        first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
        waits = [begin(two, first, replace(KEYS, queue="support"))]
        await is_waiting(first)
        waits.append(begin(one, second))
        await until(lambda: len(second.stays) > 1)  # the step was due, and led nowhere
        first.hang_up()
        await becomes(house, "select queue from queue_entries where state = 'waiting'", [("support",)])
        second.hang_up()
        await asyncio.gather(*map(end, waits))


async def test_nobody_waits_in_a_queue_that_was_taken_away_while_a_phone_rang_for_them(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(wait_s=0.2, to="support"),)) as house:
        one, two = house.processes
        await house.ready(two, "zoe")
        phone = ScriptedPhone(arrival("A" * 26))
        assert await end(begin(one, phone)) == o.HandedOver(), "zoe is rung"
        for process in house.processes:
            process.floor.use(FloorPlan({"sales": Queue("sales")}, {}))
        outcome = await end(begin(two, ScriptedPhone(phone.arrival)))
        assert outcome == o.NotServed("closed")
        await becomes(house, LEFT, [("sales", "overflow"), ("support", "closed")])


async def test_who_was_sent_out_while_the_store_was_slow_to_say_so_is_told_a_moment_later(tmp_path: Path) -> None:
    async with house_with(tmp_path, overflow=(OverflowStep(wait_s=0.3),)) as house:
        one, _ = house.processes
        lose_answer(one)
        assert await end(begin(one, ScriptedPhone(arrival("A" * 26)))) == o.NotServed("overflow")
        await becomes(house, LEFT, [("sales", "overflow")])


def lose_answer(process: Process) -> None:
    """What the store says of its next review is not heard."""
    review = process.floor.review

    async def unheard(call_ids: Collection[str]) -> list[Verdict]:
        await review(call_ids)
        process.floor.review = review  # type: ignore[method-assign]
        raise StoreUnavailable("the database did not answer within 2 s")

    process.floor.review = unheard  # type: ignore[method-assign]


def change(house: Machine, queue: str, **rules: Any) -> None:
    """Change what a queue says, in the plan of all processes."""
    queues = {**house.plan.queues, queue: replace(house.plan.queues[queue], **rules)}
    for process in house.processes:
        process.floor.use(FloorPlan(queues, house.plan.agents))


# -- what is told --


async def test_a_better_place_is_told_at_once(tmp_path: Path) -> None:
    announce = PositionAnnouncement(0.1, 300.0, {"en": "You are number"}, on_change=True)
    async with house_with(tmp_path, announce=announce) as house:
        one, _ = house.processes
        first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26))
        waits = [begin(one, first)]
        await is_waiting(first)
        waits.append(begin(one, second))
        await until(lambda: told(second) == ["2"])
        first.hang_up()
        await until(lambda: told(second) == ["2", "1"])
        second.hang_up()
        await asyncio.gather(*map(end, waits))


async def test_a_place_that_was_told_is_not_told_again_by_the_next_worker(tmp_path: Path) -> None:
    announce = PositionAnnouncement(0.1, 0.1, {"en": "You are number"}, only_changed=True)
    periodic = PeriodicAnnouncement(0.2, 0.2, ({"en": "Still here."},))
    async with house_with(tmp_path, announce=announce, announce_periodic=periodic) as house:
        one, two = house.processes
        first, second = ScriptedPhone(arrival("A" * 26)), ScriptedPhone(arrival("B" * 26), play_s=0.01)
        waits = [begin(two, first)]
        await is_waiting(first)
        leaving = begin(one, second)
        await until(lambda: "2" in all_told(second))
        one.room.drain()
        assert await end(leaving) == o.HandedOver()
        again = ScriptedPhone(second.arrival, play_s=0.01)
        waits.append(begin(two, again))
        await until(lambda: all_told(again).count("Still here.") >= 2)
        assert "2" not in all_told(again)
        first.hang_up()
        await until(lambda: "1" in all_told(again))
        again.hang_up()
        await asyncio.gather(*map(end, waits))


async def test_messages_take_turns_and_leave_some_music_between_them(tmp_path: Path) -> None:
    periodic = PeriodicAnnouncement(0.1, 0.2, ({"en": "One."}, {"en": "Two."}))
    async with house_with(tmp_path, announce_periodic=periodic, announce_gap_s=0.05) as house:
        phone = ScriptedPhone(arrival(), play_s=0.01)
        waiting = begin(house.processes[0], phone, replace(KEYS, exit_keys="", step_out_keys=""))
        await until(lambda: len(told(phone)) >= 3)
        phone.hang_up()
        await end(waiting)
        assert set(told(phone)) == {"One.", "Two."}


def all_told(phone: ScriptedPhone) -> list[str]:
    """Every prompt of each announcement."""
    plays = (verb for verb in phone.performed if isinstance(verb, v.Play))
    return [prompt.text for play in plays for prompt in play.prompts]  # type: ignore[union-attr]


def told(phone: ScriptedPhone) -> list[str]:
    """The last prompt of each announcement."""
    return [verb.prompts[-1].text for verb in phone.performed if isinstance(verb, v.Play)]  # type: ignore[union-attr]
