"""The lab's callers on a real Asterisk: what Playback plays is heard at its true time; each key arrives once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import pytest

from cordboard.lab.call import Call
from cordboard.lab.caller import AnswerPlan, Caller
from cordboard.lab.hearing import Began, Heard
from cordboard.lab.listening import Listener
from cordboard.lab.pbx import LabPbx
from cordboard.lab.prompt_book import PromptBook
from cordboard.prompts.voice import Voices

pytestmark = pytest.mark.live

TEXTS = {
    "welcome": "Thank you for calling Acme.",
    "menu": "For sales press 1. For Spanish press 2. To speak to the operator press 0.",
    "sales_menu": "For sales press 1. For support press 3.",
    "goodbye": "Goodbye.",
}
EventT = TypeVar("EventT", Began, Heard)
KEYS = "1234567890*#"


def dialplan(folder: Path) -> str:
    return f"""
exten => 7001,1,Answer()
 same => n,Wait(1)
 same => n,Playback({folder}/welcome)
 same => n,Wait(2)
 same => n,Playback({folder}/sales_menu)
 same => n,Hangup()
exten => 7002,1,Answer()
 same => n,Read(KEY,{folder}/menu,1)
 same => n,Playback({folder}/goodbye)
 same => n,Hangup()
exten => 7003,1,Answer()
 same => n,Wait(20)
exten => 7004,1,Progress()
 same => n,Playback({folder}/goodbye,noanswer)
 same => n,Hangup(17)
exten => _7005X.,1,Answer()
 same => n,Dial(PJSIP/trunk/sip:bob@127.0.0.3:${{EXTEN:4}})
exten => 7006,1,Answer()
 same => n,UserEvent(Name,Name: ${{URIENCODE(${{CALLERID(name)}})}},Ani: ${{URIENCODE(${{CALLERID(num)}})}})
 same => n,Hangup()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("prompts")
    for name, text in TEXTS.items():
        asyncio.run(Voices().speak(text, "en", made / f"{name}.wav"))
    return made


@pytest.fixture(scope="module")
def book(folder: Path) -> PromptBook:
    return PromptBook.from_files({name: folder / f"{name}.wav" for name in TEXTS})


@pytest.fixture
async def pbx(folder: Path) -> AsyncIterator[LabPbx]:
    async with LabPbx(mounts=[folder], extra_dialplan=dialplan(folder)) as running:
        yield running
        await running.wait_for_no_channels()


@pytest.fixture
async def ada() -> AsyncIterator[Caller]:
    async with Caller(ani="+442079460123", name="Ada Lovelace") as caller:
        yield caller


async def dial(ada: Caller, number: str, pbx: LabPbx) -> Call:
    return await ada.dial(number, (pbx.host, pbx.sip_port))


async def event_of(listener: Listener, kind: type[EventT], number: int = 1) -> EventT:
    """The so-manieth event of a kind, as soon as it is known."""
    async with asyncio.timeout(15):
        while len(found := [event for event in listener.events if isinstance(event, kind)]) < number:
            assert not listener.is_finished, listener.events
            await listener.changed(until_s=listener.call.now_s + 1)
    return found[-1]


async def test_what_is_played_is_heard_whole_and_at_its_true_time(
    ada: Caller, pbx: LabPbx, book: PromptBook
) -> None:
    call = await dial(ada, "7001", pbx)
    listener = Listener(call, book)
    end = await asyncio.wait_for(call.ended, 15)
    first, second = (event for event in listener.events if isinstance(event, Heard))
    assert (first.prompts, second.prompts) == (("welcome",), ("sales_menu",))
    assert first.is_whole and second.is_whole and min(first.score, second.score) > 0.99
    assert first.start_s - call.answered_s == pytest.approx(1.0, abs=0.15)
    between = second.start_s - first.start_s
    assert between == pytest.approx(len(book["welcome"]) / 8000 + 2.0, abs=0.1)
    assert (end.by, end.status, end.cause) == ("pbx", 200, 16)


