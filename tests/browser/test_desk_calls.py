"""An agent's day at the desk, in a real browser before a real store: offers, talks, wrap-ups, reloads."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import Page, expect

from cordboard.acd.model import RONA, OfferEnd
from tests.browser.conftest import Visitors, be_ready, log_in
from tests.browser.desk_stage import ADA, DeskStage

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_wrong_password_is_told_and_the_right_one_opens_the_desk(visitors: Visitors) -> None:
    page = await (await visitors.context()).new_page()
    await page.goto("/queues")
    await page.get_by_label("Name").fill("alice")
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    await expect(page.get_by_label("Password")).to_be_focused()
    visitors.complaints.clear()  # the browser notes the 401
    await page.keyboard.type("correct horse battery")
    await page.keyboard.press("Enter")
    await expect(page.locator(".queue")).to_have_count(3)


async def test_ready_and_pause_with_a_reason(alice: Page, stage: DeskStage) -> None:
    await expect(alice.locator("#state-word")).to_have_text("Not taking calls")
    await be_ready(alice)
    await alice.get_by_role("button", name="Lunch").click()
    await expect(alice.locator("#state-word")).to_have_text("Paused: lunch")
    await expect(alice.get_by_role("button", name="Lunch")).to_have_attribute("aria-pressed", "true")
    await expect(alice.get_by_role("button", name="Ready")).to_have_attribute("aria-pressed", "false")
    view = (await stage.floor.snapshot()).agent("alice")
    assert view is not None
    assert (view.presence, view.presence_reason) == ("paused", "lunch")


async def test_an_offer_pops_up_with_the_customer_the_path_and_the_reason(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await stage.caller_comes(name="ADA L", waited_s=47)
    await expect(alice.locator("#call-title")).to_have_text("Ada Lovelace")
    await expect(alice.locator("#call-caller")).to_have_text("+44 20 7946 0123calls as ADA L")
    await expect(alice.locator("#fields dt")).to_have_text(["Tier", "City", "Balance", "Customer since"])
    await expect(alice.locator("#fields dd")).to_have_text(["gold", "London", "1,234.5", "2019-03-01"])
    await expect(alice.locator("#fact-path li")).to_have_text(["supportgreeting", "who", "menu", "sales"])
    await expect(alice.locator("#fact-why")).to_contain_text("You were the only free agent of sales")
    await expect(alice.locator("#fact-wait")).to_have_text(re.compile(r"0:4[789]|0:5\d"))
    await expect(alice).to_have_title(re.compile("^Ringing: sales"))
    await expect(alice.locator("#to-do")).to_have_text("Answer on your phone, then press 1")


async def test_the_pop_is_there_within_300_ms(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    took = []
    for _ in range(5):
        shown = alice.wait_for_selector("#call-title:has-text('Ada')", state="visible")
        began_at = time.monotonic()
        call = await stage.caller_comes()
        await shown
        took.append(time.monotonic() - began_at)
        await call.settle(OfferEnd.CALLER_LEFT)
        await expect(alice.locator("#call")).to_be_hidden()
    assert sorted(took)[len(took) // 2] < 0.3


async def test_a_talk_a_reload_in_it_and_the_wrap_up(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await call.is_joined()
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await expect(alice.locator("#call-time")).to_have_text(re.compile(r"0:0[1-9]"))
    await alice.get_by_label("Note").fill("half a sent")

    await alice.reload()
    await expect(alice.locator("#call-title")).to_have_text("Ada Lovelace")
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await expect(alice.locator("#call-time")).to_have_text(re.compile(r"0:0[1-9]|0:1\d"))
    await expect(alice.get_by_label("Note")).to_have_value("half a sent")

    await call.is_over()
    await expect(alice.locator("#call-state")).to_have_text("Wrap-up")
    await expect(alice.locator("#wrap-left")).to_have_text(re.compile(r"Ends by itself in 0:[12]\d"))
    await alice.get_by_label("Note").fill("half a sentence")
    await alice.get_by_role("button", name="No interest").click()
    await expect(alice.locator("#call")).to_be_hidden()
    await expect(alice.locator("#status")).to_have_attribute("data-state", "ready")
    assert await kept(stage, call.call_id) == ("no_interest", "half a sentence")


async def kept(stage: DeskStage, call_id: str) -> tuple[str, str]:
    """The disposition and the note the store has of a call."""
    rows = await stage.ask(
        lambda c: c.exec_driver_sql(
            "SELECT disposition, note FROM offers WHERE call_id = ? AND joined_at IS NOT NULL", (call_id,)
        ).fetchall()
    )
    ((disposition, note),) = rows
    return disposition, note


async def test_a_disposition_chosen_while_talking_is_kept_and_ends_nothing(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await call.is_joined()
    await alice.get_by_role("button", name="Sold").click()
    await expect(alice.get_by_role("button", name="Sold")).to_have_attribute("aria-pressed", "true")
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await call.is_over()
    await alice.get_by_role("button", name="Finish").click()
    await expect(alice.locator("#call")).to_be_hidden()
    assert await kept(stage, call.call_id) == ("sold", "")


async def test_a_note_is_not_lost_when_the_wrap_up_ends_by_itself(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes("support")
    await call.is_joined()
    await alice.get_by_role("button", name="Solved").click()
    await expect(alice.get_by_role("button", name="Solved")).to_have_attribute("aria-pressed", "true")
    await call.is_over()
    await alice.get_by_label("Note").fill("typed to the last moment")
    async with alice.expect_response("**/disposition") as sent:
        await expect(alice.locator("#call")).to_be_hidden()
    assert (await sent.value).status == 204
    assert await kept(stage, call.call_id) == ("solved", "typed to the last moment")


async def test_a_late_crm_is_filled_in(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes(lookup="pending")
    await expect(alice.locator("#call-title")).to_have_text("+44 20 7946 0123")
    await expect(alice.locator("#lookup")).to_have_class(re.compile("is-pending"))
    await call.is_looked_up("found", ADA)
    await expect(alice.locator("#call-title")).to_have_text("Ada Lovelace")
    await expect(alice.locator("#lookup")).to_be_hidden()
    await expect(alice.locator("#fields dd").first).to_have_text("gold")


async def test_a_crm_that_fails_and_a_number_nobody_has_are_told(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes(lookup="pending")
    await call.is_looked_up("failed", {})
    await expect(alice.locator("#lookup")).to_have_text("The CRM gave no usable answer")
    await call.is_looked_up("none", {})
    await expect(alice.locator("#lookup")).to_have_text("No customer with this number")


async def test_a_withheld_number_is_told(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await stage.caller_comes(number="", lookup="withheld")
    await expect(alice.locator("#call-title")).to_have_text("Number withheld")


async def test_several_customers_can_be_looked_through(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    others = [ADA | {"name": "Charles Babbage", "city": "Bath"}]
    call = await stage.caller_comes(lookup="several", customer=ADA | {"matches": 2, "others": others})
    await expect(alice.locator("#lookup")).to_have_text("2 customers have this number")
    await alice.get_by_role("button", name="Charles Babbage").click()
    await expect(alice.locator("#call-title")).to_have_text("Charles Babbage")
    await expect(alice.locator("#fields")).to_contain_text("Bath")
    await call.is_joined()  # the choice stays
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await expect(alice.locator("#call-title")).to_have_text("Charles Babbage")


HOSTILE = "<script>alert('1')</script><img src=x onerror=alert(2)>\r\n\x1b[31m\"'&lt;\u202eevil" + "A" * 4_096


async def test_a_hostile_name_is_text_and_nothing_else(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    customer = ADA | {"name": HOSTILE, "city": HOSTILE}
    others = [customer | {"tier": HOSTILE}]
    await stage.caller_comes(name=HOSTILE, lookup="several", customer=customer | {"matches": 2, "others": others})
    await expect(alice.locator("#call-title")).to_contain_text(
        "<script>alert('1')</script><img src=x onerror=alert(2)>"
    )
    await expect(alice.locator("#call-caller")).to_contain_text("<script>alert('1')</script>")
    assert await alice.locator("#call script, #call img").count() == 0
    shown = await alice.locator("body").inner_text()
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    width = await alice.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]  # four thousand letters without a space push nothing off the page
    await expect(alice).to_have_title(re.compile("^Ringing: sales · Cordboard$"))


async def test_an_offer_that_is_not_taken_disappears(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await expect(alice.locator("#call")).to_be_visible()
    await call.settle(OfferEnd.NO_ANSWER, caller_is_here=True)
    await expect(alice.locator("#call")).to_be_hidden()


MISSED = {
    OfferEnd.NO_ANSWER: "Your phone rang and nobody answered",
    OfferEnd.BUSY: "Your phone was busy (486)",
    OfferEnd.REJECTED: "Your phone rejected the call (603)",
    OfferEnd.UNAVAILABLE: "Your phone was not available (480)",
    OfferEnd.UNREGISTERED: "Your phone was not registered",
    OfferEnd.DECLINED: "You declined the call: another key than the accept key was pressed",
    OfferEnd.NO_KEY: "You picked up, and no accept key was pressed",
    OfferEnd.LEFT_WHISPER: "You hung up before the call was accepted",
}


async def test_who_missed_a_call_is_told_why_and_how_long_they_rest(alice: Page, stage: DeskStage) -> None:
    assert set(MISSED) == RONA
    await be_ready(alice)
    for end, words in MISSED.items():
        await alice.get_by_role("button", name="Break").click()
        await be_ready(alice)  # which ends a rest, and forgives
        call = await stage.caller_comes()
        await call.settle(end)
        await expect(alice.locator("#idle-text")).to_have_text(
            re.compile(rf"{re.escape(words)}\. Next call in [1-5] s")
        )
        await expect(alice.locator("#state-word")).to_have_text("Short rest")
        await expect(alice.locator("#state-time")).to_have_text("")


async def test_a_rest_is_over_by_itself(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await (await stage.caller_comes("support")).settle(OfferEnd.BUSY)
    await expect(alice.locator("#status")).to_have_attribute("data-state", "resting")
    await expect(alice.locator("#status")).to_have_attribute("data-state", "ready")
    await expect(alice.locator("#idle-text")).to_have_text("Waiting for a call")


async def test_an_automatic_pause_names_its_cause_also_after_a_reload(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await (await stage.caller_comes("fast")).settle(OfferEnd.BUSY)
    for _ in range(2):
        await expect(alice.locator("#state-word")).to_have_text("Paused: calls missed")
        await expect(alice.locator("#idle-text")).to_have_text(
            "Your phone was busy (486). Press Ready when you are back"
        )
        await alice.reload()


async def test_the_key_that_accepts_is_told(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    for queue, ringing, answered in (
        ("sales", "Answer on your phone, then press 1", "Press 1 on your phone"),
        ("fast", "Answer on your phone", "You are being joined"),
    ):
        call = await stage.caller_comes(queue)
        await expect(alice.locator("#to-do")).to_have_text(ringing)
        await call.leg("answered")
        await expect(alice.locator("#to-do")).to_have_text(answered)
        await call.leg("joined")
        await expect(alice.locator("#to-do")).to_be_hidden()
        await call.is_over()
        await alice.get_by_role("button", name="Finish").click()
        await expect(alice.locator("#call")).to_be_hidden()


async def test_during_a_call_its_card_alone_tells_the_state_and_the_time(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await call.is_joined()
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await expect(alice.locator("#state")).to_be_hidden()
    await alice.get_by_role("button", name="Lunch").click()
    await expect(alice.locator("#state")).to_have_text("After this call: paused (lunch)", use_inner_text=True)


async def test_who_cannot_log_out_now_learns_why(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await stage.caller_comes()
    log_out = alice.get_by_role("button", name="Log out")
    await expect(log_out).to_be_disabled()
    await expect(log_out).to_have_attribute("title", "You can log out when this call is over.")
    await log_out.focus()
    await alice.keyboard.press("Enter")
    await expect(alice.locator("#toast")).to_have_text("You can log out when this call is over.")
    await expect(alice.locator("#call")).to_be_visible()


async def test_the_caller_who_rings_here_does_not_wait_beside_it(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes(waited_s=100)
    await expect(alice.locator("#call")).to_be_visible()
    await expect(alice.locator("#queue-lines li").first).to_contain_text("nobody waits")
    await stage.caller_comes(waited_s=30)
    await expect(alice.locator("#queue-lines li").first).to_have_text(re.compile(r"sales1 waiting0:3\d"))
    await call.is_joined()
    await expect(alice.locator("#queue-lines li").first).to_contain_text("1 waiting")


async def test_a_long_text_has_a_row_of_its_own(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    await stage.caller_comes(customer=ADA | {"city": "A long way up the hill, and " * 3})
    await expect(alice.locator("#fields .broad dt")).to_have_text(["City"])
    row, field = await alice.evaluate(
        "['#fields', '#fields .broad'].map((at) => document.querySelector(at).clientWidth)"
    )
    assert row == field


async def test_a_caller_who_gives_up_disappears(alice: Page, stage: DeskStage) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await expect(alice.locator("#call")).to_be_visible()
    await call.hangs_up()
    await expect(alice.locator("#call")).to_be_hidden()
    await expect(alice.locator("#queue-lines li").first).to_contain_text("nobody waits")


async def test_a_second_tab_shows_and_does_the_same(alice: Page, stage: DeskStage) -> None:
    second = await alice.context.new_page()
    await second.goto("/")
    await be_ready(second)
    await expect(alice.locator("#status")).to_have_attribute("data-state", "ready")
    call = await stage.caller_comes()
    await call.is_joined()
    await call.is_over()
    for page in (alice, second):
        await expect(page.locator("#call-state")).to_have_text("Wrap-up")
    await alice.get_by_role("button", name="Sold").click()
    for page in (alice, second):
        await expect(page.locator("#call")).to_be_hidden()
    await alice.get_by_role("button", name="Log out").click()
    for page in (alice, second):
        await expect(page.get_by_role("button", name="Log in")).to_be_visible()
    await alice.goto("/")
    await expect(alice.get_by_role("button", name="Log in")).to_be_visible()


async def test_two_agents_each_see_their_own_call(alice: Page, visitors: Visitors, stage: DeskStage) -> None:
    bob = await visitors.agent("bob")
    await be_ready(alice)
    await be_ready(bob)
    await stage.caller_comes(name="first")
    await expect(alice.locator("#call")).to_be_visible()
    await expect(bob.locator("#call")).to_be_hidden()
    await stage.caller_comes(customer=ADA | {"name": "Grace Hopper"})
    await expect(bob.locator("#call-title")).to_have_text("Grace Hopper")
    await expect(alice.locator("#call-title")).to_have_text("Ada Lovelace")


async def test_the_page_is_right_again_after_the_desk_was_restarted(
    alice: Page, visitors: Visitors, stage: DeskStage
) -> None:
    await be_ready(alice)
    call = await stage.caller_comes()
    await expect(alice.locator("#call-state")).to_have_text("Ringing")
    await stage.stop_server()
    await call.is_joined()  # while nobody could tell the page
    await expect(alice.locator("#lost")).to_be_visible()
    await expect(alice.locator("#lost")).to_contain_text("Your phone and your call are not affected.")
    await stage.start_server()
    await expect(alice.locator("#call-state")).to_have_text("Talking")
    await expect(alice.locator("#lost")).to_be_hidden()
    visitors.complaints.clear()  # the browser notes that it could not connect


async def test_what_the_desk_refuses_is_told(alice: Page, visitors: Visitors, stage: DeskStage) -> None:
    await stage.stop_server()
    await alice.get_by_role("button", name="Ready").click()
    await expect(alice.locator("#toast")).to_have_text("The desk does not answer. Please try again.")
    await stage.start_server()
    visitors.complaints.clear()


async def test_who_is_logged_out_elsewhere_has_to_log_in(alice: Page, visitors: Visitors, stage: DeskStage) -> None:
    await stage.ask(lambda c: c.exec_driver_sql("DELETE FROM desk_sessions"))
    await alice.get_by_role("button", name="Ready").click()
    await expect(alice.get_by_role("button", name="Log in")).to_be_visible()
    visitors.complaints.clear()  # the 401
    await log_in(alice, "alice")
