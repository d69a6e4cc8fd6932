"""The desk for everybody: by keyboard alone, on a phone, in the dark; and the live queue page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.async_api import Page, expect

from cordboard.desk import wire
from tests.browser.conftest import Visitors, be_ready
from tests.browser.desk_stage import PASSWORD, PLAN, DeskStage

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]


async def test_a_whole_call_by_keyboard_alone(visitors: Visitors, stage: DeskStage) -> None:
    page = await (await visitors.context()).new_page()
    await page.goto("/")
    await page.keyboard.type("alice")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("#state-word")).to_have_text("Not taking calls")
    await page.keyboard.press("p")
    await expect(page.get_by_role("button", name="Break")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#state-word")).to_have_text("Paused: lunch")
    await page.keyboard.press("r")
    await expect(page.locator("#state-word")).to_have_text("Ready")
    call = await stage.caller_comes()
    await call.is_joined()
    await expect(page.locator("#call-state")).to_have_text("Talking")
    await page.keyboard.press("n")
    await page.keyboard.type("12 boxes, ready on Monday?")  # digits, r and ? are text here
    await page.keyboard.press("Escape")
    await call.is_over()
    await expect(page.locator("#call-state")).to_have_text("Wrap-up")
    await page.keyboard.press("3")
    await expect(page.locator("#call")).to_be_hidden()
    rows = await stage.ask(lambda c: c.exec_driver_sql("SELECT disposition, note FROM offers").fetchall())
    assert [tuple(row) for row in rows] == [("call_back", "12 boxes, ready on Monday?")]


async def test_the_list_of_keys_opens_closes_and_turns_them_off(alice: Page) -> None:
    await alice.keyboard.press("?")
    await expect(alice.get_by_role("dialog")).to_be_visible()
    await alice.get_by_label("Shortcuts are on").uncheck()
    await alice.keyboard.press("Escape")
    await expect(alice.get_by_role("dialog")).to_be_hidden()
    await alice.reload()
    await expect(alice.locator("#desk")).to_have_attribute("aria-busy", "false")
    await alice.keyboard.press("?")
    await expect(alice.get_by_role("dialog")).to_be_hidden()
    await alice.get_by_role("button", name="Keyboard shortcuts").click()
    await alice.get_by_label("Shortcuts are on").check()
    await alice.get_by_role("button", name="Close").click()
    await alice.keyboard.press("?")
    await expect(alice.get_by_role("dialog")).to_be_visible()


async def test_everything_can_be_reached_by_tab_and_shows_it(alice: Page) -> None:
    reached = []
    for _ in range(14):
        await alice.keyboard.press("Tab")
        reached.append(
            await alice.evaluate(
                "[document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    names = " ".join(name for name, _ in reached)
    for name in (
        "Skip to the call",
        "Desk",
        "Queues",
        "Shortcuts",
        "Log out",
        "Ready",
        "Break",
        "Lunch",
        "Training",
    ):
        assert name in names
    assert all(outline == "solid" for name, outline in reached if name in ("Log out", "Break", "Lunch"))


CONTRASTS = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const over = (front, back) => {
    const alpha = front[3] ?? 1;
    return [0, 1, 2].map((i) => front[i] * alpha + back[i] * (1 - alpha));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(at);
    return chain.reduce((back, at) => over(parse(getComputedStyle(at).backgroundColor), back), [255, 255, 255]);
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!text || !element.checkVisibility() || element.closest(":disabled, .unseen, svg, noscript")) continue;
    const [a, b] = [light(over(parse(getComputedStyle(element).color), ground(element))), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${element.id || element.className || element.tagName} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read_in_every_state(visitors: Visitors, stage: DeskStage, scheme: str) -> None:
    alice = await visitors.agent("alice", color_scheme=scheme, reduced_motion="reduce")
    assert await alice.evaluate(CONTRASTS) == []
    await alice.get_by_role("button", name="Lunch").click()
    await expect(alice.locator("#status")).to_have_attribute("data-state", "paused")
    assert await alice.evaluate(CONTRASTS) == []
    await be_ready(alice)
    assert await alice.evaluate(CONTRASTS) == []
    call = await stage.caller_comes(lookup="pending")
    await expect(alice.locator("#call")).to_have_attribute("data-state", "ringing")
    assert await alice.evaluate(CONTRASTS) == []
    await call.is_joined()
    await alice.get_by_role("button", name="Sold").click()
    await expect(alice.locator("#call")).to_have_attribute("data-state", "talking")
    assert await alice.evaluate(CONTRASTS) == []
    await call.is_over()
    await expect(alice.locator("#call")).to_have_attribute("data-state", "wrap_up")
    assert await alice.evaluate(CONTRASTS) == []
    await alice.goto("/queues")
    await expect(alice.locator(".queue")).to_have_count(3)
    assert await alice.evaluate(CONTRASTS) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_nothing_sticks_out_at_any_width(visitors: Visitors, stage: DeskStage, width: int) -> None:
    alice = await visitors.agent("alice", viewport={"width": width, "height": 700})
    await be_ready(alice)
    call = await stage.caller_comes()
    await call.is_joined()
    await expect(alice.locator("#wrap-up")).to_be_visible()
    for path in ("/", "/queues"):
        await alice.goto(path)
        await expect(alice.locator("main")).to_have_attribute("aria-busy", "false")
        assert await alice.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_queue_page_is_live_and_names_nobody(alice: Page, stage: DeskStage) -> None:
    await alice.goto("/queues")
    sales = alice.locator(".queue").filter(has=alice.get_by_role("heading", name="sales"))
    await expect(sales.locator(".waiting")).to_have_text("0")
    first = await stage.caller_comes(name="ADA L", waited_s=65)
    await stage.caller_comes()
    await expect(sales.locator(".waiting")).to_have_text("2")
    await expect(sales.locator(".live")).to_contain_text(re.compile(r"1:0[5-9]|1:1\d"))
    await first.hangs_up()
    await expect(sales.locator(".waiting")).to_have_text("1")
    await expect(sales.locator(".today dd")).to_have_text(["2", "0", "1", "0"])
    await expect(sales.locator(".level")).to_have_text(
        re.compile(r"%answered within 20 s / \(answered \+ abandoned\)$")
    )
    await expect(sales.locator(".agents")).to_contain_text("2Logged out")
    text = await alice.locator("body").inner_text()
    for personal in ("Ada", "ADA", "7946", "Alice", "alice", "Bob"):
        assert personal not in text


async def test_figures_grey_out_when_they_are_old_and_come_back(
    alice: Page, visitors: Visitors, stage: DeskStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await alice.goto("/queues")
    await expect(alice.locator(".queue")).to_have_count(3)
    await alice.evaluate("window.isOfBefore = true")
    await stage.stop_server()
    await expect(alice.locator("#queues")).to_have_class("is-old")
    await expect(alice.locator("#lost")).to_contain_text(re.compile(r"They are \d+ s old"))
    await stage.start_server()
    await expect(alice.locator("#queues")).not_to_have_class("is-old")
    assert await alice.evaluate("window.isOfBefore"), "the page itself is not loaded anew"
    await stage.stop_server()
    monkeypatch.setattr(wire, "PAGES_MARK", "those of an upgrade")
    async with alice.expect_event("load"):
        await stage.start_server()
    await expect(alice.locator(".queue")).to_have_count(3)
    visitors.complaints.clear()  # the browser notes that it could not connect


@pytest.mark.parametrize("width", [800, 1280, 1600, 1920, 3840])
async def test_on_the_wall_no_figure_is_broken_and_no_room_left_over(
    visitors: Visitors, stage: DeskStage, width: int
) -> None:
    stage.floor.use(replace(PLAN, queues={name: PLAN.queues[name] for name in ("sales", "support")}))
    alice = await visitors.agent("alice", viewport={"width": width, "height": width * 9 // 16})
    await stage.caller_comes(waited_s=35_990)
    for queue in ("sales", "support"):
        await stage.caller_comes(queue, waited_s=156)
    await alice.goto("/queues?kiosk")
    await expect(alice.locator(".queue")).to_have_count(2)
    await expect(alice.locator(".live dd").nth(1)).to_have_text(re.compile(r"9:59:5\d|10:00:\d\d"))
    lines, spills, last, secondary = await alice.evaluate(WALL)
    assert lines == [1, 1, 1, 1]
    assert spills == []
    assert last > width * 0.95  # the last card ends where the screen does
    assert secondary >= max(16, width / 90)


WALL = """() => {
  const figures = [...document.querySelectorAll(".big")];
  const lines = figures.map((at) => Math.round(at.clientHeight / parseFloat(getComputedStyle(at).lineHeight)));
  const spills = figures.filter((at) => at.scrollWidth > at.clientWidth).map((at) => at.textContent);
  const ends = [...document.querySelectorAll(".queue")].map((at) => at.getBoundingClientRect().right);
  const secondary = getComputedStyle(document.querySelector(".small.soft")).fontSize;
  return [lines, spills, Math.max(...ends), parseFloat(secondary)];
}"""


async def test_a_last_pause_button_is_as_wide_as_the_others(alice: Page) -> None:
    widths = await alice.evaluate("[...document.querySelectorAll('#pauses button')].map((at) => at.offsetWidth)")
    assert len(widths) == 3
    assert len(set(widths)) == 1
