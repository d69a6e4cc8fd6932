"""A call whose caller left while no worker had it: it comes to a worker only to be closed.

Made by who hears of the hang-up on the inbound link; given to the service like any phone.
"""

from __future__ import annotations

from dataclasses import dataclass

from cordboard.telephony.outcomes import HungUp
from cordboard.telephony.ports import Arrival
from cordboard.telephony.verbs import Verb


@dataclass(frozen=True, slots=True)
class EndedCall:
    """`telephony.ports.Phone` without a call: all that can be asked of it is over."""

    arrival: Arrival

    async def perform(self, verb: Verb, checkpoint: str) -> HungUp:
        """Nothing can be done any more."""
        return HungUp()

    async def hand_over(self, checkpoint: str) -> None:
        """There is nothing to let go of."""

    async def abandon(self) -> None:
        """There is nothing to let go of."""

    async def stay(self, longest_s: float, checkpoint: str) -> HungUp:
        """The caller does not wait."""
        return HungUp()

    def let_go(self) -> None:
        """There is nothing to let go of."""