async def test_a_key_cuts_the_prompt_within_a_quarter_second(ada: Caller, pbx: LabPbx, book: PromptBook) -> None:
    call = await dial(ada, "7002", pbx)
    listener = Listener(call, book)
    began = await event_of(listener, Began)
    assert call.now_s - began.start_s < 0.6
    pressed_s = call.now_s
    await call.press("2")
    menu = await event_of(listener, Heard)
    assert "menu" in menu.prompts and not menu.is_whole
    assert 0.0 < menu.end_s - pressed_s < 0.25
    goodbye = await event_of(listener, Heard, 2)
    assert goodbye.prompts == ("goodbye",) and goodbye.is_whole


async def test_twelve_keys_arrive_once_each_and_in_order(ada: Caller, pbx: LabPbx) -> None:
    await pbx.ami.send("Events", EventMask="dtmf,call")
    async with pbx.ami.listen("DTMFEnd") as ends:
        call = await dial(ada, "7003", pbx)
        await call.press(KEYS, tone_ms=80, gap_ms=60)
        await call.hang_up()
        await pbx.wait_for_no_channels()
        arrived = [ends.get_nowait() for _ in range(ends.qsize())]
    assert "".join(event["Digit"] for event in arrived) == KEYS
    assert all(int(event["DurationMs"]) == pytest.approx(80, abs=25) for event in arrived)


async def test_early_media_is_heard_and_the_refusal_has_its_cause(
    ada: Caller, pbx: LabPbx, book: PromptBook
) -> None:
    call = await dial(ada, "7004", pbx)
    listener = Listener(call, book)
    end = await asyncio.wait_for(call.ended, 10)
    assert [event.prompts for event in listener.events if isinstance(event, Heard)] == [("goodbye",)]
    assert (call.is_answered, end.status, end.cause) == (False, 486, 17)


async def test_two_callers_hear_each_other_through_the_pbx(ada: Caller, pbx: LabPbx, book: PromptBook) -> None:
    came: asyncio.Queue[Call] = asyncio.Queue(1)
    async with Caller(ani="bob", host="127.0.0.3") as bob:
        bob.answer_calls(AnswerPlan(ring_s=0.2, on_call=came.put_nowait))
        call = await dial(ada, f"7005{bob.address[1]}", pbx)
        other = await asyncio.wait_for(came.get(), 5)
        ears = Listener(call, book), Listener(other, book)
        await asyncio.wait_for(other.progressed(), 5)
        call.speak(book["welcome"])
        other.speak(book["goodbye"])
        at_ada, at_bob = [await event_of(ear, Heard) for ear in ears]
        assert (at_ada.prompts, at_bob.prompts) == (("goodbye",), ("welcome",))
        assert at_ada.is_whole and at_bob.is_whole
        await other.hang_up()
        assert (await asyncio.wait_for(call.ended, 5)).by == "pbx"


HOSTILE = {
    "quotes": ('a "b" \\ c', 'a \\"b\\" \\\\ c'),  # Asterisk keeps the escapes of a quoted string
    "emoji": ("emoji 😀 ☎", "emoji 😀 ☎"),
    "4 KB": ("x" * 4_096, "x" * 79),  # Asterisk cuts
    "a verb": ("hangup", "hangup"),
    "percent": ("a%0d%0ab", "a%0d%0ab"),
    "a function": ("${SHELL(id)}", "${SHELL(id)}"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_names_and_numbers_reach_the_pbx(pbx: LabPbx, name: str) -> None:
    sent, arrives = HOSTILE[name]
    await pbx.ami.send("Events", EventMask="user")
    async with Caller(ani="1\r\n2", name=sent) as mallory, pbx.ami.listen("UserEvent") as events:
        call = await dial(mallory, "7006", pbx)
        event = await asyncio.wait_for(events.get(), 10)
        await asyncio.wait_for(call.ended, 5)
    assert (unquote(event["Name"]), unquote(event["Ani"])) == (arrives, "1\r\n2")
