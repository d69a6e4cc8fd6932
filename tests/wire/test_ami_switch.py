"""The switch on the wire: which actions it sends, and what it makes of the answers of Asterisk 22.10."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from agi_scripts.switch import AsteriskSwitch
from cordboard.errors import SwitchProtocolError, SwitchRefused
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, DeviceState, Leg
from tests.doubles.fake_ami import FakeAmi, Script, Sent, Session, polite


@contextlib.asynccontextmanager
async def switched(script: Script) -> AsyncIterator[tuple[FakeAmi, AsteriskSwitch]]:
    """A peer that answers by a script (log-in and pings politely), and a switch connected to it."""

    def answer(session: Session, action: Sent) -> None:
        (polite if action["Action"] in ("Login", "Ping") else script)(session, action)

    async with FakeAmi(answer) as ami:
        switch = AsteriskSwitch("127.0.0.1", ami.port, "cordboard", "secret", token="t0ken")
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


# -- events --


def agent_event(kind: str, number: str = "44", token: str = "t0ken", name: str = "CordboardAgent") -> str:
    facts = ["Event: UserEvent", "Channel: PJSIP/1001-00000019", f"ConnectedLineNum: {number}", "Uniqueid: 1.29"]
    facts += [f"UserEvent: {name}", f"Kind: {kind}", "Offer: o-1", "Leg: 1.29", "Caller: 1.28"]
    return "\r\n".join([*facts, "At: 1795373770846", f"Token: {token}", "", ""])


async def ping(switch: AsteriskSwitch) -> None:
    """When it is answered, all that was sent before has been received."""
    await switch.hang_up("1.1")


async def test_agents_legs_are_told_in_order_and_strangers_counted() -> None:
    told: list[AgentLegEvent] = []
    async with switched(polite) as (ami, switch):
        switch.on_agent_leg(told.append)
        for event in (
            agent_event("ringing"),
            agent_event("gone", token="other"),
            agent_event("gone", token="t0ken", name="Other"),
            agent_event("answered", number="1\r\nKind: gone\r\nkind: gone"),
            agent_event("gone", number="1\r\nEvent: Hangup\r\nActionID: 7\r\nActionID: 8", token=""),
            agent_event("joined", number="1\r\nEvent: Hangup\r\nActionID: 7\r\nActionID: 8"),
        ):
            ami.sessions[-1].send(event)
        await ping(switch)
        assert switch.strange_events == 2
        assert switch.is_connected
    assert told == [
        AgentLegEvent(kind, "o-1", "1.29", "1.28", 1795373770.846)  # type: ignore[arg-type]
        for kind in ("ringing", "answered", "joined")
    ]


async def test_devices_and_ends_of_legs_are_told() -> None:
    states: list[tuple[str, DeviceState]] = []
    ended: list[str] = []
    async with switched(polite) as (ami, switch):
        switch.on_device_state(lambda device, state: states.append((device, state)))
        switch.on_caller_hangup(ended.append)
        session = ami.sessions[-1]
        session.send("Event: DeviceStateChange\r\nDevice: PJSIP/1001\r\nState: RINGING\r\n\r\n")
        session.send("Event: HangupRequest\r\nCallerIDNum: 1\r\nUniqueid: 9.9\r\nUniqueid: 1.1\r\n\r\n")
        session.send("Event: SoftHangupRequest\r\nUniqueid: 1.2\r\n\r\n")
        session.send("Event: Hangup\r\nUniqueid: 1.3\r\n\r\n")
        await ping(switch)
    assert states == [("PJSIP/1001", DeviceState.RINGING)]
    assert ended == ["1.1", "1.2"]


async def test_a_callback_that_fails_takes_neither_the_link_nor_the_next_event() -> None:
    told: list[AgentLegEvent] = []

    def fail_first(event: AgentLegEvent) -> None:
        told.append(event)
        if len(told) == 1:
            raise RuntimeError("a fault of the service")

    async with switched(polite) as (ami, switch):
        switch.on_agent_leg(fail_first)
        ami.sessions[-1].send(agent_event("ringing") + agent_event("gone"))
        await ping(switch)
        assert switch.is_connected
    assert [event.kind for event in told] == ["ringing", "gone"]


async def test_legs_of_agents_are_listed() -> None:
    agents = ("CORDBOARD_SIDE=agent", "CORDBOARD_OFFER=o-1", "CORDBOARD_CALLER=17.1", "CORDBOARD_JOINED=(null)")
    callers = ("CORDBOARD_SIDE=(null)", "CORDBOARD_OFFER=o-1", "CORDBOARD_CALLER=17.1", "CORDBOARD_JOINED=(null)")

    def script(session: Session, action: Sent) -> None:
        session.answer(action, "Response: Success", "EventList: start")
        for number, values in ((1, callers), (2, agents)):
            facts = ["Event: Status", f"Channel: PJSIP/{number}", "CallerIDNum: 1\r\nUniqueid: 0.0\r\nActionID: 7"]
            session.answer(action, *facts, f"Uniqueid: 17.{number}", *(f"Variable: {value}" for value in values))
        session.answer(action, "Event: StatusComplete", "EventList: Complete", "Items: 2")

    async with switched(script) as (ami, switch):
        assert await switch.agent_legs() == [AgentLeg("o-1", "17.2", "17.1", None)]
        assert ami.actions[-1]["Variables"] == "CORDBOARD_SIDE,CORDBOARD_OFFER,CORDBOARD_CALLER,CORDBOARD_JOINED"
