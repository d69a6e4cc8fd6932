"""What a flow has done without the phone, before and after the caller leaves, and flows that call each other: real
flows and a real store, across workers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cordboard.flows.flow import Flow
from cordboard.flows.run import FlowRun, Step
from cordboard.service import conversation, house
from cordboard.service.house import House, Houses
from cordboard.service.tracing import StepKind
from cordboard.settings import Numbers
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.call import Call
from cordboard.telephony.ports import Arrival
from tests.doubles.flow_kit import AROUND, CALL, flow_of
from tests.doubles.scripted_phone import ScriptedPhone
from tests.doubles.workers_kit import back, names, workers_for

WORLD = replace(AROUND, http_services={"orders": 3.0}, destinations={"reception": "from-internal,100,1"})
LEAVING = """
    ask: {gather: ask, save: n, max_digits: 2, next: ring}
    ring: {dial: "1001", next: bye, otherwise: bye}
    left: {tag: {entered: {cel: n}}, next: tell}
    tell: {http: orders, post: /left, next: sorry, on_error: sorry}
    sorry: {play: sorry, next: bye}
"""
DIGITS = o.Gathered("42", "full")


@dataclass
class Desk:
    """Does errands at once, or when it is told to. hold: kinds of errand that take until then."""

    hold: tuple[type, ...] = ()
    done: list[Any] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: int = 0

    async def run(
        self, call: Call, verb: v.HttpRequest | v.RunScript | v.Note | v.RequestCallback | v.ActAsAgent
    ) -> o.Outcome:
        """Note it, and say that it went well."""
        self.begun.set()
        if isinstance(verb, self.hold):
            try:
                await self.may_end.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        self.done.append(verb)
        return o.HttpAnswered(200) if isinstance(verb, v.HttpRequest) else o.Done()


@dataclass
class Notebook:
    """A trace kept in memory."""

    notes: list[tuple[str, o.Outcome | None, str, bool]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    def note(
        self,
        call: Call,
        kind: StepKind,
        outcome: o.Outcome | None,
        reason: str,
        step: Step,
        at: datetime,
        *,
        before: FlowRun | None = None,
    ) -> None:
        """Keep what matters here."""
        self.notes.append((kind, outcome, step.run.node, before is not None))

    def ended(self, call_id: str, result: str) -> None:
        """Keep it."""
        self.results.append(result)


def leaving() -> Flow:
    return flow_of(LEAVING, "on_hangup: left", WORLD)


# the caller leaves


async def test_a_caller_who_leaves_is_noted_without_the_phone(tmp_path: Path) -> None:
    async with workers_for(tmp_path, leaving()) as workers:
        desk, trace = Desk(), Notebook()
        phone = ScriptedPhone(Arrival(CALL), [DIGITS, o.HungUp()])
        await workers.new(errands=desk, trace=trace).take(phone)
        assert [type(verb).__name__ for verb in desk.done] == ["Note", "HttpRequest"]
        assert desk.done[0].value == "42"
        assert names(phone) == ["Answer", "ask", "Dial"], "the double would not bear any more"
        assert await workers.rows() == 0
        assert [kind for kind, *_ in trace.notes] == ["start"] + ["advance"] * 5
        assert trace.results == ["hung_up"]


async def test_a_caller_who_leaves_while_no_worker_has_the_call_is_noted_too(tmp_path: Path) -> None:
    async with workers_for(tmp_path, leaving()) as workers:
        first = ScriptedPhone(Arrival(CALL), [DIGITS, o.HandedOver()])
        await workers.new(errands=Desk()).take(first)
        assert await workers.rows() == 1
        desk, trace = Desk(), Notebook()
        over = ScriptedPhone(replace(first.arrival, checkpoint=first.checkpoints[-1], ended=True))
        await workers.new(errands=desk, trace=trace).take(over)
        assert [type(verb).__name__ for verb in desk.done] == ["Note", "HttpRequest"]
        assert desk.done[0].value == "42", "the row was read"
        assert names(over) == []
        assert await workers.rows() == 0
        assert trace.notes[0] == ("return", o.HungUp(), "left", True)
        assert trace.results == ["hung_up"]


@pytest.mark.parametrize("checkpoint", ["", "junk", "1:x:gone:000000000000:a::0.0:en:00:1:0"])
async def test_an_ended_call_that_cannot_be_found_is_only_closed(tmp_path: Path, checkpoint: str) -> None:
    async with workers_for(tmp_path, leaving()) as workers:
        desk, trace = Desk(), Notebook()
        await workers.new(errands=desk, trace=trace).take(ScriptedPhone(Arrival(CALL, checkpoint, ended=True)))
        assert (desk.done, trace.results) == ([], ["hung_up"])


async def test_what_takes_too_long_after_the_call_is_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "AFTERWARDS_S", 0.05)
    async with workers_for(tmp_path, leaving()) as workers:
        desk, trace = Desk(hold=(v.HttpRequest,)), Notebook()
        phone = ScriptedPhone(Arrival(CALL), [DIGITS, o.HungUp()])
        await workers.new(errands=desk, trace=trace).take(phone)
        assert (len(desk.done), desk.cancelled) == (1, 1)
        assert trace.results == ["hung_up"]
        assert trace.notes[-1][1] == o.HungUp()


# errands while the caller is here

ASKING = """
    a: {http: orders, get: /, next: b, on_error: sorry}
    b: {play: hello, next: bye}
    sorry: {play: sorry, next: bye}
    left: {tag: {gone: true}, next: bye}
