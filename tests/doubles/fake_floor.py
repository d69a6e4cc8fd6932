"""A floor and flows of the desk that show what a test puts on them, and note what is asked of them. No database.

For tests of what the web does with a floor's answers and failures; whether the desk is right about a real floor is
shown by the browser tests, on the real store.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import time

from cordboard.acd.model import Agent, FloorPlan, Presence, Queue
from cordboard.desk.flow_page import Fault, FlowLine, FlowPage, Refusal
from cordboard.desk.ports import NoSuchFlow
from cordboard.errors import StoreUnavailable
from cordboard.store.accounts import Session
from cordboard.store.acd_values import AgentView, FloorSnapshot, OfferView, QueueView

PLAN = FloorPlan(
    queues={
        "sales": Queue("sales", dispositions=("sold", "no_interest", "call_back")),
        "support": Queue("support", service_level_formula="excl_short_aban"),
    },
    agents={
        "alice": Agent("alice", "Alice Ray", "PJSIP/1001", ("sales", "support")),
        "bob": Agent("bob", "Bob Stone", "PJSIP/1002", ("sales",)),
        "ursula": Agent("ursula", "Ursula Wynn", "PJSIP/1003", (), is_admin=True),
    },
)
ADMIN = "ursula"
PAGE = FlowPage(
    flows=(
        FlowLine("hello", "0123456789ab", 1_000.0, "watch", "", "", ("5000",), 1, True, (), 3, 7),
        FlowLine("sales", "ba9876543210", None, "", "", "", (), 0, False, ("hello",), 12, None),
    ),
    refusal=None,
    is_traced=True,
)
REFUSAL = Refusal(2_000.0, "watch", "", (Fault("flows/hello.yaml:6:38", "unknown-node", "no `by`", "`bye`?"),), 1)
PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><style>rect{fill:red}</style><rect/></svg>'
)


def agent_view(name: str = "alice", offer: OfferView | None = None, activity: str = "idle") -> AgentView:
    """An agent who is available."""
    full_name = PLAN.agents[name].full_name
    return AgentView(name, full_name, Presence.AVAILABLE, "", 1_000.0, activity, 1_000.0, offer)


def queue_view(name: str = "sales", waiting: int = 0, longest_wait_s: float = 0.0) -> QueueView:
    """A queue after some calls."""
    return QueueView(name, waiting, longest_wait_s, 12, 9, 2, 0.75, {"idle": 1, "logged_out": 1}, 0.0, 1)


class FakeFloor:
    """Implements `DeskFloor`. Change `snapshot_now` and call `change()`; set `fault` to have everything fail."""

    def __init__(self) -> None:
        self.plan = PLAN
        self.snapshot_now = FloorSnapshot(
            time(), (queue_view("sales"), queue_view("support")), (agent_view("alice"), agent_view("bob"))
        )
        self.fault: Exception | None = None
        self.reads = 0
        self.asked: list[tuple[str, ...]] = []
        self._listeners: list[Callable[[], None]] = []

    async def snapshot(self) -> FloorSnapshot:
        self.reads += 1
        if self.fault is not None:
            raise self.fault
        return self.snapshot_now

    @property
    def agents(self) -> FakeFloor:
        """What agents do: here, too."""
        return self

    @property
    def bell(self) -> FakeFloor:
        """Who tells of changes: `change` does."""
        return self

    async def set_presence(self, agent: str, presence: Presence, reason: str = "") -> None:
        if self.fault is not None:
            raise self.fault
        if reason and reason not in self.plan.pause_reasons:
            raise ValueError(f"{reason!r} is no reason to pause")
        self.asked.append((agent, presence.value, reason))

    async def force_presence(self, by: str, agent: str, presence: Presence, reason: str = "") -> None:
        await self.set_presence(agent, presence, reason)
        self.asked[-1] = (by, *self.asked[-1])

    async def extend_wrap_up(self, agent: str, offer_id: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append((agent, offer_id, "more time"))

    async def dispose(self, agent: str, offer_id: str, disposition: str, note: str = "") -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append((agent, offer_id, disposition, note))

    def on_changed(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def change(self, **parts: object) -> None:
        """Show something else from now on, and say so. parts: of the snapshot."""
        self.snapshot_now = replace(self.snapshot_now, **parts)  # type: ignore[arg-type]
        for listener in self._listeners:
            listener()


class FakeFlows:
    """Implements `FlowBook`. Call `change()` to show another page; set `fault` to have no picture."""

    def __init__(self) -> None:
        self.page_now = PAGE
        self.fault: Exception | None = None
        self.asked: list[tuple[str, int | None]] = []
        self._listeners: list[Callable[[], None]] = []

    def page(self) -> FlowPage:
        return self.page_now

    async def picture(self, flow: str, hours: int | None) -> str:
        self.asked.append((flow, hours))
        if self.fault is not None:
            raise self.fault
        if flow not in {line.name for line in self.page_now.flows}:
            raise NoSuchFlow(flow)
        return PICTURE

    def on_changed(self, listener: Callable[[], None]) -> None:
        self._listeners.append(listener)

    def change(self, **parts: object) -> None:
        """Show something else from now on, and say so. parts: of the page."""
        self.page_now = replace(self.page_now, **parts)  # type: ignore[arg-type]
        for listener in self._listeners:
            listener()


@dataclass
class FakeAccounts:
    """Implements `Accounts` in memory. hashes: by agent."""

    hashes: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    is_down: bool = False

    async def password_hash(self, agent: str) -> str | None:
        self._check()
        return self.hashes.get(agent)

    async def open_session(self, session: Session) -> None:
        self._check()
        self.sessions[session.token_hash] = session

    async def find_session(self, token_hash: str) -> Session | None:
        self._check()
        return self.sessions.get(token_hash)

    async def close_session(self, token_hash: str) -> None:
        self._check()
        self.sessions.pop(token_hash, None)

    def _check(self) -> None:
        if self.is_down:
            raise StoreUnavailable("no database in this test")
