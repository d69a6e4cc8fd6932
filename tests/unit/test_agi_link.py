"""One AGI connection: whose a reply is when its sender is cancelled in the moment in which it comes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from agi_scripts.link import AgiLink
from cordboard.errors import SwitchUnavailable
from tests.doubles.fake_asterisk import header_block, new_call


@contextlib.asynccontextmanager
async def linked() -> AsyncIterator[AgiLink]:
    """A connection that has said who it is. What Asterisk says after that, the test says."""
    here, there = socket.socketpair()
    loop = asyncio.get_running_loop()
    link = AgiLink(loop, lambda *_: None, lambda *_: None, 5.0)
    with here, there:
        await loop.create_connection(lambda: link, sock=here)
        link.data_received(header_block("call", new_call()))
        yield link
        link.close()


async def sent(link: AgiLink, *, uncut: bool = False) -> asyncio.Task[object]:
    task: asyncio.Task[object] = asyncio.create_task(link.command(b"NOOP\n", uncut=uncut))
    await asyncio.sleep(0)
    return task


async def test_a_reply_that_comes_with_the_cancellation_is_not_the_next_lines() -> None:
    async with linked() as link:
        first = await sent(link, uncut=True)
        first.cancel()
        link.data_received(b"200 result=1\n")
        with pytest.raises(asyncio.CancelledError):
            await first
        second = await sent(link)
        link.data_received(b"200 result=2\n")
        assert (await second).number == 2  # type: ignore[attr-defined]


async def test_a_line_that_may_be_cut_takes_the_connection_with_it_even_if_its_reply_has_come() -> None:
    async with linked() as link:
        first = await sent(link)
        first.cancel()
        link.data_received(b"200 result=1\n")
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not link.is_open


async def test_who_waits_for_a_cancelled_lines_reply_hears_of_the_lost_link() -> None:
    async with linked() as link:
        first = await sent(link, uncut=True)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = await sent(link)
        link.connection_lost(None)
        with pytest.raises(SwitchUnavailable):
            await second


async def test_a_lost_link_is_no_fault_where_nobody_waits_for_the_reply() -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: told.append(fault))
    async with linked() as link:
        first = await sent(link, uncut=True)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        link.connection_lost(None)
    assert told == []


async def test_a_link_lost_in_the_moment_of_the_cancellation_is_not_waited_for() -> None:
    async with linked() as link:
        first = await sent(link, uncut=True)
        first.cancel()
        link.connection_lost(None)
        with pytest.raises(asyncio.CancelledError):
            await first
        with pytest.raises(SwitchUnavailable):
            await link.command(b"NOOP\n")