"""


async def test_a_caller_waits_for_an_errand(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(ASKING, "", WORLD)) as workers:
        phone = ScriptedPhone(Arrival(CALL))
        await workers.new(errands=Desk()).take(phone)
        assert names(phone) == ["Answer", "hello", "Hangup"]
        assert phone.stays == [4.0], "longer than the errand itself may take"


async def test_an_errand_ends_when_the_caller_leaves(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(ASKING, "on_hangup: left", WORLD)) as workers:
        desk, phone = Desk(hold=(v.HttpRequest,)), ScriptedPhone(Arrival(CALL))
        call = asyncio.create_task(workers.new(errands=desk).take(phone))
        await asyncio.wait_for(desk.begun.wait(), 5)
        phone.hang_up()
        await asyncio.wait_for(call, 5)
        assert desk.cancelled == 1
        assert [type(verb).__name__ for verb in desk.done] == ["Note"]


async def test_an_errand_ends_when_the_link_is_lost(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(ASKING, "on_hangup: left", WORLD)) as workers:
        desk, phone, trace = Desk(hold=(v.HttpRequest,)), ScriptedPhone(Arrival(CALL)), Notebook()
        call = asyncio.create_task(workers.new(errands=desk, trace=trace).take(phone))
        await asyncio.wait_for(desk.begun.wait(), 5)
        phone.lose()
        await asyncio.wait_for(call, 5)
        assert (desk.cancelled, desk.done, trace.results) == (1, [], ["lost"])


async def test_a_note_is_taken_even_if_the_caller_leaves_in_that_moment(tmp_path: Path) -> None:
    noting = flow_of("a: {play: hello, next: b}\nb: {tag: {reason: x}, next: c}\nc: {play: ask, next: bye}")
    async with workers_for(tmp_path, noting) as workers:
        desk, phone = Desk(hold=(v.Note,)), ScriptedPhone(Arrival(CALL))
        call = asyncio.create_task(workers.new(errands=desk).take(phone))
        await asyncio.wait_for(desk.begun.wait(), 5)
        phone.hang_up()
        desk.may_end.set()
        await asyncio.wait_for(call, 5)
        assert (len(desk.done), desk.cancelled) == (1, 0)


async def test_without_anybody_who_does_errands_they_fail(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(ASKING, "on_failure: sorry", WORLD)) as workers:
        phone = ScriptedPhone(Arrival(CALL))
        await workers.new().take(phone)
        assert names(phone) == ["Answer", "sorry", "Hangup"]


async def test_a_call_that_is_transferred_is_closed(tmp_path: Path) -> None:
    nodes = "a: {gather: ask, save: n, next: b}\nb: {transfer: {to: reception}, otherwise: bye}"
    flow = flow_of(nodes, "on_hangup: bye", WORLD)
    async with workers_for(tmp_path, flow) as workers:
        phone, trace = ScriptedPhone(Arrival(CALL), [DIGITS, o.Transferred()]), Notebook()
        await workers.new(trace=trace).take(phone)
        assert names(phone) == ["Answer", "ask", "Transfer"]
        assert trace.results == ["transferred"]
        assert await workers.rows() == 0
        assert not phone.was_abandoned


# flows that call each other

CONFIRM = flow_of(
    """
    ask: {gather: ask, save: digits, min_digits: 2, max_digits: 2, next: ring}
    ring: {dial: "1001", next: back, otherwise: back}
    back: {return: {digits: {cel: wanted + digits}}}
    """,
    "params: {wanted: text}\nreturns: {digits: text}",
    name="confirm",
)
CALLING = """
    a: {gather: hello, save: n, min_digits: 2, max_digits: 2, next: b}
    b: {subflow: confirm, with: {wanted: {cel: n}}, save: it, next: c}
    c: {branch: [{if: it.digits == '4242', then: d}], else: bye}
    d: {play: again, next: bye}
    left: {tag: {n: {cel: n}}, next: bye}
