"""The thread of the event sockets: it wakes for what it is told, and when it fails, all is told and made anew."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.errors import SwitchUnavailable
from esl_apps import hub as hub_module
from esl_apps.hub import BATCH, OUTBOX_FULL, EslHub
from esl_apps.link import EslLink
from esl_apps.server import EslServer
from esl_apps.session import EslSession
from tests.doubles.esl_peer import EslPeer, event, listening
from tests.wire.test_esl_link import SECRET, Switch
from tests.wire.test_esl_server import answer, assert_serves


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


def fail() -> None:
    raise ZeroDivisionError("a fault in the thread")


async def test_the_two_threads_reach_each_other_in_order(hub: EslHub) -> None:
    seen: list[int] = []
    done = asyncio.Event()
    threads: set[int] = set()

    def in_hub(number: int) -> None:
        threads.add(threading.get_ident())
        hub.tell(seen.append, number)

    for number in range(3000):
        hub.call(in_hub, number)
    hub.call(hub.tell, done.set)
    await asyncio.wait_for(done.wait(), 20.0)
    assert seen == list(range(3000))
    assert threads.isdisjoint({threading.get_ident()})


async def test_a_batch_does_not_keep_asyncio_from_other_work(hub: EslHub) -> None:
    turns: list[int] = []
    done = asyncio.Event()

    def in_hub() -> None:
        for _ in range(BATCH * 4):
            hub.tell(turns.append, 0)
        hub.tell(done.set)

    async def other() -> None:
        while not done.is_set():
            turns.append(1)
            await asyncio.sleep(0)

    filled = threading.Event()
    hub.call(in_hub)
    hub.call(filled.set)
    filled.wait(10.0)  # so that asyncio finds it all at once
    await other()
    assert 1 in turns[turns.index(0) :]


async def test_a_fault_in_the_thread_ends_calls_and_link_and_all_come_back(
    hub: EslHub, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: asyncio.Future[EslSession] = asyncio.get_running_loop().create_future()
    waited: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def serve(session: EslSession) -> None:
        if begun.done():
            await answer(session)
            return
        begun.set_result(session)
        try:
            await session.execute("playback", "a.wav", longest_s=30.0)
        except SwitchUnavailable as error:
            waited.set_result(error)

    switch = Switch()
    server = EslServer(serve, "127.0.0.1", 0, hub=hub)
    await server.start()
    async with listening(switch.serve) as port:
        link = EslLink("127.0.0.1", port, SECRET, hub=hub)
        link.start()
        await link.wait_connected(10.0)
        async with await EslPeer.dial(server.port) as peer:
            await peer.begin()
            await begun
            await peer.command()
            hub.call(fail)
            assert "thread failed" in str((await asyncio.wait_for(waited, 10.0)).__cause__)
            await peer.wait_closed()
        await switch.wait_for("event plain", times=2)
        await link.wait_connected(10.0)
        assert await link.api("status") == "+OK"
        await assert_serves(server)
        await link.aclose()
    await server.aclose()
    assert "a fault in the thread" in capsys.readouterr().out


async def test_a_thread_that_hangs_is_replaced(hub: EslHub, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    monkeypatch.setattr(hub_module, "BEAT_S", 0.05)
    monkeypatch.setattr(hub_module, "STUCK_BEATS", 6)
    hub._beat(hub._thread)  # type: ignore[arg-type]
    going_on = threading.Event()
    restarted = asyncio.Event()
    hub.on_restart(restarted.set)
    hub.call(going_on.wait)
    await asyncio.wait_for(restarted.wait(), 20.0)
    monkeypatch.setattr(hub_module, "STUCK_BEATS", 600)
    await assert_serves(server)
    going_on.set()
    await assert_serves(server)
    await server.aclose()


async def test_where_asyncio_itself_stood_still_the_thread_is_not_to_blame(
    hub: EslHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "BEAT_S", 0.05)
    monkeypatch.setattr(hub_module, "STUCK_BEATS", 20)
    thread = hub._thread
    assert thread is not None
    hub._beat(thread)
    time.sleep(2.0)  # noqa: ASYNC251 (as a stopped process, or a slow disk)
    await asyncio.sleep(0.2)
    assert hub._thread is thread


async def test_where_asyncio_falls_behind_reading_stops_until_it_has_caught_up(hub: EslHub) -> None:
    heard = 0
    count = OUTBOX_FULL * 2
    done = asyncio.Event()

    async def serve(session: EslSession) -> None:
        def note(one: object) -> None:
            nonlocal heard
            heard += 1
            if heard == count:
                done.set()

        session.on_event(note)
        listens.set()
        await done.wait()

    server = EslServer(serve, "127.0.0.1", 0, hub=hub)
    await server.start()
    listens = threading.Event()  # what comes before is heard by nobody, and not counted
    most = 0

    def flood(port: int) -> None:
        asyncio.run(send(port))

    async def send(port: int) -> None:
        async with await EslPeer.dial(port) as peer:
            await peer.begin()
            assert await asyncio.to_thread(listens.wait, 20.0)
            for _ in range(count):
                peer.send(event("PLAYBACK_START"))
            await peer.wait_closed(90.0)

    sender = threading.Thread(target=flood, args=(server.port,))
    sender.start()
    assert await asyncio.to_thread(listens.wait, 20.0)
    deadline = time.monotonic() + 20.0
    while not hub._paused and time.monotonic() < deadline:
        time.sleep(0.005)  # noqa: ASYNC251 (asyncio is to fall behind)
        most = max(most, len(hub._outbox))
    assert hub._paused
    assert most < OUTBOX_FULL + 5000
    await asyncio.wait_for(done.wait(), 100.0)
    assert not hub._paused or not hub._outbox
    await server.aclose()
    await asyncio.to_thread(sender.join)


async def test_after_the_end_nothing_is_called_and_nothing_waits() -> None:
    one = EslHub()
    await one.start()
    server = EslServer(answer, "127.0.0.1", 0, hub=one)
    await server.start()
    async with await EslPeer.dial(server.port) as peer:
        await peer.begin()
        await peer.command()
        await one.aclose()
        assert not one.call(fail)
        assert not one.is_running
        await peer.wait_closed()
        assert await server.wait_idle(10.0)
    await server.aclose()
    await one.aclose()
