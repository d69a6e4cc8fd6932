"""One call's event socket against a peer that does as it likes: what ends a wait, what is sent, what is heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from cordboard.errors import SwitchProtocolError, SwitchRefused, SwitchUnavailable
from cordboard.telephony.hangup_causes import HangupCause
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.server import EslServer
from esl_apps.session import CallerGone, EslSession
from tests.doubles.esl_peer import LEG, OK, EslPeer, api_answer, channel, event, executed, hung_up, reply

LONG_S = 30.0


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


@contextlib.asynccontextmanager
async def call(hub: EslHub, channel_reply: bytes = b"") -> AsyncIterator[tuple[EslPeer, EslSession]]:
    """A call that is with us, and FreeSWITCH's end of it."""
    begun: asyncio.Future[EslSession] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def serve(session: EslSession) -> None:
        begun.set_result(session)
        await over.wait()

    server = EslServer(serve, "127.0.0.1", 0, hub=hub)
    await server.start()
    try:
        async with await EslPeer.dial(server.port) as peer:
            await peer.begin(channel_reply)
            yield peer, await begun
            over.set()
    finally:
        await server.aclose()


def id_in(command: str) -> str:
    return command.partition("Event-UUID: ")[2].partition("\n")[0]


async def test_the_channel_and_what_is_asked_for(hub: EslHub) -> None:
    name = channel(**{"Caller-Caller-ID-Name": "Bob\nEvent-Name: X", "variable_note": "100% ☎"})
    async with call(hub, name) as (_, session):
        assert session.leg_id == LEG
        assert session.channel["Caller-Caller-ID-Name"] == "Bob\nEvent-Name: X"
        assert session.channel.variable("note") == "100% ☎"
        assert session.is_open
        assert not session.is_gone


async def test_only_what_is_needed_is_asked_for(hub: EslHub) -> None:
    server = EslServer(lambda session: asyncio.sleep(0), "127.0.0.1", 0, hub=hub)
    await server.start()
    async with await EslPeer.dial(server.port) as peer:
        asked = await peer.begin()
    await server.aclose()
    assert asked == [
        "connect",
        "linger 5",
        f"filter Unique-ID {LEG}",
        "event plain CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE DTMF",
    ]


