"""A phone whose caller follows a script, for tests of the core and the service without a switch.

It keeps the promises of the `Phone` port and holds its user to them: only outcomes a verb can have, a checkpoint
that fits a channel, and nothing asked after the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
}
ANY_VERB = (o.HungUp, o.Failed)


class ScriptedPhone:
    """One call. script: the outcomes in order, for verbs that can have more than one; others are simply `Done`.

    When the script is at its end the caller hangs up.
    """

    def __init__(self, arrival: Arrival, script: Iterable[o.Outcome | o.HandedOver] = ()) -> None:
        self._arrival = arrival
        self._script: Iterator[o.Outcome | o.HandedOver] = iter(script)
        self._is_over = False
        self.performed: list[v.Verb] = []
        self.checkpoints: list[str] = []
        self.was_abandoned = False
        self.was_handed_over = False

    @property
    def arrival(self) -> Arrival:
        """The call as it reached this worker."""
        return self._arrival

    async def perform(self, verb: v.Verb, checkpoint: str) -> o.Outcome | o.HandedOver:
        """The script's next outcome, if the verb leaves a choice."""
        assert not self._is_over, f"{verb} was asked of a call that has ended"
        assert len(checkpoint.encode()) <= CHECKPOINT_MAX_BYTES
        assert re.fullmatch(r"[A-Za-z0-9._~:-]*", checkpoint), checkpoint
        self.performed.append(verb)
        self.checkpoints.append(checkpoint)
        outcome = self._outcome_of(verb)
        self._is_over = isinstance(outcome, o.HungUp | o.HandedOver) or getattr(outcome, "hung_up", False)
        return outcome

    async def hand_over(self, checkpoint: str = "") -> None:
        """Let go of the call between two verbs."""
        self.checkpoints.append(checkpoint)
        self.was_handed_over = self._is_over = True

    async def abandon(self) -> None:
        """Let go of the call for good."""
        self.was_abandoned = self._is_over = True

    def _outcome_of(self, verb: v.Verb) -> o.Outcome | o.HandedOver:
        if isinstance(verb, v.Hangup):
            return o.HungUp(verb.cause)
        if POSSIBLE[type(verb)] == (o.Done,):
            return o.Done()
        outcome = next(self._script, o.HungUp())
        assert isinstance(outcome, (*POSSIBLE[type(verb)], *ANY_VERB)), f"{outcome} cannot follow {verb}"
        return outcome
