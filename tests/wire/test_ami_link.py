"""The manager link against a peer with faults: nothing is sent twice, and every wait has an end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from agi_scripts.ami import AmiLink
from cordboard.errors import OutcomeUnknown, SwitchProtocolError, SwitchUnavailable
from tests.doubles.fake_ami import FakeAmi, Script, Sent, Session, polite

ORIGINATE = {"Action": "Originate", "Channel": "PJSIP/1001", "Async": "true"}


@contextlib.asynccontextmanager
async def linked(script: Script = polite, *, ping_s: float = 5.0) -> AsyncIterator[tuple[FakeAmi, AmiLink]]:
    """A peer and a link that is connected to it."""
    async with FakeAmi(script) as ami:
        link = AmiLink("127.0.0.1", ami.port, "cordboard", "secret", ping_s=ping_s)
        link.start()
        try:
            await link.wait_connected(2.0)
            yield ami, link
        finally:
            await link.aclose()


def silent_on(*names: str) -> Script:
    """A peer that reads these actions and never answers them."""

    def script(session: Session, action: Sent) -> None:
        if action["Action"] not in names:
            polite(session, action)

    return script


async def test_an_action_is_answered() -> None:
    async with linked() as (ami, link):
        answer = await link.send({"Action": "Hangup", "Channel": "x"})
        assert answer[0].response == "Success"
        assert ami.count("Login") == 1


async def test_a_link_dropped_after_originate_leaves_the_outcome_unknown_and_sends_once() -> None:
    def drop_on_originate(session: Session, action: Sent) -> None:
        if action["Action"] == "Originate":
            session.drop()
        else:
            polite(session, action)

    async with linked(drop_on_originate) as (ami, link):
        with pytest.raises(OutcomeUnknown):
            await link.send(ORIGINATE, ends_with="OriginateResponse")
        await ami.wait_for("Login", times=2)
        await link.wait_connected(2.0)
        await link.send({"Action": "Status"})
        assert ami.count("Originate") == 1


async def test_a_link_dropped_between_response_and_event_is_unknown_too() -> None:
    def half(session: Session, action: Sent) -> None:
        polite(session, action)
        if action["Action"] == "Originate":
            asyncio.get_running_loop().call_later(0.05, session.drop)

    async with linked(half) as (ami, link):
        with pytest.raises(OutcomeUnknown):
            await link.send(ORIGINATE, ends_with="OriginateResponse")
        assert ami.count("Originate") == 1


async def test_a_question_whose_answer_is_lost_may_be_asked_again() -> None:
    def drop_on_status(session: Session, action: Sent) -> None:
        if action["Action"] == "Status":
            session.drop()
        else:
            polite(session, action)

    async with linked(drop_on_status) as (_, link):
        with pytest.raises(SwitchUnavailable):
            await link.send({"Action": "Status"}, ends_with="StatusComplete", changes=False)


async def test_without_a_link_nothing_is_sent() -> None:
    link = AmiLink("127.0.0.1", 9, "cordboard", "secret")
    with pytest.raises(SwitchUnavailable):
        await link.send(ORIGINATE)
    with pytest.raises(SwitchUnavailable):
        await link.wait_connected(0.05)


async def test_each_action_has_a_deadline() -> None:
    async with linked(silent_on("Originate")) as (_, link):
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await link.send(ORIGINATE, longest_s=0.1)
        assert time.monotonic() - began < 5.0
        assert (await link.send({"Action": "Status"}))[0].response == "Success"


async def test_a_half_open_link_is_noticed_by_its_ping_and_replaced() -> None:
    async with linked(silent_on("Ping", "Originate"), ping_s=0.1) as (ami, link):
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await link.send(ORIGINATE, longest_s=30.0)
        assert time.monotonic() - began < 10.0
        await ami.wait_for("Login", times=2)
        assert ami.count("Originate") == 1


async def test_a_live_link_is_kept() -> None:
    async with linked(ping_s=0.3) as (ami, link):
        await ami.wait_for("Ping", times=3)
        assert link.is_connected
        assert ami.count("Login") == 1


async def test_the_link_comes_back_and_says_so_each_time() -> None:
    connected: list[int] = []
    async with FakeAmi() as ami:
        link = AmiLink("127.0.0.1", ami.port, "cordboard", "secret")
        link.on_connected(lambda: connected.append(1))
        link.start()
        for times in (1, 2, 3):
            await link.wait_connected(3.0)
            assert len(connected) == times
            ami.sessions[-1].drop()
            await ami.wait_for("Login", times=times + 1)
        await link.aclose()


async def test_a_refused_log_in_is_tried_again_without_hurry() -> None:
    def refuse(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Error", "Message: Authentication failed")

    async with FakeAmi(refuse) as ami:
        link = AmiLink("127.0.0.1", ami.port, "cordboard", "wrong")
        link.start()
        with pytest.raises(SwitchUnavailable):
            await link.wait_connected(0.3)
        assert 1 <= ami.count("Login") <= 4
        await link.aclose()


HOSTILE = ["x\r\nAction: Command", "x\nAction: Command", "x\0", "y" * 1001]


@pytest.mark.parametrize("value", HOSTILE)
async def test_injection_is_refused_and_not_a_byte_is_written(value: str) -> None:
    async with linked() as (ami, link):
        before = ami.received
        with pytest.raises(SwitchProtocolError):
            await link.send(ORIGINATE | {"CallerID": value})
        await link.send({"Action": "Status"})
        assert b"Originate" not in ami.received[len(before) :]
        assert ami.count("Command") == 0


async def test_characters_cut_between_segments_are_kept() -> None:
    got: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with linked() as (ami, link):
        link.on_event("NewCallerid", lambda manager, event: got.set_result(event.calleridname))
        text = "Event: NewCallerid\r\nCallerIDName: Zoë ☎\r\n\r\n".encode()
        for byte in text:
            ami.sessions[-1].writer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert await asyncio.wait_for(got, 10) == "Zoë ☎"


async def test_a_message_without_end_costs_the_link_and_no_memory() -> None:
    async with linked() as (ami, _):
        ami.sessions[-1].send("Event: X\r\nData: " + "y" * 1_000_000)
        await ami.wait_for("Login", times=2)


async def test_an_event_handler_that_fails_does_not_take_the_link_down() -> None:
    def fail(manager: object, event: object) -> None:
        raise RuntimeError("a fault in a handler")

    async with linked() as (ami, link):
        told: list[str] = []
        link.on_event("Hangup", fail)
        link.on_event("Hangup", lambda _, event: told.append(event.uniqueid))
        ami.sessions[-1].send("Event: Hangup\r\nUniqueid: 1\r\n\r\n")
        assert (await link.send({"Action": "Status"}))[0].response == "Success"
        assert ami.count("Login") == 1
        assert told == ["1"]


async def test_a_cancelled_wait_is_cancelled_and_leaves_nothing() -> None:
    async with linked(silent_on("Originate")) as (ami, link):
        task = asyncio.create_task(link.send(ORIGINATE))
        await ami.wait_for("Originate")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert link._protocol is not None
        assert link._protocol.responses == {}


async def test_closing_ends_every_wait() -> None:
    async with linked(silent_on("Originate")) as (ami, link):
        task = asyncio.create_task(link.send(ORIGINATE))
        await ami.wait_for("Originate")
        await link.aclose()
        with pytest.raises(OutcomeUnknown):
            await task
        assert not link.is_connected


async def test_a_forged_answer_to_no_action_is_dropped() -> None:
    async with linked() as (ami, link):
        ami.sessions[-1].send("Response: Success\r\nActionID: forged\r\n\r\n")
        assert (await link.send({"Action": "Status"}))[0].message == "done"
