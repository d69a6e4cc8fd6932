"""Supervisors at the desk, and what agents see: limits of pauses, modes of wrap-up, who has set them to what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from cordboard.acd.model import Agent, PauseRule, Presence, Queue
from cordboard.store.moments import now
from cordboard.telephony.ports import DeviceState
from tests.browser.conftest import Visitors, be_ready
from tests.browser.desk_stage import PLAN, DeskStage, desk_stage

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

TEAM = replace(
    PLAN,
    queues={
        "sales": replace(PLAN.queues["sales"], wrap_up_mode="extendable", wrap_up_at_most_s=40.0),
        "care": Queue("care", wrap_up_mode="mandatory", dispositions=("solved", "open")),
    },
    agents={
        "alice": Agent("alice", "Alice Ray", "PJSIP/1001", ("sales", "care")),
        "bob": Agent("bob", "Bob Stone", "PJSIP/1002", ("sales",)),
        "ursula": Agent("ursula", "Ursula Wynn", "PJSIP/1003", (), is_supervisor=True),
    },
    pauses={"lunch": PauseRule(1800, "available", at_once=1)},
)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[DeskStage]:
    async with desk_stage(tmp_path, TEAM) as stage:
        yield stage


async def team_of(visitors: Visitors) -> Page:
    """The team, as Ursula sees it."""
    page = await visitors.agent("ursula")
    await page.get_by_role("link", name="Team").click()
    await page.wait_for_url("**/team", timeout=30_000)
    await expect(page.locator("#team")).to_have_attribute("aria-busy", "false")
    return page


async def test_a_supervisor_sees_the_team_and_decides_what_somebody_is(
    visitors: Visitors, stage: DeskStage, alice: Page
) -> None:
    await stage.write(lambda c: stage.floor.store.device_changed(c, now(), "PJSIP/1002", DeviceState.UNAVAILABLE))
    await be_ready(alice)
    team = await team_of(visitors)
    cards = team.locator(".member")
    await expect(cards).to_have_count(3)
    await expect(cards.nth(0)).to_contain_text("Ready")
    await stage.floor.agents.set_presence("bob", Presence.AVAILABLE)
    await expect(cards.nth(1)).to_contain_text("Not registered")
    await team.get_by_role("button", name="Change what Alice Ray is").click()
    await team.get_by_role("button", name="Pause: Training").click()
    await expect(alice.locator("#state-word")).to_have_text("Paused: training")
    await expect(alice.locator("#forced")).to_have_text("Set by Ursula Wynn")
    await expect(cards.nth(0)).to_contain_text("Set by Ursula Wynn")
    await be_ready(alice)
    await expect(alice.locator("#forced")).to_be_hidden()
    await team.get_by_label("Queue").select_option("care")
    await expect(team.locator(".member:visible")).to_have_count(1)


async def test_a_pause_shows_its_limits_and_who_finds_no_room_is_told(
    visitors: Visitors, alice: Page, stage: DeskStage
) -> None:
    await expect(alice.get_by_role("button", name="Lunch")).to_contain_text("max 30 min")
    await stage.floor.agents.set_presence("bob", Presence.PAUSED, "lunch")
    await alice.get_by_role("button", name="Lunch").click()
    await expect(alice.locator("#toast")).to_have_text("1 agent is at lunch now, and 1 may be at once")
    assert "422" in visitors.complaints.pop()
    await stage.floor.agents.set_presence("bob", Presence.AVAILABLE)
    await alice.get_by_role("button", name="Lunch").click()
    await expect(alice.locator("#idle-text")).to_contain_text("Ready again in 30:00")


async def test_more_time_for_notes_by_key_as_long_as_there_is_any(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await call.is_joined()
    await call.is_over()
    await expect(alice.get_by_role("button", name="More time")).to_be_visible()
    await alice.keyboard.press("m")
    await expect(alice.get_by_role("button", name="More time")).to_be_hidden()
    await expect(alice.locator("#wrap-left")).to_contain_text("Ends by itself in 0:3")


async def test_a_call_that_wants_a_result_has_no_other_end(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes("care")
    await call.is_joined()
    await call.is_over()
    await expect(alice.locator("#wrap-left")).to_contain_text("Choose what came of it")
    await expect(alice.locator("#finish")).to_be_hidden()
    await alice.keyboard.press("1")
    await expect(alice.locator("#call")).to_be_hidden()


async def test_who_has_never_logged_in_has_no_time_and_nothing_to_come(
    visitors: Visitors, stage: DeskStage
) -> None:
    await stage.write(lambda c: stage.floor.store.device_changed(c, now(), "PJSIP/1002", DeviceState.UNAVAILABLE))
    team = await team_of(visitors)
    bob = team.locator("[data-agent=bob]")
    await expect(bob).to_contain_text("Not registered")
    await expect(bob).not_to_contain_text("After this")
    await team.get_by_role("link", name="Desk").click()
    await expect(team.locator("#state-word")).to_have_text("Not taking calls")
    await expect(team.locator("#state-time")).to_have_text("")


async def test_a_long_name_leaves_the_button_its_room(visitors: Visitors, stage: DeskStage) -> None:
    team = await team_of(visitors)
    bob = team.locator("[data-agent=bob]")
    button = bob.get_by_role("button")
    before = await button.bounding_box()
    await bob.locator("[data-part=name]").evaluate(
        "(name) => { name.textContent = 'Featherstonehaugh'.repeat(5); }"
    )
    after = await button.bounding_box()
    assert before and after
    assert (after["width"], after["height"]) == (before["width"], before["height"])
