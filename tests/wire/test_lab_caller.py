"""Two of the lab's callers talk to each other over loopback: SIP and RTP on real sockets, no PBX in between."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from cordboard.errors import LabError
from cordboard.lab.caller import AnswerPlan, Call, Caller
from cordboard.lab.rtp import tone

DEADLINE_S = 5.0


@pytest.fixture
async def ada() -> AsyncIterator[Caller]:
    async with Caller(ani="+442079460123", name='Ada "the first" Lovelace', host="127.0.0.2") as caller:
        yield caller


@pytest.fixture
async def bob() -> AsyncIterator[Caller]:
    async with Caller(ani="5000", name="Bob", host="127.0.0.3") as callee:
        yield callee


async def connect(ada: Caller, bob: Caller, ring_s: float = 0.0) -> tuple[Call, Call]:
    """Both sides of a call from Ada to Bob, answered."""
    came: asyncio.Queue[Call] = asyncio.Queue(1)
    bob.answer_calls(AnswerPlan(ring_s=ring_s, on_call=came.put_nowait))
    call = await ada.dial("5000", bob.address, DEADLINE_S)
    return call, await asyncio.wait_for(came.get(), DEADLINE_S)


async def heard_s(call: Call, seconds: float) -> None:
    """Wait until so much has been heard."""
    arrived = asyncio.Event()
    call.media.on_audio = arrived.set
    async with asyncio.timeout(DEADLINE_S):
        while call.heard.end_s < seconds:
            arrived.clear()
            await arrived.wait()


async def test_an_answered_call_ends_for_both_when_the_caller_hangs_up(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    assert call.is_answered and call.status == 200
    await call.hang_up()
    end, other_end = await call.ended, await asyncio.wait_for(other.ended, DEADLINE_S)
    assert (end.by, end.status) == ("caller", 200)
    assert (other_end.by, other_end.status) == ("pbx", 200)
    assert ada.calls == bob.calls == []


async def test_the_callee_may_hang_up_too(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    await other.hang_up()
    assert (await asyncio.wait_for(call.ended, DEADLINE_S)).by == "pbx"


async def test_a_refused_call_returns_with_its_status(ada: Caller, bob: Caller) -> None:
    bob.answer_calls(AnswerPlan(status=486))
    call = await ada.dial("5000", bob.address, DEADLINE_S)
    end = await call.ended
    assert (end.by, end.status, call.is_answered) == ("pbx", 486, False)


async def test_hanging_up_while_it_rings_cancels(ada: Caller, bob: Caller) -> None:
    came: asyncio.Queue[Call] = asyncio.Queue(1)
    bob.answer_calls(AnswerPlan(ring_s=60, on_call=came.put_nowait))
    call = ada.place("5000", bob.address)
    other = await asyncio.wait_for(came.get(), DEADLINE_S)
    await call.hang_up()
    assert (await call.ended).status == 487
    assert (await other.ended).by == "pbx"


async def test_hanging_up_before_any_answer_cancels_when_the_first_one_comes(ada: Caller, bob: Caller) -> None:
    came: asyncio.Queue[Call] = asyncio.Queue(1)
    bob.answer_calls(AnswerPlan(ring_s=60, on_call=came.put_nowait))
    call = ada.place("5000", bob.address)
    await call.hang_up()
    assert (await call.ended).status == 487
    assert (await asyncio.wait_for(came.get(), DEADLINE_S)).end is not None


async def test_a_dead_pbx_fails_at_the_deadline(ada: Caller) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        with pytest.raises(LabError, match="no answer at all"):
            await ada.dial("5000", silent.getsockname(), deadline_s=0.2)


INVITE = (
    "INVITE sip:5000@127.0.0.3 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKone\r\n"
    "From: <sip:ada@127.0.0.1>;tag=a\r\nTo: <sip:5000@127.0.0.3>\r\nCall-ID: repeated\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:ada@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: 0\r\n\r\n"
)


async def test_a_repeated_invite_is_one_call_and_gets_the_same_answer(bob: Caller) -> None:
    calls: list[Call] = []
    bob.answer_calls(AnswerPlan(ring_s=60, on_call=calls.append))
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ada:
        ada.setblocking(False)
        ada.bind(("127.0.0.1", 0))
        invite = INVITE.format(port=ada.getsockname()[1]).encode()
        answers = []
        for _ in range(2):
            await loop.sock_sendto(ada, invite, bob.address)
            answers.append(await asyncio.wait_for(loop.sock_recv(ada, 4_096), DEADLINE_S))
        assert answers[0].startswith(b"SIP/2.0 180 ") and answers[0] == answers[1]
        assert len(calls) == 1
        calls[0].refuse(486)


async def test_an_answer_is_repeated_until_it_is_acknowledged(bob: Caller) -> None:
    bob.answer_calls(AnswerPlan())
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ada:
        ada.setblocking(False)
        ada.bind(("127.0.0.1", 0))
        invite = INVITE.format(port=ada.getsockname()[1]).encode()
        await loop.sock_sendto(ada, invite, bob.address)
        answers = [await asyncio.wait_for(loop.sock_recv(ada, 4_096), DEADLINE_S) for _ in range(3)]
        assert [answer.split()[1] for answer in answers] == [b"180", b"200", b"200"]
        ack = invite.replace(b"INVITE sip", b"ACK sip").replace(b"1 INVITE", b"1 ACK")
        await loop.sock_sendto(ada, ack, bob.address)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.sock_recv(ada, 4_096), 1.2)


async def test_each_key_arrives_once_and_in_order(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    began = time.monotonic()
    await call.press("11*0#D", tone_ms=60, gap_ms=40)
    assert other.media.keys == list("11*0#D")
    assert 6 * 0.1 - 0.05 < time.monotonic() - began < 5


async def test_keys_that_are_none_are_refused_before_anything_is_sent(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    with pytest.raises(LabError, match="'x' is no key"):
        await call.press("1x")
    await call.press("2", tone_ms=40, gap_ms=0)
    assert other.media.keys == ["2"]


async def test_what_one_says_the_other_hears_at_its_true_time(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    await heard_s(other, 0.3)
    spoken_at = time.monotonic()
    call.speak(tone(1001, 0.2))
    await heard_s(other, 0.7)
    loud = np.flatnonzero(np.abs(other.heard.samples()) > 1000)
    start_s = other.started_at + loud[0] / 8000 - spoken_at
    assert 0.0 <= start_s < 0.06
    assert (loud[-1] - loud[0]) / 8000 == pytest.approx(0.2, abs=0.005)


async def test_callers_cost_less_than_a_twentieth_of_a_core(ada: Caller, bob: Caller) -> None:
    call, other = await connect(ada, bob)
    before = time.process_time()
    await heard_s(other, 1.0)
    assert call.end is None
    assert time.process_time() - before < 0.05
