"""What tests of callbacks and cut-off calls have in common, on either switch: carrier, agents, what is heard, and
what the store says. The site is `callback_site`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cordboard.lab.call import Call
from cordboard.lab.caller import AnswerPlan, Caller
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.hearing import tone_share
from cordboard.lab.rtp import tone
from cordboard.lab.sip_phone import SipPhone
from cordboard.lab.stage import Stage
from cordboard.telephony.reach import extension_of
from tests.live.crash_kit import guest

SITE = Path(__file__).parent / "callback_site"
SOON_S = 15.0
LONG_S = 60.0
CUSTOMER_HZ, AGENT_HZ = 1100.0, 700.0
FIRST, SECOND, THIRD = "+442079460111", "+442079460112", "+442079460113"
MOBILE = "127.0.0.16"  # who calls from there is cut off when no sound comes


class Carrier:
    """The party that plays the telephone network: whoever is called back picks up here, or does not."""

    def __init__(self, party: Caller, trunk: str = "PJSIP/trunk/sip:{{number}}@{address}") -> None:
        """trunk: the device that rings it, with the address to be filled in."""
        self.party = party
        self._trunk = trunk
        self.calls: asyncio.Queue[Call] = asyncio.Queue()
        self.answer()

    @property
    def device(self) -> str:
        """What `outside:` says."""
        host, port = self.party.address
        return self._trunk.format(address=f"{host}:{port}")

    def answer(self, *, status: int = 200, ring_s: float = 0.2) -> None:
        """What is done with calls from now on."""
        self.party.answer_calls(AnswerPlan(ring_s=ring_s, status=status, on_call=self.calls.put_nowait))

    async def hang_up(self) -> None:
        """End what a test has left, so that the next one finds nothing of it."""
        for call in self.party.calls:
            await call.hang_up()
        self.calls = asyncio.Queue()
        self.answer()

    async def called(self) -> Call:
        """The next call that comes."""
        async with asyncio.timeout(SOON_S):
            return await self.calls.get()


@contextlib.asynccontextmanager
async def one_test(stage: Stage, carrier: Carrier) -> AsyncIterator[None]:
    """A journal of one test, which ends with no call left and no fault logged."""
    stage.journal.entries = [entry for entry in stage.journal.entries if entry["event"] == "worker_ready"]
    yield
    await carrier.hang_up()
    await stage.pbx.wait_for_no_channels(SOON_S)
    assert not [entry for entry in stage.journal.entries if entry["level"] in ("error", "critical")]


@contextlib.asynccontextmanager
async def agent_at(stage: Stage, name: str) -> AsyncIterator[tuple[SipPhone, DeskClient]]:
    """An agent with a phone of the lab's, logged out in the end."""
    extension = extension_of(stage.configuration.plan.agents[name].device)
    async with SipPhone(extension, stage.pbx) as phone, stage.desk(name) as desk:
        try:
            yield phone, desk
        finally:
            await desk.set_presence("logged_out")


def rows(stage: Stage, sql: str) -> list[tuple[Any, ...]]:
    """What the service's database says."""
    with contextlib.closing(sqlite3.connect(stage.state / "cordboard.db")) as connection:
        return connection.execute(sql).fetchall()


async def becomes(stage: Stage, sql: str, wanted: list[tuple[Any, ...]]) -> None:
    """Wait until the database says so."""
    try:
        async with asyncio.timeout(SOON_S):
            while rows(stage, sql) != wanted:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{rows(stage, sql)} and not {wanted}") from None


def places(number: str) -> str:
    about = f"JOIN parties USING (party_ref) WHERE number = '{number}' AND queue = 'cut'"
    return f"SELECT state, kind FROM queue_entries {about}"


def promises(queue: str) -> str:
    return f"SELECT state, last_result, attempts FROM callbacks WHERE queue = '{queue}' ORDER BY requested_at"


