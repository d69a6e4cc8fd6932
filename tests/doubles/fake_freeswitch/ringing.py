"""The legs that a fake FreeSWITCH makes: `originate`, and the `bridge` application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tests.doubles.fake_freeswitch.bridge import Bridge, talk_dialled
from tests.doubles.fake_freeswitch.channel import FRAME_S, Channel, Gone, Order
from tests.doubles.fake_freeswitch.dialling import DialString, Target, parsed, refusal

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.switch import FakeFreeswitch

USAGE = "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]"
USAGE += " [<cid_name>] [<cid_num>] [<timeout_sec>]\n"
RING_S = 60.0
CONFIRM_DELAY_S = 0.8  # before the key is asked for
NO_LEG = ("SUBSCRIBER_ABSENT", "CHAN_NOT_IMPLEMENTED")  # ended before there is a leg

_DIALSTATUS = {"USER_BUSY": "BUSY", "CALL_REJECTED": "DONTCALL", "ORIGINATOR_CANCEL": "CANCEL"}
_DIALSTATUS |= {"ALLOTTED_TIMEOUT": "NOANSWER", "NO_ANSWER": "NOANSWER"}


class Ringing:
    """One dial string that is rung. origin: the leg that dials, None for `originate`."""

    def __init__(self, switch: FakeFreeswitch, dial: DialString, origin: Channel | None = None) -> None:
        self._switch = switch
        self._dial = dial
        self._origin = origin
        self.causes: list[str] = []  # of each leg that ended
        self.ends: list[str] = []  # "LEG;CAUSE"

    async def winner(self) -> Channel | None:
        """The leg that was picked up, and accepted. Raises Gone when the origin leaves."""
        for group in self._dial.groups:
            if (leg := await self._first(group)) is not None:
                return leg
        return None

    async def _first(self, group: Sequence[Target]) -> Channel | None:
        """Of phones that ring at once the first that is picked up."""
        legs = [leg for leg in [self._leg(target) for target in group] if leg is not None]
        try:
            return await self._picked_up(legs)
        except Gone:
            await self._give_up(legs, "ORIGINATOR_CANCEL")
            raise

    def _leg(self, target: Target) -> Channel | None:
        part = self._switch.part(target.device)
        cause = refusal(target.device, part)
        if cause in NO_LEG or target.device.startswith("error/"):
            self.causes.append(cause)
            return None
        leg = self._switch.new_leg(target, self._origin)
        leg.tell("CHANNEL_CREATE")
        self._switch.ring(leg, cause or part)
        return leg

    async def _picked_up(self, legs: Sequence[Channel]) -> Channel | None:
        left_s, timeout = self._patience()
        waiting = list(legs)
        while waiting and left_s > 0:
            await self._frame()
            left_s -= FRAME_S
            for leg in [one for one in waiting if one.cause or one.is_answered]:
                waiting.remove(leg)
                if not leg.cause:
                    await self._begin(leg)
                if not leg.cause and await self._accepts(leg):
                    await self._give_up(waiting, "LOSE_RACE")
                    return leg
                await self._ended(leg)
        await self._give_up(waiting, timeout)
        return None

    def _patience(self) -> tuple[float, str]:
        """How long is rung, and the cause when that is over."""
        own = self._dial.groups[0][0].variables
        if "leg_timeout" in own:
            return float(own["leg_timeout"]), "ALLOTTED_TIMEOUT"
        return float(own.get("originate_timeout", RING_S)), "NO_ANSWER"

    async def _frame(self) -> None:
        if self._origin is None:
            await self._switch.frame()
        else:
            await self._origin.frame()

    async def _begin(self, leg: Channel) -> None:
        """What was to be done as the phone is picked up."""
        if command := leg.variables.get("api_on_answer"):
            self._switch.answer(command)
        if order := leg.variables.get("execute_on_answer"):
            application, _, argument = order.partition(" ")
            await self._switch.execute(leg, Order(application, argument))

    async def _accepts(self, leg: Channel) -> bool:
        """Whether the key was pressed, where one is asked for."""
        key = leg.variables.get("group_confirm_key", "")
        if not key:
            return True
        left_s = float(leg.variables.get("group_confirm_timeout", RING_S)) + CONFIRM_DELAY_S
        while left_s > 0:
            await self._frame()
            left_s -= FRAME_S
            if leg.cause:
                return False
            if leg.key() == key:
                leg.variables["read_result"] = "success"
                return True
        leg.hang_up("ALLOTTED_TIMEOUT", by_us=True)
        return False

    async def _give_up(self, legs: Sequence[Channel], cause: str) -> None:
        for leg in legs:
            leg.hang_up(cause, by_us=True)
            await self._ended(leg)

    async def _ended(self, leg: Channel) -> None:
        self.causes.append(leg.cause)
        self.ends.append(f"{leg.leg_id};{leg.cause}")
        await self._switch.end(leg)


async def originate(switch: FakeFreeswitch, argument: str) -> str:
    """The API command: make a leg, and what it does when it is picked up: `&park()`, or `EXTENSION XML CONTEXT`."""
    text, _, then = _split(argument)
    if not text:
        return USAGE
    ringing = Ringing(switch, parsed(text))
    leg = await ringing.winner()
    if leg is None:
        return f"-ERR {ringing.causes[-1]}\n"
    if then.startswith("&"):
        application, _, data = then[1:].partition("(")
        leg.actions.append((application, data.removesuffix(")")))
    else:
        leg.send_to(*then.split()[::2])
    switch.begin(leg)
    return f"+OK {leg.leg_id}\n"


def _split(argument: str) -> tuple[str, str, str]:
    """The dial string and the rest, at the first blank outside of brackets and quotes."""
    depth, is_quoted = 0, False
    for at, sign in enumerate(argument):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(sign, 0)
        is_quoted ^= sign == "'"
        if sign == " " and not depth and not is_quoted:
            return argument[:at], " ", argument[at + 1 :]
    return argument, "", ""


async def bridge(channel: Channel, argument: str, switch: FakeFreeswitch) -> None:
    """The application: dial, and talk. Raises Gone."""
    ringing = Ringing(switch, parsed(argument), channel)
    leg = None
    channel.variables["originate_disposition"] = "failure"  # until it is known
    try:
        leg = await ringing.winner()
    finally:
        _note(channel, leg, ringing)
    if leg is None:
        _after_failure(channel, ringing.causes[-1])
        return
    channel.variables |= leg.exports
    leg.bridge = channel.bridge = Bridge(channel, leg)
    leg.bridge.begin()
    leg.state = "CS_EXCHANGE_MEDIA"
    switch.talk(leg, leg.bridge)
    await talk_dialled(channel, leg)


def _note(channel: Channel, leg: Channel | None, ringing: Ringing) -> None:
    """What the application leaves in the variables of who dialled."""
    cause = "SUCCESS" if leg is not None else (ringing.causes or ["ORIGINATOR_CANCEL"])[-1]
    ends = [*ringing.ends, f"{leg.leg_id};NONE"] if leg is not None else ringing.ends
    values = {"originate_disposition": cause, "DIALSTATUS": _DIALSTATUS.get(cause, cause)}
    values["originate_causes"] = ("ARRAY::" if len(ends) > 1 else "") + "|:".join(ends)
    if leg is None:
        values |= {"originate_failed_cause": cause, "last_bridge_hangup_cause": cause}
    channel.variables |= values


def _after_failure(channel: Channel, cause: str) -> None:
    if channel.variables.get("continue_on_fail") != "true":
        channel.hang_up(cause, by_us=True)
