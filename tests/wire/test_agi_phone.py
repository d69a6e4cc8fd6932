"""Each verb on the wire: what the phone asks of Asterisk 22.10.1, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agi_scripts.phone import AsteriskPhone
from cordboard.errors import SwitchProtocolError, SwitchUnavailable
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.outcomes import (
    Connected,
    Done,
    Failed,
    Gathered,
    HandedOver,
    HungUp,
    Interrupted,
    NoInput,
    Outcome,
    Recorded,
)
from cordboard.telephony.verbs import (
    Answer,
    Dial,
    Extension,
    Gather,
    Hangup,
    Play,
    Record,
    Say,
    Verb,
    VoicemailBox,
)
from tests.doubles.agi_line import on_the_line, perform
from tests.doubles.fake_asterisk import RAN, FakeAsterisk, header_block, new_call
from tests.doubles.fixed_sounds import prompt

KEYS = "0123456789*#"


def gather(**more: object) -> Gather:
    settings: dict[str, object] = {
        "prompts": (prompt("menu"),),
        "max_digits": 3,
        "first_digit_s": 2.0,
        "inter_digit_s": 1.0,
    }
    return Gather(**settings | more)  # type: ignore[arg-type]


async def test_the_first_line_says_whose_call_it_is_and_arms_the_timer() -> None:
    _, _, variables = await perform(Answer(), [RAN])
    assert len(variables.pop("CORDBOARD_CALL")) == 26
    assert variables == {
        "CORDBOARD_CP": "cp:1",
        "CORDBOARD_RETURNED": "",
        "CORDBOARD_TRIES": "0",
        "TIMEOUT(absolute)": "5.0",
    }


async def test_play_plays_each_prompt_to_its_end() -> None:
    outcome, asked, variables = await perform(
        Play((prompt("a"), prompt("b"))), ["200 result=0 endpos=8000", "200 result=0 endpos=1"]
    )
    assert outcome == Done()
    assert asked == [["STREAM", "FILE", "/prompts/a", ""], ["STREAM", "FILE", "/prompts/b", ""]]
    assert variables["TIMEOUT(absolute)"] == "6.0"


@pytest.mark.parametrize("verb", [Play((prompt("a"), prompt("missing"))), gather(prompts=(prompt("missing"),))])
async def test_a_prompt_without_a_file_fails_before_anything_is_played(verb: Verb) -> None:
    outcome, asked, _ = await perform(verb, [])
    assert isinstance(outcome, Failed)
    assert asked == []


@pytest.mark.parametrize("verb", [Play((prompt("a"),)), gather()])
@pytest.mark.parametrize("reply", ["200 result=-1 endpos=0", "200 result=0 endpos=0"])
async def test_a_file_asterisk_cannot_play_is_a_failure_while_the_caller_is_there(verb: Verb, reply: str) -> None:
    outcome, asked, _ = await perform(verb, [reply, "200 result=6"])
    assert isinstance(outcome, Failed)
    assert asked[-1] == ["CHANNEL", "STATUS"]


DEAD = "511 Command Not Permitted on a dead channel or intercept routine"


@pytest.mark.parametrize("verb", [Answer(), Play((prompt("a"),)), gather(), Say("number", "7", "en")])
async def test_could_not_on_a_dead_channel_is_a_hang_up(verb: Verb) -> None:
    outcome, _, _ = await perform(verb, ["200 result=-1", DEAD])
    assert outcome == HungUp()


GATHERED = [
    (["200 result=49 endpos=80", "200 result=50", "200 result=51"], gather(), "123", "full"),
    (["200 result=49 endpos=80", "200 result=35"], gather(end_key="#"), "1", "end_key"),
    (["200 result=35 endpos=80"], gather(end_key="#"), "", "end_key"),
    (["200 result=49 endpos=80", "200 result=0"], gather(), "1", "timeout"),
    (["200 result=49 endpos=80", "200 result=65", "200 result=50", "200 result=0"], gather(), "12", "timeout"),
    (["200 result=0 endpos=80", "200 result=49", "200 result=0"], gather(barge_in=False), "1", "timeout"),
]


@pytest.mark.parametrize(("replies", "verb", "digits", "ended_by"), GATHERED)
async def test_keys_are_gathered(replies: list[str], verb: Gather, digits: str, ended_by: str) -> None:
    outcome, _, _ = await perform(verb, replies)
    assert isinstance(outcome, Gathered)
    assert (outcome.digits, outcome.ended_by) == (digits, ended_by)


async def test_the_last_prompt_and_the_wait_for_the_first_key_are_one_verb() -> None:
    verb = gather(prompts=(prompt("a"), prompt("b")))
    played = "200 result=0 endpos=80"
    outcome, asked, variables = await perform(verb, [played, played, "200 result=6"])
    assert outcome == NoInput()
    verbs = [["STREAM", "FILE", "/prompts/a", KEYS], ["GET", "OPTION", "/prompts/b", KEYS, "2000"]]
    assert asked == [*verbs, ["CHANNEL", "STATUS"]]
    assert variables["TIMEOUT(absolute)"] == "8.0"


async def test_who_hangs_up_in_the_wait_behind_the_last_prompt_has_not_kept_silent() -> None:
    told_as_silence = "200 result=0 endpos=80"
    outcome, _, _ = await perform(gather(), [told_as_silence, "200 result=-1"])
    assert outcome == HungUp()


async def test_a_key_in_an_earlier_prompt_counts_and_stops_the_rest() -> None:
    verb = gather(prompts=(prompt("a"), prompt("b")), max_digits=1)
    outcome, asked, _ = await perform(verb, ["200 result=42 endpos=80"])
    assert outcome == Gathered("*", "full")
    assert len(asked) == 1


async def test_without_barge_in_no_key_stops_a_prompt() -> None:
    _, asked, _ = await perform(gather(barge_in=False), ["200 result=0 endpos=80", "200 result=0"])
    assert asked == [["STREAM", "FILE", "/prompts/menu", ""], ["WAIT", "FOR", "DIGIT", "2000"]]


SAID = [
    (Say("number", "-42", "en"), [["SAY", "NUMBER", "-42", ""]]),
    (Say("digits", "1*#", "en"), [["SAY", "DIGITS", "1*#", ""]]),
    (Say("date", "17", "en", "Europe/Madrid"), [["SAY", "DATETIME", "17", "", "ABdY", "Europe/Madrid"]]),
    (
        Say("time", "17", "de"),
        [["SET", "VARIABLE", "CHANNEL(language)", "de"], ["SAY", "DATETIME", "17", "", "kM", "UTC"]],
    ),
    (
        Say("digits", "1", "pt-br"),
        [["SET", "VARIABLE", "CHANNEL(language)", "pt_BR"], ["SAY", "DIGITS", "1", ""]],
    ),
]


@pytest.mark.parametrize(("verb", "expected"), SAID)
async def test_values_are_spoken(verb: Say, expected: list[list[str]]) -> None:
    outcome, asked, _ = await perform(verb, [RAN, RAN])
    assert outcome == Done()
    assert asked == expected


async def test_a_key_stops_what_is_played_and_is_told() -> None:
    verb = Play((prompt("a"), Say("number", "21", "en"), prompt("b")), keys=True)
    outcome, asked, _ = await perform(verb, ["200 result=0 endpos=80", "200 result=53"])
    assert outcome == Interrupted("5")
    assert asked == [["STREAM", "FILE", "/prompts/a", KEYS], ["SAY", "NUMBER", "21", KEYS]]


INTERRUPTIBLE = [
    (Say("number", "21", "en", gender="f"), ["SAY", "NUMBER", "21", KEYS, "f"]),
    (Say("digits", "12", "en"), ["SAY", "DIGITS", "12", KEYS]),
    (Say("spelled", "A-1", "en"), ["SAY", "ALPHA", "A-1", KEYS]),
    (Say("date", "17", "en"), ["SAY", "DATETIME", "17", KEYS, "ABdY", "UTC"]),
]


@pytest.mark.parametrize(("value", "expected"), INTERRUPTIBLE)
async def test_a_key_in_a_value_among_prompts_counts(value: Say, expected: list[str]) -> None:
    verb = gather(prompts=(value, prompt("menu")), max_digits=1)
    outcome, asked, _ = await perform(verb, ["200 result=49"])
    assert outcome == Gathered("1", "full")
    assert asked == [expected]


async def test_behind_a_value_at_the_end_of_a_question_the_wait_begins_at_once() -> None:
    verb = gather(prompts=(prompt("a"), Say("digits", "12", "en")), max_digits=1)
    outcome, asked, variables = await perform(verb, ["200 result=0 endpos=80", "200 result=0", "200 result=49"])
    assert outcome == Gathered("1", "full")
    assert asked[1:] == [["SAY", "DIGITS", "12", KEYS], ["WAIT", "FOR", "DIGIT", "2000"]]
    assert variables["TIMEOUT(absolute)"] == "9.0"  # 2 s for the prompt, 3 s for the digits, 2 s for the key, 2 s


async def test_a_value_that_cannot_be_spoken_stops_before_anything_is_played() -> None:
    outcome, asked, _ = await perform(Play((prompt("a"), Say("number", "x", "en"))), [])
    assert isinstance(outcome, Failed)
    assert asked == []


async def test_without_keys_a_value_is_spoken_to_its_end() -> None:
    outcome, asked, _ = await perform(Play((Say("spelled", "AB", "en"),)), [RAN])
    assert outcome == Done()
    assert asked == [["SAY", "ALPHA", "AB", ""]]


TYPED = [
    (gather(prompts=(), typed="12"), ["200 result=51"], "123", "full", 1),
    (gather(prompts=(), typed="12"), ["200 result=0"], "12", "timeout", 1),
    (gather(prompts=(), typed="123"), [], "123", "full", 0),
    (gather(prompts=(), typed="12#", end_key="#"), [], "12", "end_key", 0),
    (gather(prompts=(), typed="9", ends=("9",)), [], "9", "full", 0),
]


@pytest.mark.parametrize(("verb", "replies", "digits", "ended_by", "lines"), TYPED)
async def test_keys_that_were_typed_before_count(
    verb: Gather, replies: list[str], digits: str, ended_by: str, lines: int
) -> None:
    outcome, asked, _ = await perform(verb, replies)
    assert isinstance(outcome, Gathered)
    assert (outcome.digits, outcome.ended_by) == (digits, ended_by)
    assert asked == [["WAIT", "FOR", "DIGIT", "1000"]] * lines


UNSPEAKABLE = [
    ("spelled", "ä"),
    ("spelled", "a b"),
    ("number", "1000000000"),
    ("number", "1.5"),
    ("number", ""),
    ("number", '1" "x'),
    ("digits", ""),
    ("digits", "12a"),
    ("digits", "1" * 65),
    ("digits", "1\n2"),
    ("date", "tomorrow"),
]


@pytest.mark.parametrize(("kind", "value"), UNSPEAKABLE)
async def test_what_cannot_be_spoken_fails_and_sends_nothing(kind: str, value: str) -> None:
    outcome, asked, variables = await perform(Say(kind, value, "en"), [])  # type: ignore[arg-type]
    assert isinstance(outcome, Failed)
    assert (asked, variables) == ([], {})


@pytest.mark.parametrize("zone", ["", "Europe/Madrid\n", "../../etc/passwd", 'a"b', "/etc/localtime"])
async def test_a_zone_that_is_no_zone_fails(zone: str) -> None:
    outcome, asked, _ = await perform(Say("time", "17", "en", zone), [])
    assert isinstance(outcome, Failed)
    assert asked == []


RECORDED = [
    ("200 result=35 (dtmf) endpos=16000", 2.0, False),
    ("200 result=1 (timeout) endpos=8160", 0.0, False),  # only the second of silence that Asterisk leaves
    ("200 result=1 (timeout) endpos=12000", 1.5, False),
    ("200 result=-1 (hangup) endpos=8000", 1.0, True),
    ("200 result=-1 (hangup) endpos=0", 0.0, True),
]


@pytest.mark.parametrize(("reply", "duration_s", "hung_up"), RECORDED)
async def test_a_message_is_recorded(tmp_path: Path, reply: str, duration_s: float, hung_up: bool) -> None:
    outcome, asked, _ = await perform(Record("sales", "m1", 60, 3), [reply], tmp_path)
    assert outcome == Recorded(str(tmp_path / "sales" / "m1.wav"), duration_s, hung_up)
    assert asked == [["RECORD", "FILE", f"{tmp_path}/sales/m1", "wav", "#", "60000", "0", "BEEP", "s=3"]]
    assert (tmp_path / "sales").is_dir()


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\nb", "a" * 101])
async def test_a_recording_stays_below_its_root(tmp_path: Path, name: str) -> None:
    for verb in (Record(name, "m1", 60, 3), Record("sales", name, 60, 3)):
        outcome, asked, _ = await perform(verb, [], tmp_path)
        assert isinstance(outcome, Failed)
        assert asked == []
    assert os.listdir(tmp_path) == []


async def test_a_caller_who_hangs_up_while_recording_leaves_a_message(tmp_path: Path) -> None:
    outcome: asyncio.Future[Outcome | HandedOver] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        outcome.set_result(await phone.perform(Record("sales", "m1", 60, 3), "cp:1"))

    async with on_the_line(serve, tmp_path) as asterisk:
        assert (await asterisk.next_verb())[0] == "RECORD"
        (tmp_path / "sales" / "m1.wav").write_bytes(b"\0" * (44 + 16000))
        asterisk.hang_up()
        assert await outcome == Recorded(str(tmp_path / "sales" / "m1.wav"), 1.0, hung_up=True)


async def test_dial_is_handed_to_the_dialplan() -> None:
    outcome, asked, variables = await perform(Dial((Extension("1001", "PJSIP/1001"),), 14.2), [])
    assert outcome == HandedOver()
    assert asked == []
    assert variables["CORDBOARD_NEXT"] == "dial"
    assert variables["CORDBOARD_DEVICE"] == "PJSIP/1001"
    assert variables["CORDBOARD_RING_S"] == "15"
    assert variables["CORDBOARD_CP"] == "cp:1"


async def test_voicemail_is_handed_to_the_dialplan() -> None:
    outcome, _, variables = await perform(VoicemailBox("100@default"), [])
    assert outcome == HandedOver()
    assert (variables["CORDBOARD_NEXT"], variables["CORDBOARD_MAILBOX"]) == ("voicemail", "100@default")


@pytest.mark.parametrize(
    "device", ["PJSIP/1&Zap/g1/0900", "PJSIP/1,20,g", "PJSIP/${X}", "1001", "", "PJSIP/1\n", "PJSIP/1)"]
)
async def test_a_dial_target_is_one_device_or_refused(device: str) -> None:
    with pytest.raises(SwitchProtocolError):
        await perform(Dial((Extension("1001", device),), 15), [])


async def test_hangup_tells_the_dialplan_its_cause() -> None:
    outcome, asked, variables = await perform(Hangup(HangupCause.BUSY), [])
    assert outcome == HungUp(HangupCause.BUSY)
    assert asked == []
    assert variables["CORDBOARD_DONE"] == "17"


async def test_a_second_verb_at_the_same_place_writes_nothing_again() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(Answer(), "cp:1")
        await phone.perform(Play((prompt("a"),)), "cp:1")
        await phone.perform(Play((prompt("a"),)), "cp:2")
        await phone.hand_over("cp:2")

    async with on_the_line(serve) as asterisk:
        lines = []
        while words := await asterisk.next_command():
            lines.append(words[:3])
            asterisk.reply("200 result=0 endpos=8000")
    first, *rest = lines
    assert first[1] == "MSet"
    assert rest == [
        ["ANSWER"],
        ["STREAM", "FILE", "/prompts/a"],
        ["EXEC", "MSet", "CORDBOARD_CP=cp:2,TIMEOUT(absolute)=5.0"],
        ["STREAM", "FILE", "/prompts/a"],
    ]


async def test_the_timer_is_renewed_when_it_would_not_outlast_the_next_line() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(Answer(), "cp:1")
        await phone.perform(gather(prompts=(), first_digit_s=20.0), "cp:1")

    async with on_the_line(serve) as asterisk:
        await asterisk.answer_all(lambda words: RAN)
        assert asterisk.variables["TIMEOUT(absolute)"] == "22.0"


async def test_hand_over_notes_a_newer_place() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(Answer(), "cp:1")
        await phone.hand_over("cp:2")

    async with on_the_line(serve) as asterisk:
        await asterisk.answer_all(lambda words: RAN)
        assert asterisk.variables["CORDBOARD_CP"] == "cp:2"
        assert "CORDBOARD_DONE" not in asterisk.variables


async def test_abandon_asks_for_the_safe_destination() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.abandon()

    async with on_the_line(serve) as asterisk:
        assert await asterisk.answer_all(lambda words: RAN) == []
        assert asterisk.variables["CORDBOARD_DONE"] == "safe"


async def test_a_service_that_fails_gives_the_call_back() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        await phone.perform(Answer(), "cp:1")
        raise RuntimeError("a fault in the service")

    async with on_the_line(serve) as asterisk:
        assert await asterisk.answer_all(lambda words: RAN) == [["ANSWER"]]
        assert "CORDBOARD_DONE" not in asterisk.variables


async def test_an_ended_call_is_only_told() -> None:
    seen: asyncio.Future[Outcome | HandedOver] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        assert phone.arrival.ended
        seen.set_result(await phone.perform(Answer(), "cp:1"))

    block = header_block("ended", new_call(call_id=new_call_id(), checkpoint="cp:1"))
    async with on_the_line(serve, block=block) as asterisk:
        assert await asterisk.wait_closed() == b""
    assert await seen == HungUp()


async def test_a_returned_dial_arrives_with_its_outcome() -> None:
    seen: asyncio.Future[AsteriskPhone] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        seen.set_result(phone)

    call_id = new_call_id()
    block = header_block("call", new_call(call_id=call_id, checkpoint="cp:9", returned="dial.ANSWER.16.2500"))
    async with on_the_line(serve, block=block):
        arrival = (await seen).arrival
    assert (arrival.call.call_id, arrival.checkpoint, arrival.returned) == (call_id, "cp:9", Connected(2.5))


# -- links that end --

VERBS: list[Verb] = [
    Answer(),
    Play((prompt("a"),)),
    gather(),
    Say("number", "7", "en"),
    Dial((Extension("1001", "PJSIP/1001"),), 15),
    Hangup(),
]


async def end_of(verb: Verb, end: Callable[[FakeAsterisk], None], at: int) -> Outcome | HandedOver:
    """What a verb comes to when `end` happens after its `at`-th line has arrived."""
    outcome: asyncio.Future[Outcome | HandedOver] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        try:
            outcome.set_result(await phone.perform(verb, "cp:1"))
        except Exception as error:
            outcome.set_exception(error)

    async with on_the_line(serve) as asterisk:
        for _ in range(at - 1):
            await asterisk.next_command()
            asterisk.reply(RAN)
        await asterisk.next_command()
        end(asterisk)
        return await asyncio.wait_for(outcome, 3)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_caller_who_leaves_is_a_hang_up_in_each_verb(verb: Verb) -> None:
    assert await end_of(verb, FakeAsterisk.hang_up, at=1) == HungUp()


@pytest.mark.parametrize("verb", VERBS)
async def test_a_lost_link_is_no_hang_up(verb: Verb) -> None:
    with pytest.raises(SwitchUnavailable):
        await end_of(verb, FakeAsterisk.close, at=1)


@pytest.mark.parametrize("verb", VERBS[:4])
async def test_both_in_the_middle_of_a_verb(verb: Verb) -> None:
    assert await end_of(verb, FakeAsterisk.hang_up, at=2) == HungUp()
    with pytest.raises(SwitchUnavailable):
        await end_of(verb, FakeAsterisk.close, at=2)


async def test_a_hang_up_after_the_timer_ran_out_proves_nothing() -> None:
    """Asterisk says HANGUP too when it takes the call from a worker that was stopped; the caller is still there."""
    outcome: asyncio.Future[Outcome | HandedOver] = asyncio.get_running_loop().create_future()

    async def serve(phone: AsteriskPhone) -> None:
        phone._link.timer_at = asyncio.get_running_loop().time() - 1.0  # as if we had been stopped
        try:
            outcome.set_result(await phone.perform(Answer(), "cp:1"))
        except SwitchUnavailable as error:
            outcome.set_exception(error)

    async with on_the_line(serve) as asterisk:
        await asterisk.next_command()
        asterisk.hang_up()
        with pytest.raises(SwitchUnavailable):
            await outcome


async def test_a_reply_nobody_asked_for_breaks_the_link() -> None:
    lost = asyncio.Event()

    async def serve(phone: AsteriskPhone) -> None:
        await asyncio.sleep(0.05)
        with pytest.raises(SwitchProtocolError):
            await phone.perform(Answer(), "cp:1")
        lost.set()

    async with on_the_line(serve) as asterisk:
        asterisk.reply(RAN)
        await asyncio.wait_for(lost.wait(), 2)


async def test_asterisk_that_never_answers_is_a_lost_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agi_scripts.phone.LINE_S", 0.05)
    monkeypatch.setattr("agi_scripts.playing.ANSWER_S", 0.05)
    with pytest.raises(SwitchUnavailable):
        await end_of(Answer(), lambda asterisk: None, at=2)


async def test_a_cancelled_verb_gives_the_call_back() -> None:
    async def serve(phone: AsteriskPhone) -> None:
        task = asyncio.ensure_future(phone.perform(Play((prompt("a"),)), "cp:1"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(SwitchUnavailable):  # the reply still to come must not answer this
            await phone.perform(Answer(), "cp:2")

    async with on_the_line(serve) as asterisk:
        assert (await asterisk.next_verb())[0] == "STREAM"
        assert await asterisk.wait_closed() == b""
