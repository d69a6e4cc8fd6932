"""Attacks on the FastAGI port: the server goes on serving, and no command is sent that was not meant."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.phone import AsteriskPhone
from agi_scripts.server import AgiServer, Limits
from cordboard.errors import SwitchProtocolError
from cordboard.telephony.verbs import Answer, Hangup, Say
from tests.doubles.fake_asterisk import RAN, FakeAsterisk, commands_in, header_block, new_call
from tests.doubles.fixed_sounds import FixedSounds
from tests.doubles.fuzzing import examples

HEADER_S = 0.3


async def answer_and_hang_up(phone: AsteriskPhone) -> None:
    await phone.perform(Answer(), "cp:1")
    await phone.perform(Hangup(), "cp:2")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AgiServer]:
    limits = Limits(header_s=HEADER_S, unread_headers=50)
    server = AgiServer("127.0.0.1", 0, answer_and_hang_up, FixedSounds(), limits=limits, max_sessions=20)
    await server.start()
    yield server
    await server.aclose()


async def assert_serves(server: AgiServer) -> None:
    """One whole call, and the loop is not busy with something else."""
    began = time.monotonic()
    async with await FakeAsterisk.connect(server.port) as asterisk:
        assert await asterisk.answer_all(lambda words: RAN) == [["ANSWER"]]
        assert asterisk.variables["CORDBOARD_DONE"] == "16"
    assert time.monotonic() - began < 5.0


async def test_a_call_is_served(server: AgiServer) -> None:
    await assert_serves(server)
    assert await server.wait_idle(1.0)
    assert server.session_count == 0


async def test_connect_and_close_is_normal_and_silent(
    server: AgiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(100):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
    await assert_serves(server)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("asks", ["call", "ended"])
async def test_a_call_that_another_worker_has_by_now_is_not_taken(
    asks: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one who was stopped finds it; that a call has ended is taken, however late."""
    monkeypatch.setattr("agi_scripts.server.ACCEPT_S", 0.1)
    taken: list[bool] = []

    async def serve(phone: AsteriskPhone) -> None:
        taken.append(phone.arrival.ended)

    server = AgiServer("127.0.0.1", 0, serve, FixedSounds())
    await server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as asterisk:
        asterisk.sendall(header_block(asks) + b"HANGUP\n")
        time.sleep(0.2)  # noqa: ASYNC251 (as a stopped process, for which the kernel accepts)
        asterisk.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(asterisk, 100) == b""
    await server.aclose()
    assert taken == [True] * (asks == "ended")
    assert ("agi_call_too_late" in capsys.readouterr().out) is (asks == "call")


@pytest.mark.parametrize(
    "junk",
    [
        b"agi_network: yes\nagi_requ",
        header_block()[:-1],
        b"\n",
    ],
)
async def test_half_a_header_times_out(server: AgiServer, junk: bytes) -> None:
    began = time.monotonic()
    async with await FakeAsterisk.connect(server.port, junk) as asterisk:
        assert await asterisk.wait_closed() == b""
    assert time.monotonic() - began < HEADER_S + 5.0
    await assert_serves(server)


async def test_half_a_header_then_end_of_stream(server: AgiServer) -> None:
    async with await FakeAsterisk.connect(server.port, b"agi_network: yes\n"):
        pass
    await assert_serves(server)


async def test_a_header_that_drips_times_out_as_a_whole(server: AgiServer) -> None:
    async with await FakeAsterisk.connect(server.port, b"") as asterisk:
        async with asyncio.timeout(HEADER_S + 1.0):
            with contextlib.suppress(ConnectionError):
                while not asterisk._reader.at_eof():
                    asterisk.send(b"agi_x: y\n"[:1])
                    await asyncio.sleep(0.02)
    await assert_serves(server)


JUNK = [
    b"A" * 10_000_000,
    b"agi_x: " + b"y" * 10_000_000,
    b"agi_x: y\n" * 1_000_000,
    bytes(range(256)) * 400,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    b"\n\n",
    b"\0" * 100_000,
]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
async def test_junk_is_cut_off(server: AgiServer, junk: bytes) -> None:
    async with await FakeAsterisk.connect(server.port, junk) as asterisk:
        assert await asterisk.wait_closed() == b""
    await assert_serves(server)


async def test_a_stranger_without_the_token_is_cut_off_before_a_byte(server: AgiServer) -> None:
    async with await FakeAsterisk.connect(server.port, header_block("call", new_call(token="guess"))) as asterisk:
        assert await asterisk.wait_closed() == b""
    await assert_serves(server)


