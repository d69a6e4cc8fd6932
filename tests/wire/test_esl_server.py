"""Attacks on the port that FreeSWITCH brings calls to: the server goes on serving, and nothing is sent that was not
meant.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.errors import SwitchUnavailable
from esl_apps.hub import EslHub
from esl_apps.server import EslServer, Limits
from esl_apps.session import CallerGone, EslSession
from tests.doubles.esl_peer import LEG, OK, EslPeer, channel, executed, hung_up, reply

CONNECT_S = 0.3


async def answer(session: EslSession) -> None:
    with contextlib.suppress(CallerGone):
        await session.execute("answer", longest_s=30.0)


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


@pytest_asyncio.fixture
async def server(hub: EslHub) -> AsyncIterator[EslServer]:
    limits = Limits(sessions=20, unread=50, connect_s=CONNECT_S)
    one = EslServer(answer, "127.0.0.1", 0, hub=hub, limits=limits)
    await one.start()
    yield one
    await one.aclose()


async def assert_serves(server: EslServer) -> None:
    """One whole call."""
    async with await EslPeer.dial(server.port) as peer:
        await peer.begin()
        command = await peer.command()
        assert "execute-app-name: answer" in command
        peer.send(OK + executed(command.partition("Event-UUID: ")[2]))
        assert await peer.command() == "exit"


async def test_a_call_is_served(server: EslServer) -> None:
    await assert_serves(server)
    assert await server.wait_idle(10.0)
    assert server.session_count == 0


async def test_connect_and_close_is_normal_and_silent(
    server: EslServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for end in ("close", "reset") * 50:
        getattr(await EslPeer.dial(server.port), end)()
    await assert_serves(server)
    assert capsys.readouterr().out == ""


async def test_who_says_nothing_is_cut_off(server: EslServer) -> None:
    async with await EslPeer.dial(server.port) as peer:
        assert await peer.command() == "connect"
        await peer.wait_closed()
    await assert_serves(server)


async def test_who_drips_is_cut_off(server: EslServer) -> None:
    async with await EslPeer.dial(server.port) as peer:
        closed = asyncio.ensure_future(peer.wait_closed())
        for byte in channel()[:-1]:
            if closed.done():
                break
            peer.send(bytes([byte]))
            await asyncio.wait([closed], timeout=0.02)
        await closed
    await assert_serves(server)


async def test_a_call_that_another_worker_has_by_now_is_not_taken(
    hub: EslHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one who was stopped finds it. The connection stays: its end would take the call from that worker."""
    monkeypatch.setattr("esl_apps.safe_calls.TAKEN_WITHIN_S", 0.1)
    server = EslServer(answer, "127.0.0.1", 0, hub=hub, limits=Limits(connect_s=CONNECT_S))
    await server.start()
    assert server._acceptor is not None
    hub.call(server._acceptor.pause)  # from here on only the kernel accepts
    async with await EslPeer.dial(server.port) as late:
        await asyncio.sleep(0.2)
        hub.call(server._acceptor.resume)
        await late.begin()
        assert await late.command() == "noevents"
        await assert_nothing_comes(late, CONNECT_S)
        assert server.session_count == 0
        await assert_serves(server)
        late.send(reply("+OK") + hung_up())
        assert await late.command() == "exit"
    assert capsys.readouterr().out.count("esl_call_too_late") == 1
    await server.aclose()


