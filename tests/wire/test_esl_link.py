"""The inbound link against a peer with faults: nothing is sent twice, and every wait has an end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from cordboard.errors import OutcomeUnknown, SwitchProtocolError, SwitchRefused, SwitchUnavailable
from esl_apps.events import EslEvent
from esl_apps.hub import EslHub
from esl_apps.link import EslLink
from esl_apps.switch import FreeswitchSwitch
from tests.doubles.esl_peer import OK, EslPeer, api_answer, event, listening, reply
from tests.doubles.esl_recordings import recording

SECRET = "s3cret"
GREETING = b"Content-Type: auth/request\n\n"
Answer = Callable[[EslPeer, str], None]


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[EslHub]:
    one = EslHub()
    await one.start()
    yield one
    await one.aclose()


def polite(peer: EslPeer, command: str) -> None:
    """Answers everything."""
    if command.startswith("api "):
        peer.send(api_answer("+OK\n"))
    elif command.startswith("bgapi "):
        job_id = command.partition("Job-UUID: ")[2]
        peer.send(reply(f"+OK Job-UUID: {job_id}") + event("BACKGROUND_JOB", "", "+OK done\n", Job_UUID=job_id))
    else:
        peer.send(OK)


class Switch:
    """FreeSWITCH's event socket. commands: all that was sent to it; `answer` can be changed at any time."""

    def __init__(self, answer: Answer = polite) -> None:
        self.answer = answer
        self.commands: list[str] = []
        self.peers: list[EslPeer] = []
        self._came = asyncio.Condition()

    async def serve(self, peer: EslPeer) -> None:
        self.peers.append(peer)
        peer.send(GREETING)
        log_in = (await peer.reader.readuntil(b"\n\n")).decode().strip()
        self.commands.append(log_in)
        peer.send(reply("+OK accepted" if log_in == f"auth {SECRET}" else "-ERR invalid"))
        while True:
            command = (await peer.reader.readuntil(b"\n\n")).decode().removesuffix("\n\n")
            self.commands.append(command)
            async with self._came:
                self._came.notify_all()
            self.answer(peer, command)

    async def wait_for(self, begin: str, times: int = 1) -> None:
        async with asyncio.timeout(10.0), self._came:
            await self._came.wait_for(lambda: self.count(begin) >= times)

    def count(self, begin: str) -> int:
        return sum(command.startswith(begin) for command in self.commands)


@contextlib.asynccontextmanager
async def linked(
    hub: EslHub, answer: Answer = polite, *, ping_s: float = 30.0, filters: tuple[tuple[str, str], ...] = ()
) -> AsyncIterator[tuple[Switch, EslLink]]:
    """A peer and a link that is connected to it."""
    switch = Switch()
    async with listening(switch.serve) as port:
        link = EslLink("127.0.0.1", port, SECRET, hub=hub, ping_s=ping_s, filters=filters)
        link.on_event("CHANNEL_BRIDGE", lambda one: None)
        link.start()
        try:
            await link.wait_connected(10.0)
            switch.answer = answer
            yield switch, link
        finally:
            await link.aclose()


def silent_on(begin: str) -> Answer:
    """Reads such commands, and never answers them."""

    def answer(peer: EslPeer, command: str) -> None:
        if not command.startswith(begin):
            polite(peer, command)

    return answer


def drop_on(begin: str) -> Answer:
    def answer(peer: EslPeer, command: str) -> None:
        if command.startswith(begin):
            peer.reset()
        else:
            polite(peer, command)

    return answer


async def test_it_logs_in_and_asks_for_what_somebody_wants(hub: EslHub) -> None:
    async with linked(hub, filters=(("Event-Name", "CHANNEL_BRIDGE"),)) as (switch, link):
        await link.api("status")
        link.on_event("CUSTOM sofia::register", lambda one: None)
        await switch.wait_for("event plain CUSTOM")
    assert switch.commands == [
        f"auth {SECRET}",
        "filter Event-Name BACKGROUND_JOB",
        "filter Event-Name CHANNEL_BRIDGE",
        "event plain BACKGROUND_JOB CHANNEL_BRIDGE",
        "api status",
        "event plain CUSTOM sofia::register",
    ]


async def test_a_command_is_answered(hub: EslHub) -> None:
    async with linked(hub) as (switch, link):
        assert await link.api("uuid_kill x") == "+OK"
        assert await link.bgapi("originate user/1000 &park()") == "+OK done"
        assert switch.count("bgapi originate user/1000 &park()\nJob-UUID: ") == 1


