"""A whole Asterisk: `telephony.ports.Switch` over the manager link. Used by the service.

It needs the rights of the user in `dialplan/manager.conf` and no others: legs are listed by `Status`, because
`CoreShowChannels` would need the right to read reports. A leg is addressed by its unique id; Asterisk takes that
wherever it takes a channel's name.

Events go to whoever has registered for them, one at a time and in Asterisk's order, inside the link's
`data_received`: a callback notes and returns. What was missed while the link was down is not told again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from panoramisk.message import Message

from agi_scripts import variables
from agi_scripts.agent_legs import LISTED_VARIABLES, NotOurs, agent_leg, agent_leg_event, is_agent_event, last
from agi_scripts.ami import AmiLink
from agi_scripts.call_events import call_event, is_call_event
from agi_scripts.calling_back import leg_wanted
from agi_scripts.devices import device_state, is_one_device
from agi_scripts.hold_keys import pass_on_key
from cordboard.edge.calling_back import CONTEXT
from cordboard.edge.hold_keys import KeyListeners
from cordboard.edge.linked_switch import LinkedSwitch
from cordboard.edge.telephone_numbers import shown_number
from cordboard.errors import SwitchProtocolError, SwitchRefused
from cordboard.telephony.hangup_causes import Q850, HangupCause
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, CallEvent, CustomerLeg, DeviceState, Leg

ORIGINATE_MARGIN_S = 5.0  # beyond the ringing: Asterisk's own time-out answers first

_LEG_ID = re.compile(r"[A-Za-z0-9._;-]{1,100}")  # ";2" ends the id of a Local channel's other half
_PLACE = re.compile(r"[A-Za-z0-9_.*#+-]{1,80}")
_VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,60}")
_UNFIT_IN_VARIABLE = frozenset(",\"'\\()[]{}$")  # Asterisk splits and unquotes what follows "Variable:"

# OriginateResponse's Reason: the last control frame, as in Asterisk's frame.h. 0 says only that it failed: no such
# device, or a refusal on the way.
_REASONS: dict[str, HangupCause] = {
    "1": HangupCause.NO_ANSWER,
    "3": HangupCause.NO_ANSWER,
    "5": HangupCause.BUSY,
    "8": HangupCause.CONGESTION,
}

_log = structlog.get_logger(__name__)


class AsteriskSwitch(LinkedSwitch[AmiLink]):
    """Asterisk's control link. token: what the dialplan was rendered with, which its events carry."""

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        token: str = "cordboard",  # noqa: S107 (a mark, until an admin renders one of their own)
        ping_s: float = 2.0,
    ) -> None:
        super().__init__(AmiLink(host, port, username, secret, ping_s=ping_s))
        self.strange_events = 0  # agents' events that were not our dialplan's
        self._token = token
        self.hold_keys = KeyListeners()
        self._link.on_event("DTMFEnd", lambda _, event: pass_on_key(self.hold_keys, event))

    def on_agent_leg(self, callback: Callable[[AgentLegEvent], None]) -> None:
        """Call this with what each agent's leg does, the moment it does it."""
        self._link.on_event("UserEvent", lambda _, event: self._tell_agent_leg(callback, event))

    def on_device_state(self, callback: Callable[[str, DeviceState], None]) -> None:
        """Call this with each change of a device's state ("PJSIP/1001")."""
        self._link.on_event(
            "DeviceStateChange",
            lambda _, event: callback(last(event, "Device"), device_state(last(event, "State"))),
        )

    def on_caller_hangup(self, callback: Callable[[str], None]) -> None:
        """Call this with the id of any leg whose end has begun: the party hung up, or somebody ended it. Asterisk
        may need until the end of a whisper to act on it. May come twice for one leg.
        """
        for name in ("HangupRequest", "SoftHangupRequest"):
            self._link.on_event(name, lambda _, event: callback(last(event, "Uniqueid")))

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Call this with what becomes of calls that nobody hung up, and of those we made in vain."""
        self._link.on_event("UserEvent", lambda _, event: self._tell_call_event(callback, event))

    async def originate(
        self,
        leg_id: str,
        device: str,
        *,
        context: str,
        extension: str,
        ring_s: float,
        variables: Mapping[str, str] | None = None,
        caller_id: str = "",
    ) -> HangupCause | None:
        """Ring a device and send it to the dialplan when it answers; see the port.

        Raises SwitchProtocolError on a value that is more than it should be, SwitchRefused if Asterisk refuses it.
        """
        if not is_one_device(device):
            raise SwitchProtocolError("an originate target that is not one device")
        action = {
            "Action": "Originate",
            "Channel": device,
            "ChannelId": _fit(_LEG_ID, leg_id),
            "Context": _fit(_PLACE, context),
            "Exten": _fit(_PLACE, extension),
            "Priority": "1",
            "Timeout": str(round(ring_s * 1000)),
            "Async": "true",
            "Variable": _assignments(variables or {}),
        }
        if caller_id:
            action["CallerID"] = f"<{shown_number(caller_id)}>"
        answer = await self._link.send(action, ends_with="OriginateResponse", longest_s=ring_s + ORIGINATE_MARGIN_S)
        last = answer[-1]
        if "event" not in last:
            raise SwitchRefused(f"Originate: {last.message}")
        return None if last.response == "Success" else _REASONS.get(last.reason, HangupCause.UNKNOWN)

    async def call_back(self, leg: CustomerLeg) -> HangupCause | None:
        """Make a leg for somebody who is called back; see the port. Raises as `originate`."""
        wanted = leg_wanted(leg)
        return await self.originate(
            leg.leg_id,
            wanted.device,
            context=CONTEXT,
            extension=wanted.extension,
            ring_s=wanted.ring_s,
            variables=wanted.variables,
            caller_id=wanted.caller_id,
        )

    async def hang_up(self, leg_id: str, cause: HangupCause = HangupCause.NORMAL) -> bool:
        """End a leg. False if there is no such leg any more."""
        action = {"Action": "Hangup", "Channel": _fit(_LEG_ID, leg_id), "Cause": str(Q850[cause])}
        return await self._do(action)

    async def redirect(self, leg_id: str, *, context: str, extension: str) -> bool:
        """Send a leg elsewhere in the dialplan. False if there is no such leg any more."""
        action = {
            "Action": "Redirect",
            "Channel": _fit(_LEG_ID, leg_id),
            "Context": _fit(_PLACE, context),
            "Exten": _fit(_PLACE, extension),
            "Priority": "1",
        }
        return await self._do(action)

    async def list_legs(self) -> Sequence[Leg]:
        """All live channels."""
        action = {"Action": "Status", "Variables": variables.CALL}
        messages = await self._link.send(action, ends_with="StatusComplete", changes=False)
        _refuse_errors(messages[0])
        now = datetime.now(UTC)
        return [_leg(message, now) for message in messages if message.event == "Status"]

    async def agent_legs(self) -> Sequence[AgentLeg]:
        """The live legs of agents that belong to an offer."""
        action = {"Action": "Status", "Variables": ",".join(LISTED_VARIABLES)}
        messages = await self._link.send(action, ends_with="StatusComplete", changes=False)
        _refuse_errors(messages[0])
        legs = [agent_leg(message) for message in messages if message.event == "Status"]
        return [leg for leg in legs if leg is not None]

    async def device_states(self) -> Mapping[str, DeviceState]:
        """The state of every device Asterisk has one for."""
        action = {"Action": "DeviceStateList"}
        messages = await self._link.send(action, ends_with="DeviceStateListComplete", changes=False)
        _refuse_errors(messages[0])
        changes = [message for message in messages if message.event == "DeviceStateChange"]
        return {message.device: device_state(message.state) for message in changes}

    async def _do(self, action: Mapping[str, str]) -> bool:
        """Whether there was such a channel."""
        response = (await self._link.send(action))[0]
        if response.response != "Success" and "channel" in response.message.lower():
            return False  # "No such channel", "Channel does not exist: ..."
        _refuse_errors(response)
        return True

    def _tell_agent_leg(self, callback: Callable[[AgentLegEvent], None], event: Message) -> None:
        """Pass on what is ours."""
        if not is_agent_event(event):
            return
        try:
            told = agent_leg_event(event, self._token)
        except NotOurs as fault:
            self._note_strange(fault)
            return
        callback(told)

    def _tell_call_event(self, callback: Callable[[CallEvent], None], event: Message) -> None:
        if not is_call_event(event):
            return
        try:
            told = call_event(event, self._token)
        except NotOurs as fault:
            self._note_strange(fault)
            return
        callback(told)

    def _note_strange(self, fault: NotOurs) -> None:
        """Of what is none of ours only the first is logged, and none of its text."""
        self.strange_events += 1
        if self.strange_events == 1:
            _log.warning("strange_event", fault=str(fault))


def _fit(pattern: re.Pattern[str], value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise SwitchProtocolError("an AMI value with characters it should not have")
    return value


def _assignments(values: Mapping[str, str]) -> list[str]:
    for value in values.values():
        if not _UNFIT_IN_VARIABLE.isdisjoint(value):
            raise SwitchProtocolError("a variable whose value Asterisk would split or strip")
    return [f"{_fit(_VARIABLE, name)}={value}" for name, value in values.items()]


def _refuse_errors(response: Message) -> None:
    if response.response != "Success":
        raise SwitchRefused(response.message or "refused")


def _leg(message: Message, now: datetime) -> Leg:
    seconds = last(message, "Seconds")
    return Leg(
        leg_id=last(message, "Uniqueid"),
        channel=last(message, "Channel"),
        call_id=_call_id_of(message.variable),
        state=last(message, "ChannelStateDesc"),
        started_at=now - timedelta(seconds=int(seconds)) if seconds.isdecimal() else None,
    )


def _call_id_of(variable: str | list[str]) -> str:
    """From the header "Variable: CORDBOARD_CALL=...", the only one we asked for (the last, if one was forged)."""
    line = variable[-1] if isinstance(variable, list) else variable
    value = line.partition("=")[2]
    return "" if value == "(null)" else value  # Asterisk's word for a variable that is not set
