"""The port every connector implements: one question, asked of wherever customers are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cordboard.crm.customer import Customer
from cordboard.errors import CrmUnavailable


class CrmResting(CrmUnavailable):
    """Nobody was asked: the last questions failed, and the next one is due in a moment."""


class Connector(Protocol):
    """A CRM."""

    @property
    def name(self) -> str:
        """What it is called in logs: "directory", "http"."""

    async def find(self, number: str, timeout_s: float) -> Sequence[Customer]:
        """The customers with this number (E.164), the one to show first at the front, at most MATCHES_MAX.

        Raises CrmUnavailable (late answers too) and CrmRejected, within `timeout_s`. May be cancelled.
        """

    async def close(self) -> None:
        """Let go of files and connections."""
