"""The lab's client of the desk against the real web application, before a floor that shows what the test says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cordboard.acd.model import OfferState
from cordboard.errors import LabError
from cordboard.lab.desk_client import DeskClient
from cordboard.store.acd_values import OfferView
from tests.doubles.fake_floor import agent_view
from tests.doubles.running_desk import PASSWORD, RunningDesk, running_desk

OFFER = OfferView(
    offer_id="offer-1",
    call_id="call-1",
    queue="sales",
    state=OfferState.RINGING,
    reason="alice was the only free agent",
    wait_s=1.0,
    made_at=1_000.0,
    ringing_at=1_000.0,
    answered_at=None,
    joined_at=None,
    talk_ended_at=None,
    wrap_up_left_s=None,
    disposition="",
    note="",
    dispositions=("sold",),
    ani="+442079460123",
    caller_name="Ada Lovelace",
    dnis="5002",
    number="+442079460123",
    path=("sales/welcome",),
    lookup="pending",
    customer={},
)


@pytest.fixture
async def running() -> AsyncIterator[RunningDesk]:
    async with running_desk() as desk:
        yield desk


@pytest.fixture
async def alice(running: RunningDesk) -> AsyncIterator[DeskClient]:
    async with DeskClient(running.url, "alice", PASSWORD) as desk:
        yield desk


def show(running: RunningDesk, offer: OfferView | None) -> None:
    """Have the floor show this call to alice."""
    running.floor.change(agents=(agent_view("alice", offer), agent_view("bob")))


async def test_who_logs_in_sees_the_page_and_who_leaves_is_logged_out(running: RunningDesk) -> None:
    async with DeskClient(running.url, "alice", PASSWORD) as desk:
        assert desk.page is not None and desk.page["me"]["agent"] == "alice"
        assert desk.call is None and desk.pops == []
    assert running.floor.asked == [("alice", "logged_out", "")]
    assert running.accounts.sessions == {}


async def test_a_wrong_password_is_told_with_the_desks_own_words(running: RunningDesk) -> None:
    with pytest.raises(LabError, match="the desk refused POST /login of alice: 401"):
        async with DeskClient(running.url, "alice", "wrong"):
            pass


async def test_a_desk_that_is_not_there_is_told() -> None:
    with pytest.raises(LabError, match="the desk did not answer alice: ConnectError"):
        async with DeskClient("http://127.0.0.1:9", "alice", PASSWORD):
            pass


async def test_presence_and_disposition_reach_the_floor(running: RunningDesk, alice: DeskClient) -> None:
    await alice.set_presence("paused", "lunch")
    show(running, OFFER)
    await alice.popped()
    await alice.dispose("sold", "wants an invoice")
    assert running.floor.asked == [("alice", "paused", "lunch"), ("alice", "offer-1", "sold", "wants an invoice")]


async def test_what_the_desk_refuses_is_an_error(alice: DeskClient) -> None:
    with pytest.raises(LabError, match="422 'holiday' is no reason to pause"):
        await alice.set_presence("paused", "holiday")
    with pytest.raises(LabError, match="no call on the desk of alice"):
        await alice.dispose("sold")


async def test_a_pop_keeps_when_each_value_was_shown_first(running: RunningDesk, alice: DeskClient) -> None:
    before = time.monotonic()
    show(running, OFFER)
    pop = await alice.popped()
    show(running, replace(OFFER, state=OfferState.TALKING, joined_at=1_002.0))
    await alice.shows(lambda page: page["call"]["state"] == "talking")
    show(running, None)
    await alice.shows(lambda page: page["call"] is None)
    assert [pop.offer_id for pop in alice.pops] == ["offer-1"]
    first, talking = pop.shown_at({"caller_name": "Ada Lovelace"}), pop.shown_at({"state": "talking"})
    assert first is not None and talking is not None and before < first == pop.at < talking
    assert pop.shown_at({"caller_name": "Ada Byron"}) is None


async def test_waiting_in_vain_tells_what_the_page_shows(alice: DeskClient) -> None:
    with pytest.raises(LabError, match=r'in vain for a screen-pop; the page shows .*"agent": "alice"'):
        await alice.popped(within_s=0.1)


async def test_a_client_comes_back_when_the_desk_lets_it_go(running: RunningDesk, alice: DeskClient) -> None:
    reads = running.floor.reads
    running.server._app.state.feed.end()
    await asyncio.sleep(0)
    show(running, OFFER)
    await alice.popped(within_s=5)
    assert running.floor.reads > reads
