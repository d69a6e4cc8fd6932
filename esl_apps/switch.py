"""A whole FreeSWITCH: `telephony.ports.Switch` over the inbound link. Used by the service.

Everything that is said to FreeSWITCH is an API command which ends at once, but for the making of a leg: that is a
job, whose answer comes as an event when the leg is answered or will not be. A leg has the id we give it, and
FreeSWITCH makes no second one of the same id.

Events go to whoever has registered for them, one at a time and in order: a callback notes and returns. What was
missed while the link was down is not told again.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from cordboard.edge.calling_back import CONTEXT
from cordboard.edge.linked_switch import LinkedSwitch
from cordboard.edge.telephone_numbers import shown_number
from cordboard.errors import SwitchProtocolError, SwitchRefused
from cordboard.telephony.hangup_causes import HangupCause
from cordboard.telephony.ports import AgentLeg, AgentLegEvent, CallEvent, CustomerLeg, DeviceState, Leg
from esl_apps import agent_legs, commands, variables
from esl_apps.agent_legs import Row
from esl_apps.call_events import call_event, is_left_alone
from esl_apps.calling_back import leg_wanted
from esl_apps.causes import WORDS
from esl_apps.devices import Devices, Place, is_one_device, place_of_registration, places_of, user_of, users_of
from esl_apps.events import HANGUP_COMPLETE, EslEvent, cause_of_word
from esl_apps.hub import EslHub
from esl_apps.link import EslLink

ORIGINATE_MARGIN_S = 5.0  # beyond the ringing: FreeSWITCH's own time-out answers first
LAG_S = 0.5
LIST_S = 5.0  # a thousand channels are a megabyte

_REGISTERED = ("CUSTOM sofia::register", "CUSTOM sofia::unregister", "CUSTOM sofia::expire")

_LEG_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PLACE = re.compile(r"[A-Za-z0-9_.*#+-]{1,80}")

_log = structlog.get_logger(__name__)


class FreeswitchSwitch(LinkedSwitch[EslLink]):
    """FreeSWITCH's control link. It begins to connect with `connect`."""

    def __init__(self, host: str, port: int, secret: str, *, hub: EslHub, ping_s: float = 2.0) -> None:
        super().__init__(EslLink(host, port, secret, hub=hub, ping_s=ping_s))
        self._devices = Devices()
        self._watched: dict[str, Callable[[EslEvent], None]] = {}
        self._on_agent_leg: list[Callable[[AgentLegEvent], None]] = []
        self._on_call_event: list[Callable[[CallEvent], None]] = []
        self._on_left_alone: list[Callable[[EslEvent], None]] = []
        self._on_hangup: list[Callable[[str], None]] = []
        self._on_device: list[Callable[[str, DeviceState], None]] = []
        for name in agent_legs.EVENTS:
            self._link.on_event(name, self._hear)
        for name in _REGISTERED:
            self._link.on_event(name, self._hear_registration)
        self._link.on_connected(self._devices.forget_told)

    # -- who wants to hear of what --

    def on_agent_leg(self, callback: Callable[[AgentLegEvent], None]) -> None:
        """Call this with what each agent's leg does, the moment it does it."""
        self._on_agent_leg.append(callback)

    def on_device_state(self, callback: Callable[[str, DeviceState], None]) -> None:
        """Call this with each change of a phone's state ("user/1001")."""
        self._on_device.append(callback)

    def on_caller_hangup(self, callback: Callable[[str], None]) -> None:
        """Call this with the id of each leg that has ended."""
        self._on_hangup.append(callback)

    def on_call_event(self, callback: Callable[[CallEvent], None]) -> None:
        """Call this with what becomes of calls that nobody hung up."""
        self._on_call_event.append(callback)

    def on_left_alone(self, callback: Callable[[EslEvent], None]) -> None:
        """Call this with the last event of each call of ours that ends while no worker has it."""
        self._on_left_alone.append(callback)

    def watch(self, leg_id: str, callback: Callable[[EslEvent], None]) -> None:
        """Call this with the events of one leg, until `unwatch`."""
        self._watched[leg_id] = callback

    def unwatch(self, leg_id: str) -> None:
        """Hear nothing more of a leg."""
        self._watched.pop(leg_id, None)

    # -- what can be done --

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

        Raises SwitchProtocolError on a value that is more than it should be.
        """
        shown = {"origination_caller_id_number": shown_number(caller_id)} if caller_id else {}
        word = await self.ring(
            leg_id,
            device,
            context=context,
            extension=extension,
            ring_s=ring_s,
            variables={**(variables or {}), **shown},
        )
        return None if word is None else cause_of_word(word)

    async def ring(
        self, leg_id: str, device: str, *, context: str, extension: str, ring_s: float, variables: Mapping[str, str]
    ) -> str | None:
        """As `originate`, with FreeSWITCH's own word for why the phone was not answered."""
        if not is_one_device(device):
            raise SwitchProtocolError("an originate target that is not one device")
        told = {
            "origination_uuid": _fit(_LEG_ID, leg_id),
            "originate_timeout": str(max(1, math.ceil(ring_s))),
            "ignore_early_media": "true",
            "outbound_redirect_fatal": "true",  # a phone that forwards (302) could send callers anywhere
            "hangup_after_bridge": "true",
            **variables,
        }
        target = commands.variables(told) + device
        command = f"originate {target} {_fit(_PLACE, extension)} XML {_fit(_PLACE, context)}"
        answer = await self._link.bgapi(command, longest_s=ring_s + ORIGINATE_MARGIN_S)
        return commands.refusal(answer)

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
        return await self.kill(leg_id, WORDS[cause])

    async def kill(self, leg_id: str, word: str) -> bool:
        """End a leg with a cause of FreeSWITCH's own. False if there is no such leg any more."""
        return await self._do("uuid_kill", _fit(_LEG_ID, leg_id), word)

    async def redirect(self, leg_id: str, *, context: str, extension: str) -> bool:
        """Send a leg elsewhere in the dialplan. False if there is no such leg any more."""
        return await self._do(
            "uuid_transfer", _fit(_LEG_ID, leg_id), _fit(_PLACE, extension), "XML", _fit(_PLACE, context)
        )

    async def set(self, leg_id: str, values: Mapping[str, str]) -> bool:
        """Set variables of a leg. False if there is no such leg any more."""
        return _was_done(await self._link.api(commands.multi_set(_fit(_LEG_ID, leg_id), values)))

    async def variable(self, leg_id: str, name: str) -> str:
        """A variable of a leg, "" if it is not set or there is no such leg."""
        answer = await self._link.api(commands.api_words("uuid_getvar", _fit(_LEG_ID, leg_id), name), changes=False)
        return "" if answer.startswith("-ERR") or answer == "_undef_" else answer

    async def exists(self, leg_id: str) -> bool:
        """Whether there is such a leg."""
        answer = await self._link.api(commands.api_words("uuid_exists", _fit(_LEG_ID, leg_id)), changes=False)
        return answer.strip() == "true"

    # -- what there is --

    async def list_legs(self) -> Sequence[Leg]:
        """All live channels. A list has no variables, so none says whose call it is: who lists compares leg ids."""
        rows = await self.channels()
        return [Leg(row["uuid"], row["name"], "", row["callstate"], _moment(row["created_epoch"])) for row in rows]

    async def agent_legs(self) -> Sequence[AgentLeg]:
        """The live legs of agents that belong to an offer."""
        rows = await self.channels()
        own = [(row["uuid"], offer_id) for row in rows if (offer_id := agent_legs.offer_of(row["uuid"]))]
        return [await self._agent_leg(leg_id, offer_id, rows) for leg_id, offer_id in own]

    async def device_states(self) -> Mapping[str, DeviceState]:
        """What the phone of every user of the directory can do, and of every other one that is registered."""
        listing = await self._link.api("list_users", longest_s=LIST_S, changes=False)
        registered = [place_of_registration(row) for row in await self._rows("show registrations as json")]
        for place in (*places_of(listing), *registered):
            self._devices.note_place(place)
        users = users_of(listing) | {place.user: True for place in registered if place.user}
        return self._devices.list(users, await self.channels())

    async def channels(self) -> list[dict[str, str]]:
        """Every channel, with FreeSWITCH's own columns, as of when this was called: its list lags by some 0.2 s."""
        await asyncio.sleep(LAG_S)
        return await self._rows("show channels as json")

    async def _rows(self, command: str) -> list[dict[str, Any]]:
        answer = await self._link.api(command, longest_s=LIST_S, changes=False)
        try:
            rows = orjson.loads(answer).get("rows", [])
        except (orjson.JSONDecodeError, AttributeError) as error:
            raise SwitchProtocolError(f"no list came for {command}") from error
        return [row for row in rows if isinstance(row, dict)]

    async def _agent_leg(self, leg_id: str, offer_id: str, rows: Sequence[Row]) -> AgentLeg:
        caller = agent_legs.joined_caller(leg_id, rows)
        if not caller:
            return AgentLeg(offer_id, leg_id, await self.variable(leg_id, variables.CALLER_LEG), None)
        if await self.variable(caller, variables.WON) != offer_id:  # our own leg, in the stead of who is being rung
            return AgentLeg(offer_id, leg_id, caller, None)
        joined = await self.variable(caller, variables.JOINED)
        return AgentLeg(offer_id, leg_id, caller, agent_legs.seconds_of(joined) or time.time())

    async def _do(self, *words: str) -> bool:
        """Whether there was such a channel. Raises SwitchRefused if it is not done for another reason."""
        return _was_done(await self._link.api(commands.api_words(*words)))

    # -- what is heard --

    def _hear(self, event: EslEvent) -> None:
        told = agent_legs.agent_leg_event(event)
        for tell in self._on_agent_leg if told is not None else ():
            assert told is not None
            tell(told)
        self._hear_device(event)
        if watcher := self._watched.get(event.leg_id):
            watcher(event)
        if event.name == HANGUP_COMPLETE:
            self._hear_end(event)

    def _hear_end(self, event: EslEvent) -> None:
        for hear in self._on_hangup:
            hear(event.leg_id)
        about_call = call_event(event)
        for tell in self._on_call_event if about_call is not None else ():
            assert about_call is not None
            tell(about_call)
        for left in self._on_left_alone if is_left_alone(event) else ():
            left(event)

    def _hear_device(self, event: EslEvent) -> None:
        if event.name == HANGUP_COMPLETE:
            changed = self._devices.forget_leg(event.leg_id)
        else:
            presence, rings = event.get("Channel-Presence-ID", ""), event.name == agent_legs.RINGING
            changed = self._devices.note_leg(event.leg_id, presence, rings=rings)
        if changed is not None:
            self._tell_device(*changed)

    def _hear_registration(self, event: EslEvent) -> None:
        user = user_of(f"{event.get('from-user') or event.get('user', '')}@")
        if user:
            domain = event.get("from-host") or event.get("host", "")
            self._devices.note_place(Place(user, domain, event.get("profile-name", "")))
            state = self._devices.note_registration(user, is_registered=event.subclass == "sofia::register")
            self._tell_device(user, state)

    def _tell_device(self, user: str, state: DeviceState) -> None:
        for name in self._devices.names(user):
            for tell in self._on_device:
                tell(name, state)


def _fit(pattern: re.Pattern[str], value: str) -> str:
    if pattern.fullmatch(value) is None:
        raise SwitchProtocolError("an event socket value with characters it should not have")
    return value


def _was_done(answer: str) -> bool:
    refused = commands.refusal(answer)
    if refused is not None and "no such channel" not in refused.lower():
        raise SwitchRefused(refused or "refused")
    return refused is None


def _moment(epoch: str) -> datetime | None:
    return datetime.fromtimestamp(int(epoch), UTC) if str(epoch).isdecimal() else None
