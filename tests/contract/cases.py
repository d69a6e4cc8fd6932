"""What every phone does alike, whatever the switch: one coroutine a case, given an edge, that asserts.

All cases of an edge run at the same time, so none may look at another one's calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from cordboard.errors import SwitchUnavailable
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
    NotConnected,
    Outcome,
    Recorded,
    Transferred,
)
from cordboard.telephony.ports import Arrival, Phone
from cordboard.telephony.verbs import (
    Answer,
    Destination,
    Dial,
    Extension,
    Gather,
    Hangup,
    Hold,
    Play,
    Record,
    RecordCall,
    Say,
    Transfer,
    Verb,
)
from tests.contract.edges import HELLO, HELLO_S, MISSING, CallingParty, Edge, Part

Case = Callable[[Edge], Awaitable[None]]
CASES: dict[str, Case] = {}

SOON_S = 10.0  # far more than any switch takes, on any machine
MOMENT_S = 0.4  # into a prompt


def case(function: Case) -> Case:
    """One of the suite."""
    CASES[function.__name__] = function
    return function


async def answered(edge: Edge) -> tuple[CallingParty, Phone]:
    """A caller whom we have answered."""
    caller = await edge.call()
    phone = await edge.worker.phone(caller.leg_id)
    assert await phone.perform(Answer(), "cp:1") == Done()
    return caller, phone


async def performed(edge: Edge, verb: Verb, presses: str = "", after_s: float = MOMENT_S) -> Outcome | HandedOver:
    """What comes of a verb, while the caller presses keys."""
    caller, phone = await answered(edge)
    performing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
    if presses:
        await asyncio.sleep(after_s)
        await caller.press(presses)
    outcome = await performing
    assert await phone.perform(Hangup(), "cp:3") == HungUp()
    return outcome


def asked(**more: object) -> Gather:
    """A question of three digits, which waits for longer than any caller here takes."""
    usual: dict[str, object] = {"prompts": (HELLO,), "max_digits": 3, "first_digit_s": 9.0, "inter_digit_s": 9.0}
    return Gather(**usual | more)  # type: ignore[arg-type]


# -- what is played --


@case
async def a_prompt_is_played_to_its_end(edge: Edge) -> None:
    began = asyncio.get_running_loop().time()
    assert await performed(edge, Play((HELLO,)), presses="1") == Done()
    assert asyncio.get_running_loop().time() - began > HELLO_S


@case
async def a_key_stops_a_prompt_if_keys_count_and_belongs_to_the_question_behind_it(edge: Edge) -> None:
    caller, phone = await answered(edge)
    performing = asyncio.ensure_future(phone.perform(Play((HELLO, HELLO, HELLO), keys=True), "cp:2"))
    await asyncio.sleep(MOMENT_S)
    pressing = asyncio.ensure_future(caller.press("12"))
    stopped = await performing
    assert stopped == Interrupted("1")
    assert await phone.perform(asked(max_digits=2, typed="1"), "cp:3") == Gathered("12", "full")
    await pressing


@case
async def what_is_missing_cannot_be_played(edge: Edge) -> None:
    assert isinstance(await performed(edge, Play((MISSING,))), Failed)


@case
async def what_is_missing_cannot_be_asked(edge: Edge) -> None:
    assert isinstance(await performed(edge, asked(prompts=(MISSING,))), Failed)


SAID: dict[str, Say] = {
    "number": Say("number", "7", "en"),
    "number_of_a_gender": Say("number", "1", "es", gender="f"),
    "digits": Say("digits", "12", "en"),
    "spelled": Say("spelled", "ab", "en"),
    "date": Say("date", "1795362481", "en", "Europe/Madrid"),
    "time": Say("time", "1795362481", "en", "Europe/Madrid"),
}


def _said(say: Say) -> Case:
    async def is_said(edge: Edge) -> None:
        assert await performed(edge, say) == Done()
        assert await performed(edge, Play((HELLO, say))) == Done()

    return is_said


CASES |= {f"{name}_is_said": _said(say) for name, say in SAID.items()}


@case
async def what_is_no_number_is_not_said(edge: Edge) -> None:
    assert isinstance(await performed(edge, Say("number", "seven", "en")), Failed)


# -- what is asked --

ASKED: dict[str, tuple[Gather, str, Outcome]] = {
    "nobody_answers": (asked(first_digit_s=0.5), "", NoInput()),
    "all_digits_came": (asked(), "123", Gathered("123", "full")),
    "the_end_key_ends_it": (asked(end_key="#"), "12#", Gathered("12", "end_key")),
    "the_end_key_alone": (asked(end_key="#"), "#", Gathered("", "end_key")),
    "a_pause_ends_it": (asked(inter_digit_s=1.5), "12", Gathered("12", "timeout")),
    "an_input_that_is_over_early": (asked(ends=("12",)), "12", Gathered("12", "full")),
    "without_barge_in_keys_do_not_count": (
        asked(prompts=(HELLO, HELLO, HELLO), barge_in=False, first_digit_s=0.5),
        "12",
        NoInput(),
    ),
    "without_a_prompt": (asked(prompts=(), max_digits=1), "1", Gathered("1", "full")),
    "typed_ahead": (asked(typed="12"), "3", Gathered("123", "full")),
    "all_typed_ahead": (asked(typed="123"), "", Gathered("123", "full")),
    "a_secret": (asked(secret=True), "123", Gathered("123", "full")),
    "behind_a_value": (asked(prompts=(HELLO, SAID["number"])), "123", Gathered("123", "full")),
}


def _asked(question: Gather, presses: str, outcome: Outcome) -> Case:
    async def is_asked(edge: Edge) -> None:
        assert await performed(edge, question, presses) == outcome

    return is_asked


CASES |= {f"asked_{name}": _asked(*parts) for name, parts in ASKED.items()}


# -- recordings --


@case
async def a_message_ends_with_its_key(edge: Edge) -> None:
    outcome = await performed(edge, Record("sales", "m1", 9, 8, beep=False), presses="#")
    assert isinstance(outcome, Recorded)
    assert not outcome.hung_up
    assert Path(outcome.path) == edge.recordings_root / "sales" / "m1.wav"
    assert Path(outcome.path).exists()


@case
async def silence_ends_a_message_in_which_nothing_is_said(edge: Edge) -> None:
    outcome = await performed(edge, Record("sales", "m2", 20, 1.5))
    assert outcome == Recorded(str(edge.recordings_root / "sales" / "m2.wav"), 0.0)


@case
async def a_message_has_a_longest_time(edge: Edge) -> None:
    outcome = await performed(edge, Record("sales", "m3", 1.5, 9))
    assert isinstance(outcome, Recorded)
    assert not outcome.hung_up
    assert outcome.duration_s < 2.2


@case
async def who_leaves_while_recording_has_left_a_message(edge: Edge) -> None:
    caller, phone = await answered(edge)
    performing = asyncio.ensure_future(phone.perform(Record("sales", "m4", 60, 20), "cp:2"))
    await asyncio.sleep(2.0)
    await caller.hang_up()
    outcome = await performing
    assert isinstance(outcome, Recorded)
    assert outcome.hung_up
    assert Path(outcome.path).exists()


@case
async def a_call_is_recorded_paused_resumed_and_stopped(edge: Edge) -> None:
    _, phone = await answered(edge)
    assert await phone.perform(RecordCall("pause"), "cp:2") == Done()  # of what is not recorded
    for action in ("start", "pause", "resume", "pause", "stop", "stop"):
        verb = RecordCall(action, "both" if action == "start" else "")  # type: ignore[arg-type]
        assert await phone.perform(verb, "cp:3") == Done()
        assert await phone.perform(Say("number", "1", "en"), "cp:4") == Done()
    assert (edge.recordings_root / "calls" / "both.wav").exists()


# -- waiting --


@case
async def music_plays_until_the_next_verb(edge: Edge) -> None:
    _, phone = await answered(edge)
    assert await phone.perform(Hold(edge.music), "cp:2") == Done()
    assert await phone.stay(0.3, "cp:2") is None
    assert await phone.perform(Play((HELLO,)), "cp:3") == Done()
    assert await phone.perform(Hold(edge.music, keys=True), "cp:4") == Done()
    assert await phone.perform(asked(first_digit_s=0.5), "cp:5") == NoInput()


@case
async def who_leaves_while_waiting_has_hung_up(edge: Edge) -> None:
    caller, phone = await answered(edge)
    assert await phone.perform(Hold(edge.music), "cp:2") == Done()
    staying = asyncio.ensure_future(phone.stay(60, "cp:2"))
    await asyncio.sleep(0.2)
    await caller.hang_up()
    async with asyncio.timeout(SOON_S):
        assert await staying == HungUp()


# -- what no worker holds --


def dialled(edge: Edge, *parts: Part, in_order: bool = False, ring_s: float = 2.0) -> Dial:
    """Phones to ring."""
    targets = tuple(Extension("1", edge.device(part)) for part in parts)
    return Dial(targets, ring_s, in_order=in_order)


async def came_back(edge: Edge, verb: Verb) -> Arrival:
    """Hand a verb over; how the call came back."""
    caller, phone = await answered(edge)
    assert await phone.perform(verb, "cp:2") == HandedOver()
    again = await edge.worker.phone(caller.leg_id)
    assert again.arrival.checkpoint == "cp:2"
    assert again.arrival.call == phone.arrival.call
    assert await again.perform(Hangup(), "cp:3") == HungUp()
    return again.arrival


@case
async def a_conversation_comes_back_when_the_other_one_leaves(edge: Edge) -> None:
    returned = (await came_back(edge, dialled(edge, "answers"))).returned
    assert isinstance(returned, Connected)
    assert 0.0 < returned.talk_s < SOON_S


@case
async def whoever_of_several_takes_it_has_the_call(edge: Edge) -> None:
    assert isinstance((await came_back(edge, dialled(edge, "rings", "answers"))).returned, Connected)


@case
async def one_after_the_other_is_rung(edge: Edge) -> None:
    in_order = dialled(edge, "busy", "answers", in_order=True)
    assert isinstance((await came_back(edge, in_order)).returned, Connected)


DIALLED: dict[str, tuple[tuple[Part, ...], NotConnected]] = {
    "busy": (("busy",), NotConnected("busy")),
    "no_answer": (("rings",), NotConnected("no_answer")),
    "rejected": (("rejects",), NotConnected("rejected")),
    "absent": (("absent",), NotConnected("unreachable")),
    "several": (("busy", "rings"), NotConnected("no_answer")),
}


def _dialled(parts: tuple[Part, ...], outcome: NotConnected) -> Case:
    async def is_dialled(edge: Edge) -> None:
        assert (await came_back(edge, dialled(edge, *parts, ring_s=1.0))).returned == outcome

    return is_dialled


CASES |= {f"dialled_{name}": _dialled(*parts) for name, parts in DIALLED.items()}


@case
async def a_place_that_is_not_there_is_unreachable(edge: Edge) -> None:
    _, phone = await answered(edge)
    nowhere = Transfer(Destination("nowhere", "no-such-context,s,1"))
    assert await phone.perform(nowhere, "cp:2") == NotConnected("unreachable")
    assert await phone.perform(Play((HELLO,)), "cp:3") == Done()


@case
async def a_transferred_call_is_given_away(edge: Edge) -> None:
    _, phone = await answered(edge)
    to = Transfer(Extension("1", edge.device("patient")))
    assert await phone.perform(to, "cp:2") == Transferred()


# -- who leaves --

LONG: dict[str, Verb] = {
    "a_prompt": Play((HELLO, HELLO, HELLO)),
    "a_question": asked(),
    "a_wait_for_keys": asked(prompts=()),
    "a_value": Say("number", "123456789", "en"),
}


def _left(verb: Verb) -> Case:
    async def is_left(edge: Edge) -> None:
        caller, phone = await answered(edge)
        performing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
        await asyncio.sleep(0.2)
        await caller.hang_up()
        async with asyncio.timeout(SOON_S):
            assert await performing == HungUp()
            assert await phone.perform(verb, "cp:3") == HungUp()

    return is_left


CASES |= {f"who_leaves_in_{name}_has_hung_up": _left(verb) for name, verb in LONG.items()}


@case
async def who_leaves_between_two_verbs_has_hung_up(edge: Edge) -> None:
    caller, phone = await answered(edge)
    await caller.hang_up()
    await asyncio.sleep(0.3)
    assert await phone.perform(Play((HELLO,)), "cp:2") == HungUp()


@case
async def a_call_is_refused_with_a_cause(edge: Edge) -> None:
    caller = await edge.call()
    phone = await edge.worker.phone(caller.leg_id)
    assert await phone.perform(Hangup(HangupCause.BUSY), "cp:1") == HungUp(HangupCause.BUSY)


# -- who lets go --


@case
async def a_call_that_is_handed_over_arrives_where_it_stands(edge: Edge) -> None:
    caller, phone = await answered(edge)
    assert (phone.arrival.checkpoint, phone.arrival.call.dnis) == ("", "5000")
    await phone.hand_over("cp:2")
    again = await edge.worker.phone(caller.leg_id)
    assert (again.arrival.checkpoint, again.arrival.returned) == ("cp:2", None)
    assert again.arrival.call == phone.arrival.call


def _let_go(verb: Verb) -> Case:
    async def is_let_go(edge: Edge) -> None:
        caller, phone = await answered(edge)
        performing = asyncio.ensure_future(phone.perform(verb, "cp:2"))
        await asyncio.sleep(0.3)
        phone.let_go()
        with pytest.raises(SwitchUnavailable):
            await performing
        again = await edge.worker.phone(caller.leg_id, within_s=SOON_S)
        assert again.arrival.checkpoint == "cp:2"
        assert await again.perform(Play((HELLO,)), "cp:2") == Done()

    return is_let_go


CASES |= {f"who_lets_go_in_{name}_stops_it": _let_go(LONG[name]) for name in ("a_prompt", "a_wait_for_keys")}


@case
async def an_abandoned_call_goes_to_the_safe_destination(edge: Edge) -> None:
    caller, phone = await answered(edge)
    await phone.abandon()
    async with asyncio.timeout(SOON_S):
        while not await caller.is_safe():
            await asyncio.sleep(0.05)


@case
async def a_worker_that_does_nothing_loses_the_call_and_learns_it(edge: Edge) -> None:
    caller, phone = await answered(edge)
    again = await edge.worker.phone(caller.leg_id)
    assert again.arrival.checkpoint == "cp:1"
    with pytest.raises(SwitchUnavailable):
        await phone.perform(Play((HELLO,)), "cp:2")
    assert await again.perform(Play((HELLO,)), "cp:2") == Done()
