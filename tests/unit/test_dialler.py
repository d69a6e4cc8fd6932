"""The dialler of each process: one of them dials, and what it does not know it looks up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import FloorPlan
from cordboard.config.outside_section import Cap, Outside
from cordboard.errors import OutcomeUnknown, SwitchRefused, SwitchUnavailable
from cordboard.service.callbacks import Callbacks
from cordboard.service.called_back import DNIS, flow_named, flow_of_leg, is_made_here
from cordboard.service.outside_caps import OutsideCaps
from cordboard.store.address import Address
from cordboard.store.callback_attempts import CalledBack
from cordboard.store.callbacks import CallbackAsked
from cordboard.store.moments import now
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.dial_policy import DialPolicy
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import CallbackBooked
from cordboard.telephony.outside_numbers import parse_outside
from cordboard.telephony.ports import CallEvent, CustomerLeg, Leg
from tests.doubles.acd_kit import Machine, Process, machine

NUMBER = "+442079460123"
POLICY = DialPolicy(outside=parse_outside("PJSIP/{number}@trunk", countries=["GB"]))
DEADLINE_S = 15.0


class FakeSwitch:
    """Notes the legs it is asked for, and answers as it is told."""

    def __init__(self) -> None:
        self.is_connected = True
        self.asked: list[CustomerLeg] = []
        self.answers: Callable[[], HangupCause | None] = lambda: None
        self.live: list[Leg] = []
        self.tell: Callable[[CallEvent], None] = lambda event: None
        self.by_trunk: dict[str, FakeSwitch] = {}  # by device: the other switch

    def of(self, device: str) -> FakeSwitch:
        return self.by_trunk.get(device, self)

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None:
        self.tell = callback

    async def call_back(self, leg: CustomerLeg) -> HangupCause | None:
        self.asked.append(leg)
        return self.answers()

    async def list_legs(self) -> Sequence[Leg]:
        return self.live


class Office:
    """A machine with dialling processes."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.outside = Outside(device="PJSIP/{number}@trunk")
        self.processes: list[tuple[Process, Callbacks, FakeSwitch]] = []

    def start(
        self, name: str, policy: DialPolicy = POLICY, switch: FakeSwitch | None = None
    ) -> tuple[Process, Callbacks, FakeSwitch]:
        process, switch = self.machine.start(name), switch or FakeSwitch()
        caps = OutsideCaps()
        caps.use(self.outside)
        callbacks = Callbacks(process.floor, switch, caps)
        callbacks.use(policy)
        self.processes.append((process, callbacks, switch))
        return self.processes[-1]

    async def kill(self, name: str) -> None:
        """End a process as SIGKILL does: it lets go of nothing, and its lease is over when its time is."""
        (found,) = [one for one in self.processes if one[0].floor.name == name]
        process, callbacks, _ = found
        self.processes.remove(found)
        self.machine.processes.remove(process)
        await process.aclose()
        callbacks._is_dialling = False
        await callbacks.aclose()

    async def is_no_more(self, sql: str, before: list[tuple[object, ...]]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.machine.rows(sql) == before:
                await asyncio.sleep(0.02)

    async def becomes(self, sql: str, wanted: list[tuple[object, ...]]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.machine.rows(sql) != wanted:
                await asyncio.sleep(0.02)


@pytest.fixture
async def office(tmp_path: Path, database: Address, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    monkeypatch.setattr("cordboard.service.callbacks.BOOK_S", DEADLINE_S)  # no caller waits in silence here
    async with machine(tmp_path, database=database) as made:
        made.plan = dialling(made.plan)
        office = Office(made)
        yield office
        for _, callbacks, _ in office.processes:
            await callbacks.aclose()


def dialling(plan: FloorPlan, attempts: int = 1) -> FloorPlan:
    policy = CallbackPolicy(ring_s=5.0, attempts=attempts, retry_after_s=60.0)
    queues = {name: replace(queue, callback=policy) for name, queue in plan.queues.items()}
    return replace(plan, queues=queues)


def asked(number: str = NUMBER) -> CallbackAsked:
    return CallbackAsked(new_call_id(), "sales", number, "en", 0, now().wall)


async def dialled(switch: FakeSwitch) -> CustomerLeg:
    """The first leg that is asked for."""
    async with asyncio.timeout(DEADLINE_S):
        while not switch.asked:
            await asyncio.sleep(0.02)
    return switch.asked[0]


PROMISE = "SELECT state, last_result, attempts FROM callbacks"


async def test_a_customer_is_dialled_as_soon_as_an_agent_is_there(office: Office) -> None:
    process, callbacks, switch = office.start("w1")
    assert isinstance(await callbacks.book(asked()), CallbackBooked)
    await office.machine.ready(process, "alice")
    leg = await dialled(switch)
    assert (leg.customer.device, leg.leg_id) == (f"PJSIP/{NUMBER}@trunk", f"callback-{leg.call_id}")
    assert await callbacks.find(leg.call_id) == CalledBack("sales", "en", 0, "")
    assert await callbacks.find(new_call_id()) is None


async def test_customers_are_rung_as_soon_as_the_switch_of_their_trunk_is_up(office: Office) -> None:
    one, other = FakeSwitch(), FakeSwitch()
    one.by_trunk["PJSIP/{number}@trunk"] = other
    other.is_connected = False
    process, callbacks, _ = office.start("w1", switch=one)
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    await office.becomes("SELECT name FROM leases WHERE name = 'dialler'", [("dialler",)])
    looks = asyncio.Semaphore(0)
    process.floor.on_look(lambda connection, moment: looks.release)
    for _ in range(2):
        await looks.acquire()
    assert (one.asked, other.asked) == ([], [])
    other.is_connected = True
    assert (await dialled(other)).customer.number == NUMBER


async def test_of_several_processes_one_dials(office: Office) -> None:
    first, callbacks, one = office.start("w1")
    _, _, other = office.start("w2")
    await callbacks.book(asked())
    await office.machine.ready(first, "alice")
    async with asyncio.timeout(DEADLINE_S):
        while not (one.asked or other.asked):
            await asyncio.sleep(0.02)
    await office.becomes("SELECT attempts FROM callbacks", [(1,)])
    assert len(one.asked) + len(other.asked) == 1


async def test_why_a_customer_was_not_reached_is_kept(office: Office) -> None:
    process, callbacks, switch = office.start("w1")
    switch.answers = lambda: HangupCause.BUSY
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    await office.becomes(PROMISE, [("failed", "busy", 1)])


async def test_a_number_that_may_not_be_dialled_is_not(office: Office) -> None:
    process, callbacks, switch = office.start("w1", DialPolicy())
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    await office.becomes(PROMISE, [("failed", "not allowed", 1)])
    assert switch.asked == []


async def test_what_the_switch_refuses_has_failed(office: Office) -> None:
    process, callbacks, switch = office.start("w1")

    def refuse() -> HangupCause | None:
        raise SwitchRefused("no such endpoint")

    switch.answers = refuse
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    await office.becomes(PROMISE, [("failed", "unknown", 1)])


async def test_an_unknown_outcome_is_looked_up_and_not_tried_again_before(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordboard.store.callback_attempts.MARGIN_S", -4.5)  # half a second after the claim
    process, callbacks, switch = office.start("w1")

    def lost() -> HangupCause | None:
        raise OutcomeUnknown("the link died")

    switch.answers = lost
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    leg = await dialled(switch)
    assert office.machine.rows("SELECT leg_id FROM callbacks") == [(leg.leg_id,)]
    await office.becomes(PROMISE, [("failed", "unknown", 1)])
    assert len(switch.asked) == 1


class Silent(FakeSwitch):
    """The link of a process that dies: what it was asked for is done, and it says nothing more."""

    async def call_back(self, leg: CustomerLeg) -> HangupCause | None:
        self.asked.append(leg)
        await asyncio.Event().wait()
        return None

    async def list_legs(self) -> Sequence[Leg]:
        raise SwitchUnavailable("the link is dead")


@pytest.mark.parametrize("lives", [True, False])
async def test_whom_a_dead_process_was_dialling_is_not_rung_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch, lives: bool
) -> None:
    monkeypatch.setattr("cordboard.store.callback_attempts.MARGIN_S", -4.0)  # overdue a second after the claim
    office.machine.plan = dialling(office.machine.plan, attempts=2)
    process, callbacks, _ = office.start("w1", switch=(silent := Silent()))
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    leg = await dialled(silent)
    _, others, second = office.start("w2")
    second.live = [Leg(leg.leg_id, "PJSIP/trunk-1", leg.call_id, "Ring")] if lives else []
    before = office.machine.rows("SELECT dial_until FROM callbacks")
    await office.kill("w1")
    if lives:
        await office.is_no_more("SELECT dial_until FROM callbacks", before)  # looked up, and left to ring
        assert office.machine.rows(PROMISE) == [("waiting", "", 1)]
        assert await others.find(leg.call_id) is not None, "who picks up is known to those that are left"
    else:
        await office.becomes(PROMISE, [("waiting", "unknown", 1)])
    assert second.asked == [], "not rung before the next attempt is due"


async def test_callbacks_count_as_calls_to_outside_numbers(office: Office) -> None:
    office.outside = Outside(device="PJSIP/{number}@trunk", per_flow=Cap(calls=1, within_s=3_600))
    process, callbacks, switch = office.start("w1")
    await callbacks.book(asked())
    await callbacks.book(asked("+442079460124"))
    await office.machine.ready(process, "alice", "bob")
    told = "SELECT last_result, attempts FROM callbacks WHERE last_result <> ''"
    await office.becomes(told, [("too many calls", 0)])
    assert len(switch.asked) == 1


async def test_of_a_customer_whom_an_agent_hears_ringing_it_is_known_why_they_did_not_come(office: Office) -> None:
    process, callbacks, switch = office.start("w1")
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    leg = await dialled(switch)
    switch.tell(CallEvent("not_reached", leg.call_id, 17, now().wall))
    await office.becomes("SELECT last_result FROM callbacks", [("busy",)])


async def test_an_answering_machine_is_a_failed_attempt(office: Office) -> None:
    process, callbacks, switch = office.start("w1")
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    leg = await dialled(switch)
    switch.tell(CallEvent("machine", leg.call_id, 16, now().wall))
    await office.becomes(PROMISE, [("failed", "machine", 1)])


async def test_a_customer_whose_flow_ends_without_the_queue_has_declined(office: Office) -> None:
    process, callbacks, switch = office.start("w1")
    await callbacks.book(asked())
    await office.machine.ready(process, "alice")
    leg = await dialled(switch)
    callbacks.ended(leg.call_id, by_flow=True)
    await office.becomes("SELECT state FROM callbacks", [("declined",)])
    await office.becomes("SELECT state, left_because FROM queue_entries", [("left", "callback")])


def test_a_leg_without_a_flow_of_its_own_goes_to_its_queue_and_is_found_there_again() -> None:
    queues: Mapping[str, None] = {"sales": None, "2nd-line": None}
    flow = flow_of_leg(CalledBack("2nd-line", "pt-br", 0, ""), {}, queues.keys())
    again = flow_named(flow.name, queues.keys())
    assert is_made_here(flow.revision) and again.languages == ("pt-br",)
    assert again.nodes.keys() == flow.nodes.keys() and flow.start in again.nodes
    assert flow_of_leg(None, {}, queues.keys()).start in again.nodes
    assert DNIS.isalpha(), "what the dialplan lets through as a number"
