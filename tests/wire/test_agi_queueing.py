"""Callers who wait, on the wire: music, staying, letting go, and agents rung by the dialplan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from agi_scripts.phone import AsteriskPhone
from cordboard.errors import SwitchProtocolError, SwitchUnavailable
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.outcomes import AgentRung, Done, Failed, HandedOver, HungUp
from cordboard.telephony.ports import Arrival
from cordboard.telephony.verbs import Answer, Hold, Play, Prompt, RingAgent
from tests.doubles.agi_line import on_the_line, perform
from tests.doubles.fake_asterisk import RAN, header_block, new_call
from tests.doubles.fixed_sounds import prompt


def ring(**more: object) -> RingAgent:
    settings: dict[str, object] = {"offer_id": "o-1", "device": "PJSIP/1001", "ring_s": 14.2, "music": "default"}
    return RingAgent(**settings | more)  # type: ignore[arg-type]


# -- music --


async def test_hold_is_one_line_and_no_verb_runs_behind_it() -> None:
    outcome, asked, variables = await perform(Hold("jazz"), [RAN])
    assert outcome == Done()
    assert asked == [["SET", "MUSIC", "ON", "jazz"]]
    assert variables["CORDBOARD_CP"] == "cp:1"


HEARD = ["SET", "CONTEXT", "cordboard-waiting"]
NOT_HEARD = ["SET", "CONTEXT", "cordboard-call"]
HAS_CONTEXT = ["GET", "VARIABLE", "DIALPLAN_EXISTS(cordboard-waiting,s,1)"]


async def test_with_keys_offered_the_channel_is_where_its_keys_are_told() -> None:
    outcome, asked, _ = await perform(Hold("jazz", keys=True), ["200 result=1 (1)", RAN, RAN])
    assert outcome == Done()
    assert asked == [HAS_CONTEXT, HEARD, ["SET", "MUSIC", "ON", "jazz"]]


async def test_a_dialplan_of_an_earlier_release_has_music_and_no_keys() -> None:
    outcome, asked, _ = await perform(Hold("jazz", keys=True), ["200 result=1 (0)", RAN])
    assert outcome == Done()
    assert asked == [HAS_CONTEXT, ["SET", "MUSIC", "ON", "jazz"]]


async def test_no_keys_are_told_of_whatever_follows_the_music() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(Hold("jazz", keys=True), "cp:1")
        await phone.perform(Hold("jazz", keys=True), "cp:1")
        heard.set_result(await phone.perform(Play((prompt("hello"),)), "cp:1"))

    replies = iter(["200 result=1 (1)", RAN, RAN, "200 result=1 (1)", RAN, RAN, "200 result=0 endpos=8000"])
    async with on_the_line(serve) as asterisk:
        asked = await asterisk.answer_all(lambda _: next(replies, None))
        assert await heard == Done()
    assert [line for line in asked if line[:2] == ["SET", "CONTEXT"]] == [HEARD, NOT_HEARD]
    assert asked.index(NOT_HEARD) < next(number for number, line in enumerate(asked) if line[0] == "STREAM")


@pytest.mark.parametrize("music", ["", "a b", "a)", "a,b", "${X}", "a\n", "a" * 81])
async def test_a_music_class_is_a_plain_name(music: str) -> None:
    outcome, asked, variables = await perform(Hold(music), [])
    assert isinstance(outcome, Failed)
    assert (asked, variables) == ([], {})
    with pytest.raises(SwitchProtocolError):
        await perform(ring(music=music), [])


# -- staying --


class Stay:
    """A phone that stays, and what came of it."""

    def __init__(self, *slices_s: float) -> None:
        self.slices_s = slices_s
        self.outcome: asyncio.Future[HungUp | None] = asyncio.get_running_loop().create_future()

    async def serve(self, phone: AsteriskPhone) -> None:
        try:
            ended = None
            for longest_s in self.slices_s:
                ended = ended or await phone.stay(longest_s, "cp:2")
            self.outcome.set_result(ended)
        except SwitchUnavailable as error:
            self.outcome.set_exception(error)


async def test_staying_notes_the_place_and_arms_the_timer_once() -> None:
    stay = Stay(0.02, 0.02, 0.02)
    async with on_the_line(stay.serve) as asterisk:
        assert (await asterisk.next_command())[:2] == ["EXEC", "MSet"]
        asterisk.reply(RAN)
        assert await asterisk.wait_closed() == b""
        assert b"CORDBOARD_CP=cp:2" in asterisk.received
        assert b"TIMEOUT(absolute)=10.0" in asterisk.received
    assert await stay.outcome is None


async def test_the_timer_is_renewed_while_the_caller_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_scripts.phone.STAY_RENEW_S", 0.02)
    stay = Stay(0.1)
    async with on_the_line(stay.serve) as asterisk:
        renewals = 0
        while await asterisk.next_command():
            renewals += 1
            asterisk.reply(RAN)
    assert 3 <= renewals <= 6
    assert await stay.outcome is None


@pytest.mark.parametrize("lines", [b"HANGUP\n", b"HANGUP\nHANGUP\n"])
async def test_a_caller_who_leaves_while_staying_is_noticed_at_once(lines: bytes) -> None:
    stay = Stay(30.0)
    async with on_the_line(stay.serve) as asterisk:
        assert await asterisk.next_command()
        asterisk.reply(RAN)
        await asyncio.sleep(0.02)  # no line is outstanding now
        asterisk.send(lines)
        assert await asyncio.wait_for(stay.outcome, 5) == HungUp()


async def test_a_connection_lost_while_staying_is_no_hang_up() -> None:
    stay = Stay(30.0)
    async with on_the_line(stay.serve) as asterisk:
        assert await asterisk.next_command()
        asterisk.reply(RAN)
        asterisk.close()
        with pytest.raises(SwitchUnavailable):
            await asyncio.wait_for(asyncio.shield(stay.outcome), 5)


async def test_a_call_taken_away_by_the_timer_while_staying_is_no_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_scripts.phone.STAY_TIMER_S", 0.1)  # nobody renews it: as if we had been stopped
    monkeypatch.setattr("agi_scripts.phone.STAY_RENEW_S", 5.0)
    stay = Stay(5.0)
    async with on_the_line(stay.serve) as asterisk:
        assert await asterisk.next_command()
        asterisk.reply(RAN)
        await asyncio.sleep(0.15)
        asterisk.hang_up()
        with pytest.raises(SwitchUnavailable):
            await asyncio.wait_for(asyncio.shield(stay.outcome), 0.5)


async def cancel_stay(phone: AsteriskPhone, after_s: float) -> None:
    staying = asyncio.ensure_future(phone.stay(5.0, "cp:2"))
    await asyncio.sleep(after_s)
    staying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staying


async def test_a_cancelled_stay_leaves_the_call_with_us() -> None:
    outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        await cancel_stay(phone, 0.05)
        outcome.set_result(await phone.perform(ring(), "cp:3"))

    async with on_the_line(serve) as asterisk:
        assert await asterisk.answer_all(lambda words: RAN) == []
        assert asterisk.variables["CORDBOARD_NEXT"] == "agent"
    assert await outcome == HandedOver()


async def test_a_stay_cancelled_while_the_timer_is_written_waits_for_that_line_first() -> None:
    outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        await cancel_stay(phone, 0.02)
        outcome.set_result(await phone.perform(Hold("default"), "cp:2"))

    async with on_the_line(serve) as asterisk:
        assert (await asterisk.next_command())[1] == "MSet"
        asking = asyncio.ensure_future(asterisk.next_command())
        await asyncio.sleep(0.05)
        assert not asking.done()  # two lines in one read of Asterisk's would leave the second unseen
        asterisk.reply(RAN)
        assert (await asking)[1] == "MSet"
        asterisk.reply(RAN)
        assert await asterisk.next_command() == ["SET", "MUSIC", "ON", "default"]
        asterisk.reply(RAN)
        assert await outcome == Done()


async def test_a_ring_cancelled_while_it_is_written_lets_go_of_the_call() -> None:
    lost: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        ringing = asyncio.ensure_future(phone.perform(ring(), "cp:3"))
        await asyncio.sleep(0.02)
        ringing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ringing
        with pytest.raises(SwitchUnavailable):  # the dialplan may be ringing by now
            await phone.perform(Hold("default"), "cp:2")
        lost.set_result(True)

    async with on_the_line(serve) as asterisk:
        assert (await asterisk.next_command())[1] == "MSet"
        assert await asterisk.wait_closed() == b""
        assert await lost


async def test_a_line_never_answered_after_a_cancelled_stay_is_a_lost_link(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr("agi_scripts.link.AgiLink.command.__defaults__", (0.1,))

    async def serve(phone: AsteriskPhone) -> None:
        await cancel_stay(phone, 0.02)
        try:
            outcome.set_result(await phone.perform(Hold("default"), "cp:2"))
        except SwitchUnavailable as error:
            outcome.set_result(error)

    async with on_the_line(serve) as asterisk:
        assert (await asterisk.next_command())[1] == "MSet"
        assert isinstance(await asyncio.wait_for(outcome, 1.0), SwitchUnavailable)


async def test_an_ended_call_does_not_stay() -> None:
    stay = Stay(5.0)
    block = header_block("ended", new_call(call_id=new_call_id(), checkpoint="cp:1"))
    async with on_the_line(stay.serve, block=block) as asterisk:
        assert await asterisk.wait_closed() == b""
    assert await stay.outcome == HungUp()


# -- letting go --


DURING: list[tuple[Callable[[AsteriskPhone], object], int]] = [
    (lambda phone: phone.perform(Play((prompt("a"),)), "cp:1"), 2),
    (lambda phone: phone.perform(Answer(), "cp:1"), 1),
    (lambda phone: phone.stay(5.0, "cp:1"), 1),
]


@pytest.mark.parametrize(("begin", "lines"), DURING)
async def test_letting_go_closes_the_connection_whatever_runs(
    begin: Callable[[AsteriskPhone], object], lines: int
) -> None:
    phones: asyncio.Future[AsteriskPhone] = asyncio.get_running_loop().create_future()
    ended: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        phones.set_result(phone)
        try:
            await begin(phone)  # type: ignore[misc]
        except SwitchUnavailable as error:
            ended.set_result(error)

    async with on_the_line(serve) as asterisk:
        for number in range(lines):
            assert await asterisk.next_command()
            if number < lines - 1:
                asterisk.reply(RAN)
        phone = await phones
        phone.let_go()
        phone.let_go()
        assert await asterisk.wait_closed() == b""
        assert isinstance(await ended, SwitchUnavailable)
        assert b"CORDBOARD_DONE" not in asterisk.received


# -- agents --


async def test_an_agent_is_rung_by_the_dialplan() -> None:
    outcome, asked, variables = await perform(ring(whisper=prompt("whisper"), accept_key="5", accept_s=2.5), [])
    assert outcome == HandedOver()
    assert asked == []
    assert variables | {"CORDBOARD_CALL": ""} == {
        "CORDBOARD_CALL": "",
        "CORDBOARD_RETURNED": "",
        "CORDBOARD_TRIES": "0",
        "CORDBOARD_CP": "cp:1",
        "CORDBOARD_NEXT": "agent",
        "CORDBOARD_OFFER": "o-1",
        "CORDBOARD_DEVICE": "PJSIP/1001",
        "CORDBOARD_RING_S": "15",
        "CORDBOARD_MUSIC": "default",
        "CORDBOARD_WHISPER": "/prompts/whisper",
        "CORDBOARD_ACCEPT_KEY": "5",
        "CORDBOARD_ACCEPT_S": "2.5",
        "CORDBOARD_STUCK": "0",
    }


@pytest.mark.parametrize("whisper", [None, prompt("missing")])
async def test_without_a_sound_for_the_whisper_the_agent_is_rung_all_the_same(whisper: Prompt | None) -> None:
    outcome, _, variables = await perform(ring(whisper=whisper), [])
    assert outcome == HandedOver()
    assert variables["CORDBOARD_WHISPER"] == ""


UNFIT: list[dict[str, object]] = [
    {"device": "PJSIP/1001&PJSIP/1002"},
    {"device": "PJSIP/1001,20,g"},
    {"device": ""},
    {"offer_id": ""},
    {"offer_id": "o.1"},
    {"offer_id": "o,1"},
    {"offer_id": "o" * 65},
    {"accept_key": "12"},
    {"accept_key": "A"},
    {"accept_key": "1)"},
]


@pytest.mark.parametrize("unfit", UNFIT)
async def test_a_ring_that_is_more_than_one_ring_is_refused(unfit: dict[str, object]) -> None:
    with pytest.raises(SwitchProtocolError):
        await perform(ring(**unfit), [])


@pytest.mark.parametrize(("script", "ended"), [("call", False), ("ended", True)])
async def test_what_came_of_the_ring_arrives_with_the_call(script: str, ended: bool) -> None:
    arrivals: asyncio.Future[Arrival] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        arrivals.set_result(phone.arrival)

    returned = "agent.o-1.LEFT.0.unset..1795373772210"
    block = header_block(script, new_call(call_id=new_call_id(), checkpoint="cp:9", returned=returned))
    async with on_the_line(serve, block=block):
        arrival = await arrivals
    assert arrival.returned == AgentRung("o-1", "caller_left", None, 1795373772.21)
    assert (arrival.checkpoint, arrival.ended) == ("cp:9", ended)
