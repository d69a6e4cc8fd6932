"""What the desk needs of the rest: the floor it shows and acts on, the flows, the accounts agents log in with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cordboard.acd.model import FloorPlan, Presence
from cordboard.crm.crm_file import CrmSettings
from cordboard.desk.flow_page import FlowPage
from cordboard.store.accounts import Session
from cordboard.store.acd_values import FloorSnapshot


class AgentDesk(Protocol):
    """What agents and supervisors do at the desk: `service.agent_acts.AgentActs`."""

    async def set_presence(self, agent: str, presence: Presence, reason: str = "") -> None:
        """What the agent chose. Raises StoreUnavailable, ValueError for what is not known."""
        ...

    async def force_presence(self, by: str, agent: str, presence: Presence, reason: str = "") -> None:
        """What a supervisor has decided for an agent. by: their name. Raises as `set_presence`."""
        ...

    async def extend_wrap_up(self, agent: str, offer_id: str) -> None:
        """More time for the notes on a call. Raises StoreUnavailable, ValueError where there is none to be had."""
        ...

    async def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> None:
        """What came of a call, as its agent says. Raises StoreUnavailable, ValueError for what is not theirs."""
        ...


class Bell(Protocol):
    """Tells the desk when to look again: `service.bell.Bell`."""

    def on_changed(self, listener: Callable[[], None]) -> None:
        """Call this, in the event loop, when something people look at may have changed."""
        ...


class DeskFloor(Protocol):
    """The part of `service.floor.Floor` the desk uses."""

    @property
    def plan(self) -> FloorPlan:
        """Queues, agents and reasons to pause, as configured now."""
        ...

    async def snapshot(self) -> FloorSnapshot:
        """Everything people look at. Raises StoreUnavailable."""
        ...

    @property
    def agents(self) -> AgentDesk:
        """What agents do."""
        ...

    @property
    def bell(self) -> Bell:
        """Who tells when to look again."""
        ...


CrmNow = Callable[[], CrmSettings | None]
"""What crm.yaml says now: which fields a customer has and which one is the title. None without a CRM."""


class NoSuchFlow(Exception):
    """No flow of this name is live."""


class NoPicture(Exception):
    """A flow cannot be drawn here; the message tells people why. passes: it may be possible later."""

    def __init__(self, message: str, *, passes: bool) -> None:
        self.passes = passes
        super().__init__(message)


class FlowBook(Protocol):
    """The flows as they are live: `bootstrap.live_flows.LiveFlows`."""

    def page(self) -> FlowPage:
        """What admins see of all flows. Cheap enough to be asked at every reading of the floor."""
        ...

    async def picture(self, flow: str, hours: int | None) -> str:
        """The flow drawn as SVG; with hours, how many calls of so long ago and since took each way.

        Raises NoSuchFlow, NoPicture, StoreUnavailable.
        """
        ...

    def on_changed(self, listener: Callable[[], None]) -> None:
        """Call this, in the event loop, when the page may have changed."""
        ...


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
