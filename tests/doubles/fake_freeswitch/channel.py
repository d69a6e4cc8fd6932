"""One leg of a call: its variables, its keys, what it was told to do, and the events that tell of it.

What happens to it from outside interrupts what runs: that ends with `Gone`, and `life` looks at what is next.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from tests.doubles.fake_freeswitch import blocks, facts

if TYPE_CHECKING:
    from tests.doubles.fake_freeswitch.bridge import Bridge

FRAME_S = 0.02  # a channel looks for its next application, and for keys, so often

Interruption = Literal["", "hung up", "moved", "joined", "cut", "parked"]


class Gone(Exception):
    """The channel has ended, or has to leave what it was doing: ends the application that runs."""


@dataclass(frozen=True)
class Order:
    """An application that somebody wants run. event_uuid: "" for any; is_locked: not before the last has ended."""

    application: str
    argument: str
    event_uuid: str = ""
    is_locked: bool = False


class Home(Protocol):
    """What a channel needs of its switch."""

    async def frame(self, late_s: float) -> float: ...

    def tell(self, channel: Channel | None, event: bytes, name: str) -> None: ...

    def execute(self, channel: Channel, order: Order) -> Awaitable[None]: ...


@dataclass(frozen=True)
class Profile:
    """Who calls whom. source: the module that made the channel."""

    destination: str
    ani: str
    name: str
    direction: Literal["inbound", "outbound"] = "inbound"
    channel_name: str = ""
    source: str = "mod_loopback"


class Channel:
    """What a test does to the caller is `press`, `hang_up` and `speaks`; to a phone that rings also `pick_up`."""

    def __init__(self, home: Home, profile: Profile, leg_id: str = "") -> None:
        self.leg_id = leg_id or str(uuid.uuid4())
        self.profile = profile
        self.variables: dict[str, str] = {"direction": profile.direction, "uuid": self.leg_id}
        self.channel_name = profile.channel_name or f"loopback/{profile.destination}-b"
        self.destination = profile.destination
        self.context = "default"
        # what has become of it
        self.cause = ""
        self.is_ended_by_us = False
        self.began_at = time.time()
        self.cause_at = 0.0
        self.answered_at = 0.0
        self.bridged_at = 0.0
        self.state = "CS_EXECUTE"
        self.other_leg_id = ""  # whom it was made by or joined with last
        self.call_id = ""  # the leg that was first in the talk
        # what it does
        self.application = ""  # the last that was begun, as a list of channels has it
        self.running: list[str] = []
        self.actions: deque[tuple[str, str]] = deque()  # what is left of its extension
        self.orders: deque[Order] = deque()
        self.executed: list[str] = []  # "application argument" of all that was ordered
        self.interruption: Interruption = ""
        self.moved = ""  # the extension it is sent to
        self.came_at = self.began_at  # to where it is now
        self.exports: dict[str, str] = {}  # what whom it is joined with gets then
        self.bridge: Bridge | None = None
        self.broken = asyncio.Event()  # a break was asked for
        self.answered = asyncio.Event()
        self.ended = asyncio.Event()
        # what it is to tests
        self.speaks = False
        self.keys: deque[str] = deque()
        self.place = ""  # where it is when no worker has it
        self.recordings: dict[str, str] = {}  # by path: "on", "masked", "stopped"
        self._home = home
        self._late_s = 0.0  # behind the clock: frames that a busy machine held up are made up for

    @property
    def is_answered(self) -> bool:
        return self.answered.is_set()

    # -- what happens to it --

    def press(self, keys: str) -> None:
        """The caller presses keys."""
        self.keys.extend(keys)

    def pick_up(self) -> None:
        """The phone is picked up."""
        if not self.is_answered and not self.cause:
            self.answered_at = time.time()
            self.answered.set()
            self.tell("CHANNEL_ANSWER")

    def hang_up(self, cause: str = "NORMAL_CLEARING", *, by_us: bool = False) -> None:
        """It ends; the event comes at once, all others when what runs has ended. by_us: not by the other side."""
        if self.cause:
            return
        self.cause, self.cause_at, self.is_ended_by_us = cause, time.time(), by_us
        self.interruption = "hung up"
        if self.bridge is not None:
            self.bridge.leave(self)
        self.tell("CHANNEL_HANGUP")

    @property
    def disposition(self) -> str:
        """How it ended, as SIP has it."""
        if self.is_answered:
            return "send_bye" if self.is_ended_by_us else "recv_bye"
        if self.profile.direction == "inbound":
            return "send_refuse" if self.is_ended_by_us else "recv_cancel"
        return "send_cancel" if self.is_ended_by_us else "recv_refuse"

    def send_to(self, extension: str, context: str = "") -> None:
        """Somewhere else in the dialplan: what runs ends. context: "" for the one that it is in."""
        self.moved, self.context = extension, context or self.context
        self._interrupt("moved")

    def cut(self) -> None:
        """The socket that had it has ended, and it is to go on: what runs ends."""
        self._interrupt("cut")

    def fetch(self, bridge: Bridge) -> None:
        """It is to be joined: what runs ends."""
        self.bridge = bridge
        self._interrupt("joined")

    def stand_still(self) -> None:
        """It is to do nothing but what is ordered: what runs ends."""
        self._interrupt("parked")

    def _interrupt(self, why: Interruption) -> None:
        if not self.cause:
            self.interruption = why

    # -- what applications use --

    def value(self, name: str) -> str:
        """A variable, or one of the facts that can be read like one; "" for what is not set."""
        moments = {"profile_created_time": self.came_at, "answered_time": self.answered_at}
        return str(int(moments[name] * 1e6)) if name in moments else self.variables.get(name, "")

    async def frame(self) -> None:
        """One frame; an order that has come is carried out within whatever runs. Raises Gone."""
        self._late_s = await self._home.frame(self._late_s)
        self.check()
        if self.orders and not self.broken.is_set() and not self._is_held_back(self.orders[0]):
            await self._home.execute(self, self.orders.popleft())
            self.check()

    def _is_held_back(self, order: Order) -> bool:
        return order.is_locked and self.running[-1:] not in ([], ["socket"], ["park"])

    def check(self) -> None:
        """Raises Gone if it has to leave what it does."""
        if self.interruption:
            raise Gone

    def key(self) -> str:
        """The next key, told as an event; "" if there is none."""
        if not self.keys:
            return ""
        key = self.keys.popleft()
        self.tell("DTMF", [("DTMF-Digit", key), ("DTMF-Duration", "2000"), ("DTMF-Source", "APP")])
        return key

    # -- what it says --

    def tell(self, name: str, more: blocks.Headers = (), *, first: blocks.Headers = ()) -> None:
        """An event about it."""
        self._home.tell(self, blocks.event([*blocks.core(name), *first, *facts.of(self), *more]), name)
