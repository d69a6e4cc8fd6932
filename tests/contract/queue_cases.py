"""How a queue serves a caller, alike on every switch: offers, phones that ring, talks, and the ledger of it.

As `cases`. Each case has a house of its own: the service's queue on a database, and its observer of the switch.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cordboard.acd.model import AcceptStep, Agent, FloorPlan, Queue, RonaPolicy
from cordboard.service.observer import Observer
from cordboard.service.waiting_room import WaitingRoom
from cordboard.store.writer import open_database
from cordboard.telephony.outcomes import AgentRung, Done, HandedOver, HungUp, Outcome
from cordboard.telephony.ports import Arrival, Phone
from cordboard.telephony.verbs import Enqueue, Hold
from tests.contract.cases import Case, answered
from tests.contract.edges import CallingParty, Edge, Part
from tests.doubles.acd_kit import Machine, note

PLACE = "q:1"
WRITTEN_S = 10.0  # facts are written behind what happens

OFFERED, ANSWERED = ["offer_made", "offer_ringing"], ["agent_answered"]
JOINED = [*OFFERED, *ANSWERED, "joined"]
SERVED = [*JOINED, "talk_ended", "offer_ended served", "wrap_up_ended"]
PAUSED = ["agent_paused_by_rona", "presence_changed paused"]

QUEUE_CASES: dict[str, Case] = {}

_TOLD = ("end", "because", "presence")
_numbers = count(1)


def case(function: Case) -> Case:
    """One of the suite."""
    QUEUE_CASES[function.__name__] = function
    return function


class House:
    """A queue `sales`, for which agents are ready, named after what their phones do."""

    def __init__(self, edge: Edge, machine: Machine, room: WaitingRoom) -> None:
        self._edge = edge
        self._machine = machine
        self._room = room

    async def serve(self, caller: CallingParty, phone: Phone) -> tuple[Outcome, Phone]:
        """A caller's stay in the queue, and the talk, as the service has it: how that ended, and the phone then."""
        while True:
            outcome = await self._wait(phone)
            if isinstance(outcome, HandedOver):
                phone = await self._edge.worker.phone(caller.leg_id)
                outcome = self._back(phone.arrival)
            if not isinstance(outcome, AgentRung) or outcome.result == "joined":
                return outcome, phone

    async def _wait(self, phone: Phone) -> Outcome | HandedOver:
        call = phone.arrival.call
        return await self._room.wait(phone, Enqueue("sales", "en"), PLACE, lambda: note(call))

    def _back(self, arrival: Arrival) -> Outcome:
        returned = arrival.returned
        assert isinstance(returned, AgentRung)
        assert arrival.checkpoint == PLACE
        self._room.rung(arrival, returned)
        if not arrival.ended:
            return returned
        self._room.gone(arrival.call.call_id)
        return HungUp()

    async def told(self, agent: str, *story: str) -> None:
        """Wait for what the ledger has of an agent, "" for the caller; nothing else may be in it. Raises
        AssertionError.
        """
        try:
            async with asyncio.timeout(WRITTEN_S):
                while self._story(agent)[: len(story)] != list(story):
                    await asyncio.sleep(0.02)  # no event tells of it
        except TimeoutError:
            pass
        assert self._story(agent) == list(story)

    def offers(self) -> list[str]:
        """The ids of all that were made."""
        return [str(row[0]) for row in self._machine.rows("select offer_id from offers order by made_at")]

    def _story(self, agent: str) -> list[str]:
        rows = self._machine.rows("select agent, kind, data from ledger order by seq")
        told = [(one, kind, json.loads(data)) for one, kind, data in rows]
        return [
            _line(kind, data) for one, kind, data in told if one == agent and data.get("presence") != "available"
        ]


def _line(kind: str, data: dict[str, Any]) -> str:
    return " ".join([kind, *(str(data[name]) for name in _TOLD if name in data)])


@asynccontextmanager
async def house(edge: Edge, *parts: Part, **queue: Any) -> AsyncIterator[House]:
    """It, with agents who are offered calls in this order."""
    number = next(_numbers)
    folder = edge.recordings_root / f"house-{number}"
    folder.mkdir()
    (folder / "cordboard.db").write_bytes(_empty_database())
    usual: dict[str, Any] = {"strategy": "in_order", "music": edge.music, "wrap_up_s": 0.0}
    usual |= {"accept": AcceptStep(whisper={"en": "A call for sales."}), "rona": RonaPolicy(pause_after=1)}
    agents = {part: Agent(part, part.title(), edge.device(part), ("sales",)) for part in parts}
    plan = FloorPlan({"sales": Queue("sales", **usual | queue)}, agents, switches=(edge.switch_name,))
    machine = Machine(folder, plan, folder / "cordboard.db")
    process = machine.start(f"house-{number}")
    observer = Observer(edge.switch, process.floor, _closes_nothing, edge.switch_name)
    try:
        await machine.ready(process, *parts)
        yield House(edge, machine, process.room)
    finally:
        await observer.aclose()
        await process.aclose()


