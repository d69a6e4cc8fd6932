"""A phone whose caller follows a script, for tests of the core and the service without a switch.

It keeps the promises of the `Phone` port and holds its user to them: only outcomes a verb can have, a checkpoint
that fits a channel, and nothing asked after the end. While the caller stays, a test may have them hang up, or the
link break, at any moment.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator

from cordboard.errors import SwitchUnavailable
from cordboard.telephony import outcomes as o
from cordboard.telephony import verbs as v
from cordboard.telephony.ports import CHECKPOINT_MAX_BYTES, Arrival

POSSIBLE: dict[type, tuple[type, ...]] = {
    v.Answer: (o.Done,),
    v.Play: (o.Done,),
    v.Say: (o.Done,),
    v.Gather: (o.Gathered, o.NoInput),
    v.Dial: (o.Connected, o.NotConnected, o.HandedOver),
    v.Record: (o.Recorded,),
    v.VoicemailBox: (o.Done, o.HandedOver),
    v.Hangup: (),
    v.Hold: (o.Done,),
    v.RingAgent: (o.HandedOver,),
    v.RecordCall: (o.Done,),
    v.Transfer: (o.Transferred, o.NotConnected),
}
ANY_VERB = (o.HungUp, o.Failed)


class ScriptedPhone:
    """One call. script: the outcomes in order, for verbs that can have more than one; others have their only one.

    When the script is at its end the caller hangs up. play_s: how long `Play` and `Say` take, for tests that let go
    in the middle of them. pressed_in_play: a key for the next `Play` that keys stop.
    """

    def __init__(
        self, arrival: Arrival, script: Iterable[o.Outcome | o.HandedOver] = (), *, play_s: float = 0.0
    ) -> None:
        self._arrival = arrival
        self._play_s = play_s
        self._left = asyncio.Event()
        self._lost = False
        self._script: Iterator[o.Outcome | o.HandedOver] = iter(script)
        self._is_over = False
        self.performed: list[v.Verb] = []
        self.checkpoints: list[str] = []
        self.was_abandoned = False
        self.was_handed_over = False
        self.was_let_go = False
        self.stays: list[float] = []
        self.pressed_in_play = ""

    @property
    def arrival(self) -> Arrival:
        """The call as it reached this worker."""
        return self._arrival

    async def perform(self, verb: v.Verb, checkpoint: str) -> o.Outcome | o.HandedOver:
        """The script's next outcome, if the verb leaves a choice."""
        self._accept(checkpoint, verb)
        self.performed.append(verb)
        if self._play_s and isinstance(verb, v.Play | v.Say):
            await self._end_within(self._play_s)
        outcome = o.HungUp() if self._left.is_set() else self._outcome_of(verb)
        ends = isinstance(outcome, o.HungUp | o.HandedOver | o.Transferred)
        self._is_over = ends or getattr(outcome, "hung_up", False)
        return outcome

    async def stay(self, longest_s: float, checkpoint: str) -> o.HungUp | None:
        """Wait in real time, unless the caller hangs up (`hang_up`) or the link is lost meanwhile."""
        self._accept(checkpoint, "stay")
        self.stays.append(longest_s)
        if not await self._end_within(longest_s):
            return None
        self._is_over = True
        return o.HungUp()

    def let_go(self) -> None:
        """Let go in the middle of something; who awaits it gets SwitchUnavailable."""
        self.was_let_go = True
        self.lose()

    def hang_up(self) -> None:
        """What the caller does while staying, or during an announcement."""
        self._left.set()

    def lose(self) -> None:
        """What a broken link does."""
        self._lost = self._is_over = True
        self._left.set()

    async def hand_over(self, checkpoint: str = "") -> None:
        """Let go of the call between two verbs."""
        self.checkpoints.append(checkpoint)
        self.was_handed_over = self._is_over = True

    async def abandon(self) -> None:
        """Let go of the call for good."""
        self.was_abandoned = self._is_over = True

    def _accept(self, checkpoint: str, what: object) -> None:
        assert not self._is_over, f"{what} was asked of a call that has ended"
        assert len(checkpoint.encode()) <= CHECKPOINT_MAX_BYTES
        assert re.fullmatch(r"[A-Za-z0-9._~:-]*", checkpoint), checkpoint
        self.checkpoints.append(checkpoint)

    async def _end_within(self, longest_s: float) -> bool:
        """Whether the caller left within that time. Raises SwitchUnavailable if the link was lost."""
        try:
            async with asyncio.timeout(longest_s):
                await self._left.wait()
        except TimeoutError:
            return False
        if self._lost:
            raise SwitchUnavailable("the link was lost")
        return True

    def _outcome_of(self, verb: v.Verb) -> o.Outcome | o.HandedOver:
        if isinstance(verb, v.Hangup):
            return o.HungUp(verb.cause)
        if isinstance(verb, v.Play) and verb.keys and self.pressed_in_play:
            key, self.pressed_in_play = self.pressed_in_play, ""
            return o.Interrupted(key)
        if POSSIBLE[type(verb)] in ((o.Done,), (o.HandedOver,)):
            return o.HandedOver() if isinstance(verb, v.RingAgent) else o.Done()
        outcome = next(self._script, o.HungUp())
        assert isinstance(outcome, (*POSSIBLE[type(verb)], *ANY_VERB)), f"{outcome} cannot follow {verb}"
        return outcome
