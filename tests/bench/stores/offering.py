"""How long an offer takes on a large floor: from asking the store to its answer, the commit included.

Two ways to one: an agent whose queues are full of callers is freed, and a caller comes to a queue whose agent is
free. After each, all is put back as it was: the two have talked, and another caller has come in their place.
"""

from __future__ import annotations

import asyncio
import random
import time

from cordboard.acd.model import Presence
from cordboard.errors import LabError
from cordboard.store.moments import now
from cordboard.telephony.needs import Needs
from tests.bench.stores.big_floor import BigFloor, entering
from tests.bench.stores.figures import OFFER_WAYS
from tests.bench.stores.store import BenchStore, each_second

FLOOR = BigFloor(queues=2_000, agents=1_000, waiting=10_000, quiet=50)
SEED = 1878  # any will do, if it stays the same
LONGEST_S = 300.0  # then something hangs
WARM_UP = 20  # statements are compiled when they are first used


async def measure_offers(store: BenchStore, count: int) -> dict[str, list[float]]:
    """By way, milliseconds of each offer. Raises LabError, TimeoutError."""
    async with asyncio.timeout(LONGEST_S), each_second(store.look):
        return await _measure(store, count)


async def _measure(store: BenchStore, count: int) -> dict[str, list[float]]:
    chance = random.Random(SEED)
    found: dict[str, list[float]] = {way: [] for way in OFFER_WAYS}
    for number in range(WARM_UP + count):
        freed_ms = await _freed(store, chance.choice(store.floor.busy_agents))
        came_ms = await _came(store, chance.choice(store.floor.quiet_agents))
        if number >= WARM_UP:
            found[OFFER_WAYS[0]].append(freed_ms)
            found[OFFER_WAYS[1]].append(came_ms)
    return found


async def _freed(store: BenchStore, agent: str) -> float:
    began = time.perf_counter()
    changes = await store.set_presence(agent, Presence.AVAILABLE)
    while not changes.owners:  # the leases had run out: whoever renews them makes the offer, and that is late
        changes = await store.look()
    took_ms = (time.perf_counter() - began) * 1000
    rung = await store.ring()
    await store.set_presence(agent, Presence.PAUSED)
    for offer in rung:
        await store.serve(offer)
        await store.enter(entering(offer.queue, now().wall, Needs()))
    return took_ms


async def _came(store: BenchStore, agent: str) -> float:
    queue = store.floor.plan.agents[agent].queues[0]
    caller = entering(queue, now().wall, Needs())
    began = time.perf_counter()
    entered = await store.enter(caller)
    took_ms = (time.perf_counter() - began) * 1000
    if entered.offer is None:
        raise LabError(f"a caller of {queue} was offered nobody")
    await store.serve(entered.offer)
    return took_ms