async def test_answers_come_in_the_order_of_the_commands_and_jobs_by_their_id(hub: EslHub) -> None:
    asked: list[str] = []

    def backwards(peer: EslPeer, command: str) -> None:
        asked.append(command)
        if len(asked) < 4:
            return
        ids = [one.partition("Job-UUID: ")[2] for one in asked[2:]]
        peer.send(api_answer("first") + api_answer("second") + OK + OK)
        peer.send(event("BACKGROUND_JOB", "", "+OK not ours", Job_UUID="x"))
        for job_id, text in ((ids[1], "+OK fourth"), (ids[0], "+OK third")):
            peer.send(event("BACKGROUND_JOB", "", text, Job_UUID=job_id))

    async with linked(hub, backwards) as (_, link):
        answers = await asyncio.gather(link.api("a"), link.api("b"), link.bgapi("c"), link.bgapi("d"))
    assert answers == ["first", "second", "+OK third", "+OK fourth"]


async def test_a_link_lost_after_the_command_leaves_the_outcome_unknown_and_sends_once(hub: EslHub) -> None:
    async with linked(hub, drop_on("bgapi originate")) as (switch, link):
        with pytest.raises(OutcomeUnknown):
            await link.bgapi("originate user/1000 &park()")
        await switch.wait_for("event plain", times=2)
        await link.wait_connected(10.0)
        await link.api("status")
        assert switch.count("bgapi originate") == 1


async def test_a_link_lost_between_answer_and_job_is_unknown_too(hub: EslHub) -> None:
    def half(peer: EslPeer, command: str) -> None:
        peer.send(OK)
        peer.close()

    async with linked(hub, half) as (_, link):
        with pytest.raises(OutcomeUnknown):
            await link.bgapi("originate user/1000 &park()", longest_s=30.0)


async def test_a_question_whose_answer_is_lost_may_be_asked_again(hub: EslHub) -> None:
    async with linked(hub, drop_on("api show")) as (_, link):
        with pytest.raises(SwitchUnavailable):
            await link.api("show channels", changes=False)


async def test_without_a_link_nothing_is_sent(hub: EslHub) -> None:
    link = EslLink("127.0.0.1", 9, SECRET, hub=hub)
    for asking in (link.api("status"), link.bgapi("status")):
        with pytest.raises(SwitchUnavailable):
            await asking
    with pytest.raises(SwitchUnavailable):
        await link.wait_connected(0.05)


async def test_each_command_has_a_deadline_and_its_late_answer_is_nobody_elses(hub: EslHub) -> None:
    async with linked(hub, silent_on("api slow")) as (switch, link):
        with pytest.raises(OutcomeUnknown):
            await link.api("slow", longest_s=0.05)
        asking = asyncio.ensure_future(link.api("quick"))
        switch.answer = lambda peer, command: peer.send(api_answer("late") + api_answer("in time"))
        assert await asking == "in time"
        switch.answer = silent_on("bgapi slow")
        with pytest.raises(OutcomeUnknown):
            await link.bgapi("slow", longest_s=0.05)


async def test_a_refused_job_says_so(hub: EslHub) -> None:
    async with linked(hub, lambda peer, command: peer.send(reply("-ERR permission denied"))) as (_, link):
        with pytest.raises(SwitchRefused):
            await link.bgapi("system id")


async def test_a_half_open_link_is_noticed_by_its_ping_and_replaced(hub: EslHub) -> None:
    async with linked(hub, silent_on("api"), ping_s=0.1) as (switch, link):
        with pytest.raises(OutcomeUnknown):
            await link.api("uuid_kill x", longest_s=30.0)
        await switch.wait_for("event plain", times=2)
        assert switch.count("api uuid_kill") == 1


async def test_a_live_link_is_kept(hub: EslHub) -> None:
    async with linked(hub, ping_s=0.3) as (switch, link):
        await switch.wait_for("api echo ping", times=3)
        assert link.is_connected
        assert switch.count("auth") == 1


async def test_the_link_comes_back_and_says_so_each_time(hub: EslHub) -> None:
    connected: list[int] = []
    switch = Switch()
    async with listening(switch.serve) as port:
        link = EslLink("127.0.0.1", port, SECRET, hub=hub)
        link.on_connected(lambda: connected.append(1))
        link.start()
        for times in (1, 2, 3):
            await switch.wait_for("event plain", times=times)
            await link.wait_connected(10.0)
            assert await link.api("status") == "+OK"
            assert len(connected) == times
            switch.peers[-1].reset()
        await link.aclose()


