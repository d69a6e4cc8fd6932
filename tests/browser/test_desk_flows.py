"""The flows at the desk of the real service, in a real browser: seen by admins, and right when files are saved."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from cordboard.bootstrap.agent_passwords import keep_password
from tests.browser.conftest import Visitors
from tests.browser.desk_stage import PASSWORD
from tests.browser.test_desk_use import CONTRASTS
from tests.doubles.running_service import FLOW, PLAYED, Service, caller, plays

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="session")]

BAD = FLOW.replace("next: bye", "next: by")
SHORTER = FLOW.replace("next: again", "next: bye").replace("  again: {play: hello, next: bye}\n", "")


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service with a desk, at which alice is an admin and bob is not."""
    service = Service(tmp_path_factory.mktemp("flows"))
    agents = "agents: {alice: {device: PJSIP/1001, admin: true}, bob: {device: PJSIP/1002}}\n"
    (service.config / "agents.yaml").write_text(agents)
    for agent in ("alice", "bob"):
        keep_password(service.state / "cordboard.db", agent, PASSWORD)
    await service.start()
    await service.journal.wait("desk_ready", 20)
    yield service
    await service.kill()


@pytest_asyncio.fixture(loop_scope="session")
async def guests(browser: Browser, service: Service) -> AsyncIterator[Visitors]:
    """People at the desk of the service; the test fails if a page of theirs complained."""
    guests = Visitors(browser, f"http://127.0.0.1:{service.desk_port}")
    yield guests
    for context in browser.contexts:
        await context.close()
    assert guests.complaints == []


@pytest.fixture
def file(service: Service) -> Path:
    """The file of the one flow, as it is at first."""
    file = service.config / "flows" / "hello.yaml"
    if file.read_text() != FLOW:
        file.write_text(FLOW)
    return file


async def admin_at(guests: Visitors, **options: object) -> Page:
    """Alice, who looks at the list of flows."""
    page = await guests.agent("alice", **options)
    await page.get_by_role("link", name="Flows").click()
    await expect(page.locator("#flows")).to_have_attribute("aria-busy", "false")
    await expect(page.locator("#refusal")).to_be_hidden()
    return page


async def show_picture(page: Page, nodes: int = 3) -> None:
    """Go on to the picture of the flow."""
    await page.get_by_role("link", name="hello").click()
    await is_drawn(page, f"{nodes} nodes")


async def is_drawn(page: Page, words: str) -> None:
    """Wait for a picture of which its text says so."""
    image = page.locator("#frame img")
    await expect(image).to_have_attribute("alt", re.compile(rf"^Flow hello, revision \w{{12}}: {words}$"))
    assert await image.evaluate("(image) => image.complete && image.naturalWidth > 100")


CORNER = """(image) => {
  const canvas = new OffscreenCanvas(4, 4).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [...canvas.getImageData(1, 1, 1, 1).data];
}"""


async def test_an_admin_sees_what_is_live_and_its_picture(guests: Visitors, file: Path) -> None:
    page = await admin_at(guests)
    line = page.locator("#list .flow")
    await expect(line).to_have_count(1)
    await expect(line).to_contain_text(re.compile(r"helloLive since .+ · revision [0-9a-f]{12}"))
    await expect(line.locator("dd")).to_have_text(["all numbers that are not listed", "0", "3"])
    await show_picture(page)
    assert await page.locator("#frame img").evaluate(CORNER) == [255, 255, 255, 255]  # black without its style
    await expect(page.locator("#drawn")).to_contain_text("drawn at")


async def test_an_agent_finds_no_way_to_the_flows(guests: Visitors, file: Path) -> None:
    page = await guests.agent("bob")
    await expect(page.get_by_role("link", name="Queues")).to_be_visible()
    await expect(page.get_by_role("link", name="Flows")).to_have_count(0)
    await page.goto("/flows?flow=hello")
    await expect(page).to_have_url(re.compile(r"/$"))


async def test_an_admin_who_is_none_any_more_is_back_at_the_desk(
    guests: Visitors, service: Service, file: Path
) -> None:
    page = await admin_at(guests)
    agents, loads = service.config / "agents.yaml", service.journal.find("configuration_loaded", worker="desk")
    written = agents.read_text()
    agents.write_text(written.replace(", admin: true", ""))
    await expect(page).to_have_url(re.compile(r"/$"))
    await expect(page.get_by_role("link", name="Flows")).to_have_count(0)
    agents.write_text(written)
    await service.events("configuration_loaded", len(loads) + 2, worker="desk")


