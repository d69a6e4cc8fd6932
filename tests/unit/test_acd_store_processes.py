"""Several processes on one database file, a database that is locked for a while, a machine that was restarted."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from sqlalchemy import select

from cordboard.acd.model import LeftBecause, Moment, OfferEnd, OfferResult, Presence
from cordboard.errors import StoreUnavailable
from cordboard.store import database as opening
from cordboard.store import moments
from cordboard.store.acd_reads import ledger_rows
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Entering
from cordboard.store.address import Address
from cordboard.store.database import open_database
from cordboard.store.tables import agent_states, leases, offers, queue_entries
from cordboard.store.writer import StoreThread
from cordboard.telephony.call_id import new_call_id
from cordboard.telephony.ports import AgentLegEvent
from tests.doubles.databases import locked
from tests.doubles.floor_kit import PLAN, FloorKit

CALLS_EACH = 30


def test_processes_that_compete_never_offer_an_agent_or_a_caller_twice(database: Address) -> None:
    kit = FloorKit(database)
    for agent in PLAN.agents:
        kit.do(lambda c, agent=agent: kit.store.set_presence(c, moments.now(), agent, Presence.AVAILABLE))
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(2)
    workers = [context.Process(target=_work, args=(database, f"w{n}", ready)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    rows = kit.do(lambda c: list(ledger_rows(c)))
    kit.close()
    held: dict[str, str] = {}
    for row in rows:  # the ledger is in the order of the transactions
        if row.kind == "offer_made":
            for one in (row.agent, row.entry_id):
                assert one not in held, f"{one} has two offers"
                held[one] = row.offer_id
        elif row.kind == "offer_ended":
            assert held.pop(row.agent) == held.pop(row.entry_id) == row.offer_id
    left = Counter(row.entry_id for row in rows if row.kind == "left_queue")
    entered = [row.entry_id for row in rows if row.kind == "entered_queue"]
    assert len(entered) == 2 * CALLS_EACH
    assert {left[entry] for entry in entered} == {1}
    assert sum(row.kind == "joined" for row in rows) > CALLS_EACH / 2, "agents were kept busy from both sides"


def _work(path: Address, owner: str, ready: Barrier) -> None:
    """A worker's callers: they enter, are served or rung in vain, or give up; all by this process's own hand."""
    engine = open_database(path)
    store = AcdStore(PLAN)
    chance = random.Random(owner)
    waiting: list[str] = []
    left_to_come = CALLS_EACH
    ready.wait(20)
    while left_to_come or waiting:
        with engine.begin() as c:
            now = moments.now()
            store.renew(c, now, owner)
            store.sweep(c, now)
            rung, _ = store.take_offers(c, now, owner, waiting)
        if left_to_come:
            left_to_come -= 1
            call_id = new_call_id()
            with engine.begin() as c:
                entering = Entering(call_id, call_id, "asterisk", "support", "en", 0, time.time(), owner)
                entered = store.enter(c, moments.now(), entering)
            waiting.append(call_id)
            rung += [entered.offer] if entered.offer else []
        elif chance.random() < 0.1:
            gone = waiting.pop()
            rung = [offer for offer in rung if offer.call_id != gone]
            with engine.begin() as c:
                store.leave(c, moments.now(), gone, LeftBecause.ABANDONED)
        for offer in rung:
            now = moments.now()
            is_served = chance.random() < 0.9
            end = OfferEnd.SERVED if is_served else OfferEnd.WITHDRAWN
            result = OfferResult(offer.offer_id, end, now.wall if is_served else None, now.wall)
            with engine.begin() as c:
                store.settle(c, now, offer.call_id, result, is_served)
            if is_served:
                with engine.begin() as c:
                    leg = AgentLegEvent("gone", offer.offer_id, "x", "", moments.now().wall)
                    store.agent_leg(c, moments.now(), leg)
                waiting.remove(offer.call_id)
    engine.dispose()


async def test_a_locked_database_is_an_error_that_passes(
    database: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_MS", 50)
    thread = StoreThread(open_database(database))
    thread.start()
    store = AcdStore(PLAN)
    with locked(database):
        with pytest.raises(StoreUnavailable, match="lock"):
            await thread.ask(lambda c: store.set_presence(c, moments.now(), "alice", Presence.AVAILABLE), 5.0)
        assert not thread.is_healthy
        fates: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        thread.post(
            lambda c: store.set_presence(c, moments.now(), "alice", Presence.AVAILABLE),
            lambda fate: loop.call_soon_threadsafe(fates.put_nowait, fate),
        )
        assert await asyncio.wait_for(fates.get(), 5.0) == "try_again"
    changes = await thread.ask(lambda c: store.set_presence(c, moments.now(), "alice", Presence.AVAILABLE), 5.0)
    assert changes.changed
    assert thread.is_healthy
    thread.close()


async def test_work_that_is_refused_leaves_the_rest_of_its_batch_alone(database: Address) -> None:
    thread = StoreThread(open_database(database))
    store = AcdStore(PLAN)
    asked = [
        asyncio.ensure_future(
            thread.ask(lambda c, name=name: store.set_presence(c, moments.now(), name, Presence.AVAILABLE), 5.0)
        )
        for name in ("alice", "nobody", "bob")
    ]
    await asyncio.sleep(0)  # all three wait before the thread begins: one batch
    thread.start()
    alice, nobody, bob = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(nobody, StoreUnavailable)
    assert isinstance(nobody.__cause__, ValueError)
    assert (alice.changed, bob.changed) == (True, True)
    thread.close()


def test_after_a_restart_of_the_machine_old_deadlines_are_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cordboard.db"
    kit = FloorKit(path)
    kit.presence("alice")
    offer = kit.enter("c1").offer
    assert offer is not None
    kit.leg("joined", offer.offer_id)
    kit.leg("gone", offer.offer_id)
    kit.enter("c2")
    kit.do(lambda c: kit.store.take_lease(c, kit.now, "observer:asterisk", "w1", 1e6))
    kit.close()
    monkeypatch.setattr(opening, "boot_id", lambda: "another boot")
    after = FloorKit(path)
    after.now = Moment(kit.now.wall + 60, 5.0)  # up for five seconds
    assert after.do(lambda c: c.execute(select(leases.c.until)).scalars().all()) == [0.0]
    assert after.do(lambda c: after.store.take_lease(c, after.now, "observer:asterisk", "w2", 3.0))
    after.sweep()
    (alice,) = after.do(lambda c: c.execute(select(agent_states)).all())
    assert alice.activity == "idle"
    assert after.do(lambda c: c.execute(select(offers.c.state)).scalars().all()) == ["ended"], "and nothing offered"
    after.reconcile()
    states = after.do(lambda c: c.execute(select(queue_entries.c.left_because)).scalars().all())
    assert states == ["served", "lost"]
    after.close()


def test_a_lease_is_held_by_one_until_it_ends_or_is_given_up(database: Address) -> None:
    kit = FloorKit(database)

    def take(holder: str) -> bool:
        return kit.do(lambda c: kit.store.take_lease(c, kit.now, "observer:asterisk", holder, 3.0))

    assert [take("w1"), take("w2"), take("w1")] == [True, False, True]
    kit.pass_time(2.9)
    assert not take("w2")
    kit.pass_time(0.1)
    assert take("w2")
    kit.do(lambda c: kit.store.release_lease(c, "observer:asterisk", "w1"))
    assert not take("w1"), "it was not w1's to give up"
    kit.do(lambda c: kit.store.release_lease(c, "observer:asterisk", "w2"))
    assert take("w1")
    assert kit.do(lambda c: c.execute(select(leases.c.fence)).scalar_one()) == 3
    kit.close()


async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(tmp_path: Path) -> None:
    thread = StoreThread(open_database(tmp_path / "cordboard.db"))
    thread.start()
    loop = asyncio.get_running_loop()

    async def ask_for_ever() -> None:
        me = asyncio.current_task()
        assert me is not None
        while True:
            # One turn of the loop after the thread is done: just when the answer is there.
            await thread.ask(
                lambda c: None, 5.0, lambda _: loop.call_soon_threadsafe(loop.call_soon, cancel_once, me)
            )

    asked_to_stop: set[asyncio.Task[None]] = set()

    def cancel_once(task: asyncio.Task[None]) -> None:
        if task not in asked_to_stop:
            asked_to_stop.add(task)
            task.cancel()

    asking = [asyncio.create_task(ask_for_ever()) for _ in range(50)]
    _, deaf = await asyncio.wait(asking, timeout=2.0)
    for task in deaf:
        task.cancel()
    thread.close()
    assert not deaf


def test_a_lease_that_is_over_is_left_for_a_moment_to_those_who_were_here_before(database: Address) -> None:
    kit = FloorKit(database)

    def take(holder: str, over_for_s: float = 0.0) -> bool:
        return kit.do(
            lambda c: kit.store.take_lease(c, kit.now, "observer:asterisk", holder, 3.0, over_for_s=over_for_s)
        )

    assert take("worker-0:its first life", 1.2), "nobody had it"
    kit.pass_time(3.5)
    assert not take("worker-0:its second life", 1.2)
    assert take("worker-1")
    kit.pass_time(4.5)
    assert take("worker-0:its second life", 1.2), "nobody else wants it"
    kit.do(lambda c: kit.store.release_lease(c, "observer:asterisk", "worker-0:its second life"))
    assert take("worker-0:its third life", 1.2), "it was given up"
    kit.close()
