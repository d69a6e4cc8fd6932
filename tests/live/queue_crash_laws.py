"""What must be true of the books after whatever has happened to the processes that wrote them."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict

from cordboard.acd.kpis import kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import Queue
from tests.live.queue_crash_kit import Books, Seat

CLOCKS_S = 0.005  # Asterisk's times are cut to milliseconds, and ours are not
OF_A_TALK = ["offer_made", "offer_ringing", "agent_answered", "joined", "talk_ended", "offer_ended"]


async def check_books(books: Books, seats: list[Seat], queues: dict[str, Queue]) -> None:
    """Wait until everything has ended, then check all of the ledger so far."""
    left = "select entry_id from queue_entries where state <> 'left'"
    open_offers = "select offer_id from offers where state <> 'ended'"
    busy = "select agent from agent_states where activity <> 'idle'"
    for what in (left, open_offers, busy):
        await books.until(lambda what=what: not books.rows(what), what=f"nothing of {what}")
    rows = ledger(books)
    check_offers(rows)
    check_agents(rows)
    check_entries(rows)
    for queue in queues.values():
        check_figures(rows, queue)
        await check_page(rows, queue, seats[0])


def ledger(books: Books) -> list[LedgerRow]:
    """All of it, in the order of writing."""
    return [
        LedgerRow(**{**dict(row), "data": json.loads(row["data"])})
        for row in books.rows("select * from ledger order by seq")
    ]


def check_offers(rows: list[LedgerRow]) -> None:
    """Each offer: made first, ended last and once; a talk has all that belongs to one, in order."""
    told: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        if row.offer_id and row.kind in OF_A_TALK:
            told[row.offer_id].append(row)
    for about in told.values():
        about.sort(key=lambda row: OF_A_TALK.index(row.kind))
        kinds = [row.kind for row in about]
        assert kinds[0] == "offer_made" and kinds[-1] == "offer_ended" and len(set(kinds)) == len(kinds), kinds
        if about[-1].data["end"] == "served":
            assert kinds == OF_A_TALK, kinds
        for before, after in zip(about, about[1:], strict=False):
            assert before.at <= after.at + CLOCKS_S, (before, after)


def check_agents(rows: list[LedgerRow]) -> None:
    """No agent and no caller has two open offers at any time."""
    for of in ("agent", "entry_id"):
        has: dict[str, str] = {}
        for row in rows:
            who = getattr(row, of)
            if row.kind == "offer_made":
                assert who not in has, f"{who} has {has[who]} and gets {row.offer_id}"
                has[who] = row.offer_id
            elif row.kind == "offer_ended":
                assert has.pop(who) == row.offer_id


def check_entries(rows: list[LedgerRow]) -> None:
    """Who entered has left, once, and not before."""
    entered = {row.entry_id: row.at for row in rows if row.kind == "entered_queue"}
    left = [row for row in rows if row.kind == "left_queue"]
    assert sorted(entered) == sorted(row.entry_id for row in left)
    assert all(entered[row.entry_id] <= row.at + CLOCKS_S for row in left)


def check_figures(rows: list[LedgerRow], queue: Queue) -> None:
    """The key figures do not depend on the order of the rows, nor on one that is told twice."""
    figures = kpis(rows, queue).as_json()
    again = rows + random.sample(rows, len(rows) // 2)
    random.shuffle(again)
    assert kpis(again, queue).as_json() == figures
    assert figures["waiting"] == figures["lost"] == 0
    assert figures["offered"] == figures["answered"] + figures["abandoned"] + figures["max_wait"]


async def check_page(rows: list[LedgerRow], queue: Queue, seat: Seat) -> None:
    """What the desk has counted as it went is what the ledger gives."""
    figures = kpis(rows, queue)
    wanted = (figures.offered, figures.answered, figures.abandoned)
    async with asyncio.timeout(5):
        await seat.desk.shows(lambda page: _shown(page, queue.name) == wanted, what=f"{queue.name}: {wanted}")


def _shown(page, name):  # type: ignore[no-untyped-def]
    shown = next((queue for queue in page["queues"] if queue["name"] == name), None)
    return shown and (shown["offered_today"], shown["answered_today"], shown["abandoned_today"])