"""


async def test_a_call_inside_a_called_flow_survives_its_worker(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(CALLING, calls=[CONFIRM]), CONFIRM) as workers:
        first = ScriptedPhone(Arrival(CALL), [DIGITS, DIGITS, o.HandedOver()])
        await workers.new().take(first)
        assert names(first) == ["Answer", "hello", "ask", "Dial"]
        second = back(first, returned=o.Connected(7.0))
        await workers.new().take(second)
        assert names(second) == ["again", "Hangup"], "it came back to the flow that called, with all it knew"


async def test_a_worker_lost_in_the_middle_goes_on_inside_the_called_flow(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(CALLING, calls=[CONFIRM]), CONFIRM) as workers:
        worker, first = workers.new(), ScriptedPhone(Arrival(CALL))

        def script() -> Any:
            yield DIGITS
            worker.drain()
            yield o.NoInput()

        first._script = script()
        await worker.take(first)
        second = back(first, DIGITS, o.HandedOver())
        await workers.new().take(second)
        assert names(second) == ["ask", "Dial"]


async def test_the_flow_around_a_called_one_cares_for_a_hang_up(tmp_path: Path) -> None:
    async with workers_for(tmp_path, flow_of(CALLING, "on_hangup: left", calls=[CONFIRM]), CONFIRM) as workers:
        first = ScriptedPhone(Arrival(CALL), [DIGITS, DIGITS, o.HandedOver()])
        await workers.new().take(first)
        desk = Desk()
        over = ScriptedPhone(replace(first.arrival, checkpoint=first.checkpoints[-1], ended=True))
        await workers.new(errands=desk).take(over)
        assert [(verb.name, verb.value) for verb in desk.done] == [("n", "42")]


async def test_a_call_stays_on_its_revisions_across_a_restart(tmp_path: Path) -> None:
    """The new process has never had the revision the call began with: it is found where revisions are kept."""
    began_with = flow_of(CALLING, calls=[CONFIRM])
    asked: list[tuple[str, str]] = []

    def older(name: str, revision: str) -> Flow | None:
        asked.append((name, revision))
        return began_with if (name, revision) == ("test", began_with.revision) else None

    async with workers_for(tmp_path, began_with, CONFIRM) as workers:
        first = ScriptedPhone(Arrival(CALL), [DIGITS, DIGITS, o.HandedOver()])
        await workers.new().take(first)
        frame = "params: {wanted: text}\nreturns: {digits: text}"
        new_confirm = flow_of("x: {return: {digits: ''}}", frame, name="confirm")
        today = flow_of("a: {play: sorry, next: bye}", name="test")
        workers.houses = Houses(House({"test": today, "confirm": new_confirm}, Numbers(default="test")), older)
        second = back(first, returned=o.Connected(7.0))
        await workers.new().take(second)
        assert names(second) == ["again", "Hangup"]
        assert ("test", began_with.revision) in asked
        third = ScriptedPhone(Arrival(replace(CALL, call_id="01NEW")))
        await workers.new().take(third)
        assert names(third) == ["Answer", "sorry", "Hangup"], "new calls get the new revision"


def test_revisions_of_called_flows_are_found_and_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "REVISIONS_MAX", 4)
    calling = flow_of(CALLING, calls=[CONFIRM])
    houses = Houses(House({"test": calling}, Numbers()))
    assert houses.flow_of("confirm", CONFIRM.revision) is CONFIRM
    assert houses.flow_of("confirm", "000000000000") is None
    for number in range(5):
        houses.replace(House({"test": flow_of(f"a: {{set: {{x: {number}}}, next: bye}}")}, Numbers()))
    assert houses.flow_of("confirm", CONFIRM.revision) is None
    assert houses.flow_of("test", calling.revision) is houses.current.flows["test"]
