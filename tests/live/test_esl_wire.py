"""Event sockets of a real FreeSWITCH: what runs, what is heard, and what ends a call, on its own wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from cordboard.errors import SwitchUnavailable
from cordboard.lab.call import Call
from cordboard.lab.caller import Caller
from cordboard.lab.freeswitch import LabFreeswitch
from cordboard.lab.sip_phone import SipPhone
from cordboard.telephony.hangup_causes import HangupCause
from esl_apps import commands
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.link import EslLink
from esl_apps.server import EslServer
from esl_apps.session import CallerGone, EslSession
from tests.live.freeswitch_kit import extension, freeswitch_running

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

DEADLINE_S = 10.0
NAME = "Bob%0AEvent-Name: CHANNEL_HANGUP%0A${system(touch /tmp/cordboard-forged)}"
VALUES = {
    "cordboard_quotes": 'it\'s "so" \\ \\n \\s; and, so {on} [1] ^^|',
    "cordboard_blanks": "  before and after  ",
    "cordboard_letters": "Zoë ☎ 漢字",
    "cordboard_dollars": "$x $$ { $ {",
    "cordboard_checkpoint": "main.menu~3:a-b_c",
}
ENDLESS = "tone_stream://%(1000,0,600);loops=-1"


@dataclass
class Rig:
    """A FreeSWITCH, our server, link and callers. sessions: calls that have come and wait for the test."""

    pbx: LabFreeswitch
    hub: EslHub
    link: EslLink
    sessions: asyncio.Queue[EslSession]
    over: dict[str, asyncio.Event] = field(default_factory=dict)

    async def session(self) -> EslSession:
        async with asyncio.timeout(DEADLINE_S):
            return await self.sessions.get()

    def let_go(self, session: EslSession) -> None:
        self.over[session.leg_id].set()


async def test_event_sockets_of_a_real_freeswitch() -> None:
    hub, sessions = EslHub(), asyncio.Queue[EslSession]()
    over: dict[str, asyncio.Event] = {}

    async def serve(session: EslSession) -> None:
        over[session.leg_id] = asyncio.Event()
        sessions.put_nowait(session)
        await over[session.leg_id].wait()

    await hub.start()
    server = EslServer(serve, "127.0.0.1", 0, hub=hub)
    await server.start()
    dialplan = extension("7001", f"socket 127.0.0.1:{server.port} async full", "transfer 1 XML operators")
    async with freeswitch_running(extra_dialplan=dialplan) as pbx:
        link = EslLink("127.0.0.1", pbx.esl_port, pbx.esl_secret, hub=hub)
        link.on_event("CHANNEL_HANGUP_COMPLETE", lambda event: None)
        link.start()
        await link.wait_connected(DEADLINE_S)
        rig = Rig(pbx, hub, link, sessions, over)
        for case in CASES:
            await case(rig)
            await pbx.wait_for_no_channels()
        await server.aclose()
        await link.aclose()
    await hub.aclose()


async def variables_arrive_exactly_and_names_are_data(rig: Rig) -> None:
    async with Caller(ani="+442079460123", name=NAME) as caller:
        call = caller.place("7001", (rig.pbx.host, rig.pbx.sip_port))
        session = await rig.session()
        assert session.channel.name == "CHANNEL_DATA"
        assert "system" in session.channel["Caller-Caller-ID-Name"]
        await session.set(VALUES)
        for name, value in VALUES.items():
            assert await session.api(f"uuid_getvar {session.leg_id} {name}") == value
        done = await session.execute("answer", longest_s=DEADLINE_S)
        assert {name: done.event.variable(name) for name in VALUES} == VALUES
        await session.set({"cordboard_letters": ""})
        assert await session.api(f"uuid_getvar {session.leg_id} cordboard_letters") == "_undef_"
        await call.hang_up()
        assert await asyncio.wait_for(asyncio.shield(session.gone), DEADLINE_S) is HangupCause.NORMAL
        rig.let_go(session)


async def keys_are_heard_and_what_plays_is_cut(rig: Rig) -> None:
    async with Caller(ani="+442079460123") as caller:
        call, session = await answered(rig, caller)
        keys: list[str] = []
        session.on_digit(lambda key, at: keys.append(key))
        playing = session.begin("playback", ENDLESS)
        await call.press("12*#")
        await until(lambda: keys == ["1", "2", "*", "#"])
        assert (await session.stop(playing)).application == "playback"
        for _ in range(3):  # a break that comes before the start is lost, and one that is late must hit nothing
            await session.stop(session.begin("playback", ENDLESS))
            done = await session.execute("playback", "silence_stream://100", longest_s=DEADLINE_S)
            assert int(done.event.variable("playback_ms")) >= 80
        await hung_up(rig, call, session)


async def a_hang_up_while_something_plays_is_known_at_once(rig: Rig) -> None:
    async with Caller(ani="+442079460123") as caller:
        call, session = await answered(rig, caller)
        heard: list[tuple[str, float]] = []
        session.on_event(lambda event: heard.append((event.name, time.time() - event.at)))
        session.ask_for("PLAYBACK_START")
        playing = session.begin("playback", ENDLESS)
        await until(lambda: bool(heard))
        await call.hang_up()
        with pytest.raises(CallerGone):
            await asyncio.wait_for(playing.done, DEADLINE_S)
        last = await session.ended(DEADLINE_S)
        assert last is not None
        assert last.variable("hangup_cause") == "NORMAL_CLEARING"
        assert await session.api(f"uuid_exists {session.leg_id}") == "false"
        with pytest.raises(CallerGone):
            await session.execute("playback", ENDLESS, longest_s=DEADLINE_S)
        late_s = dict(heard)["CHANNEL_HANGUP"]
        print(f"hang-up known {late_s * 1000:.0f} ms after it was stamped")
        assert late_s < 2.0  # 50 ms are promised where the machine is not loaded
        rig.let_go(session)


async def an_unknown_application_ends_the_call(rig: Rig) -> None:
    async with Caller(ani="+442079460123") as caller:
        _, session = await answered(rig, caller)
        with pytest.raises(CallerGone):
            await session.execute("no_such_application", longest_s=DEADLINE_S)
        rig.let_go(session)


async def let_go_the_call_goes_on_in_the_dialplan(rig: Rig) -> None:
    async with Caller(ani="+442079460123") as caller:
        call, session = await answered(rig, caller)
        await session.set({"socket_resume": "true"})
        session.begin("playback", ENDLESS)
        rig.let_go(session)
        async with asyncio.timeout(2 * DEADLINE_S):
            assert (await call.ended).by == "pbx"  # after the sound of the safe destination


async def an_agent_who_intercepts_ends_what_plays_and_is_heard_of_on_the_link(rig: Rig) -> None:
    async with SipPhone("1003", rig.pbx) as phone, Caller(ani="+442079460123") as caller:
        call, session = await answered(rig, caller)
        heard: list[EslEvent] = []
        rig.link.on_event("CHANNEL_BRIDGE", heard.append)
        playing = session.begin("playback", ENDLESS)
        options = commands.variables({"origination_uuid": "agent-leg-1", "origination_caller_id_name": "A caller"})
        ringing = asyncio.ensure_future(
            rig.link.bgapi(f"originate {options}user/1003 &intercept({session.leg_id})", longest_s=DEADLINE_S)
        )
        await phone.answer()
        assert await ringing == "+OK agent-leg-1"
        await asyncio.wait_for(playing.done, DEADLINE_S)
        await until(lambda: bool(heard))
        (joined,) = heard
        assert (joined.leg_id, joined.other_leg_id) == ("agent-leg-1", session.leg_id)
        rig.let_go(session)
        assert await rig.link.api("uuid_kill agent-leg-1") == "+OK"
        await call.hang_up()


async def the_link_answers_refuses_and_tells(rig: Rig) -> None:
    ended: list[str] = []
    rig.link.on_event("CHANNEL_HANGUP", lambda event: ended.append(event.leg_id))
    assert (await rig.link.api("status")).startswith("UP ")
    for target, why in (("error/USER_BUSY", "USER_BUSY"), ("user/1009", "USER_NOT_REGISTERED"), ("no_such/x", "")):
        answer = await rig.link.bgapi(f"originate {target} &park()", longest_s=DEADLINE_S)
        assert why in (commands.refusal(answer) or "")
        assert commands.refusal(answer) is not None
    options = commands.variables({"origination_uuid": "leg-2", "cordboard_note": "100% of three words!"})
    originating = asyncio.ensure_future(rig.link.bgapi(f"originate {options}loopback/7001/from-trunk &park()"))
    session = await rig.session()
    await session.execute("answer", longest_s=DEADLINE_S)
    assert await originating == "+OK leg-2"
    assert await rig.link.api("uuid_getvar leg-2 cordboard_note") == "100% of three words!"
    await rig.link.api("uuid_kill leg-2 CALL_REJECTED")
    assert await asyncio.wait_for(asyncio.shield(session.gone), DEADLINE_S) is not None
    await until(lambda: "leg-2" in ended)
    rig.let_go(session)


async def a_wrong_password_is_refused(rig: Rig) -> None:
    link = EslLink("127.0.0.1", rig.pbx.esl_port, "wrong", hub=rig.hub)
    link.start()
    with pytest.raises(SwitchUnavailable):
        await link.wait_connected(0.3)
    await link.aclose()


async def a_freeswitch_that_dies_takes_calls_and_link_and_comes_back(rig: Rig) -> None:
    async with Caller(ani="+442079460123") as caller:
        _, session = await answered(rig, caller)
        playing = session.begin("playback", ENDLESS)
        await rig.pbx.restart()
        with pytest.raises((SwitchUnavailable, CallerGone)):
            await asyncio.wait_for(playing.done, DEADLINE_S)
        rig.let_go(session)
        await rig.link.wait_connected(DEADLINE_S)
        assert (await rig.link.api("status")).startswith("UP ")


CASES: list[Callable[[Rig], Awaitable[None]]] = [
    variables_arrive_exactly_and_names_are_data,
    keys_are_heard_and_what_plays_is_cut,
    a_hang_up_while_something_plays_is_known_at_once,
    an_unknown_application_ends_the_call,
    let_go_the_call_goes_on_in_the_dialplan,
    an_agent_who_intercepts_ends_what_plays_and_is_heard_of_on_the_link,
    the_link_answers_refuses_and_tells,
    a_wrong_password_is_refused,
    a_freeswitch_that_dies_takes_calls_and_link_and_comes_back,
]


async def answered(rig: Rig, caller: Caller) -> tuple[Call, EslSession]:
    """A call that has been picked up, from both ends."""
    call = caller.place("7001", (rig.pbx.host, rig.pbx.sip_port))
    session = await rig.session()
    await session.execute("answer", longest_s=DEADLINE_S)
    async with asyncio.timeout(DEADLINE_S):
        await call.progressed()
    return call, session


async def hung_up(rig: Rig, call: Call, session: EslSession) -> None:
    await call.hang_up()
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.shield(session.gone)
    rig.let_go(session)


async def until(is_so: Callable[[], bool]) -> None:
    """Until it is so; what it looks at changes with events that several parties bring."""
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():
            await asyncio.sleep(0.01)
