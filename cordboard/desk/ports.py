"""What the desk needs of the rest: the floor it shows and acts on, and the accounts agents log in with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cordboard.acd.model import FloorPlan, Presence
from cordboard.crm.crm_file import CrmSettings
from cordboard.store.accounts import Session
from cordboard.store.acd_values import FloorSnapshot


class DeskFloor(Protocol):
    """The part of `service.floor.Floor` the desk uses."""

    @property
    def plan(self) -> FloorPlan:
        """Queues, agents and reasons to pause, as configured now."""
        ...

    async def snapshot(self) -> FloorSnapshot:
        """Everything people look at. Raises StoreUnavailable."""
        ...

    async def set_presence(self, agent: str, presence: Presence, reason: str = "") -> None:
        """What the agent chose. Raises StoreUnavailable, ValueError for what is not known."""
        ...

    async def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> None:
        """What came of a call, as its agent says. Raises StoreUnavailable, ValueError for what is not theirs."""
        ...

    def on_changed(self, listener: Callable[[], None]) -> None:
        """Call this, in the event loop, when something people look at may have changed."""
        ...


CrmNow = Callable[[], CrmSettings | None]
"""What crm.yaml says now: which fields a customer has and which one is the title. None without a CRM."""


class Accounts(Protocol):
    """Who may log in, and who has: `store.accounts.StoredAccounts`. Every method may raise StoreUnavailable."""

    async def password_hash(self, agent: str) -> str | None:
        """The argon2 hash of the agent's password, None if the agent has none."""
        ...

    async def open_session(self, session: Session) -> None:
        """Keep a session; those whose time is over may be forgotten."""
        ...

    async def find_session(self, token_hash: str) -> Session | None:
        """The session with this token, None if there is none."""
        ...

    async def close_session(self, token_hash: str) -> None:
        """Forget a session. One that is not there is no fault."""
        ...
