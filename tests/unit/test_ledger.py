"""The ledger and what is read from it: once, in order, without names; the snapshot and the words of `queue why`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import String, cast, select
from sqlalchemy.exc import DBAPIError

from cordboard.acd.kpis import kpis
from cordboard.acd.model import FloorPlan, LeftBecause, Moment, OfferEnd, OfferState, Presence
from cordboard.errors import StoreUnavailable
from cordboard.store import ledger, tables
from cordboard.store.accounts import (
    Session,
    StoredAccounts,
    agents_with_login,
    remove_login,
    set_password_hash,
)
from cordboard.store.acd_reads import StoreReader, ledger_rows, open_for_reading, rows_of_call, why
from cordboard.store.address import Address
from cordboard.store.database import open_database
from cordboard.store.today import Today, day_of
from cordboard.store.writer import StoreThread
from cordboard.telephony.ports import DeviceState
from tests.doubles.floor_kit import PLAN, START, FloorKit

ADA = {"name": "Ada Lovelace", "tier": "gold"}


@pytest.fixture
def floor(database: Address) -> Iterator[FloorKit]:
    kit = FloorKit(database)
    yield kit
    kit.close()


def served_call(floor: FloorKit, call_id: str = "c1", talk_s: float = 30.0) -> str:
    floor.presence("alice")
    offer = floor.enter(call_id).offer
    assert offer is not None
    floor.pass_time(4)
    floor.leg("answered", offer.offer_id)
    floor.pass_time(2)
    floor.leg("joined", offer.offer_id)
    floor.pass_time(talk_s)
    floor.leg("gone", offer.offer_id)
    floor.settle(call_id, offer.offer_id, OfferEnd.SERVED, joined_at=floor.now.wall - talk_s)
    floor.dispose("alice", offer.offer_id, "sold", "call back in May")
    return offer.offer_id


# -- the rows --


def test_an_event_told_twice_is_one_row(floor: FloorKit) -> None:
    row = {
        "event_id": "e1:joined", "at": START, "kind": "joined", "call_id": "c1", "entry_id": "e1", "offer_id": "o1",
        "queue": "sales", "agent": "alice", "party_ref": "p1", "data": {"wait_s": 3.0},
    }  # fmt: skip
    floor.do(lambda c: ledger.append(c, [row, row]))
    floor.do(lambda c: ledger.append(c, [row | {"data": {"wait_s": 4.0}}]))
    (kept,) = floor.ledger()
    assert (kept.seq, kept.event_id, kept.data) == (1, "e1:joined", {"wait_s": 3.0})


def test_rows_are_read_by_time_kind_and_queue(floor: FloorKit) -> None:
    served_call(floor)
    floor.pass_time(100)
    floor.enter("c2", "support")
    everything = floor.ledger()
    assert [row.seq for row in everything] == sorted(row.seq for row in everything)
    later = floor.do(lambda c: list(ledger_rows(c, START + 50)))
    assert {row.call_id for row in later} == {"c2"}
    early = floor.do(lambda c: list(ledger_rows(c, START, START + 50, kinds=["joined"], queue="sales")))
    assert [(row.kind, row.call_id) for row in early] == [("joined", "c1")]
    assert floor.do(lambda c: [row.kind for row in rows_of_call(c, "c2")])[0] == "entered_queue"


def test_a_long_ledger_is_read_in_parts(floor: FloorKit) -> None:
    rows = [
        {"event_id": f"e{n}", "at": START + n, "kind": "joined", "call_id": "", "entry_id": "", "offer_id": "",
         "queue": "", "agent": "", "party_ref": "", "data": {}}
        for n in range(1_700)
    ]  # fmt: skip
    floor.do(lambda c: ledger.append(c, rows))
    assert len(floor.ledger()) == 1_700
    first = floor.do(lambda c: next(ledger_rows(c)))
    assert first.event_id == "e0"


def test_the_ledger_holds_no_number_no_name_and_no_note(floor: FloorKit) -> None:
    floor.note_caller("c1", "+442079460123", ani="02079460123", caller_name="Ada", customer=ADA, lookup="found")
    served_call(floor)
    told = repr(floor.ledger())
    assert all(row.party_ref for row in floor.ledger() if row.call_id)
    for personal in ("2079460123", "Ada", "gold", "May"):
        assert personal not in told


# -- who calls --


def test_a_number_is_one_party_and_a_withheld_one_is_nobody_twice(floor: FloorKit) -> None:
    first = floor.note_caller("c1", "+442079460123")
    assert floor.note_caller("c2", "+442079460123") == first
    assert floor.note_caller("c1", "+442079460999") == first, "a call's party never changes"
    assert floor.note_caller("c3") != floor.note_caller("c4")


def test_a_second_note_keeps_the_answer_of_the_crm(floor: FloorKit) -> None:
    floor.note_caller("c1", "+442079460123", path=("main/who",))
    floor.do(lambda c: floor.store.note_lookup(c, floor.now, "c1", "found", ADA))
    floor.note_caller("c1", "+442079460123", path=("main/who", "main/sales"))
    floor.presence("alice")
    floor.enter("c1")
    view = floor.snapshot().agent("alice")
    assert view is not None
    assert view.offer is not None
    assert (view.offer.lookup, view.offer.customer) == ("found", ADA)
    assert view.offer.path == ("main/who", "main/sales")


def test_erasing_a_party_changes_no_figure(floor: FloorKit) -> None:
    ref = floor.note_caller("c1", "+442079460123", caller_name="Ada", customer=ADA, lookup="found")
    served_call(floor)
    before = kpis(floor.ledger(), PLAN.queues["sales"])
    assert floor.do(lambda c: floor.store.erase_party(c, floor.now, ref))
    assert kpis(floor.ledger(), PLAN.queues["sales"]) == before
    dump = floor.do(lambda c: str([c.execute(table.select()).all() for table in tables.metadata.sorted_tables]))
    for personal in ("2079460123", "Ada", "May"):
        assert personal not in dump
    assert not floor.do(lambda c: floor.store.erase_party(c, floor.now, ref))
    assert floor.note_caller("c9", "+442079460123") != ref, "and nobody is recognised"


# -- the snapshot --


def test_the_snapshot_shows_the_call_to_its_agent(floor: FloorKit) -> None:
    floor.note_caller("c1", "+442079460123", ani="02079460123", caller_name="<Ada>", dnis="5000", lookup="none")
    floor.enter("c1")
    floor.pass_time(8)
    floor.renew("w1")
    floor.presence("alice")
    floor.pass_time(1)
    view = floor.snapshot().agent("alice")
    assert view is not None
    offer = view.offer
    assert offer is not None
    assert (view.activity, offer.state, offer.wait_s) == ("offered", OfferState.OFFERED, 9.0)
    assert offer.reason.startswith("alice was the only free agent of sales")
    assert (offer.number, offer.caller_name, offer.dnis) == ("+442079460123", "<Ada>", "5000")
    assert offer.dispositions == ("sold", "no interest")
    assert "Ada" not in repr(offer)


def test_the_snapshot_shows_what_is_left_of_the_wrap_up(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.leg("joined", offer.offer_id)
    floor.leg("gone", offer.offer_id)
    floor.pass_time(5)
    view = floor.snapshot().agent("alice")
    assert view is not None
    assert view.offer is not None
    assert (view.activity, view.offer.wrap_up_left_s, view.offer.wait_s) == ("wrap_up", 15.0, 0.0)


def test_queues_count_callers_agents_and_the_day(floor: FloorKit) -> None:
    served_call(floor)
    floor.presence("alice", Presence.PAUSED, "lunch")
    floor.enter("c2")
    floor.leave("c2")
    floor.enter("sent on")
    floor.leave("sent on", LeftBecause.OVERFLOW)
    floor.enter("c3")
    floor.pass_time(7)
    floor.device("PJSIP/1002", DeviceState.UNAVAILABLE)
    sales, support = floor.snapshot().queues
    assert (sales.waiting, sales.longest_wait_s) == (1, 7.0)
    assert (sales.offered_today, sales.answered_today, sales.abandoned_today) == (4, 1, 1)
    assert sales.elsewhere_today == 1
    assert sales.service_level == 0.5
    assert sales.agents == {"paused": 1, "logged_out": 1}
    assert (support.waiting, support.longest_wait_s, support.service_level) == (0, 0.0, None)
    floor.presence("bob")
    assert floor.snapshot().queues[0].agents == {"paused": 1, "unreachable": 1}


def test_agents_nobody_has_seen_yet_are_shown_as_logged_out(floor: FloorKit) -> None:
    assert [(view.name, view.presence) for view in floor.snapshot().agents] == [
        ("alice", Presence.LOGGED_OUT),
        ("bob", Presence.LOGGED_OUT),
    ]


def test_the_day_begins_anew_at_midnight(floor: FloorKit) -> None:
    begins, ends = day_of(START, ZoneInfo("UTC"))
    assert ends - begins == 86_400
    floor.now = Moment(ends - 60, 1000.0)
    floor.enter("late")
    today = Today()
    floor.do(lambda c: today.read(c, floor.now.wall))
    assert today.queue("sales").offered == 1
    floor.pass_time(120)
    floor.leave("late")
    floor.enter("early")
    floor.do(lambda c: today.read(c, floor.now.wall))
    day = today.queue("sales")
    assert (day.offered, day.patience) == (1, []), "a call counts on the day on which it entered"


def test_a_day_of_23_hours_is_one_day() -> None:
    begins, ends = day_of(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp(), ZoneInfo("Europe/London"))
    assert ends - begins == timedelta(hours=23).total_seconds()
    assert datetime.fromtimestamp(begins, ZoneInfo("Europe/London")).hour == 0


# -- the reader --


async def test_the_reader_sees_what_is_written_and_never_waits_for_a_writer(floor: FloorKit) -> None:
    reader = StoreReader(floor.path)
    served_call(floor)
    with floor.engine.begin():
        snapshot = await reader.ask(lambda c: reader.snapshot(c, floor.now, PLAN), 0.5)
    assert snapshot.queues[0].answered_today == 1
    floor.pass_time(10)
    served_call(floor, "c2")
    snapshot = await reader.ask(lambda c: reader.snapshot(c, floor.now, PLAN))
    assert snapshot.queues[0].answered_today == 2
    reader.close()


async def test_the_reader_cannot_write(floor: FloorKit) -> None:
    reader = StoreReader(floor.path)
    with pytest.raises(StoreUnavailable, match=r"read-?only") as refused:
        await reader.ask(lambda c: floor.store.set_presence(c, floor.now, "alice", Presence.AVAILABLE))
    assert isinstance(refused.value.__cause__, DBAPIError)
    reader.close()


async def test_a_database_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "none.db")
    with pytest.raises(StoreUnavailable, match="there is no database"):
        await reader.ask(lambda c: None)
    reader.close()
    with pytest.raises(StoreUnavailable):
        open_for_reading(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


# -- why --


def test_why_tells_a_call_in_words(floor: FloorKit) -> None:
    floor.presence("alice")
    offer = floor.enter("c1").offer
    assert offer is not None
    floor.pass_time(15)
    floor.settle("c1", offer.offer_id, OfferEnd.NO_ANSWER)
    floor.pass_time(2)
    lines = floor.do(lambda c: why(c, "c1", now=floor.now, plan=PLAN))
    assert [line.text for line in lines] == [
        "entered sales",
        "offered to alice: alice was the only free agent of sales (for 0 s); the caller was the only one waiting "
        "(for 0 s)",
        "the phone of alice rings",
        "the offer to alice ended: nobody picked up (rang for 15 s)",
        "waits in sales, for 17 s, in place 1; its agents: 1 logged out, 1 resting; no worker holds the call now",
    ]
    assert floor.do(lambda c: why(c, "unheard of", now=floor.now, plan=PLAN)) == []


def test_why_tells_the_whole_of_a_served_call(floor: FloorKit) -> None:
    served_call(floor)
    told = [line.text for line in floor.do(lambda c: why(c, "c1", now=floor.now, plan=FloorPlan()))]
    assert told[3:] == [
        "alice has picked up",
        "talks with alice, after 6 s in the queue",
        "left sales: served, after 6 s",
        "the talk with alice ended, after 30 s",
        "the offer to alice ended: the call was served (rang for 4 s)",
        "alice noted: sold",
        "alice was done with it, 0 s later",
    ]


# -- accounts --


async def test_accounts_keep_hashes_and_forget_what_is_over(database: Address) -> None:
    engine = open_database(database)
    with engine.begin() as connection:
        set_password_hash(connection, "alice", "$argon2id$1")
    thread, reader = StoreThread(engine), StoreReader(database)
    thread.start()
    accounts = StoredAccounts(thread, reader)
    assert await accounts.password_hash("alice") == "$argon2id$1"
    assert await accounts.password_hash("bob") is None
    await accounts.open_session(Session("old", "alice", 1.0))
    assert await accounts.find_session("old") == Session("old", "alice", 1.0)
    current = Session("new", "alice", 4e9)
    await accounts.open_session(current)
    assert await accounts.find_session("old") is None
    await accounts.close_session("new")
    await accounts.close_session("new")
    assert await accounts.find_session("new") is None
    await accounts.open_session(current)
    await thread.ask(lambda c: set_password_hash(c, "alice", "$argon2id$2"), 2.0)
    assert await accounts.find_session("new") is None, "a new password ends every log-in by the old one"
    assert await thread.ask(agents_with_login, 2.0) == ["alice"]
    assert await thread.ask(lambda c: remove_login(c, "alice"), 2.0)
    assert await accounts.password_hash("alice") is None
    thread.close()
    reader.close()


def test_data_in_the_ledger_is_json(floor: FloorKit) -> None:
    served_call(floor)
    for data in floor.do(lambda c: c.execute(select(cast(tables.ledger.c.data, String))).scalars().all()):
        assert isinstance(json.loads(data), dict)
