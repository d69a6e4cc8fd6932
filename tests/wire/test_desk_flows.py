"""The flows at the desk, over real sockets: for admins only, pushed as they change, its pictures inert."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from cordboard.desk import feed
from cordboard.desk.ports import NoPicture
from cordboard.errors import StoreUnavailable
from cordboard.service.wakes import DESK, Wakes
from tests.doubles.fake_floor import ADMIN, PAGE, PICTURE, PLAN, REFUSAL
from tests.doubles.running_desk import RunningDesk, running_desk
from tests.doubles.running_service import FLOW, Service
from tests.wire.test_desk_events import Page
from tests.wire.test_desk_http import is_problem

ROUTES = ["flows", "flows/events", "flows/hello.svg", "flows/hello.svg?hours=24", "flows/nobody.svg"]


@pytest.fixture
async def desk() -> AsyncIterator[RunningDesk]:
    async with running_desk() as desk:
        yield desk


@pytest.fixture
async def admins_desk(desk: RunningDesk) -> RunningDesk:
    """The desk, where an admin is logged in."""
    await desk.log_in(ADMIN)
    return desk


@asynccontextmanager
async def flows_page(desk: RunningDesk) -> AsyncIterator[Page]:
    async with desk.browser.sse("/api/v1/flows/events") as events:
        assert events.response.status_code == 200
        yield Page(events)


# -- who may look --


async def test_an_agent_gets_nothing_of_the_flows_and_a_stranger_neither(desk: RunningDesk) -> None:
    for route in ROUTES:
        assert is_problem(await desk.browser.get(f"/api/v1/{route}"), 401, "not-logged-in")
    await desk.log_in("alice")
    for route in ROUTES:
        assert is_problem(await desk.browser.get(f"/api/v1/{route}"), 403, "not-admin")
    assert desk.flows.asked == []


async def test_the_page_is_for_admins_and_nobody_else_sees_a_way_to_it(desk: RunningDesk) -> None:
    assert (await desk.browser.get("/flows")).headers["location"] == "/login?to=flows"
    await desk.log_in("alice")
    assert (await desk.browser.get("/flows")).headers["location"] == "/"
    for path in ("/", "/queues"):
        assert "flows" not in (await desk.browser.get(path)).text.lower()
    await desk.log_in(ADMIN)
    assert "/static/flows.js" in (await desk.browser.get("/flows")).text
    for path in ("/", "/queues"):
        assert '<a href="/flows">Flows</a>' in (await desk.browser.get(path)).text


async def test_an_admin_who_is_none_any_more_sees_no_more(admins_desk: RunningDesk) -> None:
    async with flows_page(admins_desk) as page:
        await page.shown()
        agents = {**PLAN.agents, ADMIN: replace(PLAN.agents[ADMIN], is_admin=False)}
        admins_desk.floor.plan = replace(PLAN, agents=agents)
        admins_desk.flows.change(refusal=REFUSAL)
        await page.is_over()
    assert is_problem(await admins_desk.browser.get("/api/v1/flows"), 403, "not-admin")


async def test_without_a_database_nobody_passes_for_an_admin(admins_desk: RunningDesk) -> None:
    admins_desk.accounts.is_down = True
    assert (await admins_desk.browser.get("/flows")).headers["location"] == "/"
    assert "Flows" not in (await admins_desk.browser.get("/")).text
    for route in ROUTES:
        assert is_problem(await admins_desk.browser.get(f"/api/v1/{route}"), 503, "store-unavailable")


# -- what is shown --


async def test_all_flows_are_told_with_what_is_live(admins_desk: RunningDesk) -> None:
    view = (await admins_desk.browser.get("/api/v1/flows")).json()["view"]
    assert [(flow["name"], flow["revision"]) for flow in view["flows"]] == [
        (line.name, line.revision) for line in PAGE.flows
    ]
    assert view["flows"][0]["numbers"] == ["5000"]
    assert (view["refusal"], view["is_traced"]) == (None, True)


async def test_a_refusal_comes_and_goes_by_itself(
    admins_desk: RunningDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "REFRESH_S", 60.0)  # nothing but the event shows it
    async with flows_page(admins_desk) as page:
        assert (await page.shown())["refusal"] is None
        admins_desk.flows.change(refusal=REFUSAL)
        (fault,) = (await page.shown())["refusal"]["faults"]
        assert fault == {
            "place": "flows/hello.yaml:6:38", "code": "unknown-node", "message": "no `by`", "hint": "`bye`?",
        }  # fmt: skip
        admins_desk.flows.change(refusal=None)
        assert (await page.shown())["refusal"] is None


async def test_a_refusal_is_shown_also_while_the_database_rests(admins_desk: RunningDesk) -> None:
    async with flows_page(admins_desk) as page:
        await page.shown()
        admins_desk.floor.fault = StoreUnavailable("locked")
        admins_desk.flows.change(refusal=REFUSAL)
        assert (await page.shown())["refusal"]["faults_count"] == 1


# -- pictures --


async def test_a_picture_is_an_image_that_can_do_nothing(admins_desk: RunningDesk) -> None:
    answer = await admins_desk.browser.get("/api/v1/flows/hello.svg")
    assert (answer.status_code, answer.text) == (200, PICTURE)
    headers = answer.headers
    assert headers["content-type"].startswith("image/svg+xml")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    rules = headers["content-security-policy"].split("; ")
    digest = base64.b64encode(hashlib.sha256(b"rect{fill:red}").digest()).decode()
    assert rules == ["default-src 'none'", f"style-src 'sha256-{digest}'", "frame-ancestors 'none'", "sandbox"]


async def test_a_picture_counts_as_far_back_as_is_asked(admins_desk: RunningDesk) -> None:
    for hours in (1, 24, 168, 744):
        assert (await admins_desk.browser.get(f"/api/v1/flows/hello.svg?hours={hours}")).status_code == 200
    assert admins_desk.flows.asked == [("hello", hours) for hours in (1, 24, 168, 744)]


async def test_no_other_time_is_counted(admins_desk: RunningDesk) -> None:
    for hours in ("0", "-1", "745", "1e3", "nan", "", "24h", "9" * 400):
        answer = await admins_desk.browser.get(f"/api/v1/flows/hello.svg?hours={hours}")
        assert is_problem(answer, 422, "malformed")
    assert admins_desk.flows.asked == []


HOSTILE = [
    "nobody", "", "..", "%2e%2e", "..%2fhello", "..%5chello", "hello%00", "hello%0d%0aX-Y:%20z",
    "hello%2f..%2fhello", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "hello'--", "hello%22", "HELLO", "%E2%80%AEolleh",
    "%ff%fe", "{flow}", "a" * 8_000,
]  # fmt: skip


async def test_a_name_that_is_no_flow_is_none_whatever_it_says(admins_desk: RunningDesk) -> None:
    for name in HOSTILE:
        answer = await raw_get(admins_desk, f"/api/v1/flows/{name}.svg")
        assert is_problem(answer, 404, "not-found")
        assert "script" not in answer.text
        assert "x-y" not in answer.headers


async def raw_get(desk: RunningDesk, path: str) -> httpx2.Response:
    """A request whose path is sent as it is written here."""
    url = httpx2.URL(desk.url).copy_with(raw_path=path.encode())
    return await desk.browser.get(url)


async def test_a_flow_that_cannot_be_drawn_says_why(admins_desk: RunningDesk) -> None:
    for passes, status in ((False, 422), (True, 503)):
        admins_desk.flows.fault = NoPicture("Too many nodes.", passes=passes)
        answer = await admins_desk.browser.get("/api/v1/flows/hello.svg")
        assert is_problem(answer, status, "no-picture")
        assert answer.json()["detail"] == "Too many nodes."
    admins_desk.flows.fault = StoreUnavailable("/secret/path")
    answer = await admins_desk.browser.get("/api/v1/flows/hello.svg?hours=24")
    assert is_problem(answer, 503, "store-unavailable")
    assert "secret" not in answer.text


async def test_the_interface_of_flows_is_described(desk: RunningDesk) -> None:
    described: dict[str, Any] = (await desk.browser.get("/api/v1/openapi.json")).json()["paths"]
    picture = described["/api/v1/flows/{flow}.svg"]["get"]
    assert list(picture["responses"]["200"]["content"]) == ["image/svg+xml"]
    assert {"/api/v1/flows", "/api/v1/flows/events"} <= set(described)


# -- the service --


async def test_the_service_wakes_the_desk_when_it_refuses_a_file(tmp_path: Path) -> None:
    service, woken = Service(tmp_path), asyncio.Event()
    await service.start()
    wakes = Wakes(service.state / "wakes", DESK, woken.set)  # no agent, so no desk has this name
    wakes.listen()
    try:
        (service.config / "flows" / "hello.yaml").write_text(FLOW.replace("next: bye", "next: by"))
        async with asyncio.timeout(10):
            await woken.wait()
        told = json.loads((service.state / "last_refusal.json").read_text())
        assert [one["code"] for one in told["findings"]] == ["unknown-node"]
    finally:
        wakes.close()
        await service.kill()
