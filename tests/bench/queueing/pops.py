"""How soon an offer is on the agent's page: at a client of the desk's event stream, and in the page in Chromium.

Both look at the same offers. The offer's own moment is that of the ledger's `offer_made`, which the page carries as
`offered_at`; all clocks are this machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from playwright.async_api import async_playwright

from cordboard.acd.model import Presence
from cordboard.lab.desk_client import DeskClient
from cordboard.lab.packages import ensure_packages, find_program
from tests.bench.queueing.configuration import OUR_NUMBERS, agents_of
from tests.bench.queueing.figures import Pop, QueueFigures
from tests.bench.queueing.sampling import callers_wait, everybody_leaves
from tests.bench.queueing.stage import PAUSE_REASON, Site
from tests.bench.queueing.watching import soon

POPS = 50
QUEUE = "ten"
BROWSER = "chromium"
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage")  # it will not run as root otherwise

# Tells us when the call's card appears, in the moment in which the page has changed.
_TELL = """
    document.addEventListener("DOMContentLoaded", () => {
        const card = document.getElementById("call");
        if (card === null) return;
        const tell = () => { if (!card.hidden) window.appeared(performance.timeOrigin + performance.now()); };
        new MutationObserver(tell).observe(card, {attributes: true, attributeFilter: ["hidden"]});
    });
"""


async def measure_pops(site: Site, figures: QueueFigures, count: int = POPS) -> None:
    """Offer by offer, to the same agent. Raises LabError if an offer does not appear."""
    agent = agents_of(QUEUE)[0]
    async with site.stage.desk(agent) as client, _page(site, agent) as appearances:
        for _ in range(count):
            figures.pops.append(await _pop(site, agent, client, appearances))
    await everybody_leaves(site)
    print(f"  {count} offers on the page", flush=True)


async def _pop(site: Site, agent: str, client: DeskClient, appearances: asyncio.Queue[float]) -> Pop:
    await site.floor.agents.set_presence(agent, Presence.PAUSED, PAUSE_REASON)
    await client.shows(lambda page: page["call"] is None and page["me"]["presence"] == "paused")
    await callers_wait(site, OUR_NUMBERS[QUEUE], 1)
    known = len(client.pops)
    await site.floor.agents.set_presence(agent, Presence.AVAILABLE)
    ring = await soon(site.phones.rings, f"a call to {agent}")
    await client.shows(lambda _: len(client.pops) > known)
    appeared_at = await soon(appearances, "the call on the page")
    await soon(site.watch.joins, f"the talk of {agent}")
    await site.floor.agents.set_presence(agent, Presence.PAUSED, PAUSE_REASON)
    site.phones.hang_up(ring)
    await soon(site.callers.ended, f"the end of the talk of {agent}")
    site.watch.clear()  # the music while the phone rang
    pop = client.pops[known]
    offered_at = float(pop.call["offered_at"])
    return Pop((pop.at + _since_1970() - offered_at) * 1000, (appeared_at - offered_at) * 1000)


def _since_1970() -> float:
    """What lies between the clock of the client's sightings and the offers'."""
    return time.time() - time.monotonic()


@contextlib.asynccontextmanager
async def _page(site: Site, agent: str) -> AsyncIterator[asyncio.Queue[float]]:
    """The agent's page in the browser; when a call appeared on it, seconds since 1970."""
    await asyncio.to_thread(ensure_packages, [BROWSER])
    appearances: asyncio.Queue[float] = asyncio.Queue()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_program(BROWSER), args=ARGUMENTS)
        try:
            page = await browser.new_page(base_url=site.stage.desk_url)
            await page.expose_function("appeared", lambda at_ms: appearances.put_nowait(at_ms / 1000))
            await page.add_init_script(_TELL)
            await page.goto("/login")
            await page.get_by_label("Name").fill(agent)
            await page.get_by_label("Password").fill(site.stage.passwords[agent])
            await page.get_by_role("button", name="Log in").click()
            await page.locator("#desk[aria-busy=false]").wait_for()
            yield appearances
        finally:
            await browser.close()
