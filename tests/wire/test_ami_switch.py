"""The switch on the wire: which actions it sends, and what it makes of the answers of Asterisk 22.10."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from agi_scripts.switch import AsteriskSwitch
from cordboard.errors import SwitchProtocolError, SwitchRefused
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.ports import DeviceState, Leg
from tests.doubles.fake_ami import FakeAmi, Script, Sent, Session, polite


@contextlib.asynccontextmanager
async def switched(script: Script) -> AsyncIterator[tuple[FakeAmi, AsteriskSwitch]]:
    """A peer that answers by a script (log-in and pings politely), and a switch connected to it."""

    def answer(session: Session, action: Sent) -> None:
        (polite if action["Action"] in ("Login", "Ping") else script)(session, action)

    async with FakeAmi(answer) as ami:
        switch = AsteriskSwitch("127.0.0.1", ami.port, "cordboard", "secret")
        await switch.connect()
        try:
            await switch.wait_connected(2.0)
            yield ami, switch
        finally:
            await switch.aclose()


def originate_ends(response: str, reason: str) -> Script:
    def script(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Success", "Message: Originate successfully queued")
        session.answer(action, "Event: OriginateResponse", f"Response: {response}", f"Reason: {reason}")

    return script


ENDS = [
    ("Success", "4", None),
    ("Failure", "0", HangupCause.UNKNOWN),
    ("Failure", "3", HangupCause.NO_ANSWER),
    ("Failure", "5", HangupCause.BUSY),
    ("Failure", "8", HangupCause.CONGESTION),
    ("Failure", "99", HangupCause.UNKNOWN),
]


@pytest.mark.parametrize(("response", "reason", "cause"), ENDS)
async def test_originate_says_how_it_ended(response: str, reason: str, cause: HangupCause | None) -> None:
    async with switched(originate_ends(response, reason)) as (ami, switch):
        ended = await switch.originate(
            "leg-1", "PJSIP/1001", context="agents", extension="s", ring_s=15, variables={"A": "1"}
        )
        sent = ami.actions[-1]
    assert ended is cause
    assert (sent["ChannelId"], sent["Channel"], sent["Async"]) == ("leg-1", "PJSIP/1001", "true")
    assert (sent["Context"], sent["Exten"], sent["Timeout"], sent["Variable"]) == ("agents", "s", "15000", "A=1")


async def test_a_refused_originate_is_refused() -> None:
    def refuse(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Error", "Message: Permission denied")

    async with switched(refuse) as (_, switch):
        with pytest.raises(SwitchRefused, match="Permission denied"):
            await switch.originate("leg-1", "PJSIP/1001", context="a", extension="s", ring_s=1)


UNFIT = [
    ("leg 1", "PJSIP/1", "a", "s", {}),
    ("leg", "PJSIP/1&PJSIP/2", "a", "s", {}),
    ("leg", "PJSIP/1", "a,b", "s", {}),
    ("leg", "PJSIP/1", "a", "s\r\nData: x", {}),
    ("leg", "PJSIP/1", "a", "s", {"A": "1,B=2"}),
    ("leg", "PJSIP/1", "a", "s", {"A)": "1"}),
    ("leg", "PJSIP/1", "a", "s", {"A": "1\nB=2"}),
]


@pytest.mark.parametrize(("leg", "device", "context", "extension", "values"), UNFIT)
async def test_an_originate_that_is_more_than_one_is_not_sent(
    leg: str, device: str, context: str, extension: str, values: dict[str, str]
) -> None:
    async with switched(originate_ends("Success", "4")) as (ami, switch):
        with pytest.raises(SwitchProtocolError):
            await switch.originate(leg, device, context=context, extension=extension, ring_s=1, variables=values)
        assert ami.count("Originate") == 0


async def test_hang_up_and_redirect_say_whether_the_leg_was_there() -> None:
    def script(session: Session, action: Sent) -> None:
        if action["Channel"] == "1.1":
            polite(session, action)
        elif action["Action"] == "Hangup":
            session.answer(action, "Response: Error", "Message: No such channel")
        else:
            session.answer(action, "Response: Error", "Message: Channel does not exist: 2.2")

    async with switched(script) as (ami, switch):
        assert await switch.hang_up("1.1", HangupCause.BUSY)
        assert ami.actions[-1]["Cause"] == "17"
        assert not await switch.hang_up("2.2")
        assert await switch.redirect("1.1", context="operators", extension="s")
        assert not await switch.redirect("2.2", context="operators", extension="s")


async def test_legs_are_listed() -> None:
    def script(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Success", "EventList: start", "Message: Channel status will follow")
        for number, value in ((1, "01M81ZC53D341ZRA5YTGTBTDPG"), (2, "(null)")):
            session.answer(
                action,
                "Event: Status",
                f"Channel: PJSIP/trunk-{number}",
                f"Uniqueid: 17.{number}",
                "ChannelStateDesc: Up",
                f"Variable: CORDBOARD_CALL={value}",
            )
        session.answer(action, "Event: StatusComplete", "EventList: Complete", "Items: 2")

    async with switched(script) as (_, switch):
        assert await switch.list_legs() == [
            Leg("17.1", "PJSIP/trunk-1", "01M81ZC53D341ZRA5YTGTBTDPG", "Up"),
            Leg("17.2", "PJSIP/trunk-2", "", "Up"),
        ]


async def test_device_states_are_read() -> None:
    def script(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Success", "EventList: start", "Message: Device States Following")
        for device, state in (("PJSIP/1001", "NOT_INUSE"), ("PJSIP/1002", "UNAVAILABLE"), ("Custom:x", "odd")):
            session.answer(action, "Event: DeviceStateChange", f"Device: {device}", f"State: {state}")
        session.answer(action, "Event: DeviceStateListComplete", "EventList: Complete")

    async with switched(script) as (_, switch):
        assert await switch.device_states() == {
            "PJSIP/1001": DeviceState.IDLE,
            "PJSIP/1002": DeviceState.UNAVAILABLE,
            "Custom:x": DeviceState.UNKNOWN,
        }


async def test_a_missing_list_is_refused_and_not_waited_for() -> None:
    def refuse(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Error", "Message: Invalid/unknown command: DeviceStateList.")

    async with switched(refuse) as (_, switch):
        with pytest.raises(SwitchRefused):
            await switch.device_states()


async def test_a_reconnect_calls_the_reconciler_which_may_use_the_link() -> None:
    seen: asyncio.Queue[int] = asyncio.Queue()

    def script(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Success", "EventList: start")
        session.answer(action, "Event: StatusComplete", "EventList: Complete", "Items: 0")

    async with switched(script) as (ami, switch):

        async def reconcile() -> None:
            seen.put_nowait(len(await switch.list_legs()))

        switch.on_connected(reconcile)
        ami.sessions[-1].drop()
        assert await asyncio.wait_for(seen.get(), 3.0) == 0