async def test_what_is_seldom_waited_for_is_asked_for_once_and_before_what_brings_it(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        session.ask_for("PLAYBACK_START")
        session.ask_for("PLAYBACK_START")
        session.begin("playback", "a.wav")
        assert await peer.command() == "event plain PLAYBACK_START"
        assert (await peer.command()).startswith("sendmsg")


async def test_an_application_ends_with_its_own_completion(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        second = session.begin("playback", "b.wav")
        ids = [id_in(await peer.command()), id_in(await peer.command())]
        assert ids == [running.event_uuid, second.event_uuid]
        peer.send(OK + OK + executed("another") + executed(ids[1], response="PLAYBACK ERROR"))
        assert (await second.done).response == "PLAYBACK ERROR"
        assert not running.done.done()
        peer.send(executed(ids[0], variable_note="done"))
        assert (await running.done).event.variable("note") == "done"


async def test_a_hang_up_ends_what_runs_and_what_comes_later(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = [session.begin("playback", "a.wav") for _ in range(3)]
        for _ in running:
            await peer.command()
        peer.send(OK * 3 + hung_up("USER_BUSY"))
        assert await asyncio.wait_for(asyncio.shield(session.gone), 10.0) is HangupCause.BUSY
        for one in running:
            with pytest.raises(CallerGone) as gone:
                await one.done
            assert gone.value.cause is HangupCause.BUSY
        with pytest.raises(CallerGone):
            await session.execute("answer", longest_s=LONG_S)
        with pytest.raises(CallerGone):
            await session.set({"a": "1"})
        last = await session.ended(10.0)
        assert last is not None
        assert last.name == "CHANNEL_HANGUP_COMPLETE"
        asking = asyncio.ensure_future(session.api("uuid_exists x"))
        assert await peer.command() == "api uuid_exists x"
        peer.send(api_answer("false"))
        assert await asking == "false"


async def test_a_hang_up_before_events_could_be_asked_for_is_one_too(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        peer.send(b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n")
        assert await asyncio.wait_for(asyncio.shield(session.gone), 10.0) is HangupCause.NORMAL


async def test_a_hang_up_happens_once(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        peer.send(hung_up("USER_BUSY") + hung_up("NO_ANSWER"))
        await session.ended(10.0)
        assert session.gone.result() is HangupCause.BUSY


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_lost_socket_ends_every_wait_and_is_no_hang_up(hub: EslHub, end: str) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        await peer.command()
        asking = asyncio.ensure_future(session.api("status"))
        await peer.command()
        getattr(peer, end)()
        for waiting in (running.done, asking):
            with pytest.raises(SwitchUnavailable):
                await asyncio.wait_for(waiting, 10.0)
        assert not session.is_gone
        assert not session.is_open
        for later in (session.execute("answer", longest_s=LONG_S), session.api("status"), session.set({"a": "1"})):
            with pytest.raises(SwitchUnavailable):
                await later
        assert await session.ended(LONG_S) is None


async def test_an_application_that_does_not_end_has_a_deadline(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        with pytest.raises(SwitchUnavailable):
            await session.execute("playback", "a.wav", longest_s=0.05)
        assert session.is_open
        late = id_in(await peer.command())
        running = session.begin("answer")
        peer.send(OK + executed(late) + OK + executed(id_in(await peer.command()), "answer"))
        assert (await running.done).application == "answer"


async def test_an_api_command_that_is_not_answered_has_a_deadline(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        with pytest.raises(SwitchUnavailable):
            await session.api("status", longest_s=0.05)
        await peer.command()
        asking = asyncio.ensure_future(session.api("version"))
        await peer.command()
        peer.send(api_answer("late") + api_answer("in time"))
        assert await asking == "in time"


async def test_cancelled_it_stops_waiting_and_the_session_goes_on(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        task = asyncio.ensure_future(session.execute("playback", "a.wav", longest_s=LONG_S))
        first = id_in(await peer.command())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        running = session.begin("answer")
        peer.send(OK + executed(first) + OK + executed(id_in(await peer.command())))
        await running.done


async def test_a_break_is_said_again_until_the_end_is_seen(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        own = id_in(await peer.command())
        peer.send(OK)
        stopping = asyncio.ensure_future(session.stop(running))
        for _ in range(3):
            assert await peer.command() == f"api uuid_break {LEG}"
            peer.send(api_answer("+OK"))
        peer.send(executed(own))
        assert (await stopping).application == "playback"
        assert await session.stop(running) is running.done.result()


async def test_what_does_not_stop_has_a_deadline(hub: EslHub) -> None:
    async with call(hub) as (_, session):
        running = session.begin("playback", "a.wav")
        with pytest.raises(SwitchUnavailable):
            await session.stop(running, longest_s=0.1)


async def test_a_refused_application_says_so(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        await peer.command()
        peer.send(reply("-ERR memory error"))
        with pytest.raises(SwitchRefused):
            await running.done


async def test_variables_are_set_in_one_round_trip(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        setting = asyncio.ensure_future(session.set({"a": "1", "b": "x;y"}))
        assert await peer.command() == f"api uuid_setvar_multi {LEG} a=1;b=x\\;y"
        peer.send(api_answer("+OK\n"))
        await setting


async def test_a_variable_of_a_channel_that_has_just_gone_is_a_hang_up(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        setting = asyncio.ensure_future(session.set({"a": "1"}))
        await peer.command()
        peer.send(api_answer("-ERR No such channel!\n") + hung_up())
        with pytest.raises(CallerGone):
            await setting


@pytest.mark.parametrize("argument", ["a\nb", "a\n\napi system id", "a\0", "x" * 8001, "${system(id)}"])
async def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(hub: EslHub, argument: str) -> None:
    async with call(hub) as (peer, session):
        with pytest.raises(SwitchProtocolError):
            await session.execute("playback", argument, longest_s=LONG_S)
        with pytest.raises(SwitchProtocolError):
            await session.set({"a": argument})
        with pytest.raises(SwitchProtocolError):
            await session.api(argument)
        running = session.begin("answer")
        assert "execute-app-name: answer" in await peer.command()
        assert not running.done.done()


async def test_keys_are_heard_by_who_wants_them(hub: EslHub) -> None:
    keys: list[tuple[str, float]] = []
    marked = asyncio.Event()
    async with call(hub) as (peer, session):
        session.on_event(lambda heard: marked.set())
        peer.send(event("DTMF", DTMF_Digit="1") + event("RECORD_STOP"))
        await marked.wait()
        marked.clear()
        session.on_digit(lambda key, at: keys.append((key, at)))
        other = event("DTMF", "other", DTMF_Digit="9", Other_Leg_Unique_ID=LEG)
        peer.send(event("DTMF", DTMF_Digit="2") + event("DTMF", DTMF_Digit="A") + other + event("RECORD_STOP"))
        await marked.wait()
    assert keys == [("2", 1795353408.045122)]


async def test_events_are_heard_in_order_and_none_of_another_leg(hub: EslHub) -> None:
    heard: list[tuple[str, str]] = []
    done = asyncio.Event()

    def note(one: EslEvent) -> None:
        heard.append((one.name, one.leg_id))
        if one.name == "CHANNEL_HANGUP_COMPLETE":
            done.set()

    async with call(hub) as (peer, session):
        session.on_event(note)
        names = ["PLAYBACK_START", "CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE"]
        peer.send(b"".join(event(name, "agent", Other_Leg_Unique_ID=LEG) for name in names))
        peer.send(event("PLAYBACK_START") + executed("not ours", "socket") + hung_up())
        await asyncio.wait_for(done.wait(), 10.0)
    assert heard == [
        ("PLAYBACK_START", LEG),
        ("CHANNEL_EXECUTE_COMPLETE", LEG),
        ("CHANNEL_HANGUP", LEG),
        ("CHANNEL_HANGUP_COMPLETE", LEG),
    ]


async def test_a_callback_that_fails_harms_nobody(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        session.on_event(lambda one: 1 / 0)
        running = session.begin("playback", "a.wav")
        own = id_in(await peer.command())
        peer.send(OK + event("PLAYBACK_START") + executed(own))
        await asyncio.wait_for(running.done, 10.0)


async def test_closing_lets_freeswitch_read_everything_first(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        session.close()
        session.close()
        with pytest.raises(SwitchUnavailable):
            await running.done
        assert "execute-app-name: playback" in await peer.command()
        assert await peer.command() == "exit"
        peer.send(OK + OK + event("PLAYBACK_START"))
        peer.close()
        await asyncio.wait_for(session.aclose(), 10.0)


async def test_whose_call_is_another_workers_says_nothing_more_and_stays_connected(hub: EslHub) -> None:
    async with call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        session.fall_silent()
        session.close()
        for wait in (running.done, session.execute("answer", longest_s=LONG_S), session.api("status")):
            with pytest.raises(SwitchUnavailable):
                await wait
        assert "execute-app-name: playback" in await peer.command()
        assert await peer.command() == "noevents"
        peer.send(OK + OK + executed(running.event_uuid))
        assert not session.lost.done()
        peer.send(hung_up())
        assert await peer.command() == "exit"
        peer.close()
        await asyncio.wait_for(session.lost, 10.0)


async def test_nobody_stays_connected_to_a_call_that_has_ended(hub: EslHub) -> None:
    """FreeSWITCH keeps its channel for as long as the socket is open, 5 s at most."""
    async with call(hub) as (peer, session):
        peer.send(hung_up())
        await asyncio.wait_for(asyncio.shield(session.gone), 10.0)
        session.fall_silent()
        assert await peer.command() == "exit"
        peer.close()
        await asyncio.wait_for(session.lost, 10.0)


async def test_a_peer_that_does_not_let_go_is_left(hub: EslHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esl_apps.safe_esl.GOODBYE_S", 0.05)
    async with call(hub) as (_, session):
        await asyncio.wait_for(session.aclose(), 10.0)


FAULTS = {
    "json": b"Content-Length: 2\nContent-Type: text/event-json\n\n{}",
    "an answer to nothing": OK,
    "negative length": b"Content-Type: api/response\nContent-Length: -5\n\n",
    "huge length": b"Content-Type: text/event-plain\nContent-Length: 900000000\n\n",
    "no header ends": b"x" * 300_000,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_peer_that_breaks_the_protocol_loses_this_call_and_no_other(hub: EslHub, fault: bytes) -> None:
    async with call(hub) as (good, kept), call(hub) as (peer, session):
        running = session.begin("playback", "a.wav")
        await peer.command()
        peer.send(OK + fault)
        with pytest.raises(SwitchProtocolError):
            await asyncio.wait_for(running.done, 10.0)
        with pytest.raises(SwitchProtocolError):
            await session.api("status")
        other = kept.begin("answer")
        good.send(OK + executed(id_in(await good.command())))
        await other.done


async def test_what_happened_before_the_call_came_was_for_the_socket_before(hub: EslHub) -> None:
    keys: list[str] = []
    told: list[str] = []
    async with call(hub, channel(**{"Event-Sequence": "100"})) as (peer, session):
        session.on_digit(lambda key, at: keys.append(key))
        session.on_event(lambda one: told.append(one.get("Application", "")))
        peer.send(event("DTMF", DTMF_Digit="7", Event_Sequence="99"))
        peer.send(event("DTMF", DTMF_Digit="8", Event_Sequence="101"))
        peer.send(executed("of-the-dialplan", "socket", Event_Sequence="98"))
        peer.send(executed("of-the-dialplan", "answer", Event_Sequence="102"))
        peer.send(event("CHANNEL_HANGUP", Hangup_Cause="USER_BUSY", Event_Sequence="97"))
        assert await asyncio.wait_for(session.gone, 10.0) is HangupCause.BUSY
    assert (keys, told[:1]) == (["8"], ["answer"])


@pytest.mark.parametrize("count", [300])
async def test_a_burst_of_events_is_taken_whole_and_in_order(hub: EslHub, count: int) -> None:
    heard: list[str] = []
    done = asyncio.Event()

    def note(one: EslEvent) -> None:
        heard.append(one["Playback-File-Path"])
        if len(heard) == count:
            done.set()

    async with call(hub) as (peer, session):
        session.on_event(note)
        peer.send(b"".join(event("PLAYBACK_START", Playback_File_Path=str(number)) for number in range(count)))
        await asyncio.wait_for(done.wait(), 20.0)
    assert heard == [str(number) for number in range(count)]
