"""The dialler of each process: one of them dials, and what it does not know it looks up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.acd.callback_policy import CallbackPolicy
from cordboard.acd.model import FloorPlan
from cordboard.errors import OutcomeUnknown, SwitchRefused
from cordboard.service.callbacks import Callbacks
from cordboard.service.called_back import DNIS, flow_named, flow_of_leg, is_made_here
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
        self.processes: list[tuple[Process, Callbacks, FakeSwitch]] = []

    def start(self, name: str, policy: DialPolicy = POLICY) -> tuple[Process, Callbacks, FakeSwitch]:
        process, switch = self.machine.start(name), FakeSwitch()
        callbacks = Callbacks(process.floor, switch)
        callbacks.use(policy)
        self.processes.append((process, callbacks, switch))
        return self.processes[-1]

    async def becomes(self, sql: str, wanted: list[tuple[object, ...]]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.machine.rows(sql) != wanted:
                await asyncio.sleep(0.02)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with machine(tmp_path) as made:
        made.plan = dialling(made.plan)
        office = Office(made)
        yield office
        for _, callbacks, _ in office.processes:
            await callbacks.aclose()


def dialling(plan: FloorPlan) -> FloorPlan:
    policy = CallbackPolicy(ring_s=5.0, attempts=1, retry_after_s=60.0)
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
