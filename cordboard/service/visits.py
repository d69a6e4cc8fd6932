"""One caller who waits in a queue on this worker: what is known of them, and what has come for them meanwhile.

Made and kept by the waiting room; whoever has something for the caller (an offer, a key, a verdict of the queue's
rules) leaves it here and wakes the one who looks after the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cordboard.acd import announcements
from cordboard.acd.announcements import Told
from cordboard.acd.model import LeftBecause, Moment, Queue
from cordboard.acd.overflow import next_wait_s
from cordboard.acd.reviewing import is_watched
from cordboard.store.acd_values import CallerNote, Entered, OfferToRing
from cordboard.store.moments import now
from cordboard.telephony.outcomes import HandedOver
from cordboard.telephony.ports import Phone
from cordboard.telephony.verbs import Enqueue


@dataclass(eq=False)
class Visit:
    """A caller who waits here now. came: when the caller came to the queue; entered: the place, once there is one;
    asked, queue: where the flow has put the caller, and where they are since an overflow. seq, came_as: see
    `WaitingRoom.wait`.

    offer: set when there is one to ring; interrupted: let go of the call; key: pressed, and leads somewhere;
    left: the queue's rules have ended the wait; is_better_place: to be told; is_in_doubt: what the rules have made
    of the wait was not to be heard.
    news: one of these has come; cut: one that waits for no announcement to end.
    """

    phone: Phone
    verb: Enqueue
    checkpoint: str
    asked: Queue
    queue: Queue
    caller: Callable[[], CallerNote]
    came: Moment
    interrupted: bool
    seq: int = 0
    came_as: int = 0
    entered: Entered | None = None
    offer: OfferToRing | None = None
    key: str = ""
    left: LeftBecause | None = None
    is_announcing: bool = False
    is_better_place: bool = False
    is_in_doubt: bool = False
    told: Told = field(default_factory=Told)
    heard_s: float = announcements.BEFORE  # what came due until then has been said, or passed over
    quiet_until_s: float = 0.0  # no announcement before that
    reviewed_s: float = 0.0  # steps of overflow that came due by time until then have been looked at
    news: asyncio.Event = field(default_factory=asyncio.Event)
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def call_id(self) -> str:
        return self.phone.arrival.call.call_id

    @property
    def keys(self) -> str:
        """The keys that lead somewhere."""
        return self.verb.exit_keys + self.verb.step_out_keys

    @property
    def max_wait_s(self) -> float:
        return self.asked.max_wait_s if self.verb.max_wait_s is None else self.verb.max_wait_s

    @property
    def waited_s(self) -> float:
        """Since the caller came to the queue, on a clock that nobody can set."""
        return now().boot - (self.came.boot if self.entered is None else self.entered.entered_boot)

    @property
    def patience_s(self) -> float:
        """How much longer the caller may wait. One who is called back has not waited on the phone till now."""
        is_call = self.entered is None or self.entered.kind == "call"
        return self.max_wait_s - (self.waited_s if is_call else now().boot - self.came.boot)

    @property
    def is_quiet(self) -> bool:
        """Whether the caller just waits: a phone could be rung for them at once. Who is not in yet, or not again
        after an agent who did not take the call, has their offer as they come in.
        """
        return self.entered is not None and not self.is_announcing and not self.offer

    @property
    def is_watched(self) -> bool:
        """Whether the queue's rules may have something to say that depends on others, or on the hour."""
        has_to_look = is_watched(self.queue, self.reviewed_s) or self.queue.announce.on_change
        return self.entered is not None and (self.is_in_doubt or has_to_look)

    @property
    def is_step_due(self) -> bool:
        """Whether a step of the queue's overflow has come due by time."""
        return next_wait_s(self.queue.overflow, self.reviewed_s) <= self.waited_s

    def next_due_s(self) -> float:
        """In how long there is something to do for the caller, if nothing comes before: never less than nothing."""
        waited_s = self.waited_s
        rhythm_s = waited_s if self.is_better_place else announcements.next_announcement_s(self.queue, self.heard_s)
        announce_s = max(rhythm_s, self.quiet_until_s)
        overflow_s = next_wait_s(self.queue.overflow, self.reviewed_s)
        return max(0.0, min(self.patience_s, announce_s - waited_s, overflow_s - waited_s))

    def settle_in(self, entered: Entered, queue: Queue) -> None:
        """The caller has a place: the first, the one they had, or one in another queue."""
        is_new = self.entered is None and entered.fence == 1
        self.entered, self.queue = entered, queue
        self.offer = entered.offer or self.offer
        self.told = replace(self.told, position=entered.told_place)
        if not is_new:  # what came due before has been said, here or elsewhere
            self.heard_s = self.waited_s
        # By the rules of the queue that was asked for they have been looked at; elsewhere some may hold already.
        self.reviewed_s = self.waited_s if queue.name == self.asked.name else 0.0

    async def hand_over(self) -> HandedOver:
        """Let go of the call; whichever worker gets it enters it again, in the same place."""
        await self.phone.hand_over(self.checkpoint)
        return HandedOver()

    # -- what comes meanwhile --

    def take(self, offer: OfferToRing) -> None:
        self.offer = offer
        self._tell_at_once()

    def interrupt(self) -> None:
        self.interrupted = True
        self._tell_at_once()

    def press(self, key: str) -> None:
        """A key of the caller's; only the first that leads somewhere counts."""
        if key and key in self.keys and not self.key:
            self.key = key
            self.news.set()

    def send_out(self, because: LeftBecause) -> None:
        self.left = because
        self.news.set()

    def move(self, entered: Entered, queue: Queue) -> None:
        """The caller stands in another queue now."""
        self.settle_in(entered, queue)
        self.news.set()

    def note_position(self, position: int) -> None:
        """Where the caller stands now; told at once, after a while of music, if it is better than what was told."""
        if announcements.is_better(self.queue, self.told, position):
            self.is_better_place = True
            self.news.set()

    def _tell_at_once(self) -> None:
        self.news.set()
        self.cut.set()
