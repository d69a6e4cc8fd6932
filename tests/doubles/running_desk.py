"""The desk on a real port of this machine, before a `FakeFloor`, and a client that behaves as its pages do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from argon2 import PasswordHasher

from cordboard.desk.app import desk_app
from cordboard.desk.kpi_api import KpiBook
from cordboard.desk.server import DeskServer, desk_server
from tests.doubles.fake_floor import ADMIN, FakeAccounts, FakeFloor, FakeFlows

PASSWORD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(
    PASSWORD
)  # quick to check, good for tests only
ASK_S = 5.0


@dataclass
class RunningDesk:
    """A running desk with what stands behind it, and a browser's view of it."""

    url: str
    floor: FakeFloor
    accounts: FakeAccounts
    flows: FakeFlows
    server: DeskServer
    browser: httpx2.AsyncClient

    async def log_in(self, agent: str = "alice") -> httpx2.Response:
        """Log the browser in."""
        return await self.browser.post("/api/v1/login", json={"agent": agent, "password": PASSWORD})

    def stranger(self, **headers: str) -> httpx2.AsyncClient:
        """A client without the browser's cookies and headers."""
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=ASK_S, trust_env=False)


@asynccontextmanager
async def running_desk(
    *, https: bool = False, sends_ahead: int | None = None, kpis: KpiBook | None = None
) -> AsyncIterator[RunningDesk]:
    """A desk for one test. "gone" has a password and is not in agents.yaml any more.

    sends_ahead: bytes the system takes of an answer before the browser reads them, None for its own choice.
    """
    floor, flows = FakeFloor(), FakeFlows()
    accounts = FakeAccounts({"alice": HASH, "bob": HASH, "gone": HASH, ADMIN: HASH})
    server = desk_server(desk_app(floor, accounts, flows, kpis=kpis, https=https), https=https)
    listener = socket.create_server(("127.0.0.1", 0))
    if sends_ahead is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sends_ahead)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.wait_for(server.is_up.wait(), ASK_S)
    origin = url.replace("http:", "https:") if https else url
    try:
        async with httpx2.AsyncClient(
            base_url=url, headers={"Origin": origin}, timeout=ASK_S, trust_env=False
        ) as browser:
            yield RunningDesk(url, floor, accounts, flows, server, browser)
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, ASK_S)
        listener.close()
