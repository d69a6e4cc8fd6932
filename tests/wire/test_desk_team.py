"""The team page and its API: who may see it, what is in it and what is not, and what a supervisor can change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cordboard.acd.model import PauseRule, Presence
from cordboard.acd.wrap_up import WrapUpRefused
from cordboard.errors import StoreUnavailable
from cordboard.telephony.ports import DeviceState
from tests.doubles.fake_floor import agent_view
from tests.doubles.running_desk import RunningDesk, running_desk
from tests.unit.test_desk_page import OFFER
from tests.wire.test_desk_http import is_problem


@pytest.fixture
async def desk() -> AsyncIterator[RunningDesk]:
    """A desk where bob is a supervisor."""
    async with running_desk() as desk:
        make_supervisor(desk, "bob")
        yield desk


def make_supervisor(desk: RunningDesk, *names: str) -> None:
    plan = desk.floor.plan
    agents = {name: replace(agent, is_supervisor=name in names) for name, agent in plan.agents.items()}
    desk.floor.plan = replace(plan, agents=agents, pauses={"lunch": PauseRule(1800, at_once=3)})


async def test_a_supervisor_sees_everybody_and_no_caller(desk: RunningDesk) -> None:
    alice = replace(
        agent_view("alice", OFFER, "ringing"), forced_by="bob", device=DeviceState.RINGING, calls_today=3
    )
    desk.floor.change(agents=(alice, replace(agent_view("bob"), presence=Presence.PAUSED, pause_left_s=-30.0)))
    await desk.log_in("bob")
    answer = await desk.browser.get("/api/v1/team")
    view = answer.json()["view"]
    assert [member["agent"] for member in view["members"]] == ["alice", "bob"]
    first, second = view["members"]
    assert (first["queue"], first["phone"], first["forced_by"], first["calls_today"]) == (
        "sales",
        "ringing",
        "bob",
        3,
    )
    assert second["pause_ends_at"] == pytest.approx(desk.floor.snapshot_now.at - 30, abs=0.1)
    assert view["pause_limits"] == {"lunch": ["max 30 min", "3 at once"]}
    for personal in (OFFER.ani, OFFER.number, OFFER.caller_name, "Ada", OFFER.call_id, OFFER.offer_id):
        assert personal not in answer.text


@pytest.mark.parametrize("path", ["team", "team/events"])
async def test_others_see_nothing_of_it(desk: RunningDesk, path: str) -> None:
    async with desk.stranger() as stranger:
        assert is_problem(await stranger.get(f"/api/v1/{path}"), 401, "not-logged-in")
    await desk.log_in("alice")
    assert is_problem(await desk.browser.get(f"/api/v1/{path}"), 403, "not-supervisor")


async def test_what_a_supervisor_decides_is_told_with_who_it_was(desk: RunningDesk) -> None:
    await desk.log_in("bob")
    for choice in ({"presence": "paused", "reason": "lunch"}, {"presence": "logged_out"}):
        assert (await desk.browser.put("/api/v1/team/alice/presence", json=choice)).status_code == 204
    assert desk.floor.asked == [("bob", "alice", "paused", "lunch"), ("bob", "alice", "logged_out", "")]


async def test_nobody_else_decides_for_others(desk: RunningDesk) -> None:
    await desk.log_in("alice")
    answer = await desk.browser.put("/api/v1/team/bob/presence", json={"presence": "logged_out"})
    assert is_problem(answer, 403, "not-supervisor")
    foreign = {"Origin": "https://elsewhere.example"}
    await desk.log_in("bob")
    answer = await desk.browser.put("/api/v1/team/alice/presence", json={"presence": "available"}, headers=foreign)
    assert answer.status_code == 403
    assert desk.floor.asked == []


async def test_who_is_a_supervisor_no_more_is_none_at_once(desk: RunningDesk) -> None:
    await desk.log_in("bob")
    make_supervisor(desk)
    assert is_problem(await desk.browser.get("/api/v1/team"), 403, "not-supervisor")


async def test_what_cannot_be_is_refused_in_words(desk: RunningDesk) -> None:
    await desk.log_in("bob")
    put, path = desk.browser.put, "/api/v1/team/alice/presence"
    assert is_problem(await put(path, json={"presence": "paused", "reason": "nap"}), 422, "not-possible")
    assert is_problem(await put(path, json={"presence": "asleep"}), 422, "malformed")
    assert is_problem(await put("/api/v1/team/zoe/presence", json={"presence": "available"}), 404, "not-found")
    desk.floor.fault = StoreUnavailable("locked")
    assert is_problem(await put(path, json={"presence": "available"}), 503, "store-unavailable")


async def test_links_lead_only_where_one_may_go(desk: RunningDesk) -> None:
    links = {"bob": [True, False], "alice": [False, False], "ursula": [False, True]}
    for name, shown in links.items():
        await desk.log_in(name)
        for page in ("/", "/queues"):
            text = (await desk.browser.get(page)).text
            assert [f'<a href="/{one}">' in text for one in ("team", "flows")] == shown, (name, page)
    assert (await desk.browser.get("/team")).headers["location"] == "/"
    async with desk.stranger() as stranger:
        assert (await stranger.get("/team")).headers["location"] == "/login?to=team"
    await desk.log_in("bob")
    assert '<main id="team"' in (await desk.browser.get("/team")).text


async def test_more_time_is_asked_for_ones_own_call(desk: RunningDesk) -> None:
    await desk.log_in("alice")
    assert (await desk.browser.post("/api/v1/offers/01OFFER/more-time")).status_code == 204
    assert desk.floor.asked == [("alice", "01OFFER", "more time")]
    desk.floor.fault = WrapUpRefused("the wrap-up of sales is as long as it can be")
    answer = await desk.browser.post("/api/v1/offers/01OFFER/more-time")
    assert is_problem(answer, 422, "not-possible")
    assert "as long as it can be" in answer.json()["detail"]
