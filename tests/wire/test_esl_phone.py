"""A phone whose worker was stopped: the call may be another worker's, and is left alone then."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.errors import SwitchUnavailable
from cordboard.telephony.outcomes import Done, HandedOver
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import Answer, Dial, Extension, Verb
from esl_apps.calls import CallServer
from esl_apps.hub import EslHub
from tests.doubles.esl_peer import OK, EslPeer, api_answer, channel, executed, hung_up
from tests.doubles.fixed_sounds import FixedSounds

CALL = channel(
    **{
        "Caller-Channel-Created-Time": "1795353408045122",
        "Caller-Caller-ID-Number": "442079460123",
        "variable_cordboard_dnis": "5000",
        "Event-Sequence": "1022475",
    }
)
LEFT = executed("of-the-dialplan", "socket", "", Event_Sequence="1022490")  # the channel has left our socket
LEFT_BEFORE = executed("of-the-dialplan", "socket", "", Event_Sequence="1022470")  # the worker's before us


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


@contextlib.asynccontextmanager
async def answering(hub: EslHub, verb: Verb | None = None) -> AsyncIterator[tuple[EslPeer, list[object]]]:
    """A worker that answers each call, or does something else; FreeSWITCH's end of one, and what came of it."""
    came: list[object] = []

    async def serve(phone: Phone) -> None:
        try:
            came.append(await phone.perform(verb or Answer(), "cp:1"))
        except SwitchUnavailable as fault:
            came.append(fault)

    server = CallServer("127.0.0.1", 0, serve, FixedSounds(), hub=hub, recordings_root=Path("/nowhere"))
    await server.start()
    try:
        async with await EslPeer.dial(server.port) as peer:
            await peer.begin(CALL)
            yield peer, came
    finally:
        await server.aclose()


async def test_before_it_has_written_a_worker_that_was_stopped_asks_whether_the_call_is_still_its_own(
    hub: EslHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esl_apps.variables.ACCEPT_S", 0.0)
    async with answering(hub) as (peer, came):
        assert (await peer.command()).startswith("api uuid_exists")
        peer.send(LEFT + api_answer("true"))
        assert await peer.command() == "noevents"
        assert isinstance(came[0], SwitchUnavailable)
        peer.send(OK + hung_up())
        assert await peer.command() == "exit"


async def test_if_nobody_else_has_it_the_call_goes_on(hub: EslHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esl_apps.variables.ACCEPT_S", 0.0)
    async with answering(hub) as (peer, came):
        event_uuid = ""
        while not event_uuid:
            command = await peer.command()
            event_uuid = command.partition("Event-UUID: ")[2]
            peer.send(api_answer("+OK") if command.startswith("api") else OK + executed(event_uuid, "answer"))
        assert await peer.command() == "exit"
        assert came == [Done()]


async def test_the_connection_of_a_call_that_was_taken_away_stays_open(hub: EslHub) -> None:
    """Its end would take the call from the worker that has it."""
    async with answering(hub) as (peer, came):
        for _ in range(3):
            assert (await peer.command()).startswith("api ")
            peer.send(api_answer("+OK"))
        event_uuid = (await peer.command()).partition("Event-UUID: ")[2]
        peer.send(OK + LEFT + executed(event_uuid, "answer"))
        assert await peer.command() == "noevents"
        assert isinstance(came[0], SwitchUnavailable)


async def test_a_call_stays_though_its_leaving_the_worker_before_is_told_late(hub: EslHub) -> None:
    async with answering(hub) as (peer, came):
        for _ in range(3):
            assert (await peer.command()).startswith("api ")
            peer.send(api_answer("+OK"))
        event_uuid = (await peer.command()).partition("Event-UUID: ")[2]
        peer.send(OK + LEFT_BEFORE + executed(event_uuid, "answer"))
        assert await peer.command() == "exit"
        assert came == [Done()]


async def test_what_is_written_last_ends_the_music_and_has_no_phone_followed_elsewhere(hub: EslHub) -> None:
    """A phone that forwards (302) could send callers anywhere. A worker which writes is one that works."""
    async with answering(hub, Dial((Extension("1001", "user/1001"),), 20.0)) as (peer, came):
        written = ""
        while (command := await peer.command()) != "exit":
            written += command
            peer.send(api_answer("+OK"))
        assert came == [HandedOver()]
    assert "outbound_redirect_fatal=true" in written
    assert "[leg_timeout=20]user/1001" in written
    assert "socket_resume=true" in written
    assert "cordboard_tries=0" in written
    assert "sched_del" in written
