"""Claims a second: agents are freed, and each gets a caller, in one transaction a claim.

A claim is a whole turn of the ACD: the agent's presence, the match with its reason, the offer, the ledger, the
commit. Processes claim at the same time, each with a thread of its own. Who is refused because others have held the
database for too long tries again, and is counted. At the end the database is asked whether any agent or any caller
was given away twice.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier

import uvloop
from sqlalchemy import distinct, func, select

from cordboard.acd.model import Presence
from cordboard.errors import LabError, StoreUnavailable
from cordboard.store.address import Address
from cordboard.store.tables import offers
from tests.bench.stores.big_floor import BigFloor
from tests.bench.stores.figures import Claims
from tests.bench.stores.store import BenchStore, each_second, open_store

FLOOR = BigFloor(queues=50, agents=400, waiting=1_000)
WAYS = ((1, 1), (1, 50), (2, 50), (4, 50))  # processes, and claims under way in each
START_S = 60.0
_GIVEN = select(func.count(), func.count(distinct(offers.c.agent)), func.count(distinct(offers.c.entry_id)))


async def measure_claims(address: Address) -> list[Claims]:
    """All ways, on a new database, each with other agents. Raises LabError if an agent or a caller was given away
    twice, or not at all.
    """
    found = []
    with open_store(address, FLOOR) as store:
        await store.fill()
        for number, (workers, at_once) in enumerate(WAYS):
            agents = FLOOR.busy_agents[number :: len(WAYS)]
            async with each_second(store.renew):
                took_s, refused = await asyncio.to_thread(_claimed_by, address, agents, workers, at_once)
            found.append(Claims(workers, at_once, len(agents), took_s, refused))
        given = await store.ask(lambda c: tuple(c.execute(_GIVEN).one()))
    if given != (FLOOR.agents,) * 3:
        raise LabError(f"{given[0]} offers, of {given[1]} agents, to {given[2]} callers; it should be one each")
    return found


def _claimed_by(address: Address, agents: Sequence[str], workers: int, at_once: int) -> tuple[float, int]:
    """Seconds from the moment at which all begin to that at which the last has ended; how many were refused."""
    context = multiprocessing.get_context("spawn")
    refused = context.Value("i", 0)
    begins, ends = context.Barrier(workers + 1), context.Barrier(workers + 1)
    shares = [agents[number::workers] for number in range(workers)]
    processes = [
        context.Process(target=_claim_share, args=(address, share, at_once, refused, begins, ends), daemon=True)
        for share in shares
    ]
    for process in processes:
        process.start()
    begins.wait(START_S)
    began = time.perf_counter()
    ends.wait(START_S)
    took_s = time.perf_counter() - began
    for process in processes:
        process.join(START_S)
    return took_s, refused.value


def _claim_share(
    address: Address,
    agents: Sequence[str],
    at_once: int,
    refused: Synchronized[int],
    begins: Barrier,
    ends: Barrier,
) -> None:
    """What each process does."""
    with open_store(address, FLOOR) as store:
        begins.wait(START_S)
        count = uvloop.run(_free_all(store, agents, at_once))
        with refused.get_lock():
            refused.value += count
        ends.wait(START_S)


async def _free_all(store: BenchStore, agents: Sequence[str], at_once: int) -> int:
    """How many were refused on the way."""
    limit = asyncio.Semaphore(at_once)

    async def free(agent: str) -> int:
        async with limit:
            return await _free(store, agent)

    return sum(await asyncio.gather(*(free(agent) for agent in agents)))


async def _free(store: BenchStore, agent: str) -> int:
    refused = 0
    while True:
        try:
            await store.set_presence(agent, Presence.AVAILABLE)
        except StoreUnavailable:
            refused += 1
        else:
            return refused
