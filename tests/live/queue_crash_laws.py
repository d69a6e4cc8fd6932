"""What must be true of the books after whatever has happened to the processes that wrote them."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from itertools import pairwise

from cordboard.acd.kpis import Kpis, kpis
from cordboard.acd.ledger_row import LedgerRow
from cordboard.acd.model import FloorPlan, Queue
from cordboard.store.moments import now
from cordboard.store.reader import StoreReader
from tests.live.queue_crash_kit import Books

CLOCKS_S = 0.005  # Asterisk's times are cut to milliseconds, and ours are not
OF_A_TALK = ["offer_made", "offer_ringing", "agent_answered", "joined", "talk_ended", "offer_ended"]


async def check_books(
    books: Books,
    reader: StoreReader,
    plan: FloorPlan,
    *,
    answers_may_miss: bool = False,
    clocks_s: float = CLOCKS_S,
) -> None:
    """Wait until everything has ended, then check all of the ledger so far.

    reader: the same each time, so that it counts as it goes, like a desk. answers_may_miss: a talk may have been
    shorter than the time in which nothing could be written. clocks_s: how far the switch's times may be off.
    """
    left = "select entry_id from queue_entries where state <> 'left'"
    open_offers = "select offer_id from offers where state <> 'ended'"
    busy = "select agent from agent_states where activity <> 'idle'"
    for what in (left, open_offers, busy):
        await books.until(lambda what=what: not books.rows(what), what=f"nothing of {what}")
    snapshot = await reader.ask(lambda connection: reader.snapshot(connection, now(), plan))
    rows = ledger(books)
    check_offers(rows, answers_may_miss=answers_may_miss, clocks_s=clocks_s)
    check_agents(rows)
    check_entries(rows)
    for view in snapshot.queues:
        figures = check_figures(rows, plan.queues[view.name])
        shown = (view.offered_today, view.answered_today, view.abandoned_today)
        assert shown == (figures.offered, figures.answered, figures.abandoned), view.name


def ledger(books: Books) -> list[LedgerRow]:
    """All of it, in the order of writing."""
    return [
        LedgerRow(**{**dict(row), "data": json.loads(row["data"])})
        for row in books.rows("select * from ledger order by seq")
    ]


def check_offers(rows: list[LedgerRow], *, answers_may_miss: bool = False, clocks_s: float = CLOCKS_S) -> None:
    """Each offer: made first, ended last and once; a talk has all that belongs to one, in order.

    answers_may_miss: who tells of a whole talk before anybody has told of its beginning leaves out "picked up".
    """
    told: dict[str, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        if row.offer_id and row.kind in OF_A_TALK:
            told[row.offer_id].append(row)
    for about in told.values():
        about.sort(key=lambda row: OF_A_TALK.index(row.kind))
        kinds = [row.kind for row in about]
        assert kinds[0] == "offer_made" and kinds[-1] == "offer_ended" and len(set(kinds)) == len(kinds), kinds
        if about[-1].data["end"] == "served":
            may_miss = {"agent_answered"} if answers_may_miss else set()
            assert kinds == [kind for kind in OF_A_TALK if kind in kinds or kind not in may_miss], about
        for before, after in pairwise(about):
            assert before.at <= after.at + clocks_s, (before, after)


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


def check_figures(rows: list[LedgerRow], queue: Queue) -> Kpis:
    """The key figures do not depend on the order of the rows, nor on one that is told twice; nobody is lost."""
    figures = kpis(rows, queue)
    again = rows + random.sample(rows, len(rows) // 2)
    random.shuffle(again)
    assert kpis(again, queue).as_json() == figures.as_json()
    assert figures.waiting == figures.lost == 0
    assert figures.offered == figures.answered + figures.abandoned + figures.max_wait
    return figures
