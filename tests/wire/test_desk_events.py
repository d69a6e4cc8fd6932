"""What the desk pushes, over real sockets: in order, whole, the newest only, and to nobody who may not see it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from time import time
from typing import Any

import pytest

from cordboard.acd.model import OfferState
from cordboard.desk import feed, sessions
from cordboard.errors import StoreUnavailable
from cordboard.store.acd_values import OfferView
from tests.doubles.fake_floor import PLAN, agent_view, queue_view
from tests.doubles.running_desk import ASK_S, RunningDesk, running_desk

OFFER = OfferView(
    "01OFFER", "01CALL", "sales", OfferState.RINGING, "free longest", 4.0, 1_000.0, 1_000.0, None, None, None, None,
    "", "", ("sold",), "+442079460123", "Ada", "5000", "+442079460123", ("support/menu",), "pending", {},
)  # fmt: skip


@pytest.fixture
async def desk() -> AsyncIterator[RunningDesk]:
    async with running_desk() as desk:
        await desk.log_in()
        yield desk


class Page:
    """An open page: what it is told."""

    def __init__(self, events: Any) -> None:
        self._events = aiter(events)

    async def told(self) -> tuple[str, dict[str, Any]]:
        """The next event."""
        event = await asyncio.wait_for(anext(self._events), ASK_S)
        return event.event, json.loads(event.data)

    async def is_over(self) -> None:
        """Wait for the end of it all, before which there may be beats."""
        while (event := await self.told())[0] == "beat":
            pass
        assert event[0] == "over"

    async def shown(self) -> dict[str, Any]:
        """What the next snapshot shows."""
        while True:
            kind, data = await self.told()
            if kind == "snapshot":
                view: dict[str, Any] = data["view"]
                return view


@asynccontextmanager
async def page_of(desk: RunningDesk, path: str = "events") -> AsyncIterator[Page]:
    async with desk.browser.sse(f"/api/v1/{path}") as events:
        assert events.response.status_code == 200
        yield Page(events)


async def test_the_first_event_shows_everything(desk: RunningDesk) -> None:
    async with page_of(desk) as page:
        kind, data = await page.told()
        assert kind == "snapshot"
        assert abs(data["at"] - time()) < 1
        assert data["view"]["me"]["agent"] == "alice"
        assert data["view"]["call"] is None


async def test_a_change_is_shown_within_300_ms(desk: RunningDesk) -> None:
    async with page_of(desk) as page:
        await page.shown()
        began_at = time()
        desk.floor.change(agents=(agent_view("alice", OFFER, "ringing"), agent_view("bob")))
        shown = await page.shown()
        assert time() - began_at < 0.3
        assert shown["call"]["customer"]["title"] == "+44 20 7946 0123"


async def test_versions_rise_and_a_burst_is_one_reading(desk: RunningDesk) -> None:
    async with page_of(desk) as page:
        versions = [(await page.told())[1]["version"]]
        reads = desk.floor.reads
        for waiting in range(1, 40):
            desk.floor.change(queues=(queue_view("sales", waiting, 1.0),))
        kind, data = await page.told()
        assert kind == "snapshot"
        assert data["view"]["queues"][0]["waiting"] == 39
        assert desk.floor.reads == reads + 1
        numbers = [int(version.split(".")[1]) for version in [*versions, data["version"]]]
        assert numbers == sorted(numbers)


async def test_many_pages_cost_one_reading(desk: RunningDesk) -> None:
    async with page_of(desk) as first, page_of(desk) as second, page_of(desk, "queues/events") as third:
        for page in (first, second, third):
            await page.shown()
        await asyncio.sleep(feed.COALESCE_S * 2)  # the readings their arrival asked for
        reads = desk.floor.reads
        desk.floor.change(queues=(queue_view("sales", 3, 1.0),))
        shown = [await page.shown() for page in (first, second, third)]
        assert [view["queues"][0]["waiting"] for view in shown] == [3, 3, 3]
        assert desk.floor.reads == reads + 1


async def test_what_does_not_concern_a_page_is_not_sent_to_it(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 0.2)
    async with page_of(desk) as page:
        await page.shown()
        desk.floor.change(agents=(agent_view("alice"), agent_view("bob", OFFER, "ringing")))
        kind, data = await page.told()
        assert kind == "beat"
        assert set(data) == {"at", "read_at"}


async def test_the_queue_page_names_no_person(desk: RunningDesk) -> None:
    desk.floor.change(agents=(agent_view("alice", replace(OFFER, state=OfferState.TALKING), "talking"),))
    async with page_of(desk, "queues/events") as page:
        text = json.dumps(await page.shown())
    assert "of_offered" in text
    for personal in ("alice", "Alice", "Ada", "7946", "01CALL", "01OFFER"):
        assert personal not in text


async def test_a_page_without_news_hears_a_beat_with_the_age_of_what_it_shows(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 0.05)
    async with page_of(desk) as page:
        await page.shown()
        desk.floor.fault = StoreUnavailable("locked")
        beats = [await page.told() for _ in range(4)]
        assert {kind for kind, _ in beats} == {"beat"}
        ages = [data["at"] - data["read_at"] for _, data in beats[1:]]
        assert ages == sorted(ages)
        desk.floor.fault = None
        desk.floor.change(queues=(queue_view("sales", 8, 1.0),))
        assert (await page.shown())["queues"][0]["waiting"] == 8


async def test_a_page_that_opens_while_there_is_no_database_is_told_so(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 0.05)
    desk.floor.fault = StoreUnavailable("locked")
    async with page_of(desk) as page:
        assert (await page.told())[1]["read_at"] is None
        desk.floor.fault = None
        assert (await page.shown())["me"]["agent"] == "alice"


async def test_a_reading_that_fails_for_whatever_reason_is_not_the_last(
    desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 0.05)
    async with page_of(desk) as page:
        await page.shown()
        desk.floor.fault = RuntimeError("a mistake")
        assert (await page.told())[0] == "beat"
        desk.floor.fault = None
        desk.floor.change(queues=(queue_view("sales", 5, 1.0),))
        assert (await page.shown())["queues"][0]["waiting"] == 5


async def test_logging_out_ends_all_pages_of_that_log_in_and_no_other(desk: RunningDesk) -> None:
    async with page_of(desk) as first, page_of(desk, "queues/events") as second:
        await first.shown()
        await second.shown()
        await desk.browser.post("/api/v1/logout")
        await first.is_over()
        await second.is_over()


async def test_a_page_ends_with_its_session(desk: RunningDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 0.05)
    monkeypatch.setattr(sessions, "LOOK_AGAIN_S", 0.1)
    async with page_of(desk) as page:
        await page.shown()
        desk.accounts.sessions.clear()  # as a changed password does, from another process
        await page.is_over()


async def test_a_page_ends_when_its_agent_is_taken_out(desk: RunningDesk) -> None:
    async with page_of(desk) as page:
        await page.shown()
        desk.floor.plan = replace(PLAN, agents={"bob": PLAN.agents["bob"]})
        desk.floor.change(agents=(agent_view("bob"),))
        await page.is_over()


async def test_nobody_is_told_anything_without_logging_in(desk: RunningDesk) -> None:
    async with desk.stranger() as stranger:
        for path in ("events", "queues/events"):
            assert (await stranger.get(f"/api/v1/{path}")).status_code == 401


async def test_one_log_in_has_so_many_pages_and_no_more(desk: RunningDesk) -> None:
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page_of(desk)) for _ in range(feed.OF_ONE_MAX - 1)]
        for page in pages:
            await page.shown()
        async with page_of(desk) as last:
            await last.shown()
            refused = await desk.browser.get("/api/v1/events")
            assert refused.status_code == 503
            assert refused.json()["type"].endswith("too-many-pages")
        async with asyncio.timeout(ASK_S):
            while not await _may_open_a_page(desk):  # until the desk has noticed that one has left
                await asyncio.sleep(0.01)


async def _may_open_a_page(desk: RunningDesk) -> bool:
    async with desk.browser.stream("GET", "/api/v1/events") as answer:
        return answer.status_code == 200


LONG = {f"activity{number}": number for number in range(2_000)}  # so that a few answers fill any buffer


async def test_a_browser_that_reads_nothing_delays_nobody_and_gets_the_newest_at_last() -> None:
    async with running_desk(sends_ahead=8_192) as desk:
        await desk.log_in()
        slow = _asks_and_reads_nothing(desk)
        async with page_of(desk, "queues/events") as page:
            await page.shown()
            for number in range(1, 20):
                desk.floor.change(queues=(replace(queue_view("sales", number, 1.0), agents=LONG),))
                assert (await page.shown())["queues"][0]["waiting"] == number
            heard = await asyncio.to_thread(_read_until, slow, b'"waiting":19,')
        assert heard.count(b"event: snapshot") < 10


def _asks_and_reads_nothing(desk: RunningDesk) -> socket.socket:
    cookie = "; ".join(f"{name}={value}" for name, value in desk.browser.cookies.items())
    host, port = desk.url.removeprefix("http://").split(":")
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    slow.connect((host, int(port)))
    slow.sendall(f"GET /api/v1/queues/events HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    return slow


def _read_until(peer: socket.socket, wanted: bytes) -> bytes:
    peer.settimeout(ASK_S)
    heard = b""
    with peer:
        while wanted not in heard:
            heard += peer.recv(65_536)
    return heard


async def test_a_desk_that_stops_lets_its_pages_go_at_once() -> None:
    async with running_desk() as desk:
        await desk.log_in()
        async with page_of(desk) as page:
            await page.shown()
            began_at = time()
            desk.server.should_exit = True
            with pytest.raises(StopAsyncIteration):
                while (await page.told())[0] != "over":
                    pass
            assert time() - began_at < 1.5