async def hears(call: Call, frequency_hz: float) -> None:
    """Wait for half a second of a tone."""
    arrived = asyncio.Event()
    call.media.on_audio = arrived.set
    async with asyncio.timeout(SOON_S):
        while tone_share(call.heard.samples(max(0.0, call.heard.end_s - 0.5)), frequency_hz) < 0.9:
            arrived.clear()
            await arrived.wait()


async def hung_up(customer: Call) -> None:
    """Wait until the service has ended the call, the agent being gone."""
    async with asyncio.timeout(SOON_S):
        assert (await customer.ended).by == "pbx"


async def hear_each_other(customer: Call, agent: SipPhone) -> None:
    customer.speak(tone(CUSTOMER_HZ, 0.5), repeat=True)
    agent.leg.speak(tone(AGENT_HZ, 0.5), repeat=True)
    await hears(customer, AGENT_HZ)
    await hears(agent.leg, CUSTOMER_HZ)


async def ask_to_be_called(stage: Stage, number: str, dials: str) -> None:
    """A caller who takes the offer and hangs up."""
    async with guest(stage, dials, ani=number) as caller:
        await caller.hears("lines/offer")
        await caller.call.press("1")
        await caller.hears("lines/booked")


async def agent_first_rings_a_busy_customer_again(stage: Stage, carrier: Carrier) -> None:
    """The agent hears it ring, and the customer, busy at first, is rung once more."""
    async with agent_at(stage, "anna") as (anna, desk):
        await ask_to_be_called(stage, FIRST, "6103")
        carrier.answer(status=486)
        await desk.set_presence("available")
        await anna.answer()
        await carrier.called()
        await becomes(stage, promises("agent"), [("waiting", "busy", 1)])
        carrier.answer()
        await anna.incoming(SOON_S)  # some seconds later
        await anna.answer()
        customer = await carrier.called()
        await hear_each_other(customer, anna)
        await anna.hang_up()
        await hung_up(customer)
        await becomes(stage, promises("agent"), [("done", "served", 2)])
        ends = "SELECT \"end\" FROM offers WHERE queue = 'agent' ORDER BY made_at"
        assert rows(stage, ends) == [("caller_left",), ("served",)], "no fault of the agent's"


async def agent_first_is_let_go(stage: Stage, carrier: Carrier) -> None:
    """The customer does not answer, which is no fault of the agent's."""
    async with agent_at(stage, "adam") as (adam, desk):
        await ask_to_be_called(stage, FIRST, "6105")
        carrier.answer(ring_s=LONG_S)
        await desk.set_presence("available")
        await adam.answer()
        customer = await carrier.called()
        await adam.closed(SOON_S)
        async with asyncio.timeout(SOON_S):
            end = await customer.ended
        assert not customer.is_answered and end.by == "pbx" and end.at_s > 4, "it rang for its time"
        await becomes(stage, promises("unanswered"), [("failed", "no_answer", 1)])
        agent = "SELECT activity, presence, rona_in_a_row FROM agent_states WHERE agent = 'adam'"
        await becomes(stage, agent, [("idle", "available", 0)])
        assert rows(stage, "SELECT \"end\" FROM offers WHERE queue = 'unanswered'") == [("caller_left",)]


async def silence_keeps_the_place(stage: Stage) -> None:
    """A caller's sound stops: the switch itself ends the call, and the place is theirs when they call again."""
    async with guest(stage, "6104", ani=THIRD, host=MOBILE) as caller:
        await becomes(stage, places(THIRD), [("waiting", "call")])
        caller.call.fall_silent()
        async with asyncio.timeout(SOON_S):
            assert (await caller.call.ended).by == "pbx"
        await becomes(stage, places(THIRD), [("away", "cut_off")])
    async with guest(stage, "6104", ani=THIRD):
        await becomes(stage, places(THIRD), [("waiting", "cut_off")])
    await becomes(stage, f"{places(THIRD)} AND left_because = 'abandoned'", [("left", "hung_up")])
