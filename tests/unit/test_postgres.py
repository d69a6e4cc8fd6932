"""What PostgreSQL does otherwise than SQLite, and what must come out the same all the same."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import ClauseElement, Connection, Engine, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError

from cordboard.acd.model import Moment, Presence
from cordboard.errors import StoreError, StoreUnavailable
from cordboard.service.database_wakes import DatabaseWakes
from cordboard.store import accounts, acd_devices, callers, flow_runs, leases, ledger, moments, traces
from cordboard.store import database as opening
from cordboard.store import postgres as server_of
from cordboard.store.acd_reads import StoreReader
from cordboard.store.acd_store import AcdStore
from cordboard.store.acd_values import Entering
from cordboard.store.address import Address, PostgresAddress
from cordboard.store.database import open_database, open_for_reading
from cordboard.store.faults import in_words, passes
from cordboard.store.notices import DESK
from cordboard.store.tables import agent_states, metadata, offers, parties
from cordboard.store.time_limit import TookTooLong, time_limit
from cordboard.store.traces import traced_beginning_with
from cordboard.store.way_counts import ways_taken
from cordboard.store.writer import StoreThread
from tests.doubles.databases import locked, shared_server
from tests.doubles.floor_kit import PLAN, FloorKit

SOON_S = 20.0
NUMBER = "+442079460123"


def entering(call_id: str) -> Entering:
    return Entering(call_id, f"leg-{call_id}", "asterisk", "sales", "en", 0, moments.now().wall, "w1")


# -- statements --


@pytest.mark.parametrize(
    "statement",
    [
        accounts._SET_PASSWORD, acd_devices._NOTE, callers._NOTE_ANSWERED, flow_runs._UPSERT, leases._TAKE,
        ledger._APPEND, traces._NEW_STEP,
    ],
)  # fmt: skip
def test_an_upsert_means_the_same_to_both(statement: ClauseElement) -> None:
    said = [
        re.sub("::[A-Z]+", "", str(statement.compile(dialect=dialect)).partition("ON CONFLICT")[2])
        for dialect in (sqlite.dialect(paramstyle="named"), postgresql.dialect(paramstyle="named"))
    ]
    assert said[0]
    assert said[0] == said[1]


def test_text_of_any_length_is_kept_and_sorted_by_its_characters(database: Address) -> None:
    engine = open_database(database)
    refs = ["Z" * 40, "a" * 40, "B1", "_", "b-1", "b1"]
    with engine.begin() as c:
        c.execute(insert(parties), [{"party_ref": ref, "number": ref} for ref in refs])
        kept = c.execute(select(parties.c.party_ref).order_by(parties.c.party_ref)).scalars().all()
    engine.dispose()
    assert kept == sorted(refs)


def test_a_question_that_takes_too_long_is_ended(database: Address) -> None:
    engine = open_database(database)
    numbers = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    with engine.connect() as c:
        with pytest.raises(TookTooLong), time_limit(c, 0.05):
            c.execute(numbers)
        with time_limit(c, 60.0):
            assert c.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def test_ways_are_counted(database: Address) -> None:
    engine = open_database(database)
    row = {
        "call_id": "01K00000000000000000000001", "at": 1.0, "kind": "advance", "flow": "f", "revision": "r",
        "node": "f/n", "verb": "", "outcome": "",
    }  # fmt: skip
    passed = ('{"passed": [["f", "menu", "1"], ["g", "x", "y"]]}', '{"passed": [["f", "menu", "1"]]}', "{}")
    with engine.begin() as c:
        for number, record in enumerate(passed):
            c.execute(insert(traces.call_steps), row | {"number": number, "record": record})
        assert ways_taken(c, "f", 0.0) == {("menu", "1"): 2}
        assert traced_beginning_with(c, "01", 5) == []
    engine.dispose()


# -- opening --


def test_the_steps_lead_to_the_tables_of_the_code(postgres: PostgresAddress) -> None:
    made = shared_server().make_database(is_empty=True)
    engine = server_of.writing_engine(made, 2_000)
    with engine.begin() as c:
        metadata.create_all(c)
    ours = schema(engine)
    engine.dispose()
    shared_server().drop_database(made)
    stepped = open_database(postgres)
    assert schema(stepped) == ours
    stepped.dispose()


def schema(engine: Engine) -> set[object]:
    """Every column and index."""
    columns = text(
        "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
    )
    indexes = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
    with engine.begin() as c:
        return {tuple(row) for statement in (columns, indexes) for row in c.execute(statement)}


def test_one_that_was_not_upgraded_is_refused_with_the_command_that_does(tmp_path: Path) -> None:
    empty = shared_server().make_database(is_empty=True)
    with pytest.raises(StoreError, match="no tables yet; type: cordboard db upgrade"):
        open_database(empty)
    server_of.upgrade(empty)
    open_database(empty).dispose()
    engine = server_of.writing_engine(empty, 2_000)
    for step, words in (("0004", "of step 0004"), ("9999", "made by a newer Cordboard")):
        with engine.begin() as c:
            c.execute(text("UPDATE alembic_version SET version_num = :step"), {"step": step})
        with pytest.raises(StoreError, match=words):
            open_database(empty)
    engine.dispose()
    shared_server().drop_database(empty)


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    nowhere = PostgresAddress(f"postgresql://cordboard@/cordboard?host={tmp_path}", "s3cret-word")
    with pytest.raises(StoreUnavailable, match="cannot be used") as refused:
        open_database(nowhere)
    assert "s3cret" not in f"{refused.value}{refused.value.__cause__}{nowhere!r}"


@pytest.mark.parametrize(
    ("role", "name", "cure"),
    [
        ("postgres", "nowhere", "createdb -O postgres nowhere"),
        ("nobody_known", "postgres", "createuser nobody_known"),
        ("guest", "postgres", "ALTER DATABASE postgres OWNER TO guest"),
    ],
)
def test_what_a_server_refuses_is_told_with_what_to_do(role: str, name: str, cure: str) -> None:
    server = shared_server()
    server.administer("DROP ROLE IF EXISTS guest")
    server.administer("CREATE ROLE guest LOGIN")
    address = PostgresAddress(server.address(name).url.replace("postgres@", f"{role}@", 1))
    with pytest.raises(StoreUnavailable) as refused:
        server_of.upgrade(address)
    assert (cure in str(refused.value), "\n" in str(refused.value)) == (True, False), refused.value


# -- faults --


def test_a_fault_does_not_repeat_the_values_it_is_about(postgres: PostgresAddress) -> None:
    engine = open_database(postgres)
    row = {"party_ref": "p1", "number": NUMBER}
    with pytest.raises(IntegrityError) as refused, engine.begin() as c:
        c.execute(insert(parties), [row])
        c.execute(insert(parties), [row | {"party_ref": "p2"}])
    engine.dispose()
    said = f"{refused.value!r} {refused.value} {refused.value.orig} {in_words(refused.value)}"
    assert "unique" in said
    assert NUMBER not in said
    assert not passes(refused.value)


def test_a_writer_that_falls_silent_loses_its_turn(
    postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_of, "SILENT_S", 0.2)
    hung, other = open_database(postgres), open_database(postgres)
    c = hung.connect()
    c.execute(insert(parties), {"party_ref": "p1", "number": NUMBER})
    with other.begin() as second:  # waits for the first, which says nothing any more
        assert second.execute(select(parties)).all() == []
    with pytest.raises(DBAPIError) as lost:
        c.execute(select(parties))
    assert passes(lost.value), "it may be told again"
    c.close()
    with hung.begin() as c:
        c.execute(insert(parties), {"party_ref": "p1", "number": NUMBER})
    hung.dispose()
    other.dispose()


# -- turns --


def test_two_halves_of_a_match_never_miss_each_other(database: Address) -> None:
    """The caller's transaction is open when the agent's begins; whichever is written last must see both."""
    kit, store = FloorKit(database), AcdStore(PLAN)
    waits = threading.Event()
    with ThreadPoolExecutor(1) as other:
        with kit.engine.begin() as c:
            store.enter(c, kit.now, entering("c1"))
            freed = other.submit(_free_alice, kit, store, waits)
            waits.wait(SOON_S)
            with pytest.raises(TimeoutError):
                freed.result(0.2)
        freed.result(SOON_S)
    assert [offer.agent for offer in kit.offers().values()] == ["alice"]
    kit.close()


def _free_alice(kit: FloorKit, store: AcdStore, waits: threading.Event) -> None:
    waits.set()
    with kit.engine.begin() as c:
        store.set_presence(c, kit.now, "alice", Presence.AVAILABLE)


def test_a_reader_sees_one_moment_and_waits_for_nobody(database: Address) -> None:
    engine = open_database(database)
    reader = open_for_reading(database)
    with reader.begin() as c:
        before = c.execute(select(agent_states)).all()
        with engine.begin() as writing:
            writing.execute(insert(parties), {"party_ref": "p1", "number": NUMBER})
        assert c.execute(select(parties)).all() == before == []
    with reader.begin() as c, locked(database):
        assert len(c.execute(select(parties)).all()) == 1
    reader.dispose()
    engine.dispose()


# -- the clock --


def test_the_boot_clock_is_the_databases(postgres: PostgresAddress) -> None:
    engine = open_database(postgres)
    with engine.begin() as c:
        theirs = c.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
        ours = moments.now().boot
    engine.dispose()
    assert abs(ours - theirs) < 5.0
    moments.follow_machine()
    assert abs(moments.now().boot - time.clock_gettime(time.CLOCK_BOOTTIME)) < 5.0


def test_the_clock_is_not_moved_by_what_the_way_there_explains() -> None:
    second = 1_000_000_000
    moments.follow_database(1_000.0, 0, 2 * second)  # read at 1 s of ours, or up to 1 s earlier or later
    ahead = moments._Ahead.ns
    moments.follow_database(1_001.5, 0, 2 * second)
    assert moments._Ahead.ns == ahead
    moments.follow_database(1_005.0, 0, 2 * second)
    assert moments._Ahead.ns == ahead + 5 * second
    moments.follow_machine()


# -- notices --


async def test_a_transaction_wakes_those_whom_it_concerns_on_whatever_machine(postgres: PostgresAddress) -> None:
    thread, store = StoreThread(open_database(postgres)), AcdStore(PLAN)
    thread.start()
    woken = {name: asyncio.Queue[str]() for name in ("w1", "w2", DESK)}
    wakes = [DatabaseWakes(postgres, {name}, lambda name=name: woken[name].put_nowait(name)) for name in woken]
    for one in wakes:
        one.listen()
    async with asyncio.timeout(SOON_S):
        for queue in woken.values():
            await queue.get()  # each listens now
        await thread.ask(lambda c: store.enter(c, moments.now(), entering("c1")), SOON_S)
        await woken[DESK].get()
        await thread.ask(lambda c: store.set_presence(c, moments.now(), "alice", Presence.AVAILABLE), SOON_S)
        await woken["w1"].get()
    assert woken["w2"].empty(), "nothing of its own has changed"
    for one in wakes:
        one.close()
    thread.close()


# -- a server that goes and comes --


async def test_threads_find_the_server_again(postgres: PostgresAddress) -> None:
    server = shared_server()
    thread, reader = StoreThread(open_database(postgres)), StoreReader(postgres)
    thread.start()
    woken = asyncio.Queue[None]()
    wakes = DatabaseWakes(postgres, {"w1"}, lambda: woken.put_nowait(None))
    wakes.listen()

    def look(c: Connection) -> int:
        return len(c.execute(select(offers)).all())

    async with asyncio.timeout(60):
        await woken.get()
        await thread.ask(look, SOON_S)
        await reader.ask(look, SOON_S)
        await asyncio.to_thread(server.stop)
        with pytest.raises(StoreUnavailable):
            await thread.ask(look, SOON_S)
        with pytest.raises(StoreUnavailable):
            await reader.ask(look, SOON_S)
        assert not thread.is_healthy
        await asyncio.to_thread(server.start)
        await thread.ask(look, SOON_S)
        await reader.ask(look, SOON_S)
        assert thread.is_healthy
        await woken.get()  # and it listens again
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await thread.ask(look, SOON_S)  # nobody has seen it go
        await reader.ask(look, SOON_S)
    wakes.close()
    thread.close()
    reader.close()


def test_leases_outlive_the_restart_of_a_machine(
    postgres: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock they are told by is not that machine's."""
    kit = FloorKit(postgres)
    assert kit.do(lambda c: kit.store.take_lease(c, Moment(0.0, 100.0), "observer:asterisk", "w1", 1e6))
    kit.close()
    monkeypatch.setattr(opening, "boot_id", lambda: "another boot")
    after = FloorKit(postgres)
    assert not after.do(lambda c: after.store.take_lease(c, Moment(0.0, 101.0), "observer:asterisk", "w2", 3.0))
    after.close()
