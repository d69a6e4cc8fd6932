"""An agent at the desk without a browser: logs in, chooses presence, follows what the page would show, disposes.

    async with DeskClient("http://127.0.0.1:8700", "alice", password) as desk:
        await desk.set_presence("available")
        pop = await desk.popped(lambda pop: shown_value(pop.call, "customer.name") == "Ada Lovelace")

It speaks the desk's own interface under `/api/v1` and nothing else, so whatever it sees a browser can show.
Scenarios and live tests use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from cordboard.errors import LabError

API = "/api/v1"
ANSWER_S = 10.0  # a password's hash is slow on purpose, and slower on a crowded machine
COME_BACK_S = 0.1  # after the desk let go of us
MAX_POPS = 10_000

Page = Mapping[str, Any]


@dataclass(slots=True)
class Pop:
    """One offer as it appeared on the agent's page. sightings: what was shown, and when (`time.monotonic()`)."""

    offer_id: str
    sightings: list[tuple[float, Page]] = field(default_factory=list)

    @property
    def at(self) -> float:
        """When it appeared."""
        return self.sightings[0][0]

    @property
    def call(self) -> Page:
        """What was shown of the call last."""
        return self.sightings[-1][1]

    def shown_at(self, wanted: Mapping[str, str]) -> float | None:
        """When all these values were shown first; None if they never were. Names are those of `shown_value`."""
        fitting = (
            at
            for at, call in self.sightings
            if all(shown_value(call, name) == value for name, value in wanted.items())
        )
        return next(fitting, None)


class DeskClient:
    """`page` is what the agent's page shows now, None before the first reading; `pops` every offer it showed."""

    def __init__(self, url: str, agent: str, password: str) -> None:
        self.agent = agent
        self.page: Page | None = None
        self.pops: list[Pop] = []
        self._password = password
        self._http = httpx2.AsyncClient(
            base_url=url, headers={"Origin": url}, timeout=ANSWER_S, trust_env=False
        )  # the desk takes changes from pages of its own only
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self.log_in()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.log_out()
        finally:
            await self.close()

    async def log_in(self) -> None:
        """Log in and follow the page from now on. Raises LabError if the desk refuses."""
        await self._ask("POST", "/login", {"agent": self.agent, "password": self._password})
        self._following = asyncio.create_task(self._follow())
        await self.shows(lambda page: True)

    async def log_out(self) -> None:
        """Log out: the agent takes no calls any more. Raises LabError."""
        await self._stop_following()
        await self._ask("POST", "/logout")

    async def close(self) -> None:
        """Leave without a word, as a closed browser does."""
        await self._stop_following()
        await self._http.aclose()

    async def set_presence(self, presence: str, reason: str = "") -> None:
        """Choose "available", "paused" (with a reason) or "logged_out". Raises LabError if the desk refuses."""
        await self._ask("PUT", "/presence", {"presence": presence, "reason": reason})

    async def dispose(self, disposition: str, note: str = "", offer_id: str = "") -> None:
        """Say what came of a call, by default the one on the page. Raises LabError if the desk refuses."""
        offer_id = offer_id or str((self.call or {}).get("offer_id", ""))
        if not offer_id:
            raise LabError(f"there is no call on the desk of {self.agent} to dispose of")
        await self._ask("POST", f"/offers/{offer_id}/disposition", {"disposition": disposition, "note": note})

    @property
    def call(self) -> Page | None:
        """The call on the page, None if there is none."""
        call: Page | None = self.page["call"] if self.page is not None else None
        return call

    async def shows(self, condition: Callable[[Page], object], within_s: float = 10.0, what: str = "") -> Page:
        """The page as soon as it is like that. Raises LabError at the deadline."""
        await self._wait(lambda: self.page is not None and condition(self.page), within_s, what or "its page")
        assert self.page is not None
        return self.page

    async def popped(self, condition: Callable[[Pop], object] = lambda _: True, within_s: float = 10.0) -> Pop:
        """The first pop of which this is true, as soon as there is one. Raises LabError at the deadline."""
        await self._wait(lambda: any(map(condition, self.pops)), within_s, "a screen-pop")
        return next(pop for pop in self.pops if condition(pop))

    # Inside

    async def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> None:
        try:
            answer = await self._http.request(method, API + path, json=body)
        except httpx2.HTTPError as fault:
            raise LabError(f"the desk did not answer {self.agent}: {type(fault).__name__} {fault}") from fault
        if answer.status_code >= 300:
            raise LabError(f"the desk refused {method} {path} of {self.agent}: {_reason(answer)}")

    async def _follow(self) -> None:
        """Read the page's events; come back whenever the desk lets go, until it says that all is over."""
        is_over = False
        while not is_over:
            with contextlib.suppress(httpx2.HTTPError):
                is_over = await self._read_events()
            await asyncio.sleep(COME_BACK_S)

    async def _read_events(self) -> bool:
        """True if the log-in has ended."""
        async with self._http.sse(API + "/events", timeout=httpx2.Timeout(ANSWER_S)) as events:
            if events.response.status_code == 401:
                return True
            async for event in events:
                if event.event == "snapshot":
                    self._take(json.loads(event.data)["view"], time.monotonic())
                elif event.event == "over":
                    return True
        return False

    def _take(self, page: Page, at: float) -> None:
        self.page = page
        if page["call"] is not None:
            self._pop_of(page["call"]["offer_id"]).sightings.append((at, page["call"]))
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _pop_of(self, offer_id: str) -> Pop:
        found = next((pop for pop in reversed(self.pops) if pop.offer_id == offer_id), None)
        if found is None:
            found = Pop(offer_id)
            self.pops.append(found)
            del self.pops[:-MAX_POPS]
        return found

    async def _wait(self, condition: Callable[[], object], within_s: float, what: str) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    await self._changed.wait()
        except TimeoutError:
            shown = json.dumps(self.page)[:2_000]
            raise LabError(
                f"{self.agent} waited {within_s:g} s in vain for {what}; the page shows {shown}"
            ) from None

    async def _stop_following(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def shown_value(call: Page, name: str) -> str:
    """What the page shows of a call under a name: a field of the call, or `customer.<field>` of the best record.

    Fields are named as in crm.yaml; `name`, where it is no field of its own, is the record's heading. Besides:
    `customer.title`, `customer.status`, `customer.notice` of the whole card. "" where there is none.
    """
    first, _, of_customer = name.partition(".")
    if not of_customer:
        return str(call.get(first) if call.get(first) is not None else "")
    card = call["customer"]
    if of_customer in ("status", "title", "notice"):
        return str(card[of_customer])
    if not card["records"]:
        return ""
    record = card["records"][0]
    fields = {one["label"].lower().replace(" ", "_"): str(one["value"]) for one in record["fields"]}
    return fields.get(of_customer.lower(), record["title"] if of_customer == "name" else "")


def _reason(answer: httpx2.Response) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.json()['detail']}"
    return str(answer.status_code)