async def test_a_bad_file_is_told_at_once_with_its_place_until_it_is_mended(guests: Visitors, file: Path) -> None:
    page = await admin_at(guests)
    await show_picture(page)
    began = time.monotonic()
    file.write_text(BAD)
    refusal = page.locator("#refusal")
    await expect(refusal).to_be_visible()
    took_s = time.monotonic() - began
    assert took_s < 5, "a loaded machine; on an idle one it is half a second"
    await expect(refusal).to_contain_text("A saved file was refused")
    await expect(refusal.locator("code")).to_have_text(re.compile(r"^flows/hello\.yaml:6:\d+$"))
    await expect(refusal).to_contain_text("did you mean `bye`?")
    await is_drawn(page, "3 nodes")  # what was live is live
    file.write_text(SHORTER)
    await expect(refusal).to_be_hidden()
    await is_drawn(page, "2 nodes")  # by itself
    await expect(page.locator(".flow")).to_contain_text("a saved file")


async def test_the_picture_counts_calls(guests: Visitors, service: Service, file: Path) -> None:
    async with await caller(service) as asterisk:
        while await plays(asterisk):
            asterisk.reply(PLAYED)
    page = await admin_at(guests)
    calls = page.locator("[data-calls=hello]")
    await expect(calls).to_have_text("1", timeout=20_000)  # they are counted every ten seconds
    await show_picture(page)
    day = page.get_by_role("button", name="Calls of 24 h")
    await day.click()
    await is_drawn(page, "3 nodes, with counts of calls")
    await expect(day).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_text("No call came here")).to_be_visible()
    address = await page.locator("#frame img").get_attribute("src")
    assert address is not None
    assert "×1<" in await (await page.request.get(address)).text()
    await page.reload()
    await is_drawn(page, "3 nodes, with counts of calls")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Open by itself").click()
    alone = await opened.value
    assert (
        await alone.locator("rect.page").evaluate("(page) => getComputedStyle(page).fill") == "rgb(255, 255, 255)"
    )


async def test_the_picture_grows_and_shrinks_by_key_and_by_button(guests: Visitors, file: Path) -> None:
    page = await admin_at(guests, viewport={"width": 600, "height": 600})
    await show_picture(page)
    image, frame = page.locator("#frame img"), page.locator("#frame")
    natural = await image.evaluate("(image) => image.naturalWidth")
    await expect(image).to_have_js_property("width", natural)
    await frame.focus()
    for _ in range(6):
        await page.keyboard.press("+")
    await expect(image).to_have_js_property("width", round(natural * 1.25**6))
    assert await frame.evaluate("(frame) => frame.scrollWidth > frame.clientWidth")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("0")
    assert await frame.evaluate("(frame) => frame.scrollWidth <= frame.clientWidth")
    width = await image.evaluate("(image) => image.width")
    await page.get_by_role("button", name="Smaller").click()
    await expect(image).to_have_js_property("width", round(width / 1.25))


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
async def test_all_of_it_can_be_read_at_any_width(guests: Visitors, file: Path, width: int, scheme: str) -> None:
    page = await admin_at(guests, viewport={"width": width, "height": 700}, color_scheme=scheme)
    file.write_text(BAD)
    await expect(page.locator("#refusal")).to_be_visible()
    for go_on in (False, True):
        if go_on:
            await show_picture(page)
        assert await page.evaluate(CONTRASTS) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    file.write_text(FLOW)
    await expect(page.locator("#refusal")).to_be_hidden()


async def test_a_flow_that_is_not_there_is_told_in_a_sentence(guests: Visitors, file: Path) -> None:
    page = await admin_at(guests)
    for name in ("nobody", "../hello", "<img src=x onerror=alert(1)>", "hello\n"):
        await page.goto(f"/flows?flow={quote(name)}")
        await expect(page.get_by_text("No flow of this name is live.")).to_be_visible()
        await expect(page.locator("#frame")).to_be_hidden()
