"""Debian's Chromium, and pages in it that may neither complain nor be attacked unnoticed.

One browser serves all tests, so they share one event loop; people, cookies and the desk are new for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from cordboard.lab.packages import ensure_packages, find_program
from tests.browser.desk_stage import PASSWORD, DeskStage, desk_stage

expect.set_options(timeout=10_000)  # a crowded machine; what is expected comes in milliseconds

# A page reports what it was kept from doing; nothing of ours should be kept from anything.
REPORT_VIOLATIONS = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path) -> AsyncIterator[DeskStage]:
    async with desk_stage(tmp_path) as stage:
        yield stage


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, installed if it was not there."""
    ensure_packages(["chromium"])
    path = find_program("chromium")
    assert path is not None
    return path


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]  # it will not run as root otherwise
        browser = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        await browser.close()


class Visitors:
    """Browser contexts (one a person) whose pages write down every complaint."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self.complaints: list[str] = []

    async def context(self, **options: object) -> BrowserContext:
        """A person at a browser of their own."""
        context = await self._browser.new_context(base_url=self._url, **options)  # type: ignore[arg-type]
        await context.add_init_script(REPORT_VIOLATIONS)
        context.on("page", self._watch)
        return context

    async def agent(self, name: str = "alice", **options: object) -> Page:
        """An agent who is logged in and looks at the desk."""
        page = await (await self.context(**options)).new_page()
        await log_in(page, name)
        return page

    def _watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(browser: Browser, stage: DeskStage) -> AsyncIterator[Visitors]:
    """The people of one test. It fails if a page of theirs complained of anything a test does not take out."""
    visitors = Visitors(browser, stage.url)
    yield visitors
    for context in browser.contexts:
        await context.close()
    assert visitors.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def alice(visitors: Visitors) -> Page:
    """Alice at her desk, logged in, not taking calls yet."""
    return await visitors.agent("alice")


async def log_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """By the log-in page, as people do."""
    await page.goto("/")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#desk")).to_have_attribute("aria-busy", "false")


async def be_ready(page: Page) -> None:
    """Take calls from now on."""
    await page.get_by_role("button", name="Ready").click()
    await expect(page.locator("#status")).to_have_attribute("data-state", "ready")