@pytest.mark.parametrize(
    ("greeting", "answer", "why"),
    [
        (GREETING, recording("02-inbound-auth-failure").steps("inbound")[2].raw, "password"),
        (GREETING, reply("-ERR command not found"), "password"),
        (GREETING, b"", "closed"),
        (recording("02c-inbound-acl-rude-rejection").stream("inbound"), b"", "access list"),
        (b"", b"", "closed"),
        (b"HTTP/1.1 400\r\n\r\nContent-Type: x\n\n", b"", "without a length"),
    ],
)
async def test_a_refused_log_in_is_told_once_and_tried_again_without_hurry(
    hub: EslHub, greeting: bytes, answer: bytes, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tries = 0

    async def refuse(peer: EslPeer) -> None:
        nonlocal tries
        tries += 1
        peer.send(greeting)
        if greeting == GREETING:
            await peer.reader.readuntil(b"\n\n")
            peer.send(answer)
        peer.writer.write_eof()
        await peer.reader.read()

    async with listening(refuse) as port:
        link = EslLink("127.0.0.1", port, "wrong", hub=hub)
        link.start()
        with pytest.raises(SwitchUnavailable):
            await link.wait_connected(0.5)
        assert 1 <= tries <= 6
        await link.aclose()
    logged = capsys.readouterr().out
    assert logged.count("esl_not_connected") == 1
    assert why in logged


@pytest.mark.parametrize("text", ["x\n\napi system id", "x\0", "y" * 8001, "uuid_setvar x y ${system(id)}"])
async def test_what_cannot_be_sent_is_refused_and_nothing_is_sent(hub: EslHub, text: str) -> None:
    async with linked(hub) as (switch, link):
        for asking in (link.api(text), link.bgapi(text)):
            with pytest.raises(SwitchProtocolError):
                await asking
        await link.api("status")
        assert switch.count("api") + switch.count("bgapi") == 1


async def test_events_come_in_order_and_one_bad_listener_harms_nobody(hub: EslHub) -> None:
    heard: list[str] = []
    done = asyncio.Event()

    def note(one: EslEvent) -> None:
        heard.append(one["Number"])
        if len(heard) == 100:
            done.set()

    def fail_once(one: EslEvent) -> None:
        if one["Number"] == "5":
            raise ZeroDivisionError

    async with linked(hub) as (switch, link):
        link.on_event("CHANNEL_BRIDGE", fail_once)
        link.on_event("CHANNEL_BRIDGE", note)
        await link.api("status")
        switch.peers[0].send(b"".join(event("CHANNEL_BRIDGE", Number=str(number)) for number in range(100)))
        await asyncio.wait_for(done.wait(), 20.0)
    assert heard == [str(number) for number in range(100)]


async def test_a_subclass_is_heard_by_its_name(hub: EslHub) -> None:
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with linked(hub) as (switch, link):
        link.on_event("CUSTOM sofia::register", lambda one: heard.set_result(one["from-user"]))
        await switch.wait_for("event plain CUSTOM")
        for subclass in ("sofia::expire", "sofia::register"):
            switch.peers[0].send(event("CUSTOM", "", Event_Subclass=subclass, **{"from-user": subclass}))
        assert await asyncio.wait_for(heard, 10.0) == "sofia::register"


async def test_a_peer_that_breaks_the_protocol_is_left_and_tried_again(hub: EslHub) -> None:
    def broken(peer: EslPeer, command: str) -> None:
        peer.send(b"Content-Type: api/response\nContent-Length: -1\n\n")

    async with linked(hub, broken) as (switch, link):
        with pytest.raises(OutcomeUnknown):
            await link.api("status")
        switch.answer = polite
        await switch.wait_for("event plain", times=2)
        await link.wait_connected(10.0)
        assert await link.api("status") == "+OK"


async def test_a_long_answer_comes_whole(hub: EslHub) -> None:
    text = "channel,1\n" * 500_000
    async with linked(hub, lambda peer, command: peer.send(api_answer(text))) as (_, link):
        assert await link.api("show channels", longest_s=30.0) == text.rstrip("\n")


async def test_a_leg_is_made_that_follows_no_phone_elsewhere(hub: EslHub) -> None:
    """A phone that forwards (302) could send callers anywhere."""
    peer = Switch()
    async with listening(peer.serve) as port:
        switch = FreeswitchSwitch("127.0.0.1", port, SECRET, hub=hub, ping_s=30.0)
        await switch.connect()
        try:
            await switch.wait_connected(10.0)
            assert await switch.originate("leg-1", "user/1001", context="a", extension="s", ring_s=9.2) is None
        finally:
            await switch.aclose()
    (made,) = [command for command in peer.commands if command.startswith("bgapi originate")]
    assert "outbound_redirect_fatal=true" in made
    assert "originate_timeout=10" in made