NAMES = [
    "Eve\nEXEC Dial PJSIP/premium",
    "Eve\r\nHANGUP",
    "Eve\n\n200 result=0\n",
    '"; EXEC System "id',
    "hangup",
    "(x) endpos=0",
    "200 result=-1",
    "\u260e\ufe0f" * 40,
    "x" * 4096,
    "\udcff\udcfe",
    "\\" * 100,
]


@pytest.mark.parametrize("name", NAMES)
async def test_no_caller_name_adds_a_command(server: AgiServer, name: str) -> None:
    async with await FakeAsterisk.connect(server.port, header_block(calleridname=name)) as asterisk:
        await asterisk.answer_all(lambda words: RAN)
        sent = [words[0] for words in commands_in(asterisk.received)]
    assert sent in ([], ["EXEC", "ANSWER", "EXEC"])
    await assert_serves(server)


async def test_more_calls_than_sessions_are_sent_to_the_next_worker(server: AgiServer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(20):
            caller = await stack.enter_async_context(await FakeAsterisk.connect(server.port))
            assert await caller.next_command()
        one_too_many = await stack.enter_async_context(await FakeAsterisk.connect(server.port))
        assert await one_too_many.wait_closed() == b""
    assert await server.wait_idle(2.0)
    await assert_serves(server)


async def test_connections_that_say_nothing_cannot_fill_the_server(server: AgiServer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(50):
            last = await stack.enter_async_context(await FakeAsterisk.connect(server.port, b""))
        one_too_many = await stack.enter_async_context(await FakeAsterisk.connect(server.port, b""))
        assert await asyncio.wait_for(one_too_many.wait_closed(), HEADER_S / 2) == b""
        await last.wait_closed()
    await assert_serves(server)


async def test_stop_accepting_refuses_new_calls_and_keeps_the_old(server: AgiServer) -> None:
    async with await FakeAsterisk.connect(server.port) as asterisk:
        first = await asterisk.next_command()
        server.stop_accepting()
        with pytest.raises(OSError):
            await FakeAsterisk.connect(server.port)
        assert first[1] == "MSet"
        asterisk.reply(RAN)
        assert await asterisk.answer_all(lambda words: RAN) == [["ANSWER"]]
        assert asterisk.variables["CORDBOARD_DONE"] == "16"


async def test_aclose_gives_calls_back(server: AgiServer) -> None:
    async with await FakeAsterisk.connect(server.port) as asterisk:
        await asterisk.next_command()
        await server.aclose()
        assert await asterisk.wait_closed() == b""
    assert server.session_count == 0


async def test_a_value_over_8000_bytes_sends_nothing() -> None:
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        try:
            await phone.speak("x" * 9000)
        except SwitchProtocolError as error:
            refused.set_result(str(error))

    server = AgiServer("127.0.0.1", 0, serve, FixedSounds())
    await server.start()
    async with await FakeAsterisk.connect(server.port) as asterisk:
        assert await asterisk.answer_all(lambda words: RAN) == []
    assert "9" in await refused
    await server.aclose()


class Outside:
    """A server in a loop of its own, for tests whose inputs come one after the other from hypothesis."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.said: list[str] = []
        self.server = AgiServer("127.0.0.1", 0, self._serve, FixedSounds(), limits=Limits(header_s=0.2))
        self.runner.run(self.server.start())

    async def _serve(self, phone: AsteriskPhone) -> None:
        with contextlib.suppress(SwitchProtocolError):
            await phone.perform(Say("digits", phone.arrival.call.caller_name, "en"), "cp:1")

    def close(self) -> None:
        self.runner.run(self.server.aclose())
        self.runner.close()


@pytest.fixture(scope="module")
def outside() -> Outside:
    with contextlib.closing(Outside()) as outside:
        yield outside


async def talk(port: int, junk: bytes) -> bytes:
    async with await FakeAsterisk.connect(port, junk) as asterisk:
        asterisk._writer.write_eof()
        await asterisk.wait_closed()
        return asterisk.received


@pytest.mark.fuzz
@examples(0.10)
@given(
    junk=st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda name: header_block(calleridname=name)))
)
def test_whatever_arrives_is_answered_by_our_own_first_line_or_not_at_all(outside: Outside, junk: bytes) -> None:
    sent = commands_in(outside.runner.run(talk(outside.server.port, junk)))
    assert [words[:2] for words in sent] in ([], [["EXEC", "MSet"]])
