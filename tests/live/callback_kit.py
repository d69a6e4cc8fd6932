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