@cache
def _empty_database() -> bytes:
    """With its tables: to make them takes longer than some of the calls here have."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cordboard.db"
        open_database(path).dispose()
        return path.read_bytes()


async def _closes_nothing(_legs: set[str], _at: float) -> None:
    """There are no other calls in the house."""


# -- who does not take the call is passed over, and paused --

PASSED_OVER: dict[str, tuple[Part, dict[str, Any], Sequence[str]]] = {
    "is_busy": ("busy", {}, ["offer_ended busy"]),
    "rejects": ("rejects", {}, ["offer_ended rejected"]),
    "does_not_answer": ("rings", {"ring_s": 1.0}, ["offer_ended no_answer"]),
    "presses_another_key": ("declines", {}, [*ANSWERED, "offer_ended declined"]),
    "presses_nothing": ("patient", {"accept": AcceptStep(within_s=1.0)}, [*ANSWERED, "offer_ended no_key"]),
}


def _passed_over(part: Part, options: dict[str, Any], why: Sequence[str]) -> Case:
    async def is_passed_over(edge: Edge) -> None:
        async with house(edge, part, "accepts", **options) as one:
            caller, phone = await answered(edge)
            outcome, phone = await one.serve(caller, phone)
            assert isinstance(outcome, AgentRung)
            assert outcome.result == "joined"
            assert await phone.perform(Hold(edge.music), "cp:3") == Done()
            await one.told(part, *OFFERED, *why, *PAUSED)
            await one.told("accepts", *SERVED)
            await one.told("", "entered_queue", "left_queue served")

    return is_passed_over


QUEUE_CASES |= {f"an_agent_who_{name}_is_passed_over": _passed_over(*parts) for name, parts in PASSED_OVER.items()}


@case
async def of_all_who_are_rung_one_is_joined_and_the_others_are_free(edge: Edge) -> None:
    async with house(edge, "patient", "accepts", "rings", strategy="ring_all") as one:
        caller, phone = await answered(edge)
        outcome, _ = await one.serve(caller, phone)
        assert isinstance(outcome, AgentRung)
        await one.told("accepts", *SERVED)
        await one.told("patient", *OFFERED, *ANSWERED, "offer_ended taken")
        await one.told("rings", *OFFERED, "offer_ended taken")


# -- the caller leaves --


@case
async def a_caller_who_hangs_up_on_the_agent_was_served(edge: Edge) -> None:
    async with house(edge, "stays") as one:
        caller, phone = await answered(edge)
        serving = asyncio.ensure_future(one.serve(caller, phone))
        await one.told("stays", *JOINED)
        await caller.hang_up()
        assert (await serving)[0] == HungUp()
        await one.told("stays", *SERVED)
        await one.told("", "entered_queue", "left_queue served")


LEFT: dict[str, tuple[Part, str, Sequence[str], Sequence[str]]] = {
    "while_it_rings": ("rings", "ringing", OFFERED, ["gone"]),
    "in_the_whisper": ("patient", "answered", [*OFFERED, *ANSWERED], ["answered", "gone"]),
}


def _left(part: Part, event: str, until: Sequence[str], legs: Sequence[str]) -> Case:
    async def has_left(edge: Edge) -> None:
        async with house(edge, part, ring_s=60.0, accept=AcceptStep(within_s=60.0)) as one:
            caller, phone = await answered(edge)
            serving = asyncio.ensure_future(one.serve(caller, phone))
            await one.told(part, *until)
            [offer_id] = one.offers()
            await edge.legs.until(offer_id, event)
            await caller.hang_up()
            assert (await serving)[0] == HungUp()
            await one.told("", "entered_queue", "left_queue abandoned")
            await one.told(part, *until, "offer_ended caller_left")
            assert await edge.legs.all_of(offer_id) == legs  # long before its own time is over

    return has_left


QUEUE_CASES |= {
    f"a_caller_who_leaves_{name}_is_no_fault_of_an_agent": _left(*parts) for name, parts in LEFT.items()
}