async def test_events_that_are_asked_for_too_late_would_not_tell_of_the_end(
    hub: EslHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that is stopped between the call and its events would never hear that the call was taken away."""
    monkeypatch.setattr("esl_apps.safe_calls.TAKEN_WITHIN_S", 0.1)
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    async with await EslPeer.dial(server.port) as peer:
        await peer.command()
        peer.send(channel() + OK + OK)
        await asyncio.sleep(0.2)
        peer.send(OK)  # to `event`
        asked = [await peer.command()]
        while asked[-1] not in ("noevents", "exit"):
            asked.append(await peer.command())
        assert asked[-2].startswith("event") and asked[-1] == "noevents"
    await server.aclose()
    capsys.readouterr()


async def assert_nothing_comes(peer: EslPeer, longest_s: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(longest_s):
            await peer.reader.read(1)


JUNK = {
    "letters": b"A" * 5_000_000,
    "one value": b"Content-Type: " + b"y" * 5_000_000,
    "headers": b"A: b\n" * 1_000_000,
    "all bytes": bytes(range(256)) * 2000,
    "web": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "empty lines": b"\n" * 100_000,
    "another protocol": b"Content-Type: auth/request\n\n",
    "no channel": channel(""),
    "a channel that is a pattern": channel("/.*/"),
    "a channel of two words": channel("a b"),
    "refused": reply("-ERR no"),
    "json": b"Content-Length: 2\nContent-Type: text/event-json\n\n{}",
    "negative": b"Content-Type: api/response\nContent-Length: -1\n\n",
    "access list": b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n",
    "answers to nothing": channel() + OK * 10,
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_junk_is_cut_off(server: EslServer, junk: bytes) -> None:
    async with await EslPeer.dial(server.port) as peer:
        peer.send(junk)
        await peer.wait_closed()
    await assert_serves(server)


async def test_one_that_breaks_the_protocol_costs_one_log_line(
    server: EslServer, capsys: pytest.CaptureFixture[str]
) -> None:
    async with await EslPeer.dial(server.port) as peer:
        peer.send(JUNK["negative"] + channel("secret-caller") * 3)
        await peer.wait_closed()
    await assert_serves(server)
    logged = capsys.readouterr().out
    assert logged.count("\n") == 1
    assert "esl_protocol_broken" in logged


async def test_too_many_that_say_nothing_do_not_keep_calls_out(server: EslServer) -> None:
    idle = [await EslPeer.dial(server.port) for _ in range(60)]
    assert await idle[-1].command() == ""
    for peer in idle:
        await peer.wait_closed()
        peer.close()
    await assert_serves(server)


class Reluctant:
    """A listening socket that has no room for a while. tries: how often it was asked."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self.tries = 0
        self.has_room = False

    def fileno(self) -> int:
        return self._real.fileno()

    def accept(self) -> tuple[socket.socket, object]:
        self.tries += 1
        if self.has_room:
            return self._real.accept()
        raise OSError(errno.EMFILE, "Too many open files")

    def close(self) -> None:
        self._real.close()


async def test_where_no_more_files_can_be_opened_it_rests_and_tries_again(
    hub: EslHub, capsys: pytest.CaptureFixture[str]
) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    assert server._acceptor is not None
    listener = server._acceptor.server = Reluctant(server._acceptor.server)
    async with await EslPeer.dial(server.port) as peer:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await peer.reader.read(1)
        assert listener.tries == 1
        listener.has_room = True
        assert await peer.command() == "connect"
    await server.aclose()
    assert "Too many open files" in capsys.readouterr().out


async def test_more_calls_than_allowed_are_refused_and_the_others_stay(hub: EslHub) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub, limits=Limits(sessions=2))
    await server.start()
    held = [await EslPeer.dial(server.port) for _ in range(2)]
    for peer in held:
        await peer.begin()
        assert "answer" in await peer.command()
    async with await EslPeer.dial(server.port) as extra:
        assert await extra.command() == ""
    assert server.session_count == 2
    for peer in held:
        peer.send(hung_up())
        assert await peer.command() == "exit"
        peer.close()
    await server.aclose()


async def test_200_calls_at_once_are_served(hub: EslHub) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    await asyncio.gather(*[assert_serves(server) for _ in range(200)])
    await server.aclose()


@pytest.mark.parametrize("fault", [ZeroDivisionError(), SwitchUnavailable("x"), CallerGone])
async def test_whatever_the_service_does_freeswitch_gets_the_call_back(
    hub: EslHub, fault: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(session: EslSession) -> None:
        raise fault

    server = EslServer(fail, "127.0.0.1", 0, hub=hub)
    await server.start()
    async with await EslPeer.dial(server.port) as peer:
        await peer.begin()
        assert await peer.command() == "exit"
    await server.aclose()
    capsys.readouterr()


async def test_closing_hands_all_calls_back_and_takes_no_more(hub: EslHub) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    port = server.port
    async with await EslPeer.dial(port) as peer, await EslPeer.dial(port) as unread:
        await peer.begin()
        assert "answer" in await peer.command()
        closing = asyncio.ensure_future(server.aclose(grace_s=10.0))
        assert await peer.command() == "exit"
        peer.close()
        await unread.wait_closed()
        await closing
    with pytest.raises(OSError):
        await EslPeer.dial(port)


async def test_draining_refuses_new_calls_and_keeps_those_that_are_here(hub: EslHub) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    async with await EslPeer.dial(server.port) as peer:
        await peer.begin()
        command = await peer.command()
        server.stop_accepting()
        assert not await server.wait_idle(0.05)
        peer.send(OK + executed(command.partition("Event-UUID: ")[2]))
        assert await server.wait_idle(10.0)
        assert await peer.command() == "exit"
    await server.aclose()


async def test_a_taken_address_is_an_error_of_the_start(hub: EslHub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = EslServer(answer, "127.0.0.1", taken.getsockname()[1], hub=hub)
        with pytest.raises(OSError):
            await server.start()


async def test_two_sockets_of_one_channel_do_not_hear_each_other(hub: EslHub) -> None:
    server = EslServer(answer, "127.0.0.1", 0, hub=hub)
    await server.start()
    async with await EslPeer.dial(server.port) as first, await EslPeer.dial(server.port) as second:
        commands = []
        for peer in (first, second):
            await peer.begin(channel(LEG))
            commands.append((await peer.command()).partition("Event-UUID: ")[2])
        first.send(OK + executed(commands[1]))
        second.send(OK + executed(commands[1]))
        assert await second.command() == "exit"
        first.send(executed(commands[0]))
        assert await first.command() == "exit"
    await server.aclose()
